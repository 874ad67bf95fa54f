"""Observations and knowledge -> ranked causes with the sum that ranks them.

A cause's score is its log prior plus one term per observation (terms.py). Every term is kept: the ledger shown to a person *is*
the computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from whybounce.compiled import Knowledge, Vector
from whybounce.failure import Action, DeliveryFailure
from whybounce.snapshot import Actor, Cause
from whybounce.terms import PROVED, Observed, Term, TermKind

DONT_KNOW = "dont-know"
"""An observation's answer when a person does not know: the question counts as asked and is no evidence."""

SURE = 0.9
# Of 675 replies and bounces that the knowledge was not written from, the category was right for 95 % above the first, 80 % between the two.
_LIKELY = 0.9
_POSSIBLE = 0.3
_CLEARLY = 1.4


# Two readings of the same words do not contradict each other; they are weighed.
_WORDING = {TermKind.PATTERN, TermKind.WORDS}


class Certainty(StrEnum):
    PROVED = "proved"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """What one observation did to one cause: `nats` beside what it did to the average of the causes still possible (so
    positive speaks for it), or minus infinity where it rules the cause out. `words` as in TextModel.why, for WORDS alone."""

    kind: TermKind
    ref: str
    value: str
    nats: float
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    cause: Cause
    probability: float
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two observations that point at causes of different categories, each strongly: what they are, and the causes."""

    one: Term
    one_cause: Cause
    other: Term
    other_cause: Cause


@dataclass(frozen=True, slots=True)
class Verdict:
    """`permanent`: sending again unchanged cannot help, by the code where there is one, else by the cause."""

    permanent: bool
    who_acts: tuple[Actor, ...]
    certainty: Certainty


class Ranking:
    """The causes ranked for one failure and its observations. Ledgers are worked out when asked for."""

    def __init__(self, knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str]) -> None:
        """`observations`: question slug -> answer slug. Unknown questions, unknown answers and DONT_KNOW are no evidence."""
        self.knowledge = knowledge
        self.failure = failure
        self.observations = dict(observations)
        observed = Observed(knowledge, failure, observations)
        self.provider, self.reading, self.matches, self.terms = observed.provider, observed.reading, observed.matches, observed.terms
        self.scores, self.contradictory = self._scores()
        self.probabilities = _normalise(self.scores)

    def _scores(self) -> tuple[Vector, bool]:
        """The terms added up. Where every cause is ruled out the observations contradict each other: ruling out then only
        speaks as strongly against as a proof speaks for."""
        scores = np.sum([term.nats for term in self.terms], axis=0)
        if not len(scores) or np.isfinite(scores).any():
            return scores, False
        return np.sum([np.maximum(term.nats, -PROVED) for term in self.terms], axis=0), True

    @property
    def hypotheses(self) -> list[Hypothesis]:
        """The causes still possible, best first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [self._hypothesis(int(i)) for i in order if self.probabilities[i] > 0]

    @property
    def ruled_out(self) -> list[Cause]:
        """The causes that an observation rules out."""
        return [cause for cause, score in zip(self.knowledge.causes, self.scores, strict=True) if np.isneginf(score)]

    @property
    def top(self) -> Hypothesis | None:
        return self._hypothesis(int(self.probabilities.argmax())) if len(self.probabilities) else None

    def _hypothesis(self, i: int) -> Hypothesis:
        cause = self.knowledge.causes[i]
        return Hypothesis(cause, float(self.probabilities[i]), any(cause.slug in term.proves for term in self.terms))

    def category_probability(self, category: str) -> float:
        """The probability that the cause is one of this category."""
        return float(sum(p for p, cause in zip(self.probabilities, self.knowledge.causes, strict=True) if cause.category == category))

    def ledger(self, slug: str) -> list[LedgerLine]:
        """Every term of a cause's score, in the order in which they were added."""
        i = self.knowledge.index[slug]
        possible = np.isfinite(self.scores)
        lines = []
        for term in self.terms:
            mean = float(np.maximum(term.nats, -PROVED)[possible].mean()) if term.kind is not TermKind.PRIOR else float(term.nats.mean())
            words = tuple(self.knowledge.model.why(self.reading, slug)) if term.kind is TermKind.WORDS and self.reading else ()
            lines.append(LedgerLine(term.kind, term.ref, term.value, float(term.nats[i] - mean), words))
        return lines

    @property
    def verdict(self) -> Verdict:
        top = self.top
        if top is None:
            return Verdict(self._permanent(None), (), Certainty.UNCLEAR)
        shared = self.category_probability(top.cause.category)
        if top.proved and top.probability >= SURE:
            certainty = Certainty.PROVED
        elif shared >= _LIKELY:
            certainty = Certainty.LIKELY
        else:
            certainty = Certainty.POSSIBLE if shared >= _POSSIBLE else Certainty.UNCLEAR
        return Verdict(self._permanent(top.cause), top.cause.who_acts, certainty)

    def _permanent(self, cause: Cause | None) -> bool:
        digit = (self.failure.code or self.failure.enhanced or " ")[0]
        if digit in "45":
            return digit == "5"
        if self.failure.action is Action.DELAYED:
            return False
        return bool(cause and cause.permanent)

    @property
    def contradictions(self) -> list[Contradiction]:
        """Pairs of observations that each point clearly at a cause, of different categories, and cannot both be right."""
        pointed = [(term, i) for term in self.terms if term.kind is not TermKind.PRIOR and (i := _points_at(term)) is not None]
        return [
            Contradiction(one, self.knowledge.causes[i], other, self.knowledge.causes[j])
            for number, (one, i) in enumerate(pointed)
            for other, j in pointed[number + 1 :]
            if self.knowledge.causes[i].category != self.knowledge.causes[j].category
            and not {one.kind, other.kind} <= _WORDING
            and one.raw[j] < one.raw[i] - _CLEARLY
            and other.raw[i] < other.raw[j] - _CLEARLY
        ]


def rank(knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str] | None = None) -> Ranking:
    """Ranks the causes of one failure. An empty DeliveryFailure is a case without any text."""
    return Ranking(knowledge, failure, observations or {})


def _normalise(scores: Vector) -> Vector:
    if not len(scores):
        return scores
    weights: Vector = np.exp(scores - scores.max())
    weights /= weights.sum()
    return weights


def _points_at(term: Term) -> int | None:
    """The cause that a term lifts clearly above the average one, if any."""
    nats = np.maximum(term.raw, -PROVED)
    i = int(nats.argmax())
    return i if nats[i] - nats.mean() >= _CLEARLY else None
