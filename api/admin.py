"""Tokens in the admin: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from api.models import ApiToken, Scope
from api.tokens import make_token, revoke


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(label=_("Scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "user", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Whoever may add tokens makes them for themselves; superusers for anybody, and for nobody."""

    form = TokenForm
    list_display = ("name", "hint", "shown_scopes", "user", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__username")
    actions = ("revoke_tokens",)
    raw_id_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj:
            return ("name", "hint", "shown_scopes", "user", "created_at", "expires_at", "last_used_at", "revoked_at")
        return ("name", "scopes", "user", "expires_at") if request.user.is_superuser else ("name", "scopes", "expires_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """What a token may do never changes: whoever trusted it trusted it for that."""
        return self.get_fields(request, obj)[1:] if obj else ()

    @admin.display(description=_("scopes"))
    def shown_scopes(self, row: ApiToken) -> str:
        return ", ".join(row.scopes)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        user: Any = obj.user if request.user.is_superuser else request.user
        made, token = make_token(name=obj.name, scopes=form.cleaned_data["scopes"], user=user, expires_at=obj.expires_at)
        obj.pk, obj.hint, obj._state.adding = made.pk, made.hint, False
        request.new_token = token  # type: ignore[attr-defined]  # for the page that follows, and nowhere else

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the token, once: neither a message nor a redirect, which would keep it somewhere."""
        context = {**self.admin_site.each_context(request), "title": _("The token"), "row": obj, "token": request.new_token, "opts": self.opts}  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/api/apitoken/made.html", context, headers={"Cache-Control": "no-store"})

    @admin.action(description=_("Revoke the selected tokens"), permissions=["change"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self.message_user(request, _("%(count)d revoked.") % {"count": revoke(queryset)}, messages.SUCCESS)
