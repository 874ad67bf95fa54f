"""The curators' desk: every kind of row with what belongs to it on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, TextField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from nested_admin.nested import NestedModelAdmin
from simple_history.admin import SimpleHistoryAdmin

from knowledge import models
from knowledge.admin.forms import CauseForm, CodeForm, ProviderForm, RowForm
from knowledge.admin.inlines import AnswerInline, EvidenceInline, ExampleInline, MythInline, SaysInline, StepInline

_KEPT = ("sources", "position", "status")


class RowAdmin(SimpleHistoryAdmin):
    """What all kinds of rows share: drafts and publishing, sources, history."""

    form = RowForm
    list_filter: tuple[Any, ...] = ("status",)
    actions = ("mark_published", "mark_draft")
    list_per_page = 50
    save_on_top = True
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 4, "cols": 90})}}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What the row says first, then what is kept about it."""
        fields = [name for name in super().get_fields(request, obj) if name not in _KEPT]
        return [*fields, *_KEPT]

    @admin.action(permissions=["change"], description=_("Mark as published (goes live with the next revision)"))
    def mark_published(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._mark(request, queryset, models.Row.Status.PUBLISHED)

    @admin.action(permissions=["change"], description=_("Back to draft"))
    def mark_draft(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._mark(request, queryset, models.Row.Status.DRAFT)

    def _mark(self, request: HttpRequest, queryset: QuerySet[Any], status: models.Row.Status) -> None:
        for row in queryset:  # one by one, so that each has its history
            row.status = status
            row.save()
        self.message_user(request, _("%(count)d rows marked as %(status)s.") % {"count": len(queryset), "status": status.label}, messages.SUCCESS)


@admin.register(models.Provider)
class ProviderAdmin(RowAdmin):
    form = ProviderForm
    list_display = ("name", "slug", "kind", "status")
    list_filter = ("status", "kind")
    search_fields = ("name", "slug")


@admin.register(models.Cause)
class CauseAdmin(RowAdmin):
    form = CauseForm
    list_display = ("title", "category", "frequency", "status")
    list_filter = ("status", "category", "frequency")
    search_fields = ("title", "slug", "summary")
    filter_horizontal = ("see_also",)
    inlines = (StepInline, SaysInline)


@admin.register(models.Question)
class QuestionAdmin(NestedModelAdmin, RowAdmin):
    list_display = ("text", "asked_of", "symptom", "status")
    list_filter = ("status", "asked_of", "symptom")
    search_fields = ("text", "slug")
    inlines = (AnswerInline,)


@admin.register(models.StatusCode)
class StatusCodeAdmin(RowAdmin):
    form = CodeForm
    list_display = ("code", "title", "provider", "standard", "status")
    list_filter = ("status", "standard", "provider")
    list_select_related = ("provider",)
    search_fields = ("code", "title")
    autocomplete_fields = ("provider",)
    inlines = (MythInline, EvidenceInline)


@admin.register(models.ReplyPattern)
class ReplyPatternAdmin(RowAdmin):
    list_display = ("slug", "provider", "pattern", "decisive", "status")
    list_filter = ("status", "decisive", "provider")
    list_select_related = ("provider",)
    search_fields = ("slug", "pattern", "meaning")
    autocomplete_fields = ("provider",)
    inlines = (EvidenceInline, ExampleInline)


@admin.register(models.Example)
class ExampleAdmin(RowAdmin):
    list_display = ("__str__", "cause", "pattern", "status")
    list_filter = ("status", "cause__category")
    list_select_related = ("cause", "pattern")
    search_fields = ("text",)
    autocomplete_fields = ("cause", "provider", "pattern")
