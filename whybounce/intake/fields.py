"""Header-like fields in a text, with their place: `Name: value`, folded lines joined to the field they continue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from whybounce.intake.page import lines_of, trim

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@dataclass(frozen=True, slots=True)
class Field:
    """`name` in lower case; the value is text[start:end], its line ends kept."""

    name: str
    start: int
    end: int


def field_name(text: str, start: int, end: int) -> tuple[str, int]:
    """Lower-case name and the place after the colon, or ("", start) where the line begins no field."""
    colon = text.find(":", start, min(end, start + 80))
    if colon <= start:
        return "", start
    name = text[start:colon].rstrip()
    if name and _NAME.issuperset(name) and name[0].isalpha():
        return name.lower(), colon + 1
    return "", start


def fields_of(text: str, start: int, end: int, known: frozenset[str] | None = None) -> Iterator[Field | None]:
    """The fields of text[start:end] in order; None for each empty line. A line that begins no field continues the last.

    With `known`, a line without leading space begins a field only under one of these names or `x-`: programs forget to
    indent continuation lines, and a reply's text may hold a colon.
    """
    name, value_start, value_end = "", start, start
    for line_start, line_end in lines_of(text, start, end):
        if not text[line_start:line_end].strip():
            if name:
                yield Field(name, *trim(text, value_start, value_end))
                name = ""
            yield None
            continue
        found, after = ("", line_start) if text[line_start] in " \t" else field_name(text, line_start, line_end)
        if found and known is not None and name and found not in known and not found.startswith("x-"):
            found = ""
        if found:
            if name:
                yield Field(name, *trim(text, value_start, value_end))
            name, value_start = found, after
        value_end = line_end
    if name:
        yield Field(name, *trim(text, value_start, value_end))
