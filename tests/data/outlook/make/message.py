"""Outlook messages (MS-OXMSG) and compressed rich text (MS-OXRTFCP) for the fixtures."""

from __future__ import annotations

import struct
import zlib

from tests.data.outlook.make.compound import Tree, compound


def message(
    texts: dict[int, str],
    *,
    recipients: list[dict[int, str | int]] | None = None,
    attachments: list[Tree] | None = None,
    binary: dict[int, bytes] | None = None,
    page: int = 0,
    embedded: bool = False,
) -> Tree:
    """A message's storage: properties by number. With `page` the texts are of 8 bits in that code page, else UTF-16."""
    longs = {0x3FFD: page} if page else {}
    tree: dict[str, bytes | Tree] = {}
    if not embedded:
        tree["__nameid_version1.0"] = {"__substg1.0_00020102": b"", "__substg1.0_00030102": b"", "__substg1.0_00040102": b""}
    rows = recipients or []
    files = attachments or []
    head = struct.pack("<8sIIII", b"", len(rows), len(files), len(rows), len(files)) + (b"" if embedded else bytes(8))
    tree.update(_properties(head, dict(texts), longs, binary or {}, page))
    for number, row in enumerate(rows):
        strings = {key: value for key, value in row.items() if isinstance(value, str)}
        numbers = {key: value for key, value in row.items() if isinstance(value, int)}
        tree[f"__recip_version1.0_#{number:08X}"] = _properties(bytes(8), strings, numbers, {}, page)
    for number, attachment in enumerate(files):
        tree[f"__attach_version1.0_#{number:08X}"] = attachment
    return tree


def attached(name: str, data: bytes, kind: str = "") -> Tree:
    """A file (PidTagAttachMethod 1)."""
    return _properties(bytes(8), {0x3707: name, 0x3704: name, **({0x370E: kind} if kind else {})}, {0x3705: 1}, {0x3701: data}, 0)


def embedded(name: str, inner: Tree) -> Tree:
    """An embedded message (PidTagAttachMethod 5)."""
    return {**_properties(bytes(8), {0x3001: name}, {0x3705: 5}, {}, 0), "__substg1.0_3701000D": inner}


def _properties(head: bytes, texts: dict[int, str], longs: dict[int, int], binary: dict[int, bytes], page: int) -> dict[str, bytes | Tree]:
    tree: dict[str, bytes | Tree] = {}
    fixed = head
    kind = 0x1E if page else 0x1F
    for number, text in texts.items():
        raw = text.encode(f"cp{page}") if page else text.encode("utf-16-le")
        tree[f"__substg1.0_{number:04X}{kind:04X}"] = raw
        fixed += struct.pack("<HHIII", kind, number, 6, len(raw) + (1 if page else 2), 0)
    for number, raw in binary.items():
        tree[f"__substg1.0_{number:04X}0102"] = raw
        fixed += struct.pack("<HHIII", 0x0102, number, 6, len(raw), 0)
    for number, value in longs.items():
        fixed += struct.pack("<HHIiI", 0x0003, number, 6, value, 0)
    tree["__properties_version1.0"] = fixed
    return tree


_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    rb"{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def compressed(rtf: bytes) -> bytes:
    """Compressed RTF: the longest match of the last 4096 bytes, or one byte as it is."""
    seen = bytearray(_DICTIONARY)
    body, tokens, flags, bits, at = bytearray(), bytearray(), 0, 0, 0
    ended = False
    while not ended:
        length, place = 0, -1
        for size in range(min(17, len(rtf) - at), 1, -1):
            place = seen.rfind(rtf[at : at + size], max(0, len(seen) - 4000))
            if place >= 0:
                length = size
                break
        if at >= len(rtf):
            flags |= 1 << bits
            tokens += struct.pack(">H", (len(seen) & 0xFFF) << 4)
            ended = True
        elif length:
            flags |= 1 << bits
            tokens += struct.pack(">H", (place & 0xFFF) << 4 | (length - 2))
            seen += rtf[at : at + length]
            at += length
        else:
            tokens.append(rtf[at])
            seen.append(rtf[at])
            at += 1
        bits += 1
        if bits == 8 or ended:
            body += bytes([flags]) + tokens
            tokens, flags, bits = bytearray(), 0, 0
    crc = zlib.crc32(bytes(body), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<IIII", len(body) + 12, len(rtf), 0x75465A4C, crc) + bytes(body)


def file_of(tree: Tree) -> bytes:
    return compound(tree)
