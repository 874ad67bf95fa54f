"""Knowledge as files on the desk: export of the whole and of chosen rows, import with a look before it is carried out."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from knowledge import models
from knowledge.admin.history import HistoryAdmin
from knowledge.exchange import MODELS, ImportPlan, carry_out, export_all, export_rows, plan_import, to_yaml
from whybounce.yaml_knowledge import MAX_BYTES, KnowledgeError

_KEPT_UNDONE = timedelta(days=2)
_MOST_SHOWN = 60
_MOST_NAMED = 300


def yaml_file(text: str, name: str) -> HttpResponse:
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}.yaml"'})


class ExportRows(HistoryAdmin):
    """Lists whose chosen rows can be had as a file."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_view_permission(request):
            actions["export_rows"] = (_export, "export_rows", _("Export the chosen rows as YAML"))
        return actions


def _export(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    return yaml_file(to_yaml(export_rows(model_admin.model, queryset)), str(model_admin.opts.verbose_name_plural).replace(" ", "-"))


class _SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Several files at once, none too long to be read."""

    widget = _SeveralFiles(attrs={"accept": ".yaml,.yml"})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        chosen = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(_FilesField, self).clean(item, initial) for item in chosen or [None]]
        for item in cleaned:
            if item.size > MAX_BYTES:
                raise forms.ValidationError(
                    _("%(name)s is longer than %(most)d MB; split it."), params={"name": item.name, "most": MAX_BYTES // 1_000_000}
                )
        return cleaned


class ImportForm(forms.Form):
    chosen = _FilesField(label=_("Files"), help_text=_("One or several YAML files. A row that is here already is replaced as a whole."))
    publish = forms.ChoiceField(
        label=_("The rows become"),
        choices=[("", _("drafts, to be looked at one by one")), ("yes", _("published: they serve after the next publishing"))],
        required=False,
        widget=forms.RadioSelect,
        initial="",
    )
    why = forms.CharField(label=_("Why"), max_length=100, help_text=_("Kept in the history of each row."), widget=forms.TextInput(attrs={"size": 60}))


@admin.register(models.KnowledgeImport)
class KnowledgeImportAdmin(admin.ModelAdmin):
    """The imports that there were; the page of a new one, and the look at what it would do."""

    list_display = ("created_at", "names", "by", "why", "did")
    list_select_related = ("by",)
    change_list_template = "admin/knowledge/files.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.KnowledgeImport]:
        return super().get_queryset(request).defer("content")

    def get_urls(self) -> list[URLPattern]:
        return [path("export/", self.admin_site.admin_view(self.export_view), name="export-knowledge"), *super().get_urls()]

    @admin.display(description=_("what it did"))
    def did(self, done: models.KnowledgeImport) -> str:
        """In words; nothing as long as it was only looked at."""
        if done.applied_at is None:
            return str(_("not carried out"))
        counts = ", ".join(f"{sum(done.report[state].values())} {label}" for state, label in _STATES if done.report.get(state))
        return f"{counts}, {_('published') if done.publish else _('drafts')}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Knowledge files"), **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """All published rows, with `?drafts=1` the drafts too."""
        if not all(request.user.has_perm(f"knowledge.view_{model._meta.model_name}") for model in MODELS.values()):
            raise PermissionDenied
        return yaml_file(to_yaml(export_all(drafts=bool(request.GET.get("drafts")))), "knowledge")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Takes the files; on a mistake says where and keeps nothing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        problems: tuple[str, ...] = ()
        if form.is_valid():
            files = [(file.name, file.read()) for file in form.cleaned_data["chosen"]]
            try:
                plan_import(files, publish=bool(form.cleaned_data["publish"]))
            except KnowledgeError as error:
                problems = error.problems
            else:
                return HttpResponseRedirect(reverse("admin:knowledge_knowledgeimport_change", args=[self._keep(request, form, files).pk]))
        return self._page(request, "admin/knowledge/files_upload.html", {"title": _("Import files"), "form": form, "problems": problems})

    def _keep(self, request: HttpRequest, form: ImportForm, files: list[tuple[str, bytes]]) -> models.KnowledgeImport:
        models.KnowledgeImport.objects.filter(applied_at=None, created_at__lt=timezone.now() - _KEPT_UNDONE).delete()
        return models.KnowledgeImport.objects.create(
            names=", ".join(name for name, _content in files)[:2000],
            content=models.KnowledgeImport.packed(files),
            publish=bool(form.cleaned_data["publish"]),
            why=form.cleaned_data["why"],
            by_id=request.user.pk,
        )

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What the import would do, and the button that does it; afterwards what it did."""
        upload = models.KnowledgeImport.objects.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 16 else None
        if upload is None:
            raise Http404
        if not self.has_change_permission(request, upload):
            raise PermissionDenied
        context: dict[str, Any] = {"title": _("Import of %(names)s") % {"names": upload.names}, "upload": upload, "done": self.did(upload)}
        if upload.applied_at is None:
            try:
                plan = self._carried_out(request, upload) if request.method == "POST" else plan_import(upload.files, publish=upload.publish)
            except KnowledgeError as error:
                context["problems"] = error.problems
            else:
                if plan is None:
                    return HttpResponseRedirect(reverse("admin:knowledge_knowledgeimport_changelist"))
                context |= _shown(plan)
        return self._page(request, "admin/knowledge/files_import.html", context)

    def _carried_out(self, request: HttpRequest, upload: models.KnowledgeImport) -> ImportPlan | None:
        """Carries the import out, in one transaction, and gives None; or the plan, where it is no longer the one that was looked at."""
        with transaction.atomic():
            locked = models.KnowledgeImport.objects.select_for_update().get(pk=upload.pk)
            if locked.applied_at is not None:
                self.message_user(request, _("This import was carried out already."), messages.WARNING)
                return None
            plan = plan_import(locked.files, publish=locked.publish)
            if plan.fingerprint != request.POST.get("fingerprint"):
                self.message_user(request, _("Rows have changed since you looked. This is what would be done now."), messages.WARNING)
                return plan
            _must_be_allowed(request, plan)
            carry_out(plan, by=request.user, why=locked.why)  # type: ignore[arg-type]  # a staff user
            locked.applied_at, locked.by_id, locked.report = timezone.now(), request.user.pk, _report(plan)
            locked.content = b""
            locked.save()
        said = _("%(new)d new rows, %(changed)d changed.") % {"new": len(plan.new), "changed": len(plan.changed)}
        self.message_user(
            request, f"{said} {_('They serve after the next publishing.') if plan.status == 'published' else ''}".strip(), messages.SUCCESS
        )
        return None

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context})


_STATES = (("new", _("new")), ("changed", _("changed")))


def _must_be_allowed(request: HttpRequest, plan: ImportPlan) -> None:
    """PermissionDenied where the curator may not do the same by hand."""
    wanted = {("add", row.kind) for row in plan.new} | {("change", row.kind) for row in plan.changed}
    if not all(request.user.has_perm(f"knowledge.{action}_{MODELS[kind]._meta.model_name}") for action, kind in wanted):
        raise PermissionDenied


def _report(plan: ImportPlan) -> dict[str, Any]:
    return {"new": Counter(row.kind for row in plan.new), "changed": Counter(row.kind for row in plan.changed), "same": plan.same}


def _shown(plan: ImportPlan) -> dict[str, Any]:
    """A plan for the page: of very many rows the first ones, and how many more there are."""
    return {
        "plan": plan,
        "counts": _report(plan),
        "changed": plan.changed[:_MOST_SHOWN],
        "more_changed": max(0, len(plan.changed) - _MOST_SHOWN),
        "new": plan.new[:_MOST_NAMED],
        "more_new": max(0, len(plan.new) - _MOST_NAMED),
    }
