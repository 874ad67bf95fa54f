"""Which question or check to put next: the one with the most expected information for its cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from whybounce.compiled import Vector
from whybounce.reasoning import SURE, Ranking
from whybounce.snapshot import AskedOf, Cause, Effort, Question

_MIN_GAIN = 0.02
_MIN_CHANCE = 0.03
_LEADS = 0.5
_COST = {Effort.KNOW: 1.0, Effort.LOOK: 1.5, Effort.TRY: 3.0, Effort.ASK: 6.0}
_COST_OF_CHECK = 0.25


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


def open_questions(ranking: Ranking, checks: Collection[str] = ()) -> list[NextQuestion]:
    """The questions not yet asked that would tell causes apart, by information per cost, best first. `checks`: the names of the
    checks that have something to look at."""
    found = []
    for slug, compiled in ranking.knowledge.questions.items():
        question = compiled.question
        if (
            slug in ranking.observations
            or question.asked_of is AskedOf.REPLY
            or (question.without_text and ranking.failure.text)
            or (question.asked_of is AskedOf.CHECK and question.check not in checks)
        ):
            continue
        gain = _expected_gain(compiled.p, ranking.probabilities)
        if gain >= _MIN_GAIN:
            found.append((gain / _cost(question), gain, slug))
    found.sort(key=lambda item: (-item[0], item[2]))
    return [NextQuestion(ranking.knowledge.questions[slug].question, gain, _prospects(ranking, slug)) for _value, gain, slug in found]


def next_question(ranking: Ranking, checks: Collection[str] = (), asked_of: AskedOf | None = None) -> NextQuestion | None:
    """The most worthwhile open question; None when one cause is sure, or when one leads and no answer would change what to do."""
    top = ranking.top
    if top is None or top.probability >= SURE:
        return None
    useful = (
        q
        for q in open_questions(ranking, checks)
        if (asked_of is None or q.question.asked_of is asked_of)
        and (top.probability < _LEADS or any(p.leader.slug != top.cause.slug and p.chance >= _MIN_CHANCE for p in q.prospects))
    )
    return next(useful, None)


def _prospects(ranking: Ranking, slug: str) -> tuple[Prospect, ...]:
    compiled = ranking.knowledge.questions[slug]
    joint = compiled.p * ranking.probabilities
    prospects = []
    for answer, row in compiled.rows.items():
        chance = float(joint[row].sum())
        leader = int(joint[row].argmax())
        prospects.append(Prospect(answer, chance, ranking.knowledge.causes[leader], float(joint[row, leader] / chance) if chance else 0.0))
    return tuple(prospects)


def _cost(question: Question) -> float:
    return _COST_OF_CHECK if question.asked_of is AskedOf.CHECK else _COST[question.effort]


def _expected_gain(p_answer: Vector, probabilities: Vector) -> float:
    """Mutual information of answer and cause in nats: entropy of the answers now minus their entropy once the cause is known."""
    chances = p_answer @ probabilities
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where(p_answer > 0, p_answer * np.log(p_answer), 0.0).sum(axis=0)
        now = np.where(chances > 0, chances * np.log(chances), 0.0).sum()
    return float(max(known @ probabilities - now, 0.0))
