"""How fast bounces are read and ranked, beside the standard library's own parsing of the same files in the same run.

    python -m bench.reading [FOLDER ...]      folders of e-mails; default: the fixtures and samples of this checkout

Prints ratios, each of two sums that were measured in turns, mail by mail: they say the same on a fast machine and on a slow or busy one.
Ranking remembers the words of texts that it has seen, so it is measured cold (each mail for the first time) and warm. A mail with the
bytes of another counts once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path

from whybounce.compiled import Knowledge
from whybounce.intake import read, read_line
from whybounce.reasoning import rank
from whybounce.yaml_knowledge import read_folder

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 12
Work = Callable[[bytes], object]


def in_turns(items: Sequence[bytes], works: Sequence[Work]) -> list[float]:
    """Seconds of CPU that each work takes for all items. They take turns at each item, so that what else the machine does hits all alike."""
    spent = [0.0] * len(works)
    clock = time.process_time
    for item in items:
        for number, work in enumerate(works):
            started = clock()
            work(item)
            spent[number] += clock() - started
    return spent


def best_of(items: Sequence[bytes], works: Sequence[Work]) -> list[float]:
    """The least of the seconds that each work takes in ROUNDS rounds."""
    rounds = [in_turns(items, works) for _ in range(ROUNDS)]
    return [min(column) for column in zip(*rounds, strict=True)]


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or [ROOT / "tests/data/bounces", ROOT / "samples"]
    mails = list(dict.fromkeys(path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.eml"))))
    if not mails:
        sys.exit("There are no .eml files.")
    started = time.process_time()
    knowledge = Knowledge(read_folder(ROOT / "knowledge/data"))
    print(f"knowledge read and text model fitted in {time.process_time() - started:.1f} s of CPU")
    lines = [text.encode() for text in dict.fromkeys(text for pattern in knowledge.snapshot.patterns for text in pattern.examples)]

    def floor(data: bytes) -> object:
        return message_from_bytes(data, policy=compat32)

    def explain(data: bytes) -> None:
        for failure in read(data).failures:
            _ = rank(knowledge, failure).verdict

    def explain_line(data: bytes) -> None:
        for failure in read_line(data.decode()).failures:
            _ = rank(knowledge, failure).verdict

    explain(b"550 5.1.1 <a@example.org>: user unknown")  # the matcher is built at its first use
    in_turns(mails, (floor, read))
    cold_floor, cold = in_turns(mails, (floor, explain))
    cold_line = in_turns(lines, (explain_line,))[0]
    floored, reading, warm = best_of(mails, (floor, read, explain))
    warm_line = in_turns(lines, (explain_line,))[0]
    mail_floor = floored / len(mails)
    print(f"{len(mails)} distinct mails: the standard library parses {1 / mail_floor:,.0f}/s (the floor)")
    print(f"  read:                  {len(mails) / reading:,.0f}/s, {floored / reading:.2f} x the floor")
    print(f"  read and ranked, cold: {len(mails) / cold:,.0f}/s, {cold_floor / cold:.2f} x the floor")
    print(f"  read and ranked, warm: {len(mails) / warm:,.0f}/s, {floored / warm:.2f} x the floor")
    print(f"{len(lines)} distinct reply lines read and ranked:")
    print(f"  cold: {len(lines) / cold_line:,.0f}/s, {len(lines) / cold_line * mail_floor:.2f} x the floor")
    print(f"  warm: {len(lines) / warm_line:,.0f}/s, {len(lines) / warm_line * mail_floor:.2f} x the floor")


if __name__ == "__main__":
    main()
