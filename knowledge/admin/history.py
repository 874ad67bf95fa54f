"""A row's history: who changed what, when and why, as differences that can be read; and going back to a version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from simple_history.admin import SimpleHistoryAdmin

from knowledge import versions


class RevertForm(forms.Form):
    why = forms.CharField(max_length=80, required=False, widget=forms.TextInput(attrs={"size": 60}))


class HistoryAdmin(SimpleHistoryAdmin):
    """The history of a row with all that belongs to it. Two pages: the list of versions, and one version beside the present row."""

    history_list_per_page = 30

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            versions.keep_present(type(obj)._default_manager.get(pk=obj.pk))
        obj._change_reason = form.cleaned_data.get("change_reason") or None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        versions.keep_new(form.instance)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The versions, the newest first, each with what it changed."""
        row = self._row(request, object_id)
        page = Paginator(row.history.select_related("history_user"), self.history_list_per_page).get_page(request.GET.get("p"))
        older = row.history.order_by("-history_date", "-history_id")[page.end_index() : page.end_index() + 1]
        records = [*page.object_list, *older]
        lines = [
            (record, _said(record, records[number + 1] if number + 1 < len(records) else None)) for number, record in enumerate(page.object_list)
        ]
        return self._shown(request, row, "admin/knowledge/history.html", {"title": _("History: %s") % row, "lines": lines, "page": page})

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One version beside the row as it is; POST puts it in force again."""
        row = self._row(request, object_id)
        record = row.history.filter(history_id=version_id).first() if version_id.isdigit() else None
        if record is None:
            raise Http404
        form = RevertForm(request.POST or None)
        if form.is_valid() and record.document:
            if not self.has_change_permission(request, row):
                raise PermissionDenied
            when = record.history_date.strftime("%Y-%m-%d %H:%M")
            reason = f"{_('Back to the version of')} {when}. {form.cleaned_data['why']}".strip()
            try:
                versions.revert(row, record.document, reason[:100])
            except versions.CannotRevert as error:
                form.add_error(None, str(error))
            else:
                self.message_user(request, _("The row says again what it said on %s. It serves after the next publishing.") % when, messages.SUCCESS)
                return HttpResponseRedirect(reverse(f"admin:knowledge_{self.opts.model_name}_change", args=[row.pk]))
        found = versions.changes(versions.document_of(row), {**record.document, "status": row.status}) if record.document else []
        context = {"title": _("Version of %s") % row, "record": record, "changes": found, "form": form, "whole": bool(record.document)}
        return self._shown(request, row, "admin/knowledge/version.html", context)

    def _row(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return row

    def _shown(self, request: HttpRequest, row: Any, template: str, context: dict[str, Any]) -> HttpResponse:
        common = {
            "opts": self.opts,
            "object": row,
            "may_change": self.has_change_permission(request, row),
            "module_name": self.opts.verbose_name_plural,
        }
        return TemplateResponse(request, template, {**self.admin_site.each_context(request), **common, **context})


def _said(record: Any, before: Any) -> list[versions.FieldChange]:
    """What a version changed. Where the older one was not kept whole, the row's own fields are compared."""
    if before is None:
        return []
    if record.document and before.document:
        return versions.changes(before.document, record.document)
    hidden = {"updated_at", "shipped_digest", "position"}
    return [
        versions.FieldChange(change.field, _text(change.old), _text(change.new))
        for change in record.diff_against(before).changes
        if change.field not in hidden
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
