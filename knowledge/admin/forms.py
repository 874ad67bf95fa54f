"""Forms of the rows: how lists and records are typed, what is refused at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from knowledge import models
from knowledge.fields import ChoicesField, LinesField, RecordsField
from whybounce.checks.registry import CHECKS
from whybounce.remedies import PLACEHOLDERS, placeholders_of
from whybounce.snapshot import Actor

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
