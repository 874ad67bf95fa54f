"""What a closed case teaches: its cause is counted (knowledge.confirmed), and where the first guess was wrong it is kept what misled.

A case counts while it is closed with an outcome: not after it was reopened, nor as a duplicate merged into another. Erasing it changes
no count.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from knowledge import confirmed
from troubleshoot.models import Case, Outcome
from whybounce.reasoning import Ranking
from whybounce.terms import TermKind

_FIXED = {TermKind.ANSWER, TermKind.CHECK, TermKind.STAGE}
"""Kinds whose value is one of a fixed set. That of others is taken from the text and is not kept."""


def count_in(outcome: Outcome) -> None:
    """The case was closed with this outcome, or is one of its own again."""
    confirmed.count(outcome.cause, outcome.patterns, by_visitor=outcome.by_id is None)


def count_out(outcome: Outcome) -> None:
    """The case was reopened, or merged into another."""
    confirmed.uncount(outcome.cause, outcome.patterns, by_visitor=outcome.by_id is None)


def in_force(case: Case) -> Outcome | None:
    return case.outcomes.filter(reopened_at=None).first()


def patterns_in(ranking: Ranking) -> list[str]:
    """Slugs of the known wordings that stand in the reply."""
    return [match.pattern.slug for match in ranking.matches]


def misleading(ranking: Ranking, cause: str) -> list[list[Any]]:
    """Where the first guess was wrong: each term of the sum as [kind, ref, value, nats for the guess, nats for `cause`], those that
    misled most first; None for minus infinity. Empty where the guess was right or the cause is not known."""
    guess = ranking.top.cause.slug if ranking.top else ""
    if not guess or guess == cause or cause not in ranking.knowledge.index:
        return []
    terms = ranking.terms
    pairs = zip(ranking.ledger_of(terms, guess), ranking.ledger_of(terms, cause), strict=True)
    rows = [[one.kind.value, one.ref, one.value if one.kind in _FIXED else "", _kept(one.nats), _kept(two.nats)] for one, two in pairs]
    return sorted(rows, key=lambda row: -lead(row[3], row[4]))


def lead(guess: float | None, cause: float | None) -> float:
    """By how much a term spoke more for the guess; None is minus infinity."""
    if guess is None:
        return 0.0 if cause is None else -math.inf
    return math.inf if cause is None else guess - cause


def _kept(nats: float) -> float | None:
    return round(nats, 2) if math.isfinite(nats) else None


def recount() -> int:
    """Counts all outcomes in force anew and says how many there are: where the counts and the cases no longer agree (a restored
    database, cases that were deleted)."""
    counts: Counter[tuple[str, str, bool]] = Counter()
    rows = Outcome.objects.filter(reopened_at=None, case__state=Case.State.CLOSED).values_list("cause", "patterns", "by")
    total = 0
    for cause, patterns, by in rows.iterator(chunk_size=2000):
        total += 1
        for pattern in {"", *patterns}:
            counts[pattern, cause, by is None] += 1
    confirmed.replace_all(counts)
    return total
