"""Damaged pastes by the hundred thousand: does an error leave intake, does an answer take long?

    python -m bench.mutants [FOLDER ...] --count 100000 [--seed N] [--jobs 2] [--into FOLDER]

Files of the folders (default: tests/data and samples) are damaged: bytes flipped, cut, two spliced, a block repeated, lines shuffled, charsets
and boundaries changed, numbers blown up. Each is read without the net that keeps errors from a page. Prints the errors, the slowest answer
and how many took over a second of CPU; inputs that offend are written to `--into`. Ends with 1 where there were any. The same seed makes
the same mutants, whatever the number of jobs.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from whybounce.intake.entrance import read_or_raise

ROOT = Path(__file__).resolve().parent.parent
SLOW = 1.0
"""Seconds of CPU."""
LONGEST = 200_000
BATCH = 500
_LIES = (
    b"utf-7",
    b"utf-16",
    b"iso-2022-jp",
    b"x-none",
    b"base64",
    b"quoted-printable",
    b"x-uuencode",
    b"multipart/digest",
    b"message/rfc822",
    b"text/html",
)
_HARD = (
    b"\0",
    b"\xff",
    b"\n",
    b"\n\n",
    b"<",
    b">",
    b"@",
    b'"',
    b"\\",
    b"{",
    b"[",
    b"550 ",
    b"=?utf-8?q?",
    b"--",
    b"%7B",
    b"\x1b$B",
    b"\xe2\x80\xae",
    b"9" * 5000,
)


@dataclass(slots=True)
class Tally:
    """What a run found. `errors`: where each was raised -> how often."""

    count: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    slow: int = 0
    worst: float = 0.0
    worst_of: str = ""


def sources(folders: list[Path]) -> list[tuple[str, bytes]]:
    """Name and content of each file, README files and code left out."""
    paths = sorted({path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix not in (".md", ".py", ".js")})
    return [(str(path), path.read_bytes()[:LONGEST]) for path in paths]


def mutant(source: random.Random, files: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """A damaged file, and the name of the file."""
    name, data = source.choice(files)
    for _ in range(source.randint(1, 4)):
        data = source.choice(_DAMAGES)(source, data, files)[:LONGEST]
    return name, data


def _flip(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    changed = bytearray(data)
    for _ in range(source.randint(1, 20) if changed else 0):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def _cut(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    start, stop = sorted((source.randint(0, len(data)), source.randint(0, len(data))))
    return source.choice((data[:start], data[start:], data[start:stop], data[:start] + data[stop:]))


def _splice(source: random.Random, data: bytes, files: list[tuple[str, bytes]]) -> bytes:
    other = source.choice(files)[1]
    return data[: source.randint(0, len(data))] + other[source.randint(0, len(other)) :]


def _repeat(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    start = source.randint(0, len(data))
    block = data[start : start + source.choice((1, 8, 80, 800))]
    return data[:start] + block * source.choice((2, 20, 200)) + data[start:]


def _shuffle(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    lines = data.split(b"\n")
    start = source.randrange(len(lines))
    some = lines[start : start + source.randint(2, 40)]
    source.shuffle(some)
    return b"\n".join([*lines[:start], *some, *lines[start + len(some) :]])


def _lie(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    names = (b"utf-8", b"us-ascii", b"iso-8859-1", b"7bit", b"8bit", b"base64", b"quoted-printable", b"multipart/report", b"text/plain")
    return data.replace(source.choice(names), source.choice(_LIES))


def _insert(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    at = source.randint(0, len(data))
    return data[:at] + source.choice(_HARD) * source.choice((1, 1, 3, 300)) + data[at:]


def _blow_up(source: random.Random, data: bytes, _files: list[tuple[str, bytes]]) -> bytes:
    digits = [at for at in range(min(len(data), 20_000)) if data[at : at + 1].isdigit()]
    if not digits:
        return data
    at = source.choice(digits)
    return data[:at] + source.choice((b"9" * 30, b"9" * 5000, b"-1", b"0", b"1e999", b"0x7f", b"\xd9\xa3")) + data[at + 1 :]


_DAMAGES = (_flip, _cut, _splice, _repeat, _shuffle, _lie, _insert, _blow_up)


def run_batch(folders: list[Path], seed: int, batch: int, count: int, into: Path) -> Tally:
    """`count` mutants of the batch with this number."""
    files = sources(folders)
    source = random.Random(f"{seed}/{batch}")
    tally = Tally()
    for _ in range(count):
        name, data = mutant(source, files)
        where = ""
        started = time.process_time()
        try:
            read_or_raise(data)
        except Exception as error:  # noqa: BLE001 (every error is what is looked for)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
            tally.errors[where] += 1
        spent = time.process_time() - started
        tally.count += 1
        tally.slow += spent > SLOW
        if spent > tally.worst:
            tally.worst, tally.worst_of = spent, name
        if where or spent > SLOW:
            into.mkdir(parents=True, exist_ok=True)
            (into / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description="Damaged pastes by the hundred thousand.")
    parser.add_argument("folders", nargs="*", type=Path, default=[ROOT / "tests/data", ROOT / "samples"])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--into", type=Path, default=Path("mutants"))
    asked = parser.parse_args()
    batches = [(number, min(BATCH, asked.count - number * BATCH)) for number in range(-(-asked.count // BATCH))]
    whole = Tally()
    with ProcessPoolExecutor(asked.jobs) as pool:
        running = [pool.submit(run_batch, asked.folders, asked.seed, number, count, asked.into) for number, count in batches]
        for future in running:
            tally = future.result()
            whole.count += tally.count
            whole.errors += tally.errors
            whole.slow += tally.slow
            if tally.worst > whole.worst:
                whole.worst, whole.worst_of = tally.worst, tally.worst_of
    print(f"{whole.count} mutants: {sum(whole.errors.values())} errors, {whole.slow} over {SLOW:g} s of CPU")
    print(f"the slowest took {whole.worst:.3f} s, a mutant of {whole.worst_of}")
    for where, count in whole.errors.most_common(20):
        print(f"  {count} x {where}")
    sys.exit(bool(whole.errors or whole.slow))


if __name__ == "__main__":
    main()
