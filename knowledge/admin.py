"""The curators' desk: every kind of row with what belongs to it on one page, and publishing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, TextField
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from nested_admin.formsets import NestedInlineFormSetMixin
from nested_admin.nested import NestedModelAdmin, NestedStackedInline, NestedTabularInline
from simple_history.admin import SimpleHistoryAdmin

from knowledge import models
from knowledge.fields import ChoicesField, LinesField, RecordsField
from knowledge.publishing import CannotPublish, publish, unpublished_changes
from whybounce.checks.registry import CHECKS
from whybounce.remedies import PLACEHOLDERS, placeholders_of
from whybounce.snapshot import Actor

_KEPT = ("sources", "position", "status")
_ACTORS = [who.value for who in Actor]
_CHECKS = [("", "—"), *((name, name) for name in CHECKS)]


class TextForm(forms.ModelForm):
    """Keeps line ends as the files have them. A browser sends CR LF: a row saved as it was would count as changed."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        return {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in cleaned.items()}


class RowForm(TextForm):
    sources = RecordsField(
        keys=("title", "url", "checked"),
        required=False,
        label=_("Sources"),
        help_text=_("A line each: title | address | day it was checked, for example “RFC 5321 section 4.2.2 | https://… | 2026-11-23”."),
    )


class ProviderForm(RowForm):
    postmaster_page = forms.URLField(required=False, assume_scheme="https", label=_("Postmaster page"))
    mx_suffixes = LinesField(required=False, label=_("MX host names end in"), help_text=_("One a line, for example .google.com"))
    domains = LinesField(required=False, label=_("Mail domains"), help_text=_("One a line."))
    reply_marks = LinesField(
        required=False, label=_("Marks in its replies"), help_text=_("RE2, one a line. A mark must be its own and nobody else's.")
    )


class CauseForm(RowForm):
    who_acts = ChoicesField(choices=_ACTORS, label=_("Who acts"), help_text=_("One a line, first who must act first: ") + ", ".join(_ACTORS))


class CodeForm(RowForm):
    commands = LinesField(required=False, label=_("Commands that it answers"), help_text=_("One a line."))


class StepForm(TextForm):
    links = RecordsField(keys=("text", "url"), required=False, label=_("Links"), help_text=_("A line each: text | address"))
    check_name = forms.ChoiceField(choices=_CHECKS, required=False, label=_("Proved by the check"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("text", "wording"):
            for placeholder in placeholders_of(cleaned.get(name) or ""):
                if placeholder not in PLACEHOLDERS:
                    self.add_error(
                        name, _("{%(name)s} is no placeholder. There are: %(all)s") % {"name": placeholder, "all": ", ".join(sorted(PLACEHOLDERS))}
                    )
        return cleaned


class ExampleForm(TextForm):
    """A pattern's example is published unless its curator says otherwise: it goes live with the pattern."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance.pk:
            self.initial["status"] = models.Row.Status.PUBLISHED


class OneStrengthACause(BaseInlineFormSet):
    """Evidence of one thing: each cause stands there once. The database insists on it, and knows no way to say so."""

    def clean(self) -> None:
        super().clean()
        rows = [getattr(form, "cleaned_data", {}) for form in self.forms]
        causes = [row["cause"] for row in rows if row.get("cause") and not row.get("DELETE")]
        for number, cause in enumerate(causes):
            if cause in causes[:number]:
                raise forms.ValidationError(_("“%(cause)s” has a strength here already."), params={"cause": cause})


class NestedOneStrengthACause(NestedInlineFormSetMixin, OneStrengthACause):
    """The same, inside an answer."""


class EvidenceInline(admin.TabularInline):
    """Evidence of one pattern or code: which causes it speaks for and against."""

    model = models.Evidence
    formset = OneStrengthACause
    fields = ("cause", "strength")
    autocomplete_fields = ("cause",)
    extra = 0


class SaysInline(admin.TabularInline):
    """All that speaks for and against one cause. New evidence is made where it comes from: the answer, the pattern, the code."""

    model = models.Evidence
    fields = ("said_by", "strength")
    readonly_fields = ("said_by",)
    verbose_name_plural = _("evidence for and against it")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Evidence]:
        return super().get_queryset(request).select_related("answer__question", "pattern", "code").order_by("strength")

    @admin.display(description=_("said by"))
    def said_by(self, evidence: models.Evidence) -> str:
        if evidence.answer:
            return f"{evidence.answer.question.text} — {evidence.answer.text}"
        return f"{_('reply')}: {evidence.pattern.pattern}" if evidence.pattern else f"{_('code')} {evidence.code}"


class StepInline(admin.StackedInline):
    model = models.RemedyStep
    form = StepForm
    extra = 0
    fields = (("position", "slug", "who", "check_name"), "text", "wording", "links")


class ExampleInline(admin.TabularInline):
    model = models.Example
    form = ExampleForm
    fields = ("text", "status", "position")
    extra = 1


class MythInline(admin.StackedInline):
    model = models.Myth
    form = TextForm
    extra = 0


class AnswerEvidenceInline(NestedTabularInline):
    model = models.Evidence
    formset = NestedOneStrengthACause
    fields = ("cause", "strength")
    autocomplete_fields = ("cause",)
    extra = 0


class AnswerInline(NestedStackedInline):
    model = models.Answer
    fields = (("position", "slug", "base_rate", "informative", "others"), "text")
    extra = 0
    inlines = (AnswerEvidenceInline,)


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
