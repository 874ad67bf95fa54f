"""Macros in SPF records: RFC 7208 section 7."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

# RFC 7208 section 7.1: macro-expand and macro-literal. An explanation may hold spaces too.
_EXPAND = re.compile(r"%(?:\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}|([%_-]))", re.IGNORECASE | re.ASCII)
_LITERAL = re.compile(r"[\x21-\x24\x26-\x7e]+")
_LITERAL_OR_SPACE = re.compile(r"[\x20-\x24\x26-\x7e]+")
_SHORT = {"%": "%", "_": " ", "-": "%20"}
_ONLY_IN_EXPLANATION = frozenset("crt")

MAX_NAME = 253


class MacroError(ValueError):
    """A text that the grammar of macros does not allow; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Macro:
    """`%{d2r-}`: the letter, how many parts to keep (0: all), whether reversed, what splits, whether to URL-escape."""

    letter: str
    keep: int = 0
    reverse: bool = False
    delimiters: str = "."
    escape: bool = False

    def expand(self, values: Mapping[str, str]) -> str:
        parts = re.split(f"[{re.escape(self.delimiters)}]", values[self.letter])
        if self.reverse:
            parts.reverse()
        if self.keep:
            parts = parts[-self.keep :]
        text = ".".join(parts)
        return quote(text, safe="-._~") if self.escape else text


MacroString = tuple["str | Macro", ...]


def parse_macros(text: str, explanation: bool = False) -> MacroString:
    """The literals and macros of a macro-string, in order; MacroError where it is none."""
    literal = _LITERAL_OR_SPACE if explanation else _LITERAL
    parts: list[str | Macro] = []
    position = 0
    while position < len(text):
        match = literal.match(text, position) or _EXPAND.match(text, position)
        if match is None:
            raise MacroError(f"{text[position : position + 12]!r} is no macro that RFC 7208 knows")
        parts.append(match[0] if match.re is literal else _part(match, explanation))
        position = match.end()
    return tuple(parts)


def _part(match: re.Match[str], explanation: bool) -> str | Macro:
    if match[5]:
        return _SHORT[match[5]]
    letter = match[1].lower()
    if letter in _ONLY_IN_EXPLANATION and not explanation:
        raise MacroError(f"the macro {match[0]} is allowed only in an explanation")
    if match[2] and not int(match[2][:9]):
        raise MacroError(f"the macro {match[0]} keeps no part at all")
    return Macro(letter, int(match[2][:9] or 0), bool(match[3]), match[4] or ".", match[1].isupper())


def letters(parts: MacroString) -> frozenset[str]:
    """Which macro letters are used."""
    return frozenset(part.letter for part in parts if isinstance(part, Macro))


def expand(parts: MacroString, values: Mapping[str, str]) -> str:
    """The text with each macro replaced by its value."""
    return "".join(part if isinstance(part, str) else part.expand(values) for part in parts)


def expand_domain(parts: MacroString, values: Mapping[str, str]) -> str:
    """As `expand`, without the trailing dot, and cut from the left to what fits in DNS (RFC 7208 section 7.3)."""
    name = expand(parts, values).removesuffix(".")
    while len(name) > MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def dotted(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The value of %{i}: an IPv4 address as it is, an IPv6 address as 32 nibbles in upper case with dots between."""
    return str(ip) if ip.version == 4 else ".".join(ip.exploded.replace(":", "").upper())
