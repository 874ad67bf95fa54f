"""Publishing, and what was published."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from knowledge import models
from knowledge.publishing import CannotPublish, publish, unpublished_changes


class PublishForm(forms.Form):
    reason = forms.CharField(label=_("What changed, and why"), max_length=240)


@admin.register(models.KnowledgeRevision)
class KnowledgeRevisionAdmin(admin.ModelAdmin):
    """What was published, when and why. Nobody edits a revision; publishing makes the next one."""

    list_display = ("pk", "created_at", "created_by", "reason")
    list_select_related = ("created_by",)
    fields = ("created_at", "created_by", "reason", "digest")
    readonly_fields = fields
    change_list_template = "admin/knowledge/revisions.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.KnowledgeRevision]:
        return super().get_queryset(request).defer("content", "weights")

    def get_urls(self) -> list[URLPattern]:
        return [path("publish/", self.admin_site.admin_view(self.publish_view), name="publish-knowledge"), *super().get_urls()]

    def publish_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for the reason, publishes, says which revision now serves or which rows contradict each other."""
        if not request.user.has_perm("knowledge.add_knowledgerevision"):
            return HttpResponse(_("You may not publish."), status=403)
        form = PublishForm(request.POST or None)
        problems: tuple[Any, ...] = ()
        if form.is_valid():
            try:
                revision = publish(by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]  # a staff user
            except CannotPublish as error:
                problems = error.problems
            else:
                self.message_user(request, _("Revision %(number)s serves.") % {"number": revision.pk}, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:knowledge_knowledgerevision_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish"),
            "form": form,
            "problems": problems,
            "changed": unpublished_changes(),
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/knowledge/publish.html", context)
