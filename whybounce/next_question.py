"""Which question or check to put next: the one with the most expected information for its cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from whybounce.reasoning import Ranking
from whybounce.snapshot import AskedOf, Cause, Effort, Question

SURE = 0.95
"""From this probability of one cause nothing more is asked. A little more than what is called sure: the first two answers of a case
can both be lapses (docs/simulate.md)."""

_MIN_GAIN = 0.02
_MIN_CHANCE = 0.03
_LEADS = 0.5
_WORTH = 0.06  # nats: with less than that, further answers hardly ever change the leader, alone or together
_COST = {Effort.KNOW: 1.0, Effort.LOOK: 1.25, Effort.TRY: 2.0, Effort.ASK: 4.0}
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
    """The questions not yet asked that would tell causes apart, by information per cost, best first; where nothing at all is known,
    those about the symptom come before all others. `checks`: the names of the checks that have something to look at."""
    return [NextQuestion(question, gain, _prospects(ranking, question.slug)) for question, gain in _worthwhile(ranking, checks)]


def _worthwhile(ranking: Ranking, checks: Collection[str]) -> list[tuple[Question, float]]:
    """The open questions from which something is to be learnt, each with its gain, in the order of `open_questions`."""
    table = ranking.knowledge.question_table
    gains = table.gains(ranking.probabilities)
    found = [
        (float(gains[i]) / _cost(table.questions[i]), table.slugs[i], int(i))
        for i in np.flatnonzero(gains >= _MIN_GAIN)
        if _is_open(ranking, table.questions[i], checks)
    ]
    found.sort(key=lambda item: (-item[0], item[1]))
    if _nothing_known(ranking):
        found.sort(key=lambda item: not table.questions[item[2]].symptom)
    return [(table.questions[i], float(gains[i])) for _value, _slug, i in found]


def _is_open(ranking: Ranking, question: Question, checks: Collection[str]) -> bool:
    """Whether it may be put now."""
    if question.slug in ranking.observations or question.asked_of is AskedOf.REPLY:
        return False
    if question.without_text and ranking.failure.text:
        return False
    return question.asked_of is not AskedOf.CHECK or question.check in checks


def _nothing_known(ranking: Ranking) -> bool:
    """A case without a text, a code or an answer."""
    failure = ranking.failure
    return not (ranking.observations or failure.text or failure.code or failure.enhanced)


def next_question(
    ranking: Ranking, checks: Collection[str] = (), asked_of: AskedOf | None = None, put_off: Collection[str] = ()
) -> NextQuestion | None:
    """The most worthwhile open question; None when one cause is sure, or when one leads and no answer would change what to do, nor
    tells enough that a few of them together could. `put_off`: slugs of those that are to be asked only when nothing else is left."""
    top = ranking.top
    if top is None or top.probability >= SURE:
        return None
    worth = _WORTH if top.probability >= _LEADS else 0.0
    found = _worthwhile(ranking, checks)
    for question, gain in sorted(found, key=lambda item: item[0].slug in put_off) if put_off else found:
        if asked_of is not None and question.asked_of is not asked_of:
            continue
        prospects = _prospects(ranking, question.slug)
        if gain >= worth or any(p.leader.slug != top.cause.slug and p.chance >= _MIN_CHANCE for p in prospects):
            return NextQuestion(question, gain, prospects)
    return None


def _prospects(ranking: Ranking, slug: str) -> tuple[Prospect, ...]:
    compiled = ranking.knowledge.questions[slug]
    joint = compiled.p * ranking.probabilities
    chances = joint.sum(axis=1)
    leaders = joint.argmax(axis=1)
    prospects = []
    for answer, row in compiled.rows.items():
        chance, leader = float(chances[row]), int(leaders[row])
        prospects.append(Prospect(answer, chance, ranking.knowledge.causes[leader], float(joint[row, leader] / chance) if chance else 0.0))
    return tuple(prospects)


def _cost(question: Question) -> float:
    return _COST_OF_CHECK if question.asked_of is AskedOf.CHECK else _COST[question.effort]
