"""Publishing, and what was published."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from knowledge import jobs, models
from knowledge.publishing import unpublished_changes

State = models.PublishJob.State


class PublishForm(forms.Form):
    reason = forms.CharField(label=_("What changed, and why"), max_length=240, widget=forms.TextInput(attrs={"size": 80}))


class ConfirmForm(forms.Form):
    confirmed = forms.CharField(label=_("Why this is right"), max_length=240, widget=forms.TextInput(attrs={"size": 80}))


@admin.register(models.KnowledgeRevision)
class KnowledgeRevisionAdmin(admin.ModelAdmin):
    """What was published, when and why. Nobody edits a revision; publishing makes the next one."""

    list_display = ("pk", "created_at", "created_by", "reason")
    list_select_related = ("created_by",)
    fields = ("created_at", "created_by", "reason", "confirmed", "digest")
    readonly_fields = fields
    change_list_template = "admin/knowledge/revisions.html"
    change_form_template = "admin/knowledge/revision.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.KnowledgeRevision]:
        return super().get_queryset(request).defer("content", "weights")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("publish/", view(self.publish_view), name="publish-knowledge"),
            path("publish/<int:number>/", view(self.job_view), name="publishing"),
            *super().get_urls(),
        ]

    def publish_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for the reason and starts the job; shows the one that is under way or was left unfinished."""
        _must_be_allowed(request)
        form = PublishForm(request.POST or None)
        if form.is_valid():
            return self._started(request, reason=form.cleaned_data["reason"])
        last = jobs.newest()
        context = {"title": _("Publish"), "form": form, "changed": unpublished_changes(), "last": last if last and last.state != State.DONE else None}
        return self._shown(request, "admin/knowledge/publish.html", context)

    def job_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """How a job stands. POST goes on with one that needs confirmation, or starts one anew that was interrupted or failed."""
        _must_be_allowed(request)
        jobs.bury_the_dead()
        job = get_object_or_404(models.PublishJob.objects.select_related("by", "revision"), pk=number)
        asks = job.state == State.UNCONFIRMED
        form = ConfirmForm(request.POST or None) if asks else None
        if request.method == "POST" and not job.active and job.state != State.DONE and (form is None or form.is_valid()):
            confirmed = form.cleaned_data["confirmed"] if form else job.confirmed
            broken = (line["name"] for line in job.report.get("cases", {}).get("broken", ()))
            cases = tuple(broken) if form else tuple(job.confirmed_cases)
            return self._started(request, reason=job.reason, confirmed=confirmed, confirmed_cases=cases)
        return self._shown(request, "admin/knowledge/job.html", {"title": _("Publishing"), "job": job, "form": form, "report": job.report})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        report = models.KnowledgeRevision.objects.filter(pk=object_id).values_list("report", flat=True).first() if object_id.isdigit() else None
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "report": report})

    def _started(self, request: HttpRequest, **asked: Any) -> HttpResponse:
        try:
            job = jobs.start(by=request.user, **asked)  # type: ignore[arg-type]  # a staff user
        except jobs.AlreadyPublishing as busy:
            self.message_user(request, _("Somebody is publishing already; you see how it stands. Publish again when it is done."), messages.WARNING)
            job = busy.job
        return HttpResponseRedirect(reverse("admin:publishing", args=[job.pk]))

    def _shown(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context})


def _must_be_allowed(request: HttpRequest) -> None:
    if not request.user.has_perm("knowledge.add_knowledgerevision"):
        raise PermissionDenied(_("You may not publish."))
