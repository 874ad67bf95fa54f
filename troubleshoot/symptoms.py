"""The start without any text: what a person sees happening, several symptoms at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whybounce.reasoning import Ranking
from whybounce.snapshot import Answer, AskedOf, Effort, Question

_MOST_ANSWERS = 6  # a longer list is a question of its own
_FIELD = "symptom-"


@dataclass(frozen=True, slots=True)
class Symptom:
    """A question of the form of symptoms: `field` is its name there, `answers` the value and the text of each choice."""

    field: str
    text: str
    answers: tuple[tuple[str, str], ...]


def symptoms_of(ranking: Ranking) -> tuple[Symptom, ...]:
    """What is asked at the start, in the order of the knowledge: what a person knows without looking, with few answers."""
    return tuple(
        Symptom(_FIELD + compiled.question.slug, compiled.question.text, tuple((a.slug, a.text) for a in _choices(compiled.question)))
        for compiled in ranking.knowledge.questions.values()
        if _is_symptom(compiled.question) and compiled.question.slug not in ranking.observations
    )


def _choices(question: Question) -> list[Answer]:
    return [answer for answer in question.answers if answer.informative]


def _is_symptom(question: Question) -> bool:
    asked = question.symptom and question.asked_of is AskedOf.PERSON and question.effort is Effort.KNOW
    return asked and len(_choices(question)) <= _MOST_ANSWERS


def answers_in(sent: Mapping[str, str]) -> dict[str, str]:
    """The answers that a form of symptoms sent: question -> answer. What was left out is not among them."""
    return {field.removeprefix(_FIELD): value for field, value in sent.items() if field.startswith(_FIELD) and value}
