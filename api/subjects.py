"""What checks are to look at, as it was sent: held to the same rules as what people type."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from api.problems import Problem
from api.schemas import ChecksIn, SubjectIn
from troubleshoot.forms import SubjectForm
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Subject
from whybounce.failure import domain_of


class SubjectFields(SubjectForm):
    recipient = forms.CharField(required=False, max_length=320)

    def clean_recipient(self) -> str:
        text = str(self.cleaned_data["recipient"])
        try:
            return text if not text or parse_domain(domain_of(text)) else ""
        except DomainError as error:
            raise ValidationError(str(error)) from None


def cleaned(sent: SubjectIn) -> dict[str, Any]:
    """The members that were sent, in the form in which a Subject holds them; an empty one is "", () or None. Problem 422 for wrong ones."""
    given = sent.model_dump(include=set(SubjectFields.base_fields), exclude_unset=True)
    typed = {name: ", ".join(value) if isinstance(value, list) else "" if value is None else str(value) for name, value in given.items()}
    form = SubjectFields(typed)
    if not form.is_valid():
        errors = [{"pointer": f"/{name}", "detail": " ".join(str(text) for text in texts)} for name, texts in form.errors.items()]
        raise Problem(422, "What is to be looked at is not valid; errors says what.", errors=errors)
    return {name: form.cleaned_data[name] for name in given}


def subject_of(sent: ChecksIn) -> Subject:
    """As `check_domain` has it: the recipient's domain stands for a domain, and postmaster there for a sender where an address sends."""
    values = cleaned(sent)
    values["domain"] = values.get("domain") or (parse_domain(domain_of(values["recipient"])) if values.get("recipient") else "")
    if not values["domain"] and not values.get("sending_ip"):
        raise Problem(422, "Name a domain, a recipient or a sending IP address.", errors=[{"pointer": "/domain", "detail": "It is missing."}])
    if values["domain"] and values.get("sending_ip") and not values.get("mail_from"):
        values["mail_from"] = f"postmaster@{values['domain']}"
    return Subject(**values)


def known_checks(names: list[str], pointer: str) -> list[str]:
    """These names of checks; Problem 422 where there is none of a name."""
    wrong = next((name for name in names if name not in CHECKS), None)
    if wrong is not None:
        detail = f"There is no check “{shown(wrong, 40)}”; there are {', '.join(CHECKS)}."
        raise Problem(422, detail, errors=[{"pointer": pointer, "detail": detail}])
    return names
