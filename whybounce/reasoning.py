"""Observations and knowledge -> ranked causes with the sum that ranks them.

A cause's score is its log prior plus one term per observation (terms.py). Every term is kept: the ledger shown to a person *is*
the computation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from whybounce.compiled import Knowledge, Vector
from whybounce.failure import Action, DeliveryFailure
from whybounce.snapshot import Actor, Cause
from whybounce.terms import PROVED, Heard, ReplyTerms, Term, TermKind, asked_terms
from whybounce.words import WordReading

DONT_KNOW = "dont-know"
"""An observation's answer when a person does not know: the question counts as asked and is no evidence."""

SURE = 0.9
# Of the texts that bench/accuracy.py leaves out, the category was right for 97 % above the first, 69 % between the two, 33 % below.
_LIKELY = 0.9
_POSSIBLE = 0.3
_CLEARLY = 1.4
_SPREAD = 2.0  # the words' first cause has less than half of their probability


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


class Sum:
    """Terms added up. One of a reply alone is shared by all replies that read the same; it does not change.

    scores          a cause's log prior and terms, by the cause's number
    contradictory   every cause was ruled out, so that ruling out then only speaks as strongly against as a proof speaks for
    """

    def __init__(self, causes: Sequence[Cause], terms: tuple[Term, ...], reading: WordReading | None) -> None:
        self.causes, self.terms, self.reading = causes, terms, reading
        scores: Vector = np.sum([term.nats for term in terms], axis=0)
        self.contradictory = bool(len(scores) and np.isneginf(scores.max()))
        if self.contradictory:
            scores = np.sum([np.maximum(term.nats, -PROVED) for term in terms], axis=0)
        self.scores = scores
        self.probabilities = _normalise(scores)

    @cached_property
    def leader(self) -> int:
        """The number of the most probable cause."""
        return int(self.probabilities.argmax())

    @cached_property
    def certainty(self) -> Certainty:
        if not self.causes:
            return Certainty.UNCLEAR
        top = self.causes[self.leader]
        shared = self.category_probability(top.category)
        if self.proves(top) and self.probabilities[self.leader] >= SURE:
            return Certainty.PROVED
        if shared >= _LIKELY:
            return Certainty.LIKELY
        return Certainty.POSSIBLE if shared >= _POSSIBLE else Certainty.UNCLEAR

    @cached_property
    def shares(self) -> list[Vector]:
        """Of each term what it did to each cause beside what it did to the average of the causes still possible."""
        possible = np.isfinite(self.scores)
        return [
            term.nats - (term.nats if term.kind is TermKind.PRIOR else np.maximum(term.nats[possible], -PROVED)).mean()
            if len(self.causes)
            else term.nats
            for term in self.terms
        ]

    def proves(self, cause: Cause) -> bool:
        """Whether a term proves the cause."""
        return any(cause.slug in term.proves for term in self.terms)

    def category_probability(self, category: str) -> float:
        """The probability that the cause is one of this category."""
        return float(sum(p for p, cause in zip(self.probabilities.tolist(), self.causes, strict=True) if cause.category == category))


class Ranking:
    """The causes ranked for one failure and its observations. Ledgers are worked out when asked for."""

    def __init__(self, knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str]) -> None:
        """`observations`: question slug -> answer slug. Unknown questions, unknown answers and DONT_KNOW are no evidence."""
        self.knowledge = knowledge
        self.failure = failure
        self.observations = dict(observations)
        heard = Heard(knowledge, failure)
        self.provider, self.matches = heard.provider, heard.matches
        self.sum = _sum_of_reply(knowledge, heard)
        asked = tuple(asked_terms(knowledge, observations)) if observations else ()
        if asked:
            self.sum = Sum(knowledge.causes, (*self.sum.terms, *asked), self.sum.reading)
        self.scores, self.probabilities, self.contradictory = self.sum.scores, self.sum.probabilities, self.sum.contradictory
        self.reading = self.sum.reading

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The prior and a term for each observation, in the order in which they are added."""
        return self.terms_with([self.failure.text[match.span.start : match.span.end] for match in self.matches])

    def terms_with(self, words: Sequence[str]) -> tuple[Term, ...]:
        """The same, with these for the words in which each of `matches` stands."""
        found = {match.pattern.slug: text for match, text in zip(self.matches, words, strict=True)}
        return tuple(replace(term, value=found[term.ref]) if term.kind is TermKind.PATTERN else term for term in self.sum.terms)

    @property
    def hypotheses(self) -> list[Hypothesis]:
        """The causes still possible, best first."""
        return self.best(len(self.probabilities))

    def best(self, most: int) -> list[Hypothesis]:
        """The first `most` of them."""
        order = np.argsort(-self.probabilities, kind="stable")[:most]
        return [self._hypothesis(int(i)) for i in order if self.probabilities[i] > 0]

    @property
    def ruled_out(self) -> list[Cause]:
        """The causes that an observation rules out."""
        return [cause for cause, score in zip(self.knowledge.causes, self.scores, strict=True) if np.isneginf(score)]

    @property
    def top(self) -> Hypothesis | None:
        return self._hypothesis(self.sum.leader) if len(self.probabilities) else None

    def _hypothesis(self, i: int) -> Hypothesis:
        cause = self.knowledge.causes[i]
        return Hypothesis(cause, float(self.probabilities[i]), self.sum.proves(cause))

    def category_probability(self, category: str) -> float:
        """The probability that the cause is one of this category."""
        return self.sum.category_probability(category)

    def ledger(self, slug: str) -> list[LedgerLine]:
        """Every term of a cause's score, in the order in which they were added."""
        why = tuple(self.knowledge.model.why(self.reading, slug)) if self.reading else ()
        return [replace(line, words=why) if line.kind is TermKind.WORDS else line for line in self.ledger_of(self.terms, slug)]

    def ledger_of(self, terms: Sequence[Term], slug: str) -> list[LedgerLine]:
        """The same without the words that weighed; `terms`: of `terms_with`."""
        i = self.knowledge.index[slug]
        return [LedgerLine(term.kind, term.ref, term.value, float(share[i])) for term, share in zip(terms, self.sum.shares, strict=True)]

    @property
    def verdict(self) -> Verdict:
        top = self.knowledge.causes[self.sum.leader] if len(self.probabilities) else None
        return Verdict(self._permanent(top), top.who_acts if top else (), self.sum.certainty)

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


def _sum_of_reply(knowledge: Knowledge, heard: Heard) -> Sum:
    """Worked out once for all replies that read the same."""
    found: Sum | None = knowledge.sums.get(heard.reply)
    if found is None:
        reply = ReplyTerms(knowledge, heard)
        found = Sum(knowledge.causes, reply.terms, reply.reading)
        knowledge.sums[heard.reply] = found
    return found


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
    """The cause that a term lifts clearly above the average one, if any. Words that are spread over many causes point at none."""
    nats = np.maximum(term.raw, -PROVED)
    i = int(nats.argmax())
    if term.kind is TermKind.WORDS and float(np.exp(nats - nats[i]).sum()) > _SPREAD:
        return None
    return i if nats[i] - nats.mean() >= _CLEARLY else None
