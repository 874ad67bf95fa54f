"""How long choosing the next step takes: with the shipped knowledge, with 120 causes and 60 questions, and with ten times as many.

    python -m bench.next_step

Prints milliseconds of CPU (the median and the 90th percentile) and, to be compared between machines, multiples of adding up a hundred
thousand numbers in Python. One thread. A step is what the wizard does once an answer is there: ranking the causes and choosing the question.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded

from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.next_question import next_question, open_questions
from whybounce.reasoning import rank
from whybounce.snapshot import Actor, Answer, AskedOf, Cause, Evidence, Frequency, KnowledgeSnapshot, Question, RemedyStep, Strength
from whybounce.words import TextModel
from whybounce.yaml_knowledge import read_folder

SHIPPED = Path(__file__).resolve().parent.parent / "knowledge/data"
STEPS = 8
ROUNDS = 25
FAILURE = DeliveryFailure()


def made_up(causes: int, questions: int) -> Knowledge:
    """Knowledge of that size: six answers a question, each speaking for a tenth of the causes and against another."""
    dice = random.Random(1)
    slugs = [f"cause-{i}" for i in range(causes)]

    def answer(number: int) -> Answer:
        told = dice.sample(slugs, max(2, causes // 5))
        strengths = [Strength.STRONGLY_FOR] * (len(told) // 2) + [Strength.AGAINST] * (len(told) - len(told) // 2)
        return Answer(f"answer-{number}", "x", Frequency.OCCASIONAL, evidence=tuple(map(Evidence, told, strengths)))

    return Knowledge(
        KnowledgeSnapshot(
            causes=tuple(
                Cause(slug, slug, "policy", (Actor.SENDER,), Frequency.RARE, "x", steps=(RemedyStep("do", Actor.SENDER, "Do."),)) for slug in slugs
            ),
            questions=tuple(Question(f"question-{i}", "x", "x", AskedOf.PERSON, tuple(map(answer, range(6)))) for i in range(questions)),
        ),
        TextModel.empty(),
    )


def walk(knowledge: Knowledge, step: Callable[[dict[str, str]], object]) -> list[float]:
    """CPU seconds of each of the first steps of a case whose answers are the first ones."""
    observations: dict[str, str] = {}
    taken = []
    for _number in range(STEPS):
        started = time.process_time()
        step(observations)
        taken.append(time.process_time() - started)
        following = next_question(rank(knowledge, FAILURE, observations), (), AskedOf.PERSON)
        if following is None:
            break
        observations[following.question.slug] = following.question.answers[0].slug
    return taken


def measured(knowledge: Knowledge, step: Callable[[dict[str, str]], object]) -> tuple[float, float]:
    """Median and the 90th percentile, in seconds of CPU, of some hundred steps."""
    walk(knowledge, step)
    taken = sorted(seconds for _round in range(ROUNDS) for seconds in walk(knowledge, step))
    return taken[len(taken) // 2], taken[len(taken) * 9 // 10]


def yardstick() -> float:
    """CPU seconds of adding up a hundred thousand numbers; the median of many."""
    taken = []
    for _round in range(51):
        started = time.process_time()
        sum(range(100_000))
        taken.append(time.process_time() - started)
    return sorted(taken)[25]


def main() -> None:
    unit = yardstick()
    print(f"the yardstick, adding up 100,000 numbers: {unit * 1000:.2f} ms")
    shipped = Knowledge(read_folder(SHIPPED), TextModel.empty())
    for name, knowledge in (("shipped", shipped), ("made up", made_up(120, 60)), ("ten times as many", made_up(1200, 600))):

        def choose(observations: dict[str, str], knowledge: Knowledge = knowledge) -> object:
            return next_question(rank(knowledge, FAILURE, observations), (), AskedOf.PERSON)

        def page(observations: dict[str, str], knowledge: Knowledge = knowledge) -> object:
            return open_questions(rank(knowledge, FAILURE, observations))

        size = f"{len(knowledge.causes)} causes, {len(knowledge.questions)} questions"
        for what, step in (("the next question", choose), ("all open questions with what each answer would do", page)):
            median, slow = measured(knowledge, step)
            print(f"  {name + ' (' + size + ')':<48} {what:<52} {median * 1000:7.2f} ms, {slow * 1000:7.2f} ms at 90 %; {median / unit:6.1f} x")


if __name__ == "__main__":
    main()
