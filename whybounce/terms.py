"""What each observation weighs for every cause: the terms of the sum that ranks causes.

The reply is an observation of four kinds, which are added: patterns, words, codes, stage (docs/decisions/0002).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from whybounce.compiled import NATS, Knowledge, Vector
from whybounce.failure import DeliveryFailure
from whybounce.matcher import PatternMatch
from whybounce.snapshot import AskedOf, Evidence, Strength
from whybounce.words import WordReading

PROVED = NATS[Strength.PROVES]
_PATTERN_WEIGHT = 1.0
_WORDS_FLOOR = -8.0
_FEW_WORDS = 2


class TermKind(StrEnum):
    """What a line of the ledger rests on."""

    PRIOR = "prior"
    PATTERN = "pattern"
    WORDS = "words"
    ENHANCED = "enhanced"
    CODE = "code"
    STAGE = "stage"
    ANSWER = "answer"
    CHECK = "check"


# Beside words that are known, which the text model read together with the codes and the names of commands.
_BESIDE_WORDS = {TermKind.ENHANCED: 0.15, TermKind.CODE: 0.35, TermKind.STAGE: 0.3}


@dataclass(frozen=True, slots=True)
class Term:
    """One observation's weight for every cause.

    ref       slug of the pattern or question, or the code
    value     the answer, or the words that stood in the reply
    weight    what the nats were multiplied with: a code beside words weighs less than alone
    proves    slugs of the causes that it proves
    """

    kind: TermKind
    ref: str
    value: str
    nats: Vector
    weight: float = 1.0
    proves: frozenset[str] = frozenset()

    @property
    def raw(self) -> Vector:
        """What it would weigh alone."""
        return self.nats / self.weight


class Reply(NamedTuple):
    """All of a failure that the terms of its reply rest on: two replies that are equal in this weigh the same."""

    tokens: tuple[str, ...]
    patterns: tuple[str, ...]
    provider: str
    code: str
    enhanced: str
    stage: str


class Heard:
    """What was found in the reply of one failure."""

    def __init__(self, knowledge: Knowledge, failure: DeliveryFailure) -> None:
        self.provider = knowledge.provider_finder.find(failure)
        self.matches: tuple[PatternMatch, ...] = tuple(knowledge.matcher.usable(failure.text, self.provider)) if failure.text else ()
        self.reply = Reply(
            knowledge.model.tokens(failure.text),
            tuple([match.pattern.slug for match in self.matches]),
            self.provider,
            failure.code or "",
            failure.enhanced or "",
            failure.stage.value,
        )


class ReplyTerms:
    """The prior and the terms of a reply; the value of a pattern's term (the words that matched) is left empty."""

    def __init__(self, knowledge: Knowledge, heard: Heard) -> None:
        self._knowledge = knowledge
        self._reply = heard.reply
        self._patterns = [match.pattern for match in heard.matches]
        self.reading: WordReading | None = knowledge.model.read_tokens(self._reply.tokens) if self._reply.tokens else None
        self.terms: tuple[Term, ...] = tuple(self._terms())

    def _terms(self) -> Iterator[Term]:
        yield Term(TermKind.PRIOR, "", "", self._knowledge.log_prior)
        yield from self._pattern_terms()
        yield from self._word_terms()
        yield from self._code_terms()
        stage = self._knowledge.by_check.get("stage")
        if stage and self._reply.stage:
            yield from _question_term(self._knowledge, TermKind.STAGE, stage.slug, self._reply.stage, self._weight(TermKind.STAGE))

    def _pattern_terms(self) -> Iterator[Term]:
        """The longest match leads; a further one adds to a cause only what the longer ones did not already say, and half of it:
        they read the same words."""
        said = np.zeros(len(self._knowledge.causes))
        for number, pattern in enumerate(self._patterns):
            weight = _PATTERN_WEIGHT * (1.0 if number == 0 or pattern.decisive else 0.5)
            nats = self._knowledge.pattern_nats(pattern)
            nats = np.where(nats >= PROVED, nats, nats * weight)
            fresh = np.where(np.abs(nats) > np.abs(said), nats - np.where(np.isinf(said), 0.0, said), 0.0)
            said = said + fresh
            if np.any(fresh):
                yield Term(TermKind.PATTERN, pattern.slug, "", fresh, proves=_proved(pattern.evidence) if pattern.decisive else frozenset())

    def _word_terms(self) -> Iterator[Term]:
        """The text model's log probabilities; a cause it never saw examples of stands where its unlikely ones stand."""
        if not self.reading or not self.reading.known or not len(self._knowledge.word_columns):
            return
        known = np.maximum(self.reading.log_probability[self._knowledge.word_sources], _WORDS_FLOOR)
        nats = np.full(len(self._knowledge.causes), float(np.sort(known)[len(known) // 4]))
        nats[self._knowledge.word_columns] = known
        nats -= self._knowledge.shipped_log_prior  # the model knows how common a cause is: said once is enough
        yield Term(TermKind.WORDS, "", "", nats)

    def _code_terms(self) -> Iterator[Term]:
        """Codes are weak beside words and strong alone; the basic code says little that the enhanced one does not."""
        enhanced = self._code_nats(self._reply.enhanced)
        if enhanced is not None:
            weight = self._weight(TermKind.ENHANCED)
            yield Term(TermKind.ENHANCED, self._reply.enhanced, "", enhanced * weight, weight)
        basic = self._code_nats(self._reply.code)
        if basic is not None:
            weight = min(self._weight(TermKind.CODE), 1.0 if enhanced is None else 0.5)
            yield Term(TermKind.CODE, self._reply.code, "", basic * weight, weight)

    def _weight(self, kind: TermKind) -> float:
        return _BESIDE_WORDS[kind] if self.reading and self.reading.known > _FEW_WORDS else 1.0

    def _code_nats(self, code: str) -> Vector | None:
        """A provider's private meaning outranks the registered one."""
        registered = f"X{code[1:]}" if "." in code else code
        provider = self._reply.provider
        for key in ((code, provider), (registered, provider), (code, ""), (registered, "")):
            if key in self._knowledge.code_evidence:
                return self._knowledge.code_evidence[key]
        return None


def asked_terms(knowledge: Knowledge, observations: Mapping[str, str]) -> Iterator[Term]:
    """The terms of `observations`: question slug -> answer slug. Unknown questions, unknown answers and "don't know" are no evidence."""
    for slug, answer in observations.items():
        known = knowledge.questions.get(slug)
        if known:
            kind = TermKind.CHECK if known.question.asked_of is AskedOf.CHECK else TermKind.ANSWER
            yield from _question_term(knowledge, kind, slug, answer)


def _question_term(knowledge: Knowledge, kind: TermKind, slug: str, answer: str, weight: float = 1.0) -> Iterator[Term]:
    compiled = knowledge.questions[slug]
    if answer in compiled.rows:
        row = next(item for item in compiled.question.answers if item.slug == answer)
        nats = compiled.log_p[compiled.rows[answer]]
        yield Term(kind, slug, answer, nats if weight == 1.0 else nats * weight, weight, _proved(row.evidence))


def _proved(evidence: tuple[Evidence, ...]) -> frozenset[str]:
    return frozenset(item.cause for item in evidence if item.strength is Strength.PROVES)
