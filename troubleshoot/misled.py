"""Where the first guess was wrong: which cause was said, which proved true, how often, and what misled. For curators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshoot.case_filters import cause_titles
from troubleshoot.ledger import strength_of
from troubleshoot.misled_evidence import Places
from troubleshoot.models import Case, Outcome
from troubleshoot.wording import Bar, bar, percent

PERIODS = {
    "30": (gettext_lazy("30 days"), 30),
    "90": (gettext_lazy("90 days"), 90),
    "365": (gettext_lazy("A year"), 365),
    "all": (gettext_lazy("All"), 0),
}
DEFAULT = "90"
_MOST_READ = 5000
_MOST_PAIRS = 40
_MOST_CASES = 5
_MOST_TERMS = 6
_MOST_SENTENCES = 50
_TELLING = 0.3
_INFINITE = 6.0

Row = tuple[str, datetime | None, str, str, float, Any, datetime]


@dataclass(frozen=True, slots=True)
class CaseRef:
    """`erased`: nothing is left of it to look at."""

    number: str
    erased: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Misleading:
    """One thing that was heard, asked or checked: what it weighed for the guess and for the truth, on the average of `cases`.
    `url`: where it is edited; `misled`: it spoke more for the guess."""

    kind: str
    said: str
    url: str
    guess: Bar
    guess_words: str
    truth: Bar
    truth_words: str
    misled: bool
    cases: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Cases in which `guess` led and `truth` proved true (titles). `share`: how probable the guess was on the average."""

    guess: str
    guess_url: str
    truth: str
    truth_url: str
    count: int
    share: str
    cases: tuple[CaseRef, ...]
    more: int
    terms: tuple[Misleading, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A case that was closed as none of the known causes."""

    sentence: str
    guess: str
    case: CaseRef


@dataclass(frozen=True, slots=True)
class Misled:
    """`closed`: with a known cause and a first guess; `right`: of these, how many and in words. `choices`: causes to filter by."""

    closed: int
    wrong: int
    right: str
    pairs: tuple[Pair, ...]
    more: int
    unknown: tuple[Unknown, ...]
    choices: tuple[tuple[str, str], ...]


def misled(period: str, cause: str, *, may_edit: bool) -> Misled:
    """`period`: a key of PERIODS; `cause`: only pairs with this one ("" for all); `may_edit`: with links to the desk. Six queries at most."""
    _label, days = PERIODS[period]
    outcomes = Outcome.objects.filter(reopened_at=None, case__state=Case.State.CLOSED)
    if days:
        outcomes = outcomes.filter(at__gte=timezone.now() - timedelta(days=days))
    guessed = outcomes.exclude(first_guess="").exclude(cause="")
    if cause:
        guessed = guessed.filter(Q(cause=cause) | Q(first_guess=cause))
    sums = guessed.aggregate(closed=Count("pk"), right=Count("pk", filter=Q(cause=F("first_guess"))))
    closed, right = sums["closed"], sums["right"]
    titles = cause_titles()
    pairs = _pairs(guessed.exclude(cause=F("first_guess")), titles, Places(may_edit))
    return Misled(
        closed=closed,
        wrong=closed - right,
        right=percent(right / closed) if closed else "",
        pairs=tuple(pairs[:_MOST_PAIRS]),
        more=max(0, len(pairs) - _MOST_PAIRS),
        unknown=_unknown(outcomes.filter(first_guess=cause) if cause else outcomes, titles),
        choices=_choices(titles),
    )


def _choices(titles: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The causes that were taken for another, or another for them."""
    rows = Outcome.objects.filter(reopened_at=None).exclude(cause=F("first_guess")).order_by().values_list("cause", "first_guess").distinct()
    slugs = {slug for pair in rows for slug in pair if slug}
    return tuple(sorted(((slug, titles.get(slug, slug)) for slug in slugs), key=lambda item: item[1]))


def _pairs(outcomes: QuerySet[Outcome], titles: Mapping[str, str], places: Places) -> list[Pair]:
    """The most frequent first."""
    held: dict[tuple[str, str], list[Row]] = defaultdict(list)
    rows = outcomes.order_by("-at").values_list("case__public_id", "case__erased_at", "first_guess", "cause", "probability", "ledger", "at")
    for row in rows[:_MOST_READ]:
        held[row[2], row[3]].append(row)
    ordered = sorted(held.items(), key=lambda item: -len(item[1]))
    return [_pair(guess, truth, found, titles, places) for (guess, truth), found in ordered]


def _pair(guess: str, truth: str, rows: list[Row], titles: Mapping[str, str], places: Places) -> Pair:
    return Pair(
        guess=titles.get(guess, guess),
        guess_url=places.cause(guess),
        truth=titles.get(truth, truth),
        truth_url=places.cause(truth),
        count=len(rows),
        share=percent(fmean(row[4] for row in rows)),
        cases=tuple(CaseRef(row[0], row[1] is not None, row[6]) for row in rows[:_MOST_CASES]),
        more=max(0, len(rows) - _MOST_CASES),
        terms=_terms((row[5] for row in rows), guess, places),
    )


def _terms(ledgers: Iterable[Any], guess: str, places: Places) -> tuple[Misleading, ...]:
    """What told most between the two causes, that which misled first."""
    held: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for ledger in ledgers:
        for kind, ref, value, for_guess, for_truth in ledger:
            held[kind, ref, value].append((_finite(for_guess), _finite(for_truth)))
    weighed = [(key, fmean(one for one, _two in found), fmean(two for _one, two in found), len(found)) for key, found in held.items()]
    telling = sorted((item for item in weighed if abs(item[1] - item[2]) >= _TELLING), key=lambda item: -abs(item[1] - item[2]) * item[3])
    shown = sorted(telling[:_MOST_TERMS], key=lambda item: item[2] - item[1])
    return tuple(
        Misleading(*places.said(kind, ref, value, guess), bar(one), strength_of(kind, one), bar(two), strength_of(kind, two), one > two, count)
        for (kind, ref, value), one, two, count in shown
    )


def _finite(nats: float | None) -> float:
    """A cause that was ruled out, as far from it as a proof is on the other side."""
    return -_INFINITE if nats is None else nats


def _unknown(outcomes: QuerySet[Outcome], titles: Mapping[str, str]) -> tuple[Unknown, ...]:
    rows = outcomes.filter(cause="").order_by("-at").values_list("sentence", "first_guess", "case__public_id", "case__erased_at", "at")
    return tuple(
        Unknown(sentence or _("(erased)"), titles.get(guess, guess), CaseRef(number, erased is not None, at))
        for sentence, guess, number, erased, at in rows[:_MOST_SENTENCES]
    )
