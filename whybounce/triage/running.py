"""Reads logs to one tally: in this process, or in several, each with pieces of its own."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace

from whybounce.compiled import Knowledge
from whybounce.intake.logs.common import split_entry
from whybounce.triage.clock import Clock
from whybounce.triage.reading import Reading
from whybounce.triage.reasons import Reasons
from whybounce.triage.sources import Source, blocks, cut_points, head_of
from whybounce.triage.tally import MOST_OPEN, Tally
from whybounce.triage.unpacking import packing_of

_LEAST_PART = 8 << 20
_BLOCKS_BETWEEN = 1024  # after so many blocks garbage is looked for: not while blocks become a hundred thousand tuples

Progress = Callable[[int], None]
"""Told the bytes of log text that were read since it was told last; what it raises ends the reading."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A log or a part of one. `position`: its place among all; `year`: of its first line, where it is known; None: to be guessed.
    `last`: no other follows."""

    position: int
    source: Source
    year: int | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The tally and what could not be read: name -> why."""

    tally: Tally
    unreadable: dict[str, str]


def read_piece(reasons: Reasons, piece: Piece, *, progress: Progress | None = None, most_open: int = MOST_OPEN) -> Tally:
    """The tally of one piece. OSError where it cannot be opened; what was read before a later error counts, with a note."""
    name = piece.source.name if piece.source.name != "-" else "standard input"
    notes: list[str] = []
    clock = Clock(piece.source.written, piece.year)
    reading = Reading(reasons, clock, piece.position, most_open, last=piece.last)
    stream = blocks(piece.source, notes.append)
    size = 0
    with _garbage_kept():
        try:
            for number, block in enumerate(stream):
                reading.block(block)
                size += len(block)
                if progress:
                    progress(len(block))
                if number % _BLOCKS_BETWEEN == _BLOCKS_BETWEEN - 1:
                    gc.collect(0)
        except OSError as error:
            if not size:
                raise
            notes.append(f"could not be read to its end ({error.strerror or error}); what came before counts")
        tally = reading.finish()
    tally.bytes = size
    for sentence in notes:
        tally.note(f"{name} {sentence}.")
    if clock.jumps:
        tally.note(f"{name}: the clock goes back by more than ten minutes {_times(clock.jumps)}: times and hours are shown as written.")
    if clock.guessed:
        tally.note(f"{name} shows no years: they follow from when it was last written to, {clock.written:%Y-%m-%d}.")
    return tally


def read_logs(names: Sequence[str], knowledge: Knowledge, *, jobs: int = 1, progress: Progress | None = None, most_open: int = MOST_OPEN) -> Outcome:
    """The tally of all logs together, in the order of their first lines whatever the order of their names. `jobs`: processes."""
    unreadable: dict[str, str] = {}
    pieces = plan(names, jobs, unreadable)
    tally: Tally | None = None
    reasons = Reasons(knowledge)
    left = pieces
    if jobs > 1 and len(pieces) > 1 and "fork" in multiprocessing.get_all_start_methods():
        tally, left = _in_processes(reasons, pieces, jobs, progress, most_open, unreadable)
    for piece in left:
        try:
            part = read_piece(reasons, piece, progress=progress, most_open=most_open)
        except OSError as error:
            part = _unread(piece, error, unreadable)
        tally = part if tally is None else tally.merge(part)
    tally = tally or Tally()
    tally.settle_all()
    return Outcome(tally, unreadable)


def _unread(piece: Piece, error: OSError, unreadable: dict[str, str]) -> Tally:
    """The tally of a piece that could not be opened: nothing, but its place is known."""
    unreadable[piece.source.name] = error.strerror or str(error)
    return Tally(spans=((piece.position, piece.position + 1),))


def plan(names: Sequence[str], jobs: int, unreadable: dict[str, str]) -> list[Piece]:
    """The pieces, in the order of time. Postfix logs are cut for several jobs; other logs need their beginning to be read."""
    found: list[tuple[str, bytes, Source]] = []
    for name in dict.fromkeys(names):
        source = Source(name)
        try:
            head = b"" if name == "-" else head_of(source)
            found.append((_first_time(head, source), head, source))
        except OSError as error:
            unreadable[name] = error.strerror or str(error)
    pieces: list[Piece] = []
    for _time, head, source in sorted(found, key=lambda item: item[0] or "~"):
        for part, year in _parts(source, head, jobs):
            pieces.append(Piece(len(pieces), part, year))
    return [*pieces[:-1], *(replace(piece, last=True) for piece in pieces[-1:])]


def _first_time(head: bytes, source: Source) -> str:
    for line in head.split(b"\n", 50)[1:50]:
        written = split_entry(line.decode("utf-8", "replace")).time
        if written and (stamp := Clock(source.written).stamp(written)):
            return stamp
    return ""


def _parts(source: Source, head: bytes, jobs: int) -> Iterator[tuple[Source, int | None]]:
    size = os.stat(source.name).st_size if source.name != "-" else 0
    parts = min(jobs, size // _LEAST_PART)
    if parts < 2 or head.count(b" postfix") < head.count(b"\n") // 2 or _is_packed(source.name):
        yield source, None
        return
    points = cut_points(source.name, size, parts)
    years = _years(source, points[:-1])
    for start, stop, year in zip(points[:-1], points[1:], years, strict=True):
        yield Source(source.name, start, stop), year


def _is_packed(name: str) -> bool:
    with Source(name).open() as stream:
        head = stream.read(8)
    return bool(packing_of(head)) or b"\0" in head or head.startswith((b"\xff\xfe", b"\xfe\xff"))


def _years(source: Source, points: Sequence[int]) -> list[int | None]:
    """Of each part the year of its first line: the newest is not after the file was written, and going back the year falls where the
    date would rise."""
    written = source.written
    year, month_and_day = written.year, (written.month, written.day + 1)
    years: list[int | None] = []
    for point in reversed(points):
        with Source(source.name, point).open() as stream:
            first = split_entry(stream.readline(4096).decode("utf-8", "replace")).time
        dated = Clock(written, year).stamp(first) if first else ""
        if not dated:
            years.append(None)
            continue
        here = (int(dated[5:7]), int(dated[8:10]))
        if here > month_and_day:
            year -= 1
        month_and_day = here
        years.append(year)
    return years[::-1]


_reasons: Reasons | None = None


def _read_here(piece: Piece, most_open: int) -> Tally:
    """In a worker, which has the parent's knowledge by fork."""
    assert _reasons is not None  # noqa: S101 (set before the fork)
    return read_piece(_reasons, piece, most_open=most_open)


def _in_processes(
    reasons: Reasons, pieces: Sequence[Piece], jobs: int, progress: Progress | None, most_open: int, unreadable: dict[str, str]
) -> tuple[Tally | None, list[Piece]]:
    """The tally of the pieces that workers read, and the pieces that are left: standard input, and what was lost with a worker."""
    global _reasons
    _reasons = reasons
    tally: Tally | None = None
    missing: list[Piece] = []
    stdin = [piece for piece in pieces if piece.source.name == "-"]
    try:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
            futures: dict[Future[Tally], Piece] = {pool.submit(_read_here, piece, most_open): piece for piece in pieces if piece not in stdin}
            for future in as_completed(futures):
                piece = futures[future]
                try:
                    part = future.result()
                except OSError as error:
                    part = _unread(piece, error, unreadable)
                except BrokenProcessPool:
                    missing.append(piece)
                    continue
                tally = part if tally is None else tally.merge(part)
                if progress:
                    progress(part.bytes)
    finally:
        _reasons = None
    if missing:
        tally = tally or Tally()
        tally.note(f"A process that read was killed: {_count(len(missing), 'piece')} of the log were read again in this one.")
    return tally, [*missing, *stdin]


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Python's search for garbage, which would go through everything after each few hundred tuples, waits."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number:,} {what}s"
