"""An answer that means "could not look" changes nothing, whatever else is known: with the shipped knowledge, for every question and check."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whybounce.checks.registry import CHECKS
from whybounce.checks.result import State
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure, Stage
from whybounce.reasoning import DONT_KNOW, rank
from whybounce.snapshot import AskedOf, KnowledgeSnapshot
from whybounce.words import TextModel
from whybounce.yaml_knowledge import read_folder

SHIPPED: KnowledgeSnapshot = read_folder(Path(__file__).parents[2] / "knowledge" / "data")
MUTE = [(q.slug, answer.slug) for q in SHIPPED.questions for answer in q.answers if not answer.informative]
TELLING = [(q.slug, answer.slug) for q in SHIPPED.questions if q.asked_of is not AskedOf.REPLY for answer in q.answers if answer.informative]
FAILURES = st.builds(
    DeliveryFailure,
    code=st.sampled_from([None, "421", "450", "550", "552", "554"]),
    enhanced=st.sampled_from([None, "4.7.1", "5.1.1", "5.7.26"]),
    text=st.sampled_from(["", "550 5.1.1 User unknown", "554 blocked using zen.spamhaus.org", "452 4.2.2 mailbox full", "hello"]),
    stage=st.sampled_from(Stage),
)
OBSERVATIONS = st.lists(st.sampled_from(TELLING), max_size=6).map(dict)


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """The shipped knowledge; without its text model, which takes seconds to fit and has no part in answers."""
    return Knowledge(SHIPPED, TextModel.empty())


def test_every_check_has_answers_that_say_nothing() -> None:
    mute = {slug for slug, _answer in MUTE}
    by_check = {question.check: question.slug for question in SHIPPED.questions if question.asked_of is AskedOf.CHECK}
    assert {name for name in CHECKS if by_check[name] not in mute} == set()
    unknown = {(by_check[name], a.slug) for name, check in CHECKS.items() for a in check.answers if a.state is State.UNKNOWN}
    assert unknown <= set(MUTE)


@settings(max_examples=150, deadline=None)
@given(FAILURES, OBSERVATIONS, st.sampled_from([*MUTE, *((question.slug, DONT_KNOW) for question in SHIPPED.questions)]))
def test_could_not_look_changes_no_score(failure: DeliveryFailure, others: dict[str, str], mute: tuple[str, str]) -> None:
    question, answer = mute
    known = {slug: given_ for slug, given_ in others.items() if slug != question}
    without, along = rank(knowledge(), failure, known), rank(knowledge(), failure, {**known, question: answer})
    assert along.scores.tolist() == without.scores.tolist()
    assert along.verdict == without.verdict


@pytest.mark.parametrize("mute", MUTE, ids="=".join)
def test_could_not_look_has_no_line_in_the_ledger(mute: tuple[str, str]) -> None:
    plain, asked = rank(knowledge(), DeliveryFailure()), rank(knowledge(), DeliveryFailure(), dict([mute]))
    assert asked.terms == plain.terms
    assert asked.scores.tolist() == plain.scores.tolist()


GOOD = [
    (question.slug, answer.slug)
    for question in SHIPPED.questions
    if question.asked_of is AskedOf.CHECK
    for answer in CHECKS[question.check].answers
    if answer.state is State.GOOD
]


@pytest.mark.parametrize("good", GOOD, ids="=".join)
def test_a_good_answer_makes_no_cause_likely(good: tuple[str, str]) -> None:
    """That one thing is in order says what it is not. It may not speak for any cause by more than a little."""
    compiled = knowledge().questions[good[0]]
    row = compiled.log_p[compiled.rows[good[1]]]
    typical = sorted(row)[len(row) // 2]
    strongest = max(row) - typical
    assert strongest < math.log(2.2), knowledge().causes[int(row.argmax())].slug
