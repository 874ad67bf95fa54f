"""What staff are told on the page of a cause: how often it proved true, and how common it is taken to be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.confirmed import of_cause
from knowledge.current import knowledge


@dataclass(frozen=True, slots=True)
class ConfirmedWords:
    """`shipped`, `learned`: its share among all failures by the knowledge alone and with what was learned, "" where nothing was."""

    cases: int
    of: int
    shipped: str
    learned: str


def told_to_staff(slug: str) -> ConfirmedWords | None:
    """None for a cause that is not published."""
    known = knowledge()
    number = known.index.get(slug)
    if number is None:
        return None
    confirmed = of_cause(slug)
    learned = _share(known.log_prior[number]) if known.closings else ""
    return ConfirmedWords(confirmed.cases, confirmed.of, _share(known.shipped_log_prior[number]), learned)


def _share(log_prior: float) -> str:
    share = math.exp(log_prior) * 100
    return f"{share:.1f} %" if share >= 0.1 else f"{share:.2f} %"
