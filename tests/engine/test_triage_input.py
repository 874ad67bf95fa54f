"""Logs as they are: other programs, other prefixes, damage. Each is read as far as it goes, and what was not is said."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from tests.engine.knowledge import KNOWLEDGE
from whybounce.failure import Action
from whybounce.intake import read
from whybounce.triage import Tally, read_logs, to_json
from whybounce.triage.clock import Clock
from whybounce.triage.sources import Source, blocks, cut_points

LOGS = Path(__file__).parents[1] / "data" / "logs"
LINE = (
    "Nov 25 03:04:33 mail postfix/smtp[158]: 87A9220E77A: to=<anna@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=0.16, dsn=5.1.1,"
    " status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command))\n"
)


def tally_of(*paths: object, **options: object) -> Tally:
    outcome = read_logs([str(path) for path in paths], KNOWLEDGE, **options)  # type: ignore[arg-type]
    assert not outcome.unreadable
    return outcome.tally


def notes(path: Path) -> str:
    return " ".join(to_json(tally_of(path), KNOWLEDGE)["notes"])


PASTED = [path for path in sorted(LOGS.iterdir()) if path.is_file() and path.name not in ("README.md", "prefixes.log")]


@pytest.mark.parametrize("path", PASTED, ids=lambda path: path.name)
def test_the_logs_of_all_programs_tally_as_a_paste_of_them_reads(path: Path) -> None:
    report = read(path.read_bytes())
    failed = [failure for failure in report.failures if failure.action is Action.FAILED]
    tally = tally_of(path)
    assert (tally.failures, tally.deferred) == (len(failed), len(report.failures) - len(failed))
    codes = {(row["code"], row["enhanced"]) for row in to_json(tally, KNOWLEDGE)["by_code"]}
    assert codes == {(failure.code, failure.enhanced) for failure in report.failures}


def test_a_line_of_postfix_is_read_under_any_prefix() -> None:
    lines = [line for line in (LOGS / "prefixes.log").read_text().splitlines() if line]
    tally = tally_of(LOGS / "prefixes.log")
    assert tally.lines == len(lines)
    assert tally.unread == 0
    assert tally.failures >= 1


def test_mixed_logs_make_one_tally(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.log"
    names = ("postfix.log", "exim.log", "sendmail.log", "kumomta.jsonl")
    mixed.write_bytes(b"".join((LOGS / name).read_bytes() for name in names))
    apart = [tally_of(LOGS / name) for name in names]
    assert tally_of(mixed).failures == sum(tally.failures for tally in apart)
    assert tally_of(*(LOGS / name for name in names)).failures == sum(tally.failures for tally in apart)


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_encodings(form: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes((LINE * 3).encode(form))
    assert tally_of(path).failures == 1
    assert tally_of(path).lines == 3
    assert ("UTF-16" in notes(path)) == form.startswith("utf-16")


def test_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for end in ("\r\n", "\r"):
        path.write_bytes((LINE * 3).replace("\n", end).encode())
        told = to_json(tally_of(path), KNOWLEDGE)
        assert told["failures"] == 1
        assert told["by_cause"][0]["example"].endswith("User unknown")


def test_a_gzip_that_is_cut_off_or_damaged_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    lines = "".join(LINE.replace("87A9220E77A", f"87A922{n:05d}") for n in range(6_000))
    packed = gzip.compress(lines.encode(), 1)
    path = tmp_path / "mail.log.gz"
    path.write_bytes(packed[: len(packed) // 2])
    assert 1_000 < tally_of(path).failures < 5_000
    assert "is cut off" in notes(path)
    path.write_bytes(packed[: len(packed) // 2] + b"\xff" * 100 + packed[len(packed) // 2 + 100 :])
    assert tally_of(path).failures > 1_000
    assert "is damaged" in notes(path)
    path.write_bytes(packed + b"something else")
    assert tally_of(path).failures == 6_000
    assert "something else" in notes(path)


def peak_of(path: Path) -> tuple[float, int, dict[str, object]]:
    """Seconds, bytes of memory and the tally of a process that reads it."""
    code = (
        "import json, resource, sys\n"
        "from tests.engine.knowledge import KNOWLEDGE\n"
        "from whybounce.triage import read_logs, to_json\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "told = to_json(read_logs([sys.argv[1]], KNOWLEDGE).tally, KNOWLEDGE)\n"
        "print(json.dumps([(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, told]))\n"
    )
    started = time.monotonic()
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, cwd=Path(__file__).parents[2])
    memory, told = json.loads(out.stdout)
    return time.monotonic() - started, memory, told


def test_a_packed_bomb_is_stopped_and_said(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zst"
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    with path.open("wb") as out:
        for _ in range(120):
            out.write(packer.compress(b"a" * (1 << 20)))
        out.write(packer.flush())
    assert path.stat().st_size < 100_000
    _seconds, memory, told = peak_of(path)
    assert memory < 200 << 20
    assert any("times its size" in note for note in told["notes"])  # type: ignore[attr-defined]


def test_a_line_without_an_end_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    with path.open("wb") as out:
        out.write(LINE.encode())
        for _ in range(200):
            out.write(b"x" * (1 << 20))
        out.write(b"\n" + LINE.replace("87A9220E77A", "97A9220E77A").encode())
    _seconds, memory, told = peak_of(path)
    assert memory < 60 << 20
    assert told["failures"] == 2
    assert told["bytes"] < 2 << 20
    assert any("a line of more than" in note for note in told["notes"])  # type: ignore[attr-defined]


def test_a_binary_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(Path(sys.executable).read_bytes()[: 3 << 20])
    tally = tally_of(path)
    assert tally.lines == 0
    assert "is no text" in notes(path)


def test_zero_bytes_that_a_crash_left_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(LINE.encode() + b"\0" * 4096 + LINE.replace("87A9220E77A", "97A9220E77A").encode())
    assert tally_of(path).failures == 2
    assert "4,096 zero bytes" in notes(path)


NOTHING = [b"", b"\n\n\n", b"\0", b"\xff\xfe", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"hello\nworld\n", b"{" * 100_000, b"a,b,c\n" * 1000]


@pytest.mark.parametrize("content", NOTHING, ids=range(len(NOTHING)))
def test_nothing_to_read_is_no_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    told = to_json(tally_of(path), KNOWLEDGE)
    assert (told["failures"], told["deferred"], told["delivered"]) == (0, 0, 0)


def times(*lines: str, written: datetime = datetime(2026, 11, 25, 12), year: int | None = None) -> tuple[list[str], int]:
    clock = Clock(written, year)
    return [clock.stamp(line) for line in lines], clock.jumps


def test_a_year_follows_from_when_the_log_was_written() -> None:
    assert times("Nov 25 03:00:00")[0] == ["2026-11-25T03:00:00"]
    assert times("Nov 27 03:00:00")[0] == ["2025-11-27T03:00:00"]
    assert times("Dec 31 23:59:59", "Jan  1 00:00:00", "Feb 29 00:00:00", written=datetime(2026, 3, 1))[0] == [
        "2025-12-31T23:59:59",
        "2026-01-01T00:00:00",
        "2026-02-28T00:00:00",
    ]
    late = times("Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01", written=datetime(2026, 1, 2))
    assert [stamp[:4] for stamp in late[0]] == ["2025", "2026", "2025", "2026"]


def test_a_clock_that_jumps_is_said() -> None:
    assert times("Nov 25 03:00:00", "Nov 25 02:59:59", "Nov 25 03:10:00")[1] == 0
    assert times("Nov 25 03:00:00", "Nov 25 02:00:00", "Nov 25 03:10:00")[1] == 1
    stamps, jumps = times("Nov 25 03:00:00", "Jan  1 00:00:10", "Nov 25 03:05:00")  # a machine without a battery
    assert stamps == ["2026-11-25T03:00:00", "2026-01-01T00:00:10", "2026-11-25T03:05:00"]
    assert jumps == 1


@pytest.mark.parametrize(
    ("written", "stamp"),
    [
        ("2026-11-25T03:04:33.123456+01:00", "2026-11-25T03:04:33"),
        ("2026-11-25 03:04:33", "2026-11-25T03:04:33"),
        ("@4000000068d0a1b2075bcd15", "2025-09-22T01:08:56"),
        ("1795575873.123", "2026-11-25T03:04:33"),
        ("11/25/2026 3:04:33 PM", "2026-11-25T15:04:33"),
        ("Nov 25 2026 03:04:33", "2026-11-25T03:04:33"),
        ("Nov 99 03:04:33", ""),
        ("2026-99-99T03:04:33", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_times_of_all_forms(written: str, stamp: str) -> None:
    assert times(written)[0] == [stamp]


def test_a_file_that_is_not_there_is_told_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(LINE)
    outcome = read_logs([str(tmp_path / "none"), str(path), str(tmp_path)], KNOWLEDGE)
    assert outcome.tally.failures == 1
    assert set(outcome.unreadable) == {str(tmp_path / "none"), str(tmp_path)}


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(LINE)
    assert tally_of(path, path).lines == 1


def test_a_reader_that_is_killed_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import whybounce.triage.running as running

    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(LINE.replace("mail", name))
    read_piece = running.read_piece
    here = os.getpid()

    def dies(*arguments: object, **options: object) -> Tally:
        if os.getpid() != here:
            os.kill(os.getpid(), 9)
        return read_piece(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "read_piece", dies)
    tally = tally_of(*(tmp_path / name for name in ("one", "two", "three")), jobs=2)
    assert tally.failures == 3
    assert any("was killed" in note for note in tally.notes)


def test_a_reading_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(LINE * 1000)
    told: list[int] = []

    def stop(size: int) -> None:
        told.append(size)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_logs([str(path)], KNOWLEDGE, progress=stop)
    assert told == [len(LINE) * 1000]


def test_parts_begin_where_lines_do(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [f"{n} " + "x" * (n % 300) for n in range(2000)]
    path.write_text("\n".join(lines))
    points = cut_points(str(path), path.stat().st_size, 7)
    assert len(points) == 8
    parts = [Source(str(path), start, stop) for start, stop in pairwise(points)]
    read_back = [line for part in parts for block in blocks(part, print) for line in block.split(b"\n")[1:]]
    assert [line.decode() for line in read_back] == lines
    path.write_bytes(b"x" * 100_000)
    assert cut_points(str(path), 100_000, 4) == [0, 100_000]
