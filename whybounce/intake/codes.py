"""Where the basic and the enhanced code of a reply stand.

A code at the head of the reply counts whatever it is (servers do send 571); one inside the text only where it looks like
a code and not like a count, a port or a part of an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_JUNK = " \t\n\r(\"'`#*<"
_SEPARATORS = " \t\n\r-:;,#('\""
# RFC 5321 section 4.2: three digits, then a space, "-" or the end; people and programs put other marks after them.
_LEADING = re.compile(r"([2-5]\d\d)(?![\w.@])", re.ASCII)
_UNITS = r"(?!\s*(?:bytes|seconds?|secs?|minutes?|mins?|hours?|days?|[kmg]i?b|times|recipients|messages|sessions|attempts|connections)\b)"
_NOT_BEFORE = r"(?<![\w.\-/=@#\[+$%&])(?<!\w:)(?<!\]:)"
_INSIDE = re.compile(_NOT_BEFORE + r"([45][0-5]\d)(?=[\s\-:;,.)'\"\]>#]|$)(?!\.\d)(?!:\d)(?!-\d\d)" + _UNITS, re.ASCII | re.IGNORECASE)
# RFC 3463 section 2.
_ENHANCED = re.compile(r"(?<![\w.])([245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2}))(?!\d)(?!\.\d)", re.ASCII)
_PROGRAM = ("exim ", "postfix ", "version ", "sendmail ", "release ")


@dataclass(frozen=True, slots=True)
class Codes:
    """Start of each code in the text it was read from, -1 where there is none."""

    code: str | None = None
    code_at: int = -1
    enhanced: str | None = None
    enhanced_at: int = -1


def skip(text: str, start: int, end: int, characters: str) -> int:
    while start < end and text[start] in characters:
        start += 1
    return start


def read_codes(text: str, start: int, end: int) -> Codes:
    """The codes of the reply text[start:end]: at its head (`550 5.1.1 ...`, `5.1.1 ...`, `#5.1.1`), else inside it."""
    at = skip(text, start, end, _JUNK)
    code: str | None = None
    code_at = -1
    leading = _LEADING.match(text, at, end)
    if leading:
        code, code_at = leading[1], at
        at = skip(text, leading.end(), end, _SEPARATORS)
        again = _LEADING.match(text, at, end)
        if again and again[1] == code:
            at = skip(text, again.end(), end, _SEPARATORS)
    enhanced = _ENHANCED.match(text, at, end)
    if code is None:
        inside = _INSIDE.search(text, enhanced.end() if enhanced else start, end)
        if inside:
            code, code_at = inside[1], inside.start(1)
            after = _ENHANCED.match(text, skip(text, inside.end(), end, _SEPARATORS), end)
            enhanced = after or enhanced
    if not enhanced:
        enhanced = _enhanced_inside(text, start, end, code)
    if enhanced:
        return Codes(code, code_at, enhanced[1], enhanced.start(1))
    return Codes(code, code_at)


def _enhanced_inside(text: str, start: int, end: int, code: str | None) -> re.Match[str] | None:
    """An enhanced code within the text, of the basic code's class where there is one; not a program's version."""
    for match in _ENHANCED.finditer(text, start, end):
        before = text[max(start, match.start() - 9) : match.start()].lower()
        if before.endswith(_PROGRAM) or match[1][0] == "2":
            continue
        if code is None or match[1][0] == code[0]:
            return match
    return None


def first_enhanced(text: str) -> str | None:
    """The first enhanced code in a Status field (RFC 3464 section 2.3.4), which may carry a comment."""
    match = _ENHANCED.search(text)
    return match[1] if match else None


def leading_code(text: str, start: int, end: int) -> str | None:
    """The basic code that text[start:end] begins with."""
    match = _LEADING.match(text, start, end)
    return match[1] if match else None
