"""A check's outcome beside an earlier one about the same subject: what came, what went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from troubleshoot.check_words import finding_title
from troubleshoot.models import CheckOutcome
from troubleshoot.wording import STATES
from whybounce.checks.result import State
from whybounce.compiled import Knowledge
from whybounce.visible import visible


@dataclass(frozen=True, slots=True)
class Side:
    """An outcome as one side of a comparison."""

    label: str
    tone: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before beside after. `gone`, `come`: titles of the findings; `same`: neither the answer nor a finding changed."""

    before: Side
    after: Side
    gone: tuple[str, ...]
    come: tuple[str, ...]
    same: bool
    summary: str


def compare(known: Knowledge, before: CheckOutcome, after: CheckOutcome) -> Comparison:
    """Findings are the same by their id and severity: a TTL that ran on is no change."""
    old, new = _findings(before), _findings(after)
    gone, come = [slug for slug in old if new.get(slug) != old[slug]], [slug for slug in new if old.get(slug) != new[slug]]
    same = before.answer == after.answer and not gone and not come
    return Comparison(_side(before), _side(after), _titles(known, gone), _titles(known, come), same, _summary(before, after, same))


def _findings(row: CheckOutcome) -> dict[str, str]:
    return {item["finding"]: item["severity"] for item in row.findings}


def _titles(known: Knowledge, slugs: Iterable[str]) -> tuple[str, ...]:
    return tuple(finding_title(known, slug) for slug in slugs)


def _side(row: CheckOutcome) -> Side:
    label, tone = STATES[State(row.state)]
    return Side(str(label), tone, visible(row.detail), row.at)


_ORDER = (State.BAD, State.WARNING, State.INFO, State.GOOD)


def _summary(before: CheckOutcome, after: CheckOutcome, same: bool) -> str:
    """One word for it; what could not be looked at is neither better nor worse."""
    was, now = State(before.state), State(after.state)
    if same:
        return _("Unchanged")
    if State.UNKNOWN in (was, now):
        return _("Cannot be compared: one of the two could not look")
    if was is now:
        return _("Changed")
    return _("Better") if _ORDER.index(now) > _ORDER.index(was) else _("Worse")
