"""What staff see of a case beside its diagnosis: who works on it, tags, notes, duplicates, its history, and others at the domain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshoot.case_filters import at_domain, cause_titles
from troubleshoot.case_history import HistoryLine, history_of
from troubleshoot.casework import may_work, staff
from troubleshoot.models import Case, CaseNote
from troubleshoot.people import Person
from whybounce.visible import visible

LATELY = timedelta(days=90)
_MOST_OTHERS = 200
_MOST_NAMED = 2
_SUGGESTED = 6


@dataclass(frozen=True, slots=True)
class OtherCase:
    public_id: str
    state: str
    cause: str
    at: datetime
    title: str


@dataclass(frozen=True, slots=True)
class Others:
    """Other cases at the domain lately. `count`: how many, in words; `outcomes`: as what those that are closed were closed, after a comma."""

    domain: str
    shown: str
    count: str
    outcomes: str
    newest: tuple[OtherCase, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """The line at the top of a case. `mine`: the person who looks works on it; `merged`: how many duplicates were merged into it."""

    works: bool
    assignee: User | None
    mine: bool
    merged_into: Case | None
    notes: int
    merged: int
    tags: tuple[str, ...]
    others: Others | None


@dataclass(frozen=True, slots=True)
class Work:
    """What unfolds below the bar."""

    people: tuple[User, ...]
    notes: tuple[CaseNote, ...]
    duplicates: tuple[Case, ...]
    history: tuple[HistoryLine, ...]


def bar_of(case: Case, person: Person) -> Bar:
    """Three queries: the case with its people and counts, its tags, the others at its domain."""
    row = (
        Case.objects.select_related("assignee", "merged_into")
        .annotate(notes_count=Count("staff_notes", distinct=True), merged_count=Count("merged", distinct=True))
        .only("assignee__username", "merged_into__public_id")
        .get(pk=case.pk)
    )
    return Bar(
        works=may_work(person),
        assignee=row.assignee,
        mine=person.user is not None and row.assignee_id == person.user.pk,
        merged_into=row.merged_into,
        notes=row.notes_count,
        merged=row.merged_count,
        tags=tuple(case.tags.values_list("name", flat=True)),
        others=others_of(case),
    )


def work_of(case: Case) -> Work:
    return Work(
        people=tuple(staff()),
        notes=tuple(case.staff_notes.select_related("by")),
        duplicates=tuple(case.merged.defer("pasted", "text", "notes")),
        history=tuple(history_of(case)),
    )


def others_of(case: Case) -> Others | None:
    """Other cases at the domain of this one in the last 90 days: one query. None where it has no domain, or there are none."""
    if not case.domain:
        return None
    rows = (
        Case.objects.filter(at_domain(case.domain), created_at__gte=timezone.now() - LATELY)
        .exclude(pk=case.pk)
        .exclude(state=Case.State.MERGED)
        .order_by("-created_at", "-pk")
        .values_list("public_id", "state", "cause", "created_at")[: _MOST_OTHERS + 1]
    )
    titles = cause_titles()
    others = [OtherCase(*row, title=titles.get(row[2], row[2])) for row in rows]
    if not others:
        return None
    counted, n = others[:_MOST_OTHERS], min(len(others), _MOST_OTHERS)
    count = _("over %(n)d cases") % {"n": n} if len(others) > n else ngettext("%(n)d case", "%(n)d cases", n) % {"n": n}
    return Others(case.domain, visible(case.domain), count, _outcomes(counted), tuple(others[:_SUGGESTED]))


def _outcomes(counted: list[OtherCase]) -> str:
    closed = Counter(item.title or _("none of the known causes") for item in counted if item.state == Case.State.CLOSED)
    parts = [_("%(n)d closed as “%(title)s”") % {"n": count, "title": title} for title, count in closed.most_common(_MOST_NAMED)]
    rest = sum(closed.values()) - sum(count for _title, count in closed.most_common(_MOST_NAMED))
    if rest:
        parts.append(_("%(n)d closed as something else") % {"n": rest})
    return "".join(f", {part}" for part in parts)
