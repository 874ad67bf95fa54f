"""How fast reply lines are read, matched, ranked and explained, beside work that any program would have to do, in the same run.

    python -m bench.lines [--lines 20000] [--million]      --million: memory over a million lines

Lines: the shipped examples, each with other addresses, hosts and numbers every time, so that no line comes twice. "First": a reply
that reads as none before it. "Again": one whose words, codes and patterns came before, as nearly all do in a log. Prints lines a
second of CPU and the ratio to the yardsticks: parsing one JSON object, and searching one expression, for each line.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import re2

from whybounce.answer import explain_text
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.intake import read_line
from whybounce.reasoning import rank
from whybounce.shapes import Shapes
from whybounce.yaml_knowledge import read_folder

ROOT = Path(__file__).resolve().parent.parent
_ADDRESS = re2.compile(r"[\w.+-]+@[\w.-]+\w")
_NUMBER = re2.compile(r"\b[0-9A-F]*\d{4}[0-9A-F]*\b")


def variants(texts: Sequence[str], number: int) -> Iterator[str]:
    """`number` lines made of the texts, no two alike."""
    chance = random.Random(7)
    for i in range(number):
        text = texts[i % len(texts)]
        text = _ADDRESS.sub(f"user{i}@d{chance.randrange(10**6)}.example.net", text)
        yield f"{_NUMBER.sub(str(10**6 + i), text)} [192.0.{i >> 8 & 255}.{i & 255}] (id {chance.randrange(10**9, 10**10)})"


def rate(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Items a second of CPU, over one pass."""
    started = time.process_time()
    for item in items:
        work(item)
    return len(items) / (time.process_time() - started)


def verdict_of(knowledge: Knowledge) -> Callable[[DeliveryFailure], object]:
    return lambda failure: rank(knowledge, failure).verdict


def row(name: str, per_second: float, yardsticks: dict[str, float]) -> str:
    ratios = "   ".join(f"1/{value / per_second:.0f} of {label}" for label, value in yardsticks.items())
    return f"{name:<44}{per_second:>10,.0f}/s   {ratios}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--million", action="store_true")
    options = parser.parse_args()
    knowledge = Knowledge(read_folder(ROOT / "knowledge/data"))
    snapshot = knowledge.snapshot
    texts = list(
        dict.fromkeys(" ".join(t.split()) for t in [*(e.text for e in snapshot.examples), *(t for p in snapshot.patterns for t in p.examples)])
    )
    random.Random(1).shuffle(texts)
    warm, fresh = texts[::2], texts[1::2]
    for line in variants(warm, len(warm)):
        explain_text(knowledge, read_line(line))
    unseen = list(variants(fresh, len(fresh)))
    third = len(unseen) // 3
    first = [unseen[:third], unseen[third : 2 * third], unseen[2 * third :]]  # what one measurement has met is not new to the next
    again = list(variants(warm[:2000], options.lines))
    one = re2.compile(r"mailbox (is )?full|over quota")
    sample = json.dumps({"recipient": "user@example.net", "code": "550", "text": texts[0]})
    yardsticks = {"json.loads": rate(lambda _line: json.loads(sample), again), "one re2 search": rate(one.search, again)}
    for label, value in yardsticks.items():
        print(f"{label:<44}{value:>10,.0f}/s   (yardstick)")
    words, ranked = ([f for line in lines for f in read_line(line).failures] for lines in first[:2])
    failures = [f for line in again for f in read_line(line).failures]
    print(row("lines read", rate(read_line, again), yardsticks))
    print(row("patterns found", rate(lambda f: knowledge.matcher.find(f.text), failures), yardsticks))
    print(row("words read, first", rate(lambda f: knowledge.model.read(f.text), words), yardsticks))
    print(row("matched and ranked, first", rate(verdict_of(knowledge), ranked), yardsticks))
    rate(verdict_of(knowledge), failures[:2000])
    print(row("matched and ranked, again", rate(verdict_of(knowledge), failures), yardsticks))
    print(row("read, ranked and written as JSON, again", rate(lambda line: explain_text(knowledge, read_line(line)), again), yardsticks))
    shapes = Shapes(lambda line: explain_text(knowledge, read_line(line)))
    for _ in range(3):
        rate(shapes.tell, again)
    print(row("the same of lines whose shape is known", rate(shapes.tell, again), yardsticks))
    print(row("read, ranked and written as JSON, first", rate(lambda line: explain_text(knowledge, read_line(line)), first[2]), yardsticks))
    if options.million:
        _million(knowledge, texts)


def _million(knowledge: Knowledge, texts: Sequence[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, line in enumerate(variants(texts, 1_000_000), 1):
        explain_text(knowledge, read_line(line))
        if number % 100_000 == 0:
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"after {number:>9,} lines: at most {now / 1e3:,.0f} MB, {(now - before) / 1e3:,.0f} more than at the start")


if __name__ == "__main__":
    main()
