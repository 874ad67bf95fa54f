"""What belongs to a row and is edited on its page: steps, answers, examples, evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import re2
from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet, TextField
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from nested_admin.formsets import NestedInlineFormSetMixin
from nested_admin.nested import NestedStackedInline, NestedTabularInline

from knowledge import models
from knowledge.admin.forms import ExampleForm, StepForm, TextForm
from whybounce.problem import re2_error
from whybounce.snapshot import Strength


class OneStrengthACause(BaseInlineFormSet):
    """Evidence of one thing: each cause stands there once (the database insists on it, and knows no way to say so), and one
    cause at least stays possible."""

    def clean(self) -> None:
        super().clean()
        rows = [getattr(form, "cleaned_data", {}) for form in self.forms]
        said = [(row["cause"], row.get("strength")) for row in rows if row.get("cause") and not row.get("DELETE")]
        causes = [cause for cause, _strength in said]
        for number, cause in enumerate(causes):
            if cause in causes[:number]:
                raise forms.ValidationError(_("“%(cause)s” has a strength here already."), params={"cause": cause})
        if self._rules_out_all(said):
            raise forms.ValidationError(_("This rules out every cause: nothing would be left that it could mean."))

    def _rules_out_all(self, said: list[tuple[Any, Any]]) -> bool:
        if any(strength != Strength.RULES_OUT.value for _cause, strength in said):
            return False
        if getattr(self.instance, "others", "") == Strength.RULES_OUT.value:
            return True
        return bool(said) and not models.Cause.objects.exclude(pk__in=[cause.pk for cause, _strength in said]).exists()


class NestedOneStrengthACause(NestedInlineFormSetMixin, OneStrengthACause):
    """The same, inside an answer."""


class CauseSelect(AutocompleteSelect):
    """Chooses a cause. The admin's own asks the database once a row, and a question has hundreds of them: here the rows share `titles`."""

    def __init__(self, field: Any, admin_site: Any, titles: Callable[[], dict[str, str]]) -> None:
        super().__init__(field, admin_site)
        self._titles = titles

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list[Any]:
        empty = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        chosen = [key for key in value if key in self._titles()]
        return [(None, empty + [self.create_option(name, key, self._titles()[key], True, 1) for key in chosen], 0)]


class EvidenceOfOne(admin.options.InlineModelAdmin):
    """What one thing says of causes: asks the database as often for many rows as for few."""

    model = models.Evidence
    fields = ("cause", "strength")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Evidence]:
        return super().get_queryset(request).select_related("answer__question", "pattern", "code")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "cause":
            titles = cache(lambda: {str(pk): title for pk, title in models.Cause.objects.values_list("pk", "title")})
            options["widget"] = CauseSelect(db_field, self.admin_site, titles)
        return super().formfield_for_foreignkey(db_field, request, **options)


class EvidenceInline(EvidenceOfOne, admin.TabularInline):
    """Evidence of one pattern or code: which causes it speaks for and against."""

    formset = OneStrengthACause


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


class MatchedExamples(BaseInlineFormSet):
    """A pattern's examples: each must match, and stands once."""

    def clean(self) -> None:
        super().clean()
        if re2_error(self.instance.pattern or ""):
            return  # said at the pattern itself
        options = re2.Options()
        options.case_sensitive = False
        search = re2.compile(self.instance.pattern, options).search
        texts: list[str] = []
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            text = cleaned.get("text")
            if not text or cleaned.get("DELETE"):
                continue
            if not search(text):
                form.add_error("text", _("The pattern does not match this example: mend one of them, or take the example away."))
            if text in texts:
                form.add_error("text", _("This example stands there twice."))
            texts.append(text)


class ExampleInline(admin.TabularInline):
    model = models.Example
    form = ExampleForm
    formset = MatchedExamples
    fields = ("text", "status", "position")
    extra = 1
    formfield_overrides = {TextField: {"widget": forms.Textarea(attrs={"rows": 2, "cols": 70})}}


class MythInline(admin.StackedInline):
    model = models.Myth
    form = TextForm
    extra = 0


class AnswerEvidenceInline(EvidenceOfOne, NestedTabularInline):
    formset = NestedOneStrengthACause


class AnswerInline(NestedStackedInline):
    model = models.Answer
    fields = (("position", "slug", "base_rate", "informative", "others"), "text")
    extra = 0
    inlines = (AnswerEvidenceInline,)
