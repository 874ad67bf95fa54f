"""Simulated cases: a person and a network that know the true cause answer by the evidence, while the wizard's own ranking chooses what
is asked. It measures whether the questions lead to the cause if the knowledge is right; not whether it is (docs/simulate.md)."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Subject
from whybounce.compiled import CompiledQuestion, Knowledge, labelled_examples
from whybounce.failure import DeliveryFailure
from whybounce.intake import read
from whybounce.next_question import next_question
from whybounce.reasoning import DONT_KNOW, Ranking, rank
from whybounce.snapshot import AskedOf, KnowledgeSnapshot
from whybounce.words import fit

NOTHING = DeliveryFailure()
_RECIPIENT = "anna@example.org"
_SENDER = "office@example.com"
_MOST = 60  # questions, so that every walk ends
_LEFT_OUT = 5  # one text in so many is not learnt from


@dataclass(frozen=True, slots=True)
class Manners:
    """How people and network answer, as shares: `dont_know` of the questions are not answered, `unable` of the checks cannot look,
    and `wrong` of both give any of the other answers."""

    dont_know: float = 0.10
    wrong: float = 0.05
    unable: float = 0.10


_USUAL = Manners()


@dataclass(frozen=True, slots=True)
class Walk:
    """One simulated case from its start to where the wizard asks no more.

    with_reply  it began with a text
    place       of the true cause in the ranking at the end, from 1; 0: it was ruled out
    ended_at    slug of the first cause, and its probability
    asked       slugs of the questions put to the person, with the answers given
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

    def __init__(self, knowledge: Knowledge, manners: Manners = _USUAL) -> None:
        self.knowledge = knowledge
        self._manners = manners
        self._answers = {slug: _cumulated(compiled) for slug, compiled in knowledge.questions.items()}

    def walk(self, truth: str, failure: DeliveryFailure, dice: random.Random) -> Walk:
        """One case whose cause is `truth` (a slug): first the checks that can look, then one question after the other."""
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
        """What the checks find that have something to look at; those that cannot look leave nothing."""
        found = {}
        for name in runnable(failure):
            question = self.knowledge.by_check.get(name)
            if question and dice.random() >= self._manners.unable:
                found[question.slug] = self._given(question.slug, truth, dice)
        return found

    def _answer(self, slug: str, truth: str, dice: random.Random) -> str:
        return DONT_KNOW if dice.random() < self._manners.dont_know else self._given(slug, truth, dice)

    def _given(self, slug: str, truth: str, dice: random.Random) -> str:
        """The answer that fits, or now and then another."""
        fitting = self._fitting(slug, truth, dice)
        if dice.random() < self._manners.wrong:
            others = [answer for answer in self._answers[slug][0] if answer != fitting]
            return dice.choice(others) if others else fitting
        return fitting

    def _fitting(self, slug: str, truth: str, dice: random.Random) -> str:
        """An answer, drawn by how probable each is where `truth` is the cause."""
        answers, cumulated = self._answers[slug]
        sums = cumulated[self.knowledge.index[truth]]
        return answers[min(bisect(sums, dice.random() * sums[-1]), len(answers) - 1)]


def _cumulated(compiled: CompiledQuestion) -> tuple[list[str], list[list[float]]]:
    """A question's answers, and for each cause the sums of their probabilities up to each."""
    return list(compiled.rows), [list(accumulate(column)) for column in compiled.fitting.T.tolist()]


def _ended(ranking: Ranking, truth: str, asked: tuple[tuple[str, str], ...], checks: int) -> Walk:
    slugs = [hypothesis.cause.slug for hypothesis in ranking.hypotheses]
    place = slugs.index(truth) + 1 if truth in slugs else 0
    probability = ranking.top.probability if ranking.top else 0.0
    return Walk(truth, bool(ranking.failure.text), place, slugs[0] if slugs else "", probability, asked, checks)


def runnable(failure: DeliveryFailure) -> Collection[str]:
    """The checks that have something to look at: whoever asks knows both addresses; all else stands in the reply or is unknown."""
    subject = Subject(
        domain="example.org",
        recipient=_RECIPIENT,
        mail_from=_SENDER,
        header_from=_SENDER,
        sending_ip=failure.sending_ip,
        helo=failure.helo,
        reply=failure.text,
    )
    return [name for name, check in CHECKS.items() if not check.needs(subject)]


def simulate(knowledge: Knowledge, texts: Mapping[str, Sequence[str]], walks: int, seed: int = 1, manners: Manners = _USUAL) -> Iterator[Walk]:
    """`walks` cases of each cause from no text at all and, where `texts` has some for it, as many with one of these.
    The same knowledge, texts and seed give the same walks."""
    simulator = Simulator(knowledge, manners)
    for cause in knowledge.causes:
        failures = [_failure_of(text) for text in texts.get(cause.slug, ())]
        for number in range(walks):
            yield simulator.walk(cause.slug, NOTHING, _dice(seed, cause.slug, number))
            if failures:
                yield simulator.walk(cause.slug, failures[number % len(failures)], _dice(seed, cause.slug, number, "reply"))


def _dice(*named: str | int) -> random.Random:
    """The same numbers for the same name, in every process."""
    return random.Random(" ".join(map(str, named)))  # noqa: S311 nothing here is a secret


def _failure_of(text: str) -> DeliveryFailure:
    """The first failed delivery in it; NOTHING where there is none."""
    return next(iter(read(text.encode()).failures), NOTHING)


def choose_texts(snapshot: KnowledgeSnapshot, most: int, seed: int = 1) -> dict[str, list[str]]:
    """Of each cause's labelled examples every fifth, at most `most`: texts that are read as a failed delivery."""
    texts: dict[str, list[str]] = {cause.slug: [] for cause in snapshot.causes}
    for example in snapshot.examples:
        texts[example.cause].append(example.text)
    chosen = {}
    for slug, known in texts.items():
        number = min(most, -(-len(known) // _LEFT_OUT))
        _dice(seed, slug).shuffle(known)
        readable = (text for text in known if _failure_of(text).text)
        chosen[slug] = [text for text, _n in zip(readable, range(number), strict=False)]
    return chosen


def without_texts(snapshot: KnowledgeSnapshot, texts: Mapping[str, Sequence[str]]) -> Knowledge:
    """The knowledge with a text model that never saw these texts (fitting takes seconds). The patterns remain, and whoever wrote them
    may have seen the texts."""
    seen = {text for chosen in texts.values() for text in chosen}
    return Knowledge(snapshot, fit(lesson for lesson in labelled_examples(snapshot) if lesson.text not in seen))
