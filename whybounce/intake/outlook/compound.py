"""Compound files (MS-CFB), in which Outlook keeps a message: a tree of storages and streams -> the bytes of a stream.

Every chain of sectors is followed at most as far as the size of what it holds, and every entry of the directory is visited once,
so a damaged or hostile file costs no more time than a sound one of its size.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_ENTRIES = 20_000
"""Entries of the directory that are read; a message has some hundred."""
_LAST_SECTOR = 0xFFFFFFFA
_NONE = 0xFFFFFFFF
_HEADER = struct.Struct("<8s16sHHHHH6sIIIIIIIII")
_ENTRY = struct.Struct("<64sHBBIII16sIQQIQ")
_STORAGE, _STREAM, _ROOT = 1, 2, 5


class CompoundError(ValueError):
    """The bytes are no compound file, or its header is broken."""


@dataclass(slots=True)
class Entry:
    """A storage (`children` by name) or a stream (`size` bytes from sector `start` on)."""

    kind: int
    start: int
    size: int
    children: dict[str, Entry] = field(default_factory=dict)


class Compound:
    """`data` is a whole file. `root` is the storage that holds everything. Raises CompoundError where the header is broken."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 512 or not data.startswith(MAGIC):
            raise CompoundError("no compound file")
        header = _HEADER.unpack_from(data)
        shift, mini_shift = header[5], header[6]
        if shift not in (9, 12) or mini_shift != 6:
            raise CompoundError("sector size")
        self._data = data
        self._shift = shift
        self._cutoff = min(header[12], 4096)
        self._fat = self._table(self._fat_sectors(header[15], header[16]))
        self._mini_fat = self._table(self._chain(header[13], len(data) >> shift))
        self._mini: bytes | None = None
        entries, links = self._entries(header[10])
        if not entries or entries[0].kind != _ROOT:
            raise CompoundError("no root entry")
        self.root = entries[0]
        _plant(entries, links)

    def read(self, entry: Entry | None, limit: int) -> bytes:
        """The first bytes of a stream, at most `limit`; as far as they are there. Empty for no stream."""
        if entry is None or entry.kind != _STREAM:
            return b""
        size = min(entry.size, limit)
        if entry.size >= self._cutoff:
            return self._join(entry.start, size)
        if self._mini is None:
            self._mini = self._join(self.root.start, min(self.root.size, len(self._data)))
        found: list[bytes] = []
        sector = entry.start
        for _ in range(-(-size // 64)):
            if sector * 64 >= len(self._mini):
                break
            found.append(self._mini[sector * 64 : sector * 64 + 64])
            if sector >= len(self._mini_fat):
                break
            sector = self._mini_fat[sector]
        return b"".join(found)[:size]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) << self._shift
        return self._data[start : start + (1 << self._shift)]

    def _join(self, start: int, size: int) -> bytes:
        return b"".join(self._sector(number) for number in self._chain(start, -(-size >> self._shift) + 1))[:size]

    def _chain(self, sector: int, most: int) -> list[int]:
        """The numbers of a chain's sectors, `most` at the most and none beyond the file's end."""
        found: list[int] = []
        last = len(self._data) >> self._shift
        while sector < _LAST_SECTOR and sector <= last and len(found) < most:
            found.append(sector)
            if sector >= len(self._fat):
                break
            sector = self._fat[sector]
        return found

    def _fat_sectors(self, first: int, count: int) -> list[int]:
        """The sectors that hold the allocation table: 109 in the header, the others in a chain of their own (MS-CFB 2.5)."""
        most = len(self._data) >> self._shift
        found = list(struct.unpack_from("<109I", self._data, 76))
        sector = first
        for _ in range(min(count, most)):
            raw = self._sector(sector) if sector < _LAST_SECTOR else b""
            if len(raw) < 1 << self._shift:
                break
            numbers = struct.unpack(f"<{len(raw) // 4}I", raw)
            found.extend(numbers[:-1])
            sector = numbers[-1]
            if len(found) > most:
                break
        return [number for number in found if number < most][: (most >> (self._shift - 2)) + 1]

    def _table(self, sectors: list[int]) -> array[int]:
        table = array("I")
        raw = b"".join(self._sector(number) for number in sectors)
        table.frombytes(raw[: len(raw) // 4 * 4])
        return table

    def _entries(self, first: int) -> tuple[list[Entry], list[tuple[str, int, int, int]]]:
        """The directory's entries, and of each its name and the numbers of its left and right sibling and its first child."""
        entries: list[Entry] = []
        links: list[tuple[str, int, int, int]] = []
        most = (MOST_ENTRIES * _ENTRY.size >> self._shift) + 1
        raw = b"".join(self._sector(number) for number in self._chain(first, most))
        for at in range(0, len(raw) - _ENTRY.size + 1, _ENTRY.size):
            name, length, kind, _color, left, right, child, _id, _state, _made, _changed, start, size = _ENTRY.unpack_from(raw, at)
            if self._shift == 9:  # the upper half is of no meaning in version 3
                size &= 0xFFFFFFFF
            entries.append(Entry(kind, start, size))
            links.append((name[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace"), left, right, child))
        return entries, links


def _plant(entries: list[Entry], links: list[tuple[str, int, int, int]]) -> None:
    """Gives each storage its children: the siblings are a binary tree whose root the storage names (MS-CFB 2.6.4)."""
    seen = {0}
    waiting = [(0, links[0][3])]
    while waiting:
        parent, number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        name, left, right, child = links[number]
        if entry.kind in (_STORAGE, _STREAM):
            entries[parent].children.setdefault(name, entry)
        waiting += [(parent, left), (parent, right)]
        if entry.kind == _STORAGE:
            waiting.append((number, child))
