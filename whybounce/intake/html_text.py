"""HTML -> its readable text, one pass, linear on anything."""

from __future__ import annotations

import html
import re

_BREAKS = ("br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li", "h1", "/h1", "h2", "/h2", "h3", "/h3", "/table", "table", "hr", "pre", "/pre")
_SILENT = ("style", "script", "head", "title")
# References that stand for no character, and whose digits Python would refuse to read.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{100,}+;?")


def html_to_text(source: str) -> str:
    """Text of an HTML part: tags dropped, block tags as line ends, entities resolved. Scripts and styles are left out."""
    out: list[str] = []
    lowered = source.lower()
    if len(lowered) != len(source):
        lowered = source
    at = 0
    while at < len(source):
        opening = source.find("<", at)
        if opening < 0:
            out.append(source[at:])
            break
        out.append(source[at:opening])
        closing = source.find(">", opening)
        if closing < 0:
            out.append(source[opening:])
            break
        tag = source[opening + 1 : min(closing, opening + 64)].split(None, 1)
        name = tag[0].lower().rstrip("/") if tag else ""
        if "@" in name:  # <user@example.org>, written without entities
            out.append(source[opening : closing + 1])
        elif name in _BREAKS:
            out.append("\n")
        at = closing + 1
        if name in _SILENT:
            end = lowered.find("</" + name, at)
            at = end if end >= 0 else len(source)
    text = html.unescape(_LONG_NUMBER.sub("", "".join(out))).replace("\xa0", " ")
    return _tidy(text)


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept)
