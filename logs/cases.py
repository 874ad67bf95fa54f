"""A case for a group of failures of a log."""

from __future__ import annotations

from django.utils.translation import gettext as _

from logs.models import LogReading
from troubleshoot import services
from troubleshoot.models import Case
from troubleshoot.people import Person
from troubleshoot.refusal import Refused
from whybounce.intake import read


def open_case_of(log: LogReading, number: str, person: Person) -> Case:
    """A case with the masked example of the group `number` (its place in the tally). Refused where there is no such group."""
    groups = log.shown.get("groups", ())
    group = next((group for place, group in enumerate(groups) if str(place) == number), None)
    if group is None or not group["example"]:
        raise Refused(_("There is no such group in this log."))
    text = _with_code(group["example"], group["code"] or "", group["enhanced"] or "")
    pasted = text.encode("utf-8", "replace")
    services.admit_paste(person=person, size=len(pasted))
    return services.open_case(pasted=pasted, report=read(pasted), person=person)


def _with_code(example: str, code: str, enhanced: str) -> str:
    """The example, with the codes before it where it shows none: a log may tell them apart from the text."""
    if code and code not in example:
        return f"{code} {enhanced} {example}".replace("  ", " ")
    if enhanced and enhanced not in example:
        return f"{enhanced} {example}"
    return example
