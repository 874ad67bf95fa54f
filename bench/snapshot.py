"""How long much knowledge takes to be ready: 10,000 patterns and 120 causes, beside the standard library reading the same document.

    python -m bench.snapshot [PATTERNS]

Prints seconds of CPU and, to be compared between machines, multiples of `json.loads` of the same document.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from whybounce.compiled import Knowledge
from whybounce.document import to_document
from whybounce.snapshot import Actor, Cause, Evidence, Frequency, KnowledgeSnapshot, RemedyStep, ReplyPattern, Strength
from whybounce.words import TextModel
from whybounce.yaml_knowledge import from_document

_T = TypeVar("_T")
CAUSES = 120
WORDS = ("mailbox", "quota", "sender", "domain", "policy", "server", "refused", "blocked", "listed", "address", "record", "limit", "message", "retry")


def large(patterns: int) -> KnowledgeSnapshot:
    """Knowledge of that many patterns: three words of their own and a number each, as wordings of real servers are built."""
    causes = tuple(
        Cause(f"cause-{i}", f"Cause {i}", "policy", (Actor.SENDER,), Frequency.RARE, "x", steps=(RemedyStep("do", Actor.SENDER, "Do."),))
        for i in range(CAUSES)
    )

    def pattern(i: int) -> ReplyPattern:
        one, two, three = (WORDS[(i // step) % len(WORDS)] for step in (1, len(WORDS), len(WORDS) ** 2))
        text = f"{one} {two}-{i} {three}"
        return ReplyPattern(
            f"pattern-{i}", rf"{one} {two}-{i} (is )?{three}", evidence=(Evidence(f"cause-{i % CAUSES}", Strength.FOR),), examples=(text,)
        )

    return KnowledgeSnapshot(causes=causes, patterns=tuple(pattern(i) for i in range(patterns)))


def seconds(work: Callable[[], _T]) -> tuple[float, _T]:
    """The best of three, in seconds of CPU, with the last result."""
    best = float("inf")
    for _round in range(3):
        started = time.process_time()
        result = work()
        best = min(best, time.process_time() - started)
    return best, result


def main() -> None:
    patterns = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    text = json.dumps(to_document(large(patterns)))
    floor, document = seconds(lambda: json.loads(text))
    building, snapshot = seconds(lambda: from_document(document))
    compiling, knowledge = seconds(lambda: Knowledge(snapshot, TextModel.empty()))
    replies = [pattern.examples[0] for pattern in snapshot.patterns[:: max(1, patterns // 200)]]
    started = time.process_time()
    found = sum(bool(knowledge.matcher.find(reply)) for reply in replies)
    matching = time.process_time() - started
    print(f"{patterns:,} patterns, {CAUSES} causes: the document is {len(text) / 1e6:.1f} MB; json.loads takes {floor:.3f} s (the floor)")
    print(f"  snapshot from the document: {building:.2f} s, {building / floor:.0f} x the floor")
    print(f"  compiled:                   {compiling:.2f} s, {compiling / floor:.0f} x the floor")
    print(f"  together:                   {building + compiling:.2f} s")
    print(f"  first {len(replies)} replies matched:  {matching:.2f} s ({found} found)")


if __name__ == "__main__":
    main()
