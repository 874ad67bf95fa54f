"""Observations and knowledge -> ranked causes with the sum that ranks them, and the next question.

A cause's score is its log prior plus one term per observation; the reply is an observation of four kinds, which are added:
patterns, words, codes, stage. Every term is kept: the ledger shown to a person *is* the computation. docs/decisions/ has the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from whybounce.compiled import NATS, Knowledge, Vector
from whybounce.failure import Action, DeliveryFailure
from whybounce.matcher import PatternMatch
from whybounce.snapshot import Actor, AskedOf, Cause, Effort, Question, Strength
from whybounce.words import WordReading

DONT_KNOW = "dont-know"
"""An observation's answer when a person does not know: the question counts as asked and is no evidence."""

SURE = 0.9
# Of 675 replies and bounces that the knowledge was not written from, the category was right for 95 % above the first, 80 % between the two.
_LIKELY = 0.9
_POSSIBLE = 0.3
_MIN_GAIN = 0.02
_MIN_CHANCE = 0.03
_COST = {Effort.KNOW: 1.0, Effort.LOOK: 1.5, Effort.TRY: 3.0, Effort.ASK: 6.0}
_COST_OF_CHECK = 0.25
_CLEARLY = 1.4
_PROVED = NATS[Strength.PROVES]
_PATTERN_WEIGHT = 0.75
_WORDS_FLOOR = -6.0


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


# Two readings of the same words do not contradict each other; they are weighed.
_WORDING = {TermKind.PATTERN, TermKind.WORDS}


class Certainty(StrEnum):
    PROVED = "proved"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Term:
    """One observation's weight for every cause. `ref` is the slug of the pattern or question, or the code; `value` the answer
    or the words that stood in the reply. `raw` is what it would weigh if it stood alone (a code beside words weighs less)."""

    kind: TermKind
    ref: str
    value: str
    nats: Vector
    weight: float = 1.0

    @property
    def raw(self) -> Vector:
        return self.nats / self.weight


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


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an answer would do: how likely it is now, and which cause would then lead with which probability."""

    answer: str
    chance: float
    leader: Cause
    leader_probability: float


@dataclass(frozen=True, slots=True)
class NextQuestion:
    """An open question, the information expected from it in nats, and what each answer would change."""

    question: Question
    gain: float
    prospects: tuple[Prospect, ...]


class Ranking:
    """The causes ranked for one failure and its observations. Ledgers are worked out when asked for."""

    def __init__(self, knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str]) -> None:
        """`observations`: question slug -> answer slug. Unknown questions, unknown answers and DONT_KNOW are no evidence."""
        self.knowledge = knowledge
        self.failure = failure
        self.observations = dict(observations)
        self.provider = knowledge.provider_finder.find(failure)
        self.reading: WordReading | None = None
        self.matches: tuple[PatternMatch, ...] = ()
        self.terms: tuple[Term, ...] = tuple(self._terms())
        self.scores, self.contradictory = self._scores()
        self.probabilities = _normalise(self.scores)

    # --- the sum ---

    def _terms(self) -> Iterator[Term]:
        yield Term(TermKind.PRIOR, "", "", self.knowledge.log_prior)
        if self.failure.text:
            self.reading = self.knowledge.model.read(self.failure.text)
            self.matches = tuple(self.knowledge.matcher.find(self.failure.text))
            yield from self._pattern_terms()
            yield from self._word_terms(self.reading)
        yield from self._code_terms()
        stage = self.knowledge.by_check.get("stage")
        if stage and self.failure.stage:
            yield from self._question_term(TermKind.STAGE, stage.slug, self.failure.stage.value)
        for slug, answer in self.observations.items():
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
            nats = np.where(nats >= _PROVED, nats, nats * weight)
            fresh = np.where(np.abs(nats) > np.abs(said), nats - np.where(np.isinf(said), 0.0, said), 0.0)
            said = said + fresh
            if np.any(fresh):
                yield Term(TermKind.PATTERN, match.pattern.slug, self.failure.text[match.span.start : match.span.end], fresh)

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

    def _word_terms(self, reading: WordReading) -> Iterator[Term]:
        """The text model's log probabilities; a cause it never saw examples of stands where its unlikely ones stand."""
        if not reading.known or not len(self.knowledge.word_columns):
            return
        known = np.maximum(reading.log_probability[self.knowledge.word_sources], _WORDS_FLOOR)
        nats = np.full(len(self.knowledge.causes), float(np.quantile(known, 0.25)))
        nats[self.knowledge.word_columns] = known
        yield Term(TermKind.WORDS, "", "", nats)

    def _code_terms(self) -> Iterator[Term]:
        """Codes are weak beside words and strong alone; the basic code says little that the enhanced one does not."""
        weight = 0.4 if self.reading and self.reading.known > 2 else 1.0
        enhanced = self._code_nats(self.failure.enhanced or "")
        if enhanced is not None:
            yield Term(TermKind.ENHANCED, self.failure.enhanced or "", "", enhanced * weight, weight)
            weight *= 0.5
        basic = self._code_nats(self.failure.code or "")
        if basic is not None:
            yield Term(TermKind.CODE, self.failure.code or "", "", basic * weight, weight)

    def _code_nats(self, code: str) -> Vector | None:
        """A provider's private meaning outranks the registered one."""
        registered = f"X{code[1:]}" if "." in code else code
        for key in ((code, self.provider), (registered, self.provider), (code, ""), (registered, "")):
            if key in self.knowledge.code_evidence:
                return self.knowledge.code_evidence[key]
        return None

    def _question_term(self, kind: TermKind, slug: str, answer: str) -> Iterator[Term]:
        compiled = self.knowledge.questions[slug]
        if answer in compiled.rows:
            yield Term(kind, slug, answer, compiled.log_p[compiled.rows[answer]])

    def _scores(self) -> tuple[Vector, bool]:
        """The terms added up. Where every cause is ruled out the observations contradict each other: ruling out then only
        speaks as strongly against as a proof speaks for."""
        scores = np.sum([term.nats for term in self.terms], axis=0)
        if not len(scores) or np.isfinite(scores).any():
            return scores, False
        return np.sum([np.maximum(term.nats, -_PROVED) for term in self.terms], axis=0), True

    # --- what follows from it ---

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
        proved = any(term.nats[i] >= _PROVED - 0.01 for term in self.terms if term.kind is TermKind.PATTERN)
        proved = proved or any(self._proves(term, i) for term in self.terms if term.kind in (TermKind.ANSWER, TermKind.CHECK))
        return Hypothesis(self.knowledge.causes[i], float(self.probabilities[i]), proved)

    def _proves(self, term: Term, i: int) -> bool:
        question = self.knowledge.questions[term.ref].question
        slug = self.knowledge.causes[i].slug
        answer = next(a for a in question.answers if a.slug == term.value)
        return any(e.cause == slug and e.strength is Strength.PROVES for e in answer.evidence)

    def category_probability(self, category: str) -> float:
        """The probability that the cause is one of this category."""
        return float(sum(p for p, cause in zip(self.probabilities, self.knowledge.causes, strict=True) if cause.category == category))

    def ledger(self, slug: str) -> list[LedgerLine]:
        """Every term of a cause's score, in the order in which they were added."""
        i = self.knowledge.index[slug]
        possible = np.isfinite(self.scores)
        lines = []
        for term in self.terms:
            mean = float(np.maximum(term.nats, -_PROVED)[possible].mean()) if term.kind is not TermKind.PRIOR else float(term.nats.mean())
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

    # --- the next question ---

    def open_questions(self, checks: Collection[str]) -> list[NextQuestion]:
        """The questions not yet asked that would tell causes apart, by information per cost, best first. `checks`: the names of the
        checks that have something to look at."""
        found = []
        for slug, compiled in self.knowledge.questions.items():
            question = compiled.question
            if (
                slug in self.observations
                or question.asked_of is AskedOf.REPLY
                or (question.without_text and self.failure.text)
                or (question.asked_of is AskedOf.CHECK and question.check not in checks)
            ):
                continue
            gain = _expected_gain(compiled.p, self.probabilities)
            if gain >= _MIN_GAIN:
                found.append((gain / _cost(question), gain, slug))
        found.sort(key=lambda item: (-item[0], item[2]))
        return [NextQuestion(self.knowledge.questions[slug].question, gain, self._prospects(slug)) for _value, gain, slug in found]

    def next_question(self, checks: Collection[str] = (), asked_of: AskedOf | None = None) -> NextQuestion | None:
        """The most worthwhile open question; None when one cause is sure, or when one leads and no answer would change what to do."""
        top = self.top
        if top is None or top.probability >= SURE:
            return None
        useful = (
            q
            for q in self.open_questions(checks)
            if (asked_of is None or q.question.asked_of is asked_of)
            and (top.probability < 0.5 or any(p.leader.slug != top.cause.slug and p.chance >= _MIN_CHANCE for p in q.prospects))
        )
        return next(useful, None)

    def _prospects(self, slug: str) -> tuple[Prospect, ...]:
        compiled = self.knowledge.questions[slug]
        joint = compiled.p * self.probabilities
        prospects = []
        for answer, row in compiled.rows.items():
            chance = float(joint[row].sum())
            leader = int(joint[row].argmax())
            prospects.append(Prospect(answer, chance, self.knowledge.causes[leader], float(joint[row, leader] / chance) if chance else 0.0))
        return tuple(prospects)


def rank(knowledge: Knowledge, failure: DeliveryFailure, observations: Mapping[str, str] | None = None) -> Ranking:
    """Ranks the causes of one failure. An empty DeliveryFailure is a case without any text."""
    return Ranking(knowledge, failure, observations or {})


def _cost(question: Question) -> float:
    return _COST_OF_CHECK if question.asked_of is AskedOf.CHECK else _COST[question.effort]


def _normalise(scores: Vector) -> Vector:
    if not len(scores):
        return scores
    weights: Vector = np.exp(scores - scores.max())
    weights /= weights.sum()
    return weights


def _expected_gain(p_answer: Vector, probabilities: Vector) -> float:
    """Mutual information of answer and cause in nats: entropy of the answers now minus their entropy once the cause is known."""
    chances = p_answer @ probabilities
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(p_answer > 0, p_answer * np.log(p_answer), 0.0).sum(axis=0)
        now = np.where(chances > 0, chances * np.log(chances), 0.0).sum()
    return float(max(known @ probabilities - now, 0.0))


def _points_at(term: Term) -> int | None:
    """The cause that a term lifts clearly above the average one, if any."""
    nats = np.maximum(term.raw, -_PROVED)
    i = int(nats.argmax())
    return i if nats[i] - nats.mean() >= _CLEARLY else None
