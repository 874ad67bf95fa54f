"""What copying, forwarding and programs do to a text before it is pasted, undone: invisible characters, quote marks, prefixes of ticket
systems, HTML source, transfer encodings without their headers, escapes of JSON, addresses that were broken in two."""

from __future__ import annotations

import binascii
import json
import re

from whybounce.intake.html_text import html_to_text
from whybounce.intake.page import unquote

_INVISIBLE = {
    # What turns text around (U+202A to 202E, U+2066 to 2069) stays, and is shown: it may be there to deceive.
    **dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF)),
    **dict.fromkeys((0xA0, 0x202F, 0x2007, 0x2009, 0x200A, 0x2002, 0x2003), " "),
    **dict.fromkeys((0x2028, 0x2029, 0x85), "\n"),
}
_TAGS = ("</p>", "</div>", "</td>", "</html>", "</span>", "<br", "</a>")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}", re.ASCII)
_QUOTED_PRINTABLE = re.compile(r"=[0-9A-F]{2}", re.ASCII)
_REPLY = re.compile(r"\s*[\"']?[245]\d\d[ -]", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([rnt\"\\/]))", re.ASCII)
# A name in brackets, a number, the letters of a correspondent, a mark: what programs put before each line that they quote.
_PREFIX = re.compile(r"(?:\[[^\]\n]{1,40}\]|[A-Z][A-Za-z]{0,4}>|[>|│┃¦]|\d{1,4}[:)|])(?: |(?=>|\n|$))", re.ASCII)
_BULLET = re.compile(r"(^|\n)[ \t]{0,40}[•◦▪‣●○·][ \t]{0,40}")
_LONGEST = 200_000


def body_of(data: bytes) -> bytes | None:
    """What a base64 body part without its headers holds (LF line ends), None for anything else."""
    lines = data.strip(b"\n \t").split(b"\n", 3)
    first = lines[0].strip()
    if len(first) < 40 or len(first) % 4 or not _BASE64.fullmatch(first):
        return None
    raw = data.translate(None, b"\n \t\r")
    if not _BASE64.fullmatch(raw):
        return None
    try:
        found = binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None
    head = found[:2000]
    if len(found) < 20 or b"\0" in head or sum(byte < 32 and byte not in b"\t\n\r\x1b" for byte in head) * 50 > len(head):
        return None
    return found


def readable(text: str) -> str:
    """The text as its author wrote it, as far as that can be told."""
    if not text.isascii():
        text = _BULLET.sub(r"\1", text.translate(_INVISIBLE))
    text = _unescaped(text)
    if _is_quoted_printable(text):
        text = binascii.a2b_qp(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    if _is_html(text):
        return html_to_text(text)
    for _ in range(6):
        stripped = unquote(_without_prefix(text))
        if stripped == text:
            break
        text = stripped
    return _mended(text)


def _unescaped(text: str) -> str:
    """A reply as a JSON or source string has it (`550 5.1.1 ...\\r\\n`), whole or in quotation marks."""
    if "\\" not in text or len(text) > _LONGEST:
        return text
    stripped = text.strip()
    if stripped.startswith('"') and stripped.endswith('"'):
        try:
            found = json.loads(stripped)
        except ValueError:
            found = None
        if isinstance(found, str):
            return found.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if not ("\\u003c" in text.lower() or (_REPLY.match(text) and ("\\r" in text or "\\n" in text))):
        return text
    return _ESCAPE.sub(_unescape, text).encode("utf-8", "replace").decode()


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16) or 32)
    return {"r": "", "n": "\n", "t": "\t"}.get(found[2], found[2])


def _is_quoted_printable(text: str) -> bool:
    head = text[:20_000]
    if "=" not in head or head.lstrip().startswith("<<<"):
        return False
    codes = sum(1 for _ in _QUOTED_PRINTABLE.finditer(head))
    soft = head.count("=\n")
    return (soft >= 1 and codes >= 1) or (codes >= 4 and "=3D" in head) or head.count("=C3=") + head.count("=E2=") > 1


def _is_html(text: str) -> bool:
    head = text[:4000].lstrip().lower()
    return head.startswith("<") and "@" not in head.partition(">")[0] and any(tag in head for tag in _TAGS)


def _without_prefix(text: str) -> str:
    """Lines without what stands before nearly all of them."""
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    if len(filled) < 3:
        return text
    found = [bool(_PREFIX.match(line)) and not line.startswith((">>> ", ">>>>>")) for line in filled]
    if sum(found) * 10 < len(found) * 7:
        return text
    kept = []
    for line in lines:
        match = _PREFIX.match(line) if not line.startswith(">>> ") else None
        kept.append(line[match.end() :] if match else line)
    return "\n".join(kept)


def _mended(text: str) -> str:
    """Addresses in angle brackets that a line end broke in two."""
    if "<" not in text or len(text) > _LONGEST:
        return text
    lines = text.split("\n")
    kept = [lines[0]]
    for line in lines[1:]:
        before = kept[-1]
        opening = before.rfind("<", max(0, len(before) - 200))
        if opening >= 0 and before[opening : opening + 3] != "<<<":
            head, rest = before[opening + 1 :], line.lstrip()
            tail, closed, _after = rest[:200].partition(">")
            whole = head + tail
            if closed and head and tail and whole.count("@") == 1 and not set(" \t<>:").intersection(whole) and len(before) < 2000:
                kept[-1] = before + rest
                continue
        kept.append(line)
    return "\n".join(kept)
