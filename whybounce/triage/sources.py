"""Where logs come from: files, parts of files, standard input. What is read comes out as blocks of whole lines in UTF-8 or alike."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from whybounce.triage.unpacking import CHUNK, Note, packing_of, unpacked

LONGEST_LINE = 20_000
"""Bytes of a line that are kept where it spans more than a chunk."""
_HEAD = 1 << 16
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b")
_CONTROLS = bytes(code for code in range(1, 32) if code not in _TEXT_CONTROLS)
_SYNC = 1 << 24
"""Bytes that are searched for a line's end where a file is cut into parts."""


@dataclass(frozen=True, slots=True)
class Source:
    """A log, or of a plain file the bytes from `start` to `stop` (None: its end). `name`: a path, or "-" for standard input."""

    name: str
    start: int = 0
    stop: int | None = None

    def open(self) -> AbstractContextManager[BinaryIO]:
        """OSError where there is none."""
        if self.name != "-":
            stream = open(self.name, "rb")  # noqa: SIM115 (the caller closes it)
            stream.seek(self.start)
            return stream
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return nullcontext(sys.stdin.buffer)

    @property
    def written(self) -> datetime:
        """When it was last written to, as local time; of standard input now."""
        if self.name == "-":
            return datetime.now()
        return datetime.fromtimestamp(os.stat(self.name).st_mtime)


def blocks(source: Source, note: Note) -> Iterator[bytes]:
    """The lines in blocks: each line with a line feed before it, none after the last. `note` is told what was not read as it stood.

    OSError where the file cannot be read. Memory is bounded whatever is in it.
    """
    with source.open() as stream:
        yield from _lines(_text(_plain(stream, source, note), note), note)


def head_of(source: Source) -> bytes:
    """The first lines, unpacked and decoded; b"" where there are none."""
    for block in blocks(Source(source.name), lambda _sentence: None):
        return block[:_HEAD]
    return b""


def cut_points(name: str, size: int, parts: int) -> list[int]:
    """Offsets of line beginnings that cut a plain file into about `parts` equal parts, from 0 to `size`."""
    points = [0]
    with Path(name).open("rb") as stream:
        for number in range(1, parts):
            wanted = max(points[-1], size * number // parts)
            stream.seek(wanted)
            found, searched = -1, 0
            while found < 0 and searched < _SYNC:
                chunk = stream.read(_HEAD)
                if not chunk:
                    break
                found = chunk.find(b"\n")
                searched += len(chunk) if found < 0 else found + 1
            if found >= 0 and points[-1] < wanted + searched < size:
                points.append(wanted + searched)
    return [*points, size]


def _plain(stream: BinaryIO, source: Source, note: Note) -> Iterator[bytes]:
    """The bytes, unpacked."""
    left = None if source.stop is None else source.stop - source.start
    head = stream.read(CHUNK if left is None else min(CHUNK, left))
    packing = packing_of(head) if source.start == 0 else ""
    if packing:
        yield from unpacked(stream, head, packing, note)
        return
    while head:
        yield head
        if left is not None:
            left -= len(head)
        head = stream.read(CHUNK if left is None else min(CHUNK, left))


def _text(chunks: Iterator[bytes], note: Note) -> Iterator[bytes]:
    """UTF-16 becomes UTF-8; nothing where it is no text."""
    first = next(chunks, b"")
    encoding = _wide(first)
    if encoding:
        note(f"is in {encoding.upper()}, which was decoded")
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(first).lstrip("\ufeff").encode("utf-8", "replace")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "replace")
        return
    if _is_binary(first):
        total = len(first) + sum(len(chunk) for chunk in chunks)
        note(f"is no text, and was not read: {total:,} bytes")
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    zeros = first.count(b"\0")
    for chunk in chunks:
        if b"\0" in chunk:  # far quicker than to count none
            zeros += chunk.count(b"\0")
        yield chunk
    if zeros:
        note(f"holds {zeros:,} zero bytes, as a crash leaves them; they were passed over")


def _wide(first: bytes) -> str:
    """The encoding where every other byte is zero, or the byte order mark says so."""
    if first.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if first.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = first[:4000]
    half = len(sample) // 2
    if half >= 20:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if odd > half * 0.7 and even < half * 0.1:
            return "utf-16-le"
        if even > half * 0.7 and odd < half * 0.1:
            return "utf-16-be"
    return ""


def _is_binary(first: bytes) -> bool:
    sample = first[:_HEAD]
    written = len(sample) - sample.count(b"\0")
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return bool(sample) and (controls > written * 0.05 or (b"\0" in sample and written * 2 < len(sample) and b"\n" not in sample))


def _lines(chunks: Iterable[bytes], note: Note) -> Iterator[bytes]:
    """Whole lines; of a line without an end its beginning."""
    carry = b""
    skipping = only_returns = False
    long_lines = 0
    for number, chunk in enumerate(chunks):
        if number == 0:
            only_returns = b"\n" not in chunk and chunk.count(b"\r") > 1
        if only_returns:
            chunk = chunk.replace(b"\r", b"\n")
        if b"\0" in chunk:
            chunk = chunk.replace(b"\0", b"")
        if skipping:
            at = chunk.find(b"\n")
            if at < 0:
                continue
            chunk, skipping = chunk[at:], False
        cut = chunk.rfind(b"\n")
        if cut >= 0:
            yield b"".join((b"\n", carry, memoryview(chunk)[:cut]))
            carry = chunk[cut + 1 :]
        else:
            carry += chunk
            if len(carry) > CHUNK:
                carry, skipping = carry[:LONGEST_LINE], True
                long_lines += 1
    if carry:
        yield b"\n" + carry
    if long_lines:
        what = "a line" if long_lines == 1 else f"{long_lines:,} lines"
        note(f"has {what} of more than {CHUNK:,} bytes, of which the first {LONGEST_LINE:,} were read")
