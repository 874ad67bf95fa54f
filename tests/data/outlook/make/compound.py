"""Writes compound files (MS-CFB, version 3): what the fixtures of Outlook messages are made with."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Tree = Mapping[str, "bytes | Tree"]
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_SECTOR = 512


def compound(tree: Tree) -> bytes:
    """`tree`: names of streams -> their bytes, names of storages -> trees. Returns the file."""
    rows: list[list[int | bytes | str]] = []  # name, kind, left, right, child, content
    _add(rows, "Root Entry", 5, tree)
    mini, mini_fat, sectors, fat = bytearray(), [], [], []

    def place(data: bytes) -> int:
        start = len(sectors)
        parts = [data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR)]
        for number, part in enumerate(parts):
            sectors.append(part)
            fat.append(start + number + 1 if number + 1 < len(parts) else _END)
        return start if parts else _END

    starts = []
    for row in rows:
        data = row[5]
        if row[1] != 2 or not data:
            starts.append((_END if row[1] == 2 else 0, 0))
        elif len(data) >= 4096:
            starts.append((place(data), len(data)))
        else:
            first = len(mini) // 64
            count = -(-len(data) // 64)
            mini += data.ljust(count * 64, b"\0")
            mini_fat += [*range(first + 1, first + count), _END]
            starts.append((first, len(data)))
    starts[0] = (place(bytes(mini)), len(mini))
    mini_start = place(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(-(-len(mini_fat) // 128) * _SECTOR, b"\xff"))
    directory = b"".join(_entry(row, *start) for row, start in zip(rows, starts, strict=True))
    empty = struct.pack("<64sHBBIII16sIQQIQ", b"", 0, 0, 0, _NONE, _NONE, _NONE, b"", 0, 0, 0, 0, 0)
    directory_start = place(directory + empty * (-len(rows) % 4))
    count = more = 0  # sectors of the allocation table, and of the table of those beyond 109
    while count * 128 < len(sectors) + count + more:
        count += 1
        more = -(-max(0, count - 109) // 127)
    numbers = list(range(len(sectors), len(sectors) + count))
    tables = len(sectors) + count
    fat += [_FAT] * count + [_FAT - 1] * more
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(count * _SECTOR, b"\xff")
    for number in range(more):
        part = numbers[109 + number * 127 :][:127]
        table += struct.pack("<128I", *part, *[_FREE] * (127 - len(part)), tables + number + 1 if number + 1 < more else _END)
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, count, directory_start, 0, 4096,
        mini_start, -(-len(mini_fat) // 128), tables if more else _END, more,
    )  # fmt: skip
    header += struct.pack("<109I", *[*numbers[:109], *[_FREE] * (109 - count)])
    return header + b"".join(sectors) + table


def _add(rows: list[list[int | bytes | str]], name: str, kind: int, content: bytes | Tree) -> int:
    number = len(rows)
    is_stream = isinstance(content, bytes)
    rows.append([name, kind, _NONE, _NONE, _NONE, content if is_stream else b""])
    if not is_stream:
        names = sorted(content, key=lambda key: (len(key), key.upper()))
        children = [_add(rows, key, 2 if isinstance(content[key], bytes) else 1, content[key]) for key in names]
        rows[number][4] = _balance(rows, children)
    return number


def _balance(rows: list[list[int | bytes | str]], numbers: list[int]) -> int:
    """The siblings as a binary search tree."""
    if not numbers:
        return _NONE
    middle = len(numbers) // 2
    rows[numbers[middle]][2] = _balance(rows, numbers[:middle])
    rows[numbers[middle]][3] = _balance(rows, numbers[middle + 1 :])
    return numbers[middle]


def _entry(row: list[int | bytes | str], start: int, size: int) -> bytes:
    name = str(row[0]).encode("utf-16-le")
    return struct.pack("<64sHBBIII16sIQQIQ", name, len(name) + 2, row[1], 1, row[2], row[3], row[4], b"", 0, 0, 0, start, size)
