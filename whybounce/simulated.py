"""Figures of simulated cases: how often the true cause came out, after how many questions, what it was mistaken for, and which causes
no question tells apart."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from whybounce.compiled import Knowledge
from whybounce.simulation import Walk
from whybounce.snapshot import AskedOf

_LEAST_CONFUSED = 0.02
_ALIKE = 0.2  # whoever guesses by the answer is then right in six cases of ten


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some walks. Shares are 0..1; questions are those put to a person.

    top1, top3  the true cause stood first, among the first three
    sure        the wizard ended sure of a cause (0.9)
    checks      median of the checks that could look
    """

    walks: int
    top1: float
    top3: float
    sure: float
    median_questions: float
    p90_questions: float
    checks: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """`share` of the cases of `truth` ended at `mistaken_for`."""

    truth: str
    mistaken_for: str
    share: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two causes and the question that tells them apart best. `distance`: half the sum of the differences of its answers'
    probabilities (total variation): 0 where both would be answered alike, 1 where no answer is common to both."""

    one: str
    other: str
    question: str
    distance: float

    @property
    def alike(self) -> bool:
        """Whether no question tells the two apart."""
        return self.distance < _ALIKE


def figures(walks: Sequence[Walk]) -> Figures:
    """The figures of one walk or more."""
    questions = sorted(len(walk.asked) for walk in walks)
    n = len(walks)
    return Figures(
        walks=n,
        top1=sum(walk.place == 1 for walk in walks) / n,
        top3=sum(1 <= walk.place <= 3 for walk in walks) / n,
        sure=sum(walk.probability >= 0.9 for walk in walks) / n,
        median_questions=statistics.median(questions),
        p90_questions=questions[(9 * n - 1) // 10],
        checks=statistics.median(walk.checks for walk in walks),
    )


def confused(walks: Iterable[Walk]) -> list[Confusion]:
    """What causes were mistaken for, the most frequent first; from one case in fifty upwards."""
    of: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for walk in walks:
        of[walk.truth] += 1
        if walk.place != 1:
            wrong[walk.truth, walk.ended_at] += 1
    found = [Confusion(truth, other, count / of[truth]) for (truth, other), count in wrong.items()]
    return sorted((item for item in found if item.share >= _LEAST_CONFUSED), key=lambda item: (-item.share, item.truth, item.mistaken_for))


def nearest_pairs(knowledge: Knowledge, *, with_reply: bool) -> list[Pair]:
    """All pairs of causes, those first that questions and checks tell apart least. `with_reply`: questions that are only asked where
    there is no text are left out."""
    size = len(knowledge.causes)
    best, by = np.zeros((size, size)), np.zeros((size, size), np.intp)
    usable = [
        compiled
        for compiled in knowledge.questions.values()
        if compiled.rows and compiled.question.asked_of is not AskedOf.REPLY and not (with_reply and compiled.question.without_text)
    ]
    for number, compiled in enumerate(usable):
        distance = np.zeros((size, size))
        for row in compiled.fitting:
            distance += np.abs(row[:, None] - row[None, :]) / 2
        by[distance > best] = number
        best = np.maximum(best, distance)
    ones, others = np.triu_indices(size, 1)
    order = np.argsort(best[ones, others], kind="stable")
    return [
        Pair(
            knowledge.causes[i].slug, knowledge.causes[j].slug, usable[by[i, j]].question.slug if best[i, j] > 0 else "", round(float(best[i, j]), 3)
        )
        for i, j in zip(ones[order].tolist(), others[order].tolist(), strict=True)
    ]
