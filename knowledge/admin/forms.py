"""Forms of the rows: how lists and records are typed, what is refused at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from knowledge import models, versions
from knowledge.fields import ChoicesField, LinesField, PairsField, RecordsField
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Severity
from whybounce.letters import LETTER_PLACEHOLDERS
from whybounce.remedies import PLACEHOLDERS, placeholders_of
from whybounce.snapshot import Actor

_ACTORS = [who.value for who in Actor]
_SEVERITIES = [severity.value for severity in Severity]
_CHECKS = [("", "—"), *((name, name) for name in CHECKS)]


class TextForm(forms.ModelForm):
    """Keeps line ends as the files have them. A browser sends CR LF: a row saved as it was would count as changed."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        return {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in cleaned.items()}


_WHY = 100  # characters that the history has for a reason


class WhyActionForm(ActionForm):
    """The box of actions above a list, with the reason that the history keeps."""

    why = forms.CharField(required=False, max_length=_WHY, label=_("Why (optional)"))


class RowForm(TextForm):
    """A row's form. `seen` tells which state of the row its curator has before him: a save over somebody else's is not made
    blindly. `change_reason` goes into the history (a question has a field `why` of its own)."""

    change_reason = forms.CharField(
        required=False,
        max_length=_WHY,
        label=_("Why this change"),
        help_text=_("Optional; kept in the history."),
        widget=forms.TextInput(attrs={"size": 70}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    sources = RecordsField(
        keys=("title", "url", "checked"),
        required=False,
        label=_("Sources"),
        help_text=_("A line each: title | address | day it was checked, for example “RFC 5321 section 4.2.2 | https://… | 2026-11-23”."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["seen"] = self.instance.updated_at.isoformat()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        seen, now = cleaned.get("seen"), self.instance.updated_at.isoformat() if self.instance.pk else ""
        if seen and now and seen != now:
            typed: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict
            typed[self.add_prefix("seen")] = now  # the second time he knows
            self.data = typed
            self.add_error(None, _overtaken(self.instance, seen))
        return cleaned


def _overtaken(row: Any, seen: str) -> str:
    """What to tell a curator whose row somebody else saved meanwhile: who, when, what."""
    newest = row.history.first()
    when = date_format(timezone.localtime(row.updated_at), "H:i")
    who = newest.history_user if newest and newest.history_user else gettext("somebody")
    said = gettext("While you were editing, %(who)s saved this row at %(when)s.") % {"who": who, "when": when}
    try:
        before = row.history.filter(updated_at=datetime.fromisoformat(seen), document__isnull=False).first()
    except ValueError:
        before = None
    found = versions.changes(before.document, newest.document) if before and newest and newest.document else []
    lines = [f"{change.where}: “{change.old[:200]}” → “{change.new[:200]}”" for change in found]
    theirs = gettext("They changed %(what)s.") % {"what": "; ".join(lines)} if lines else ""
    rest = gettext("What you typed stands below. Save again to put it in place of theirs, or take over their change first.")
    return " ".join(part for part in (said, theirs, rest) if part)


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


class BlocklistForm(RowForm):
    codes = RecordsField(
        keys=("answer", "meaning", "cause"),
        required=False,
        label=_("Answers that are listings"),
        help_text=_("A line each: 127.0.0.2 | what it means | cause (optional)"),
    )
    errors = RecordsField(  # type: ignore[assignment]  # the metaclass takes fields out of the class: `form.errors` stays what it is
        keys=("answer", "meaning"), required=False, label=_("Answers that are none"), help_text=_("A line each: 127.255.255.254 | what it means")
    )
    reply_marks = LinesField(required=False, label=_("How replies name it"), help_text=_("RE2, one a line, for example bl\\.example\\.org"))
    removal_page = forms.URLField(required=False, assume_scheme="https", label=_("Page for removal"))


class ArticleForm(RowForm):
    causes = LinesField(required=False, label=_("Causes that it helps with"), help_text=_("Slugs, one a line."))
    codes = LinesField(required=False, label=_("Codes that it explains"), help_text=_("One a line."))

    def clean_causes(self) -> list[str]:
        return _known(self.cleaned_data["causes"], models.Cause, _("There is no cause “%(slug)s”."))


class FindingForm(RowForm):
    severities = ChoicesField(choices=_SEVERITIES, label=_("How grave"), help_text=_("One a line: ") + ", ".join(_SEVERITIES))
    who_acts = ChoicesField(
        choices=_ACTORS, required=False, label=_("Who acts"), help_text=_("One a line, first who must act first: ") + ", ".join(_ACTORS)
    )


class LetterForm(RowForm):
    categories = ChoicesField(
        choices=list(models.Category.values), required=False, label=_("Offered for these categories"), help_text=_("One a line.")
    )
    causes = LinesField(
        required=False, label=_("Offered for these causes"), help_text=_("Slugs, one a line. With no category and no cause it is offered always.")
    )

    def clean_causes(self) -> list[str]:
        return _known(self.cleaned_data["causes"], models.Cause, _("There is no cause “%(slug)s”."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        _check_placeholders(self, cleaned, ("subject", "body"), LETTER_PLACEHOLDERS)
        return cleaned


class ExampleCaseForm(RowForm):
    answers = PairsField(required=False, label=_("What was answered"), help_text=_("A line each: question: answer (their slugs)"))

    def clean_answers(self) -> dict[str, str]:
        answers: dict[str, str] = self.cleaned_data["answers"]
        _known(list(answers), models.Question, _("There is no question “%(slug)s”."))
        for question, answer in answers.items():
            given = models.Answer.objects.filter(question__slug=question)
            if not given.filter(slug=answer).exists():
                known = ", ".join(given.values_list("slug", flat=True))
                raise forms.ValidationError(
                    _("“%(answer)s” is no answer to “%(question)s”; there are %(known)s."),
                    params={"answer": answer, "question": question, "known": known},
                )
        return answers

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("text") and not cleaned.get("answers") and not self.errors:
            raise forms.ValidationError(_("A case needs a text or an answer."))
        return cleaned


def _known(slugs: list[str], model: Any, sentence: Any) -> list[str]:
    """`slugs`, or a refusal that names the first of them that no row has."""
    there = set(model.objects.filter(slug__in=slugs).values_list("slug", flat=True))
    for slug in slugs:
        if slug not in there:
            raise forms.ValidationError(sentence, params={"slug": slug})
    return slugs


def _check_placeholders(form: forms.BaseForm, cleaned: dict[str, Any], names: Iterable[str], there_are: Collection[str]) -> None:
    """An error at each field of `names` that holds a placeholder which is none of `there_are`."""
    for name in names:
        for placeholder in placeholders_of(cleaned.get(name) or ""):
            if placeholder not in there_are:
                words = {"name": placeholder, "all": ", ".join(sorted(there_are))}
                form.add_error(name, _("{%(name)s} is no placeholder. There are: %(all)s") % words)


class StepForm(TextForm):
    links = RecordsField(keys=("text", "url"), required=False, label=_("Links"), help_text=_("A line each: text | address"))
    check_name = forms.ChoiceField(choices=_CHECKS, required=False, label=_("Proved by the check"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        _check_placeholders(self, cleaned, ("text", "wording"), PLACEHOLDERS)
        return cleaned


class ExampleForm(TextForm):
    """A pattern's example is published unless its curator says otherwise: it goes live with the pattern."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance.pk:
            self.initial["status"] = models.Row.Status.PUBLISHED
