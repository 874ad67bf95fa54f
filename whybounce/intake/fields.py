"""Header-like fields in a text, with their place: `Name: value`, folded lines joined to the field they continue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from whybounce.intake.page import trim

_FIELD_NAME = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,78})[^\S\n]{0,79}:")


class Field(NamedTuple):
    """`name` in lower case; the value is text[start:end], its line ends kept."""

    name: str
    start: int
    end: int


def fields_of(text: str, start: int, end: int, known: frozenset[str]) -> Iterator[Field | None]:
    """The fields of text[start:end] in order; None for each empty line. A line that begins no field continues the last.

    A line without leading space begins a field only under one of the `known` names or `x-`: programs forget to indent
    continuation lines, and a reply's text may hold a colon.
    """
    name, value_start, value_end = "", start, start
    for line in text[start:end].split("\n"):
        stop = start + len(line)
        if not line or line.isspace():
            if name:
                yield Field(name, *trim(text, value_start, value_end))
                name = ""
            if stop < end or line:
                yield None
        else:
            match = _FIELD_NAME.match(line)
            found = match[1].lower() if match else ""
            if match and (not name or found in known or found.startswith("x-")):
                if name:
                    yield Field(name, *trim(text, value_start, value_end))
                name, value_start = found, start + match.end()
            value_end = stop
        start = stop + 1
    if name:
        yield Field(name, *trim(text, value_start, value_end))
