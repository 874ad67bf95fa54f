"""Rich text as Outlook keeps it: compressed (MS-OXRTFCP) -> RTF, and RTF -> its text, or the HTML that it carries (MS-OXRTFEX)."""

from __future__ import annotations

import codecs
import re
import struct
from dataclasses import dataclass, field

MAX_RTF = 600_000
"""Bytes of RTF that are unpacked and read."""
# What the dictionary holds before the first byte (MS-OXRTFCP 2.1.2.1).
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    rb"{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)")
_SKIPPED = frozenset(
    (b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"themedata", b"listtable", b"mhtmltag", b"generator")
)
_SIGNS = {
    b"par": "\n", b"line": "\n", b"tab": "\t", b"row": "\n", b"cell": "\t", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”", b"bullet": "•", b"endash": "-", b"emdash": "-",
}  # fmt: skip


def unpacked(data: bytes) -> bytes:
    """Compressed RTF (PidTagRtfCompressed) -> RTF, as far as it can be unpacked; empty where it is none."""
    if len(data) < 16:
        return b""
    _size, raw_size, kind, _crc = struct.unpack_from("<IIII", data)
    if kind == 0x414C454D:
        return data[16 : 16 + min(raw_size, MAX_RTF)]
    if kind != 0x75465A4C:
        return b""
    most = min(raw_size, MAX_RTF)
    out = bytearray(_DICTIONARY)
    begin = len(out)
    at = 16
    while at < len(data) and len(out) - begin < most:
        flags = data[at]
        at += 1
        for bit in range(8):
            if not flags >> bit & 1:
                out += data[at : at + 1]
                at += 1
                continue
            if at + 2 > len(data):
                return bytes(out[begin:])
            reference = data[at] << 8 | data[at + 1]
            at += 2
            distance = (len(out) - (reference >> 4)) & 0xFFF
            if not distance:  # the reference to where the next byte goes is the end
                return bytes(out[begin : begin + most])
            for _ in range((reference & 15) + 2):
                out.append(out[-distance] if distance <= len(out) else 32)
    return bytes(out[begin : begin + most])


@dataclass(slots=True)
class _Group:
    skipped: bool = False
    tag: bool = False  # \*\htmltag: HTML to be taken over
    plain: bool = False  # \htmlrtf: for programs that know RTF alone
    fallback: int = 1  # \ucN


@dataclass(slots=True)
class _Reader:
    html: bool = False
    codec: str = "cp1252"
    group: _Group = field(default_factory=_Group)
    groups: list[_Group] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    ignored: int = 0  # characters that stand for a \u already read
    starred: bool = False

    def put(self, text: str) -> None:
        self.flush()
        group = self.group
        if not (group.skipped or group.plain):
            self.out.append(text)

    def flush(self) -> None:
        if self.pending:
            text = self.pending.decode(self.codec, "replace")
            self.pending.clear()
            self.put(text)

    def open(self) -> None:
        self.flush()
        if len(self.groups) < 1000:
            group = self.group
            self.groups.append(group)
            self.group = _Group(group.skipped, group.tag, group.plain, group.fallback)

    def close(self) -> None:
        self.flush()
        if self.groups:
            self.group = self.groups.pop()

    def word(self, word: bytes, number: int | None) -> None:
        self.flush()
        if word == b"htmltag":
            self.group.tag, self.group.skipped = True, False
        elif self.starred or word in _SKIPPED:
            self.group.skipped = True
        elif word == b"fromhtml":
            self.html = True
        elif word == b"htmlrtf":
            self.group.plain = number != 0
        elif word == b"ansicpg" and number:
            self.codec = codec_of(number)
        elif word == b"uc" and number is not None:
            self.group.fallback = min(max(number, 0), 8)
        elif word == b"u" and number is not None:
            self.put(chr(number & 0xFFFF))
            self.ignored = self.group.fallback
        elif word in _SIGNS and not (self.html and self.group.tag and word not in (b"par", b"line", b"tab")):
            self.put(_SIGNS[word])
        self.starred = False


def text_of(rtf: bytes) -> tuple[str, bool]:
    """RTF -> (text, False), or (source, True) where it carries the HTML that it was made from."""
    reader = _Reader()
    for match in _TOKEN.finditer(rtf[:MAX_RTF]):
        word, number, byte, sign, brace, plain = match.groups()
        if word:
            reader.word(word, int(number) if number else None)
        elif byte:
            if reader.ignored:
                reader.ignored -= 1
            elif not (reader.group.skipped or reader.group.plain):
                reader.pending.append(int(byte, 16))
        elif sign:
            if sign == b"*":
                reader.starred = True
            elif sign in b"{}\\":
                reader.put(sign.decode("ascii"))
            elif sign == b"~":
                reader.put(" ")
            elif sign in b"\r\n":
                reader.put("\n")
        elif brace:
            reader.ignored, reader.starred = 0, False
            if brace == b"{":
                reader.open()
            else:
                reader.close()
        elif plain:
            kept = plain[reader.ignored :]
            reader.ignored = max(0, reader.ignored - len(plain))
            if not (reader.group.skipped or reader.group.plain):
                reader.pending += kept
    reader.flush()
    text = "".join(reader.out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text, reader.html


def codec_of(page: int) -> str:
    """A Windows code page's number -> the name of Python's codec for it; cp1252 where there is none."""
    special = {65001: "utf-8", 20127: "ascii", 28591: "latin-1", 50220: "iso-2022-jp", 50221: "iso-2022-jp", 50222: "iso-2022-jp", 51932: "euc-jp",
               51949: "euc-kr", 54936: "gb18030", 20866: "koi8-r", 21866: "koi8-u", 10000: "mac-roman", 20936: "gb2312"}  # fmt: skip
    name = special.get(page) or (f"iso8859-{page - 28590}" if 28591 <= page <= 28606 else f"cp{page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
