"""What each observation weighs for every cause: the terms of the sum that ranks causes.

The reply is an observation of four kinds, which are added: patterns, words, codes, stage (docs/decisions/0002).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

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


class Observed:
    """The terms of one failure and its observations, and what was found in the reply on the way."""

    def __init__(self, knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str]) -> None:
        """`observations`: question slug -> answer slug. Unknown questions, unknown answers and "don't know" are no evidence."""
        self.knowledge = knowledge
        self.failure = failure
        self.provider = knowledge.provider_finder.find(failure)
        self.reading: WordReading | None = knowledge.model.read(failure.text) if failure.text else None
        self.matches: tuple[PatternMatch, ...] = tuple(knowledge.matcher.find(failure.text)) if failure.text else ()
        self.terms: tuple[Term, ...] = tuple(self._terms(observations))

    def _terms(self, observations: Mapping[str, str]) -> Iterator[Term]:
        yield Term(TermKind.PRIOR, "", "", self.knowledge.log_prior)
        yield from self._pattern_terms()
        yield from self._word_terms()
        yield from self._code_terms()
        stage = self.knowledge.by_check.get("stage")
        if stage and self.failure.stage:
            yield from self._question_term(TermKind.STAGE, stage.slug, self.failure.stage.value, self._weight(TermKind.STAGE))
        for slug, answer in observations.items():
            known = self.knowledge.questions.get(slug)
            if known:
                yield from self._question_term(TermKind.CHECK if known.question.asked_of is AskedOf.CHECK else TermKind.ANSWER, slug, answer)

    def _pattern_terms(self) -> Iterator[Term]:
        """The longest match leads; a further one adds to a cause only what the longer ones did not already say, and half of it:
        they read the same words."""
        said = np.zeros(len(self.knowledge.causes))
        for number, match in enumerate(self._usable_matches()):
            weight = _PATTERN_WEIGHT * (1.0 if number == 0 or match.pattern.decisive else 0.5)
            nats = self.knowledge.pattern_nats(match.pattern)
            nats = np.where(nats >= PROVED, nats, nats * weight)
            fresh = np.where(np.abs(nats) > np.abs(said), nats - np.where(np.isinf(said), 0.0, said), 0.0)
            said = said + fresh
            if np.any(fresh):
                words = self.failure.text[match.span.start : match.span.end]
                proves = _proved(match.pattern.evidence) if match.pattern.decisive else frozenset()
                yield Term(TermKind.PATTERN, match.pattern.slug, words, fresh, proves=proves)

    def _usable_matches(self) -> list[PatternMatch]:
        """The provider's own patterns; where none of them matches, the general ones and those of mail server programs, which stand
        in anybody's replies; another provider's private wording only where nobody knows whose reply it is and nothing else matches."""
        own = [match for match in self.matches if match.pattern.provider and match.pattern.provider == self.provider]
        if own:
            return own
        anybodys = [match for match in self.matches if self._is_anybodys(match)]
        return anybodys or ([] if self.provider and not self._is_program(self.provider) else list(self.matches))

    def _is_anybodys(self, match: PatternMatch) -> bool:
        return not match.pattern.provider or self._is_program(match.pattern.provider)

    def _is_program(self, slug: str) -> bool:
        provider = self.knowledge.providers.get(slug)
        return provider is not None and provider.kind == "mta"

    def _word_terms(self) -> Iterator[Term]:
        """The text model's log probabilities; a cause it never saw examples of stands where its unlikely ones stand."""
        if not self.reading or not self.reading.known or not len(self.knowledge.word_columns):
            return
        known = np.maximum(self.reading.log_probability[self.knowledge.word_sources], _WORDS_FLOOR)
        nats = np.full(len(self.knowledge.causes), float(np.quantile(known, 0.25)))
        nats[self.knowledge.word_columns] = known
        nats -= self.knowledge.log_prior  # the model knows how common a cause is: said once is enough
        yield Term(TermKind.WORDS, "", "", nats)

    def _code_terms(self) -> Iterator[Term]:
        """Codes are weak beside words and strong alone; the basic code says little that the enhanced one does not."""
        enhanced = self._code_nats(self.failure.enhanced or "")
        if enhanced is not None:
            weight = self._weight(TermKind.ENHANCED)
            yield Term(TermKind.ENHANCED, self.failure.enhanced or "", "", enhanced * weight, weight)
        basic = self._code_nats(self.failure.code or "")
        if basic is not None:
            weight = min(self._weight(TermKind.CODE), 1.0 if enhanced is None else 0.5)
            yield Term(TermKind.CODE, self.failure.code or "", "", basic * weight, weight)

    def _weight(self, kind: TermKind) -> float:
        return _BESIDE_WORDS[kind] if self.reading and self.reading.known > _FEW_WORDS else 1.0

    def _code_nats(self, code: str) -> Vector | None:
        """A provider's private meaning outranks the registered one."""
        registered = f"X{code[1:]}" if "." in code else code
        for key in ((code, self.provider), (registered, self.provider), (code, ""), (registered, "")):
            if key in self.knowledge.code_evidence:
                return self.knowledge.code_evidence[key]
        return None

    def _question_term(self, kind: TermKind, slug: str, answer: str, weight: float = 1.0) -> Iterator[Term]:
        compiled = self.knowledge.questions[slug]
        if answer in compiled.rows:
            row = next(item for item in compiled.question.answers if item.slug == answer)
            nats = compiled.log_p[compiled.rows[answer]]
            yield Term(kind, slug, answer, nats if weight == 1.0 else nats * weight, weight, _proved(row.evidence))


def _proved(evidence: tuple[Evidence, ...]) -> frozenset[str]:
    return frozenset(item.cause for item in evidence if item.strength is Strength.PROVES)
