"""The curators' desk: every kind of row with what belongs to it on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from nested_admin.nested import NestedModelAdmin

from knowledge import models, versions
from knowledge.admin.closings import closed_with_pattern
from knowledge.admin.files import ExportRows
from knowledge.admin.forms import (
    ArticleForm,
    BlocklistForm,
    CauseForm,
    CodeForm,
    ExampleCaseForm,
    FindingForm,
    LetterForm,
    ProviderForm,
    RowForm,
    WhyActionForm,
)
from knowledge.admin.inlines import AnswerInline, EvidenceInline, ExampleInline, MythInline, SaysInline, StepInline
from knowledge.admin.trial import PatternTrialAdmin, TrialAdmin
from knowledge.admin.unrecognised import FromUnrecognised
from knowledge.admin.work import CauseWork, CodeWork, PatternWork, PlainWork, QuestionWork, WorkFilter

_KEPT = ("sources", "position", "status", "change_reason", "seen")
_MOST_KEPT_WHOLE = 200  # rows marked at once whose versions are kept whole and which are saved one by one; more would take minutes


class RowAdmin(ExportRows):
    """What all kinds of rows share: drafts and publishing, sources, history, the way to the public page."""

    form = RowForm
    action_form = WhyActionForm
    list_filter: tuple[Any, ...] = ("status", WorkFilter)
    actions = ("mark_published", "mark_draft")
    list_per_page = 50
    save_on_top = True
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 4, "cols": 90})}}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What the row says first, then what is kept about it."""
        there = super().get_fields(request, obj)
        return [*(name for name in there if name not in _KEPT), *(name for name in _KEPT if name in there)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; where it is about to be saved, locked until it is, so that of two savings at once the second sees the first."""
        if request.method == "POST" and connection.in_atomic_block and object_id.isdigit():
            list(self.model._default_manager.select_for_update().filter(pk=object_id).values_list("pk"))
        return super().get_object(request, object_id, from_field)

    def view_on_site(self, obj: Any) -> str | None:
        """The row's public page, where it has one and is published."""
        if obj.status != models.Row.Status.PUBLISHED or not hasattr(obj, "get_absolute_url"):
            return None
        try:
            return str(obj.get_absolute_url())
        except NoReverseMatch:
            return None

    @admin.action(permissions=["change"], description=_("Mark as published (goes live with the next revision)"))
    def mark_published(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._mark(request, queryset, models.Row.Status.PUBLISHED)

    @admin.action(permissions=["change"], description=_("Back to draft"))
    def mark_draft(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._mark(request, queryset, models.Row.Status.DRAFT)

    def _mark(self, request: HttpRequest, queryset: QuerySet[Any], status: models.Row.Status) -> None:
        """Each row gets its history, all of them or none their status."""
        why = request.POST.get("why", "").strip()[:100] or None
        rows = self.model._default_manager.filter(pk__in=[row.pk for row in queryset])  # the list's filter may be of the status
        count = len(rows)
        with transaction.atomic():
            if count <= _MOST_KEPT_WHOLE:
                for row in rows:
                    versions.keep_present(row)
                    row.status, row._change_reason = status, why
                    row.save()
                    versions.keep_new(row)
            else:
                rows.update(status=status, updated_at=timezone.now())
                self.model.history.bulk_history_create(rows, 500, update=True, default_user=request.user, default_change_reason=why)
        self.message_user(request, _("%(count)d rows marked as %(status)s.") % {"count": count, "status": status.label}, messages.SUCCESS)


@admin.register(models.Provider)
class ProviderAdmin(RowAdmin):
    form = ProviderForm
    list_display = ("name", "slug", "kind", "status")
    list_filter = ("status", WorkFilter, "kind")
    search_fields = ("name", "slug")


@admin.register(models.Cause)
class CauseAdmin(TrialAdmin, RowAdmin):
    form = CauseForm
    list_display = ("title", "category", "frequency", "proved_true", "status")
    list_filter = ("status", CauseWork, "category", "frequency")
    search_fields = ("title", "slug", "summary")
    filter_horizontal = ("see_also",)
    inlines = (StepInline, SaysInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Cause]:
        closed = models.Confirmation.objects.filter(pattern="", cause=OuterRef("slug")).values(n=F("count") + F("visitors"))
        rows: QuerySet[models.Cause] = super().get_queryset(request).annotate(closed=Subquery(closed))
        return rows

    @admin.display(description=_("proved true"), ordering="closed", empty_value="0")
    def proved_true(self, row: Any) -> int | None:
        """In how many closed cases."""
        return row.closed  # type: ignore[no-any-return]


@admin.register(models.Question)
class QuestionAdmin(NestedModelAdmin, TrialAdmin, RowAdmin):
    list_display = ("text", "asked_of", "symptom", "status")
    list_filter = ("status", QuestionWork, "asked_of", "symptom")
    search_fields = ("text", "slug")
    inlines = (AnswerInline,)


@admin.register(models.StatusCode)
class StatusCodeAdmin(TrialAdmin, RowAdmin):
    form = CodeForm
    list_display = ("code", "title", "provider", "standard", "status")
    list_filter = ("status", CodeWork, "standard", "provider")
    list_select_related = ("provider",)
    search_fields = ("code", "title")
    autocomplete_fields = ("provider",)
    inlines = (MythInline, EvidenceInline)


@admin.register(models.ReplyPattern)
class ReplyPatternAdmin(FromUnrecognised, PatternTrialAdmin, RowAdmin):
    list_display = ("slug", "provider", "pattern", "decisive", "met", "proved_right", "status")
    list_filter = ("status", PatternWork, "decisive", "provider")
    list_select_related = ("provider",)
    search_fields = ("slug", "pattern", "meaning")
    autocomplete_fields = ("provider",)
    inlines = (EvidenceInline, ExampleInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.ReplyPattern]:
        uses = models.PatternUse.objects.filter(pattern=OuterRef("slug")).values("count")
        rows: QuerySet[models.ReplyPattern] = super().get_queryset(request).annotate(uses=Subquery(uses), **closed_with_pattern())
        return rows

    @admin.display(description=_("proved right"), ordering="right", empty_value="")
    def proved_right(self, row: Any) -> str | None:
        """Of the closed cases in whose reply it stood, how many had a cause that it speaks for: "8 of 10"."""
        return _("%(right)d of %(closed)d") % {"right": row.right or 0, "closed": row.closed} if row.closed else None

    @admin.display(description=_("cases"), ordering="uses", empty_value="0")
    def met(self, row: Any) -> int | None:
        """In how many cases it was met."""
        return row.uses  # type: ignore[no-any-return]


@admin.register(models.Example)
class ExampleAdmin(RowAdmin):
    list_display = ("__str__", "cause", "pattern", "status")
    list_filter = ("status", PlainWork, "cause__category")
    list_select_related = ("cause", "pattern")
    search_fields = ("text",)
    autocomplete_fields = ("cause", "provider", "pattern")


@admin.register(models.Blocklist)
class BlocklistAdmin(RowAdmin):
    form = BlocklistForm
    list_display = ("name", "zone", "kind", "weight", "closed", "status")
    list_filter = ("status", WorkFilter, "kind", "weight", "closed", "public")
    search_fields = ("name", "slug", "zone", "operator")
    autocomplete_fields = ("cause",)


@admin.register(models.Article)
class ArticleAdmin(RowAdmin):
    form = ArticleForm
    list_display = ("title", "slug", "status")
    search_fields = ("title", "slug", "summary")
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 20, "cols": 100})}}


@admin.register(models.ExampleCase)
class ExampleCaseAdmin(RowAdmin):
    form = ExampleCaseForm
    list_display = ("slug", "cause", "note", "status")
    list_filter = ("status", PlainWork, "cause__category")
    list_select_related = ("cause",)
    search_fields = ("slug", "text", "note")
    autocomplete_fields = ("cause",)


@admin.register(models.FindingNote)
class FindingNoteAdmin(RowAdmin):
    form = FindingForm
    list_display = ("slug", "title", "status")
    search_fields = ("slug", "title", "meaning", "mend")


@admin.register(models.Letter)
class LetterAdmin(RowAdmin):
    form = LetterForm
    list_display = ("title", "to", "slug", "status")
    list_filter = ("status", WorkFilter, "to")
    search_fields = ("slug", "title", "subject", "body")
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 20, "cols": 90})}}
