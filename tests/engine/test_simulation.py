"""Simulated cases: how answers are drawn, what a walk is, the figures of walks, and what the shipped knowledge reaches."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.engine.knowledge import CHECK_SPF, FULL, KNOWLEDGE, SNAPSHOT, SPF, UNKNOWN, WHO_IS_AFFECTED, cause, says
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.reasoning import DONT_KNOW, rank
from whybounce.simulated import Confusion, confused, figures, nearest_pairs
from whybounce.simulation import NOTHING, Manners, Simulator, Walk, choose_texts, runnable, simulate, without_texts
from whybounce.snapshot import Answer, Example, Frequency, Question, ReplyPattern, Strength
from whybounce.words import TextModel
from whybounce.yaml_knowledge import read_folder

TRUTHFUL = Manners(dont_know=0, wrong=0, unable=0)
TEXTS = {"unknown-user": ["550 no such user here"], "mailbox-full": ["452 mailbox full, try later"]}


def dice(seed: int = 1) -> random.Random:
    return random.Random(seed)


def answers_of(truth: str, manners: Manners, times: int = 20_000) -> Counter[str]:
    """What the simulated person answers to one question, asked again and again."""
    simulator, drawn = Simulator(KNOWLEDGE, manners), dice()
    return Counter(simulator._answer("who-is-affected", truth, drawn) for _ in range(times))


def test_answers_are_drawn_by_how_probable_they_are_with_that_cause() -> None:
    """Before lapses: these are the simulated person's own."""
    found = answers_of("mailbox-full", TRUTHFUL)
    fitting = KNOWLEDGE.questions["who-is-affected"].fitting[:, KNOWLEDGE.index["mailbox-full"]]
    assert found["one"] / 20_000 == pytest.approx(fitting[0], abs=0.008)
    assert answers_of("unknown-user", TRUTHFUL, 100) == {"one": 100}  # the other answer is ruled out


def test_some_are_not_answered_and_some_wrongly() -> None:
    found = answers_of("unknown-user", Manners(dont_know=0.1, wrong=0.05))
    assert found[DONT_KNOW] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert found["all"] / (20_000 - found[DONT_KNOW]) == pytest.approx(0.05, abs=0.01)


def test_the_network_may_be_unable_to_look() -> None:
    failure = DeliveryFailure(sending_ip="192.0.2.1")
    able = Simulator(KNOWLEDGE, TRUTHFUL).walk("spf-fail", failure, dice())
    assert able.checks == 1
    assert Simulator(KNOWLEDGE, Manners(unable=1)).walk("spf-fail", failure, dice()).checks == 0


def test_a_check_runs_where_the_case_has_what_it_needs() -> None:
    assert "mx" in runnable(NOTHING)
    assert "ptr" not in runnable(NOTHING)
    assert "ptr" in runnable(DeliveryFailure(sending_ip="192.0.2.1"))


def test_a_walk_asks_what_the_wizard_would_and_ends_where_it_would() -> None:
    """A sharp question first, and nothing more once its answer settles it."""
    sharp = tuple(
        Answer(
            item.slug, item.slug, Frequency.RARE, evidence=says(**{item.slug.replace("-", "_"): Strength.PROVES}), others=Strength.STRONGLY_AGAINST
        )
        for item in SNAPSHOT.causes
    )
    question = dataclasses.replace(WHO_IS_AFFECTED, slug="sharp", answers=sharp)
    knowledge = Knowledge(dataclasses.replace(SNAPSHOT, questions=(WHO_IS_AFFECTED, question)), KNOWLEDGE.model)
    for item in SNAPSHOT.causes:
        walk = Simulator(knowledge, TRUTHFUL).walk(item.slug, NOTHING, dice())
        assert walk.asked == (("sharp", item.slug),)
        assert (walk.ended_at, walk.place) == (item.slug, 1)


def test_what_is_not_known_is_asked_once_and_changes_nothing() -> None:
    walk = Simulator(KNOWLEDGE, Manners(dont_know=1, unable=1)).walk("mailbox-full", NOTHING, dice())
    assert [answer for _question, answer in walk.asked] == [DONT_KNOW] * len(walk.asked)
    assert len({question for question, _answer in walk.asked}) == len(walk.asked)
    assert walk.ended_at == rank(KNOWLEDGE, NOTHING).top.cause.slug


def test_a_cause_that_an_answer_rules_out_has_no_place() -> None:
    walk = Simulator(KNOWLEDGE, Manners(dont_know=0, wrong=1, unable=1)).walk("unknown-user", NOTHING, dice())
    assert walk.asked == (("who-is-affected", "all"),)
    assert walk.place == 0


def test_the_same_seed_gives_the_same_walks_and_another_seed_others() -> None:
    first = list(simulate(KNOWLEDGE, TEXTS, 20, seed=7))
    assert first == list(simulate(KNOWLEDGE, TEXTS, 20, seed=7))
    assert first != list(simulate(KNOWLEDGE, TEXTS, 20, seed=8))
    assert Counter((walk.truth, walk.with_reply) for walk in first)["unknown-user", True] == 20
    assert not any(walk.with_reply for walk in first if walk.truth == "spf-fail")


def test_a_fifth_of_the_texts_is_left_out_of_what_the_text_model_learns() -> None:
    strange = [Example(f"550 5.1.1 {word}, {word}", "unknown-user") for word in ("qqzq", "vvwv", "kkjk", "xxyx", "bbpb", "ffgf", "hhth")]
    snapshot = dataclasses.replace(SNAPSHOT, examples=(*SNAPSHOT.examples, *strange, Example("nothing failed", "spf-fail")))
    texts = choose_texts(snapshot, 50)
    assert len(texts["unknown-user"]) == 2
    assert all(text != "nothing failed" for text in texts["spf-fail"])
    assert choose_texts(snapshot, 1)["unknown-user"] == texts["unknown-user"][:1]
    chosen = {"unknown-user": [strange[3].text]}
    same = ReplyPattern("same", "xxyx", evidence=says(unknown_user=Strength.FOR), examples=(strange[3].text,))
    snapshot = dataclasses.replace(snapshot, patterns=(*snapshot.patterns, same))
    assert without_texts(snapshot, chosen).model.read("kkjk").known
    assert not without_texts(snapshot, chosen).model.read("xxyx").known


def walk(truth: str, ended_at: str, place: int, questions: int, probability: float = 0.95) -> Walk:
    return Walk(truth, False, place, ended_at, probability, tuple((f"q{i}", "a") for i in range(questions)), 2)


def test_figures_by_hand() -> None:
    found = figures([walk("a", "a", 1, 1), walk("a", "a", 1, 3), walk("a", "b", 3, 4, 0.5), walk("a", "b", 0, 30)])
    assert (found.walks, found.top1, found.top3, found.sure) == (4, 0.5, 0.75, 0.75)
    assert (found.median_questions, found.p90_questions, found.checks) == (3.5, 30, 2)
    assert figures([walk("a", "a", 1, number) for number in range(1, 11)]).p90_questions == 9


def test_what_was_mistaken_is_counted_by_cause() -> None:
    walks = [walk("a", "b", 2, 1), walk("a", "b", 2, 1), walk("a", "c", 2, 1), walk("a", "a", 1, 1)]
    walks += [walk("b", "a", 2, 1), *(walk("b", "b", 1, 1) for _ in range(99))]
    assert confused(walks) == [Confusion("a", "b", 0.5), Confusion("a", "c", 0.25)]


def test_pairs_that_no_question_tells_apart_are_named() -> None:
    twin = cause("twin-of-spf", "sender_auth")
    snapshot = dataclasses.replace(SNAPSHOT, causes=(SPF, twin, FULL, UNKNOWN), questions=(WHO_IS_AFFECTED,))
    snapshot = dataclasses.replace(snapshot, patterns=(), codes=(), examples=(), questions=(_only(WHO_IS_AFFECTED, "ip-listed"),))
    pairs = nearest_pairs(Knowledge(snapshot, TextModel.empty()), with_reply=False)
    assert (pairs[0].one, pairs[0].other, pairs[0].question, pairs[0].alike) == ("spf-fail", "twin-of-spf", "", True)
    assert len(pairs) == 6
    told = next(pair for pair in pairs if {pair.one, pair.other} == {"spf-fail", "unknown-user"})
    assert (told.question, told.distance, told.alike) == ("who-is-affected", 0.5, False)  # one: 1/2 and 1, all: 1/2 and 0


def _only(question: Question, without: str) -> Question:
    """The question without evidence on a cause that is left out."""
    return dataclasses.replace(
        question,
        answers=tuple(
            dataclasses.replace(answer, evidence=tuple(item for item in answer.evidence if item.cause != without)) for answer in question.answers
        ),
    )


def test_a_question_for_cases_without_a_text_tells_nothing_apart_where_there_is_one() -> None:
    snapshot = dataclasses.replace(SNAPSHOT, questions=(dataclasses.replace(WHO_IS_AFFECTED, without_text=True), CHECK_SPF))
    pairs = nearest_pairs(Knowledge(snapshot, KNOWLEDGE.model), with_reply=True)
    assert {pair.question for pair in pairs} == {"", "check-spf"}
    assert {pair.question for pair in nearest_pairs(Knowledge(snapshot, KNOWLEDGE.model), with_reply=False)} == {"who-is-affected", "check-spf"}


SHIPPED = Path(__file__).resolve().parents[2] / "knowledge" / "data"


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    """What ships, without its text model: fitting takes seconds, and cases without a text need none."""
    return Knowledge(read_folder(SHIPPED), TextModel.empty())


def test_the_shipped_questions_lead_to_the_cause(shipped: Knowledge) -> None:
    """Six cases a cause, so with some room below what many cases reach (docs/simulate.md)."""
    found = figures(list(simulate(shipped, {}, 6)))
    assert found.top1 >= 0.9
    assert found.top3 >= 0.96
    assert found.median_questions <= 6


def test_no_two_shipped_causes_are_alike(shipped: Knowledge) -> None:
    """With a text as well, where fewer questions are asked."""
    assert not [pair for pair in nearest_pairs(shipped, with_reply=True) if pair.alike]


def test_the_gains_of_all_questions_are_those_of_each(shipped: Knowledge) -> None:
    probabilities = rank(shipped, NOTHING).probabilities
    gains = shipped.question_table.gains(probabilities)
    for slug, gain in zip(shipped.question_table.slugs, gains, strict=True):
        p = shipped.questions[slug].p
        joint = p * probabilities
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = np.nansum(np.where(joint > 0, joint * np.log(p / joint.sum(axis=1, keepdims=True)), 0.0))
        assert gain == pytest.approx(expected, abs=1e-9)
