"""Simulated cases: a person and a network that know the true cause answer by the evidence, and the wizard's own ranking and choice of
questions are watched. It measures whether the knowledge and the questions lead to a cause; not whether the knowledge is true
(docs/simulate.md)."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Collection
from dataclasses import dataclass
from itertools import accumulate

from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Subject
from whybounce.compiled import CompiledQuestion, Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.next_question import next_question
from whybounce.reasoning import DONT_KNOW, Ranking, rank
from whybounce.snapshot import AskedOf, KnowledgeSnapshot

NOTHING = DeliveryFailure()
_PERSON = "anna@example.org"
_SENDER = "office@example.com"
_MOST = 60  # questions; so that every walk ends


@dataclass(frozen=True, slots=True)
class Manners:
    """How the simulated person and network answer, as shares: `dont_know` of the questions are not answered, `wrong` are answered
    with another answer, each alike; `unable` of the checks cannot look."""

    dont_know: float = 0.10
    wrong: float = 0.05
    unable: float = 0.10


@dataclass(frozen=True, slots=True)
class Walk:
    """One simulated case from its start to where the wizard asks no more.

    place       of the true cause in the ranking at the end, from 1; 0: it was ruled out
    ended_at    slug of the first cause
    asked       the questions put to the person, in order, with the answers given
    checks      how many checks could look
    """

    truth: str
    with_reply: bool
    place: int
    ended_at: str
    probability: float
    asked: tuple[tuple[str, str], ...]
    checks: int


class Simulator:
    """Walks cases through one knowledge."""

    def __init__(self, knowledge: Knowledge, manners: Manners = Manners()) -> None:
        self.knowledge = knowledge
        self._manners = manners
        self._answers = {slug: _cumulated(compiled) for slug, compiled in knowledge.questions.items()}

    def walk(self, truth: str, failure: DeliveryFailure, dice: random.Random) -> Walk:
        """One case whose cause is `truth` (a slug): the checks that can look, then one question after the other."""
        observations = self._checked(truth, failure, dice)
        checks = len(observations)
        asked: list[tuple[str, str]] = []
        ranking = rank(self.knowledge, failure, observations)
        while len(asked) < _MOST and (following := next_question(ranking, (), AskedOf.PERSON)):
            slug = following.question.slug
            observations[slug] = self._answer(slug, truth, dice)
            asked.append((slug, observations[slug]))
            ranking = rank(self.knowledge, failure, observations)
        return _ended(ranking, truth, tuple(asked), checks)

    def _checked(self, truth: str, failure: DeliveryFailure, dice: random.Random) -> dict[str, str]:
        """What the checks find that have something to look at; those that could not look are left out."""
        found = {}
        for name in runnable(failure):
            question = self.knowledge.by_check.get(name)
            if question and question.asked_of is AskedOf.CHECK and dice.random() >= self._manners.unable:
                found[question.slug] = self._drawn(question.slug, truth, dice)
        return found

    def _answer(self, slug: str, truth: str, dice: random.Random) -> str:
        chance = dice.random()
        if chance < self._manners.dont_know:
            return DONT_KNOW
        fitting = self._drawn(slug, truth, dice)
        if chance < self._manners.dont_know + self._manners.wrong:
            others = [answer for answer in self.knowledge.questions[slug].rows if answer != fitting]
            return dice.choice(others) if others else fitting
        return fitting

    def _drawn(self, slug: str, truth: str, dice: random.Random) -> str:
        """An answer, drawn by how probable each is where `truth` is the cause."""
        answers, cumulated = self._answers[slug]
        sums = cumulated[self.knowledge.index[truth]]
        return answers[min(bisect(sums, dice.random() * sums[-1]), len(answers) - 1)]


def runnable(failure: DeliveryFailure) -> Collection[str]:
    """The checks that have something to look at: whoever asks knows both addresses; all else stands in the reply or is unknown."""
    subject = Subject(
        domain="example.org",
        recipient=_PERSON,
        mail_from=_SENDER,
        header_from=_SENDER,
        sending_ip=failure.sending_ip,
        reply=failure.text,
    )
    return [name for name, check in CHECKS.items() if not check.needs(subject)]


def _cumulated(compiled: CompiledQuestion) -> tuple[list[str], list[list[float]]]:
    """A question's answers, and for each cause the sums of their probabilities up to each."""
    return list(compiled.rows), [list(accumulate(column)) for column in compiled.fitting.T.tolist()]


def _ended(ranking: Ranking, truth: str, asked: tuple[tuple[str, str], ...], checks: int) -> Walk:
    slugs = [hypothesis.cause.slug for hypothesis in ranking.hypotheses]
    place = slugs.index(truth) + 1 if truth in slugs else 0
    probability = ranking.top.probability if ranking.top else 0.0
    return Walk(truth, bool(ranking.failure.text), place, slugs[0] if slugs else "", probability, asked, checks)


def texts_of(snapshot: KnowledgeSnapshot) -> dict[str, list[str]]:
    """The texts of each cause: those of its example cases and its labelled examples. Not the examples of patterns, which match by rule."""
    texts: dict[str, list[str]] = {cause.slug: [] for cause in snapshot.causes}
    for case in snapshot.cases:
        if case.text:
            texts[case.cause].append(case.text)
    for example in snapshot.examples:
        texts[example.cause].append(example.text)
    return texts
