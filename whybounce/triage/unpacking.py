"""Compressed logs, unpacked as a stream: gzip, bzip2, xz, zstandard, told by their first bytes. What stands before damage is given."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

import zstandard

CHUNK = 1 << 20
"""Bytes that are read or unpacked at once."""
_FEED = 1 << 10
"""Packed bytes that zstandard is given at once: it does not bound what comes out, which is some 30 MB for these at most."""
MOST_RATIO = 1000
"""A log shrinks to a tenth, a very dull one to a hundredth."""
FREE = 100 << 20
"""Unpacked bytes before the ratio counts."""
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstandard"))

Note = Callable[[str], None]


class _Unpacker(Protocol):
    """One member of a compressed file."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def unpack(self, data: bytes) -> Iterator[bytes]: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inner.eof:
            yield self._inner.decompress(data, CHUNK)
            data = self._inner.unconsumed_tail


class _Stepwise:
    """bzip2 and xz: the same manners in the standard library."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while True:
            yield self._inner.decompress(data, CHUNK)
            data = b""
            if self._inner.eof or self._inner.needs_input:
                return


class _Zstandard:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        self._unused = b""

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        return self._unused

    def unpack(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _FEED):
            out = self._inner.decompress(data[at : at + _FEED])
            yield from (out[i : i + CHUNK] for i in range(0, len(out), CHUNK))
            if self._inner.eof:
                self._unused = self._inner.unused_data + data[at + _FEED :]
                return


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    "gzip": _Gzip,
    "bzip2": lambda: _Stepwise(bz2.BZ2Decompressor()),
    "xz": lambda: _Stepwise(lzma.LZMADecompressor(memlimit=256 << 20)),
    "zstandard": _Zstandard,
}
_ERRORS = (zlib.error, OSError, EOFError, lzma.LZMAError, zstandard.ZstdError)


def packing_of(head: bytes) -> str:
    """ "gzip", "bzip2", "xz", "zstandard" or "" by a file's first bytes."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def unpacked(stream: BinaryIO, head: bytes, packing: str, note: Note) -> Iterator[bytes]:
    """What the file holds, in chunks of at most CHUNK bytes. `head`: what was already read of it. Damage, a cut-off end and a bomb end it
    with a note."""
    packed = total = 0
    unpacker = _UNPACKERS[packing]()
    data = head or stream.read(CHUNK)
    while data:
        packed += len(data)
        try:
            for out in unpacker.unpack(data):
                total += len(out)
                if total > FREE and total > MOST_RATIO * packed:
                    note(f"unpacks to more than {MOST_RATIO:,} times its size: reading stopped after {total:,} bytes")
                    return
                if out:
                    yield out
        except _ERRORS as error:
            note(f"is damaged ({packing}: {error}): what could be unpacked before, {total:,} bytes, was read")
            return
        data = b""
        if unpacker.eof:  # another member may follow, or padding
            data = unpacker.unused_data.lstrip(b"\0") or stream.read(CHUNK).lstrip(b"\0")
            if not data:
                return
            if packing_of(data) != packing:
                note(f"has something else behind its {packing} data, which was not read")
                return
            packed -= len(unpacker.unused_data)
            unpacker = _UNPACKERS[packing]()
        data = data or stream.read(CHUNK)
    if not unpacker.eof:
        note(f"is cut off: it ends within its {packing} data; the {total:,} bytes before were read")
