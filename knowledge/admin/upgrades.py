"""Rows that a curator and an upgrade both changed: side by side, to be decided."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from knowledge import models, upgrades
from knowledge.exchange import MODELS

State = models.UpgradeConflict.State


class DecidedFilter(admin.SimpleListFilter):
    """What is to be decided comes first."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), *[choice for choice in State.choices if choice[0] != State.OPEN]]

    def choices(self, changelist: Any) -> Any:
        yield {"selected": self.value() is None, "query_string": changelist.get_query_string(remove=["state"]), "display": State.OPEN.label}
        for value, label in self.lookup_choices:
            yield {"selected": self.value() == value, "query_string": changelist.get_query_string({"state": value}), "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(state=self.value() or State.OPEN)


@admin.register(models.UpgradeConflict)
class UpgradeConflictAdmin(admin.ModelAdmin):
    """Upgrades write them; a curator decides."""

    list_display = ("name_begun", "kind", "state", "created_at", "decided_by", "decided_at")
    list_select_related = ("decided_by",)
    list_filter = (DecidedFilter, "kind")
    search_fields = ("name",)
    actions = ("keep", "take")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("row"), ordering="name")
    def name_begun(self, conflict: models.UpgradeConflict) -> str:
        return conflict.name[:120]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_view_or_change_permission(request):
            upgrades.settle()
        return super().changelist_view(request, {"title": _("Rows that an upgrade wanted otherwise"), **(extra_context or {})})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Both rows, field by field; POST decides."""
        conflict = self.get_object(request, object_id)
        if conflict is None:
            raise Http404
        if not self.has_view_or_change_permission(request, conflict):
            raise PermissionDenied
        if request.method == "POST" and conflict.state == State.OPEN:
            if not self.has_change_permission(request, conflict):
                raise PermissionDenied
            take = "_take" in request.POST
            self._decide(request, [conflict], take=take)
            return HttpResponseRedirect(reverse("admin:knowledge_upgradeconflict_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(conflict),
            "conflict": conflict,
            "differences": upgrades.differences(conflict),
            "open": conflict.state == State.OPEN,
            "may": self.has_change_permission(request, conflict),
        }
        return TemplateResponse(request, "admin/knowledge/upgrade.html", context)

    @admin.action(permissions=["change"], description=_("Keep ours"))
    def keep(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._decide(request, list(queryset.filter(state=State.OPEN)), take=False)

    @admin.action(permissions=["change"], description=_("Take the shipped ones"))
    def take(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._decide(request, list(queryset.filter(state=State.OPEN)), take=True)

    def _decide(self, request: HttpRequest, conflicts: list[models.UpgradeConflict], *, take: bool) -> None:
        done = 0
        for conflict in conflicts:
            if not request.user.has_perm(f"knowledge.change_{MODELS[conflict.kind]._meta.model_name}"):
                raise PermissionDenied
            try:
                (upgrades.take_shipped if take else upgrades.keep_ours)(conflict, request.user)  # type: ignore[arg-type]  # a staff user
            except upgrades.CannotTake as error:
                self.message_user(request, f"{conflict}: {error}", messages.ERROR)
            else:
                done += 1
        if done:
            said = _("%(count)d shipped rows taken. They serve after the next publishing.") if take else _("%(count)d of ours kept.")
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
