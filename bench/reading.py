"""How fast bounces are read and ranked, beside the standard library's own parsing of the same files in the same run.

    python -m bench.reading [FOLDER ...]      folders of e-mails; default: the fixtures and samples of this checkout

Prints ratios: they say the same on a fast machine and on a slow one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path

from whybounce.compiled import Knowledge
from whybounce.intake import read, read_line
from whybounce.reasoning import rank
from whybounce.yaml_knowledge import read_folder

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 2.0


def per_second(work: Callable[[], int]) -> float:
    """Items a second of CPU: `work` does one round and says how many items it had. The best of the rounds of SECONDS, after one
    that only warms the matcher and the model's memory."""
    work()
    best, until = 0.0, time.process_time() + SECONDS
    while time.process_time() < until:
        started = time.process_time()
        items = work()
        best = max(best, items / (time.process_time() - started))
    return best


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or [ROOT / "tests/data/bounces", ROOT / "samples"]
    mails = [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.eml"))]
    started = time.process_time()
    knowledge = Knowledge(read_folder(ROOT / "knowledge/data"))
    print(f"knowledge read and text model fitted in {time.process_time() - started:.1f} s of CPU")
    lines = [text for pattern in knowledge.snapshot.patterns for text in pattern.examples]

    def explain(data: bytes) -> None:
        for failure in read(data).failures:
            _ = rank(knowledge, failure).verdict

    def explain_line(text: str) -> None:
        for failure in read_line(text).failures:
            _ = rank(knowledge, failure).verdict

    floor = per_second(lambda: len([message_from_bytes(data, policy=compat32) for data in mails]))
    reading = per_second(lambda: len([read(data) for data in mails]))
    whole = per_second(lambda: len([explain(data) for data in mails]))
    line = per_second(lambda: len([explain_line(text) for text in lines]))
    print(f"{len(mails)} mails: the standard library parses {floor:,.0f}/s (the floor)")
    print(f"  read:            {reading:,.0f}/s, {reading / floor:.2f} x the floor")
    print(f"  read and ranked: {whole:,.0f}/s, {whole / floor:.2f} x the floor")
    print(f"{len(lines)} distinct reply lines read and ranked: {line:,.0f}/s, {line / floor:.2f} x the floor")


if __name__ == "__main__":
    main()
