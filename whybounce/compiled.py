"""Knowledge, compiled once: a snapshot as the tables that reasoning adds up. All weights are natural logarithms (nats)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whybounce.matcher import ProviderFinder, ReplyMatcher
from whybounce.remembered import Remembered
from whybounce.snapshot import AskedOf, Cause, Evidence, Frequency, KnowledgeSnapshot, Provider, Question, ReplyPattern, Strength
from whybounce.words import Lesson, TextModel, fit

Vector = npt.NDArray[np.float64]

# What the words a curator chooses from mean. "Rules out" is minus infinity: the cause is no longer possible.
NATS: Mapping[Strength, float] = {
    Strength.PROVES: 6.0,
    Strength.STRONGLY_FOR: 2.5,
    Strength.FOR: 1.5,
    Strength.SLIGHTLY_FOR: 0.7,
    Strength.SLIGHTLY_AGAINST: -0.7,
    Strength.AGAINST: -1.5,
    Strength.STRONGLY_AGAINST: -2.5,
    Strength.RULES_OUT: -np.inf,
}
RATE: Mapping[Frequency, float] = {
    Frequency.USUAL: 0.5,
    Frequency.COMMON: 0.25,
    Frequency.OCCASIONAL: 0.1,
    Frequency.RARE: 0.03,
    Frequency.VERY_RARE: 0.01,
}

_MOST_SUMS = 4096  # of a few kilobytes


@dataclass(frozen=True, slots=True)
class CompiledQuestion:
    """`log_p[a, c]` = log P(answer a | cause c), over the informative answers; `rows` gives an answer's number by its slug."""

    question: Question
    rows: Mapping[str, int]
    log_p: Vector
    p: Vector


class Knowledge:
    """A snapshot and its text model, ready for reasoning. Immutable but for what it remembers; shared by all threads of a process."""

    def __init__(self, snapshot: KnowledgeSnapshot, model: TextModel | None = None) -> None:
        """`model`: the fitted text model; None fits it now (seconds)."""
        self.snapshot = snapshot
        self.model = fit(labelled_examples(snapshot)) if model is None else model
        self.causes: tuple[Cause, ...] = snapshot.causes
        self.index: Mapping[str, int] = {cause.slug: i for i, cause in enumerate(snapshot.causes)}
        self.providers: Mapping[str, Provider] = {provider.slug: provider for provider in snapshot.providers}
        rates = np.array([RATE[cause.frequency] for cause in snapshot.causes])
        self.log_prior: Vector = np.log(rates / rates.sum()) if len(rates) else rates
        self.questions: Mapping[str, CompiledQuestion] = {question.slug: self._question(question) for question in snapshot.questions}
        self.by_check: Mapping[str, Question] = {q.check: q for q in snapshot.questions if q.asked_of is not AskedOf.PERSON}
        self.code_evidence: Mapping[tuple[str, str], Vector] = {
            (row.code, row.provider): self.nats(row.evidence, row.others) for row in snapshot.codes if row.evidence
        }
        self.matcher = ReplyMatcher(snapshot.patterns, {provider.slug for provider in snapshot.providers if provider.kind == "mta"})
        self._pattern_nats: dict[str, Vector] = {}
        self.provider_finder = ProviderFinder(snapshot.providers)
        self.sums = Remembered(_MOST_SUMS)
        self.word_columns = np.array([self.index[slug] for slug in self.model.causes if slug in self.index], dtype=np.intp)
        self.word_sources = np.array([i for i, slug in enumerate(self.model.causes) if slug in self.index], dtype=np.intp)

    def nats(self, evidence: Iterable[Evidence], others: Strength | None = None) -> Vector:
        """Evidence rows as a vector over the causes; `others` is the strength for those not named."""
        vector = np.full(len(self.causes), NATS[others] if others else 0.0)
        for item in evidence:
            vector[self.index[item.cause]] = NATS[item.strength]
        return vector

    def pattern_nats(self, pattern: ReplyPattern) -> Vector:
        """A pattern's evidence; only one that a curator marked decisive proves."""
        vector = self._pattern_nats.get(pattern.slug)
        if vector is None:
            vector = self.nats(pattern.evidence)
            if not pattern.decisive:
                vector = np.minimum(vector, NATS[Strength.STRONGLY_FOR])
            self._pattern_nats[pattern.slug] = vector
        return vector

    def _question(self, question: Question) -> CompiledQuestion:
        """P(answer | cause): the answer's base rate times exp(strength), normalised over the answers that are evidence."""
        informative = [answer for answer in question.answers if answer.informative]
        strength = np.array([self.nats(answer.evidence, answer.others) for answer in informative]).reshape(len(informative), len(self.causes))
        weight = np.array([[RATE[answer.base_rate]] for answer in informative]).reshape(-1, 1) * np.exp(strength)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = weight / weight.sum(axis=0)
            p = np.where(np.isnan(p), 1.0 / max(len(informative), 1), p)  # a cause whose every answer is ruled out: no evidence
            log_p = np.log(p)
        return CompiledQuestion(question, {answer.slug: i for i, answer in enumerate(informative)}, log_p, p)


def labelled_examples(snapshot: KnowledgeSnapshot) -> list[Lesson]:
    """What the text model learns from: every example text with its cause (those of a pattern with the cause it speaks for most), and
    what the knowledge itself says in words: of each cause, of what a pattern means, of the codes that speak for a cause."""
    categories = {cause.slug: cause.category for cause in snapshot.causes}
    pairs = [(example.text, example.cause) for example in snapshot.examples]
    for cause in snapshot.causes:
        pairs += [(text, cause.slug) for text in (cause.title, cause.summary, cause.explanation) if text]
    for pattern in snapshot.patterns:
        pairs += [(text, slug) for slug in _spoken_for(pattern.evidence) for text in (*pattern.examples, pattern.meaning) if text]
    for code in snapshot.codes:
        pairs += [(f"{code.code.replace('X', '5')} {code.title}", slug) for slug in _spoken_for(code.evidence)]
    return [Lesson(text, slug, categories[slug]) for text, slug in pairs]


def _spoken_for(evidence: Sequence[Evidence]) -> list[str]:
    """The cause for which the evidence speaks most, or none."""
    best = max(evidence, key=lambda item: NATS[item.strength], default=None)
    return [best.cause] if best and NATS[best.strength] > 0 else []
