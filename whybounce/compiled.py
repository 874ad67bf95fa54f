"""Knowledge, compiled once: a snapshot as the tables that reasoning adds up. All weights are natural logarithms (nats)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whybounce.matcher import ProviderFinder, ReplyMatcher
from whybounce.priors import learned_log_prior
from whybounce.remembered import Remembered
from whybounce.snapshot import Answer, AskedOf, Cause, Evidence, FindingNote, Frequency, KnowledgeSnapshot, Provider, Question, ReplyPattern, Strength
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

LAPSE = 0.05
"""How often a person's answer is not the one that fits: a slip, a guess, a misunderstood question."""

_MOST_SUMS = 4096  # of a few kilobytes


@dataclass(frozen=True, slots=True)
class CompiledQuestion:
    """`log_p[a, c]` = log P(answer a | cause c), over the informative answers; `rows` gives an answer's number by its slug.
    `fitting`: P that the answer is the one that fits, before people's lapses."""

    question: Question
    rows: Mapping[str, int]
    log_p: Vector
    p: Vector
    fitting: Vector


class QuestionTable:
    """All questions below each other, so that the next one is chosen with a few products of matrices.

    slugs       of the questions, in the order of the snapshot; those without an answer that is evidence are left out
    starts      the number of a question's first row
    p           P(answer | cause), a row for each informative answer
    known       for each question and cause the sum of P log P over the answers: minus the entropy of its answers where the cause
                is known, in nats
    """

    def __init__(self, questions: Mapping[str, CompiledQuestion], causes: int) -> None:
        asked = [compiled for compiled in questions.values() if compiled.rows]
        self.slugs = tuple(compiled.question.slug for compiled in asked)
        self.questions = tuple(compiled.question for compiled in asked)
        self.p: Vector = np.concatenate([compiled.p for compiled in asked]) if asked else np.zeros((0, causes))
        self.starts = np.cumsum([0, *(len(compiled.rows) for compiled in asked[:-1])]) if asked else np.zeros(0, np.intp)
        logs = np.log(self.p, out=np.zeros_like(self.p), where=self.p > 0)
        self.known: Vector = np.add.reduceat(self.p * logs, self.starts, axis=0) if asked else self.p

    def gains(self, probabilities: Vector) -> Vector:
        """The information in nats that each question's answer is expected to give: the mutual information of answer and cause."""
        if not self.slugs:
            return np.zeros(0)
        chances = self.p @ probabilities
        logs = np.log(chances, out=np.zeros_like(chances), where=chances > 0)
        gains: Vector = np.maximum(self.known @ probabilities - np.add.reduceat(chances * logs, self.starts), 0.0)
        return gains


class Knowledge:
    """A snapshot and its text model, ready for reasoning. Immutable but for what it remembers; shared by all threads of a process.

    log_prior           how common each cause is; shipped_log_prior: by the snapshot alone
    closings            the closed cases that log_prior learned from
    """

    def __init__(self, snapshot: KnowledgeSnapshot, model: TextModel | None = None) -> None:
        """`model`: the fitted text model; None fits it now (seconds)."""
        self.snapshot = snapshot
        self.model = fit(labelled_examples(snapshot)) if model is None else model
        self.causes: tuple[Cause, ...] = snapshot.causes
        self.index: Mapping[str, int] = {cause.slug: i for i, cause in enumerate(snapshot.causes)}
        self.providers: Mapping[str, Provider] = {provider.slug: provider for provider in snapshot.providers}
        self.findings: Mapping[str, FindingNote] = {note.slug: note for note in snapshot.findings}
        rates = np.array([RATE[cause.frequency] for cause in snapshot.causes])
        self.log_prior: Vector = np.log(rates / rates.sum()) if len(rates) else rates
        self.shipped_log_prior = self.log_prior
        self.closings = 0
        self.questions: Mapping[str, CompiledQuestion] = {question.slug: self._question(question) for question in snapshot.questions}
        self.question_table = QuestionTable(self.questions, len(self.causes))
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

    def with_counts(self, counts: Mapping[str, int]) -> Knowledge:
        """The same knowledge where causes are as common as closed cases make them (priors.py). `counts`: cases by the cause's slug;
        causes that are not known (any more) are passed over. Shares all tables with this one: takes microseconds."""
        seen = np.array([float(max(0, counts.get(cause.slug, 0))) for cause in self.causes])
        if not seen.sum() and not self.closings:
            return self
        other = copy(self)
        other.log_prior, other.closings = learned_log_prior(self.shipped_log_prior, seen), int(seen.sum())
        other.sums = Remembered(_MOST_SUMS)  # those of this one hold its prior
        return other

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
            fitting = p
            if question.asked_of is AskedOf.PERSON:
                p = _with_lapses(p, informative, self.index)
            log_p = np.log(p)
        return CompiledQuestion(question, {answer.slug: i for i, answer in enumerate(informative)}, log_p, p, fitting)


def _with_lapses(p: Vector, answers: Sequence[Answer], index: Mapping[str, int]) -> Vector:
    """Some answers of people are any answer, so that no single one can all but exclude a cause. Where a curator says that an answer
    proves a cause or rules it out, he vouches for it: there people are taken at their word."""
    fallible = np.ones(p.shape, dtype=bool)
    for row, answer in enumerate(answers):
        for item in answer.evidence:
            if item.strength is Strength.PROVES:
                fallible[row] = False
            elif item.strength is Strength.RULES_OUT:
                fallible[row, index[item.cause]] = False
        if answer.others is Strength.RULES_OUT:
            named = [index[item.cause] for item in answer.evidence]
            fallible[row, [i for i in range(p.shape[1]) if i not in named]] = False
    share = np.where(fallible, p, 0.0).sum(axis=0)
    counted = np.maximum(fallible.sum(axis=0), 1)
    return np.where(fallible, (1 - LAPSE) * p + LAPSE * share / counted, p)


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
