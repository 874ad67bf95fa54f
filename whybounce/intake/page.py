"""The readable text of a paste, in sections. Every fact's span points into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What a section of the page is."""

    HEAD = "head"  # headers of the report itself
    HUMAN = "human"  # the explanation for people
    STATUS = "status"  # message/delivery-status fields (RFC 3464 section 2)
    ORIGINAL = "original"  # headers of the mail that bounced


@dataclass(frozen=True, slots=True)
class Section:
    """Characters `start` to `end` (exclusive) of the page's text."""

    part: Part
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a person may read of a paste, decoded, with LF line ends."""

    text: str
    sections: tuple[Section, ...]

    def of(self, part: Part) -> Iterator[Section]:
        """The sections of one kind, in order."""
        return (section for section in self.sections if section.part is part)

    def slice(self, section: Section) -> str:
        return self.text[section.start : section.end]


@dataclass(slots=True)
class PageBuilder:
    """Collects sections; each starts on a line of its own, an empty line between two."""

    chunks: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    length: int = 0

    def add(self, part: Part, text: str) -> None:
        """Appends `text` as a section; a text of spaces alone is left out."""
        text = text.rstrip()
        if not text.strip():
            return
        if self.length:
            self.chunks.append("\n\n")
            self.length += 2
        self.sections.append(Section(part, self.length, self.length + len(text)))
        self.chunks.append(text)
        self.length += len(text)

    def page(self) -> Page:
        return Page("".join(self.chunks), tuple(self.sections))


def lines_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and end (without the line end) of each line in text[start:end]."""
    while start < end:
        stop = text.find("\n", start, end)
        if stop < 0:
            stop = end
        yield start, stop
        start = stop + 1


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space at either end; empty ranges collapse at `start`."""
    chunk = text[start:end]
    lead = len(chunk) - len(chunk.lstrip())
    if lead == len(chunk):
        return start, start
    return start + lead, start + len(chunk.rstrip())


def unquote(text: str) -> str:
    """Text without the `> ` that a mail program puts before each line of what it forwards; other texts unchanged."""
    if "\n> " not in text:
        return text
    lines = text.split("\n")
    quoted = sum(1 for line in lines if line.startswith("> ") or line == ">")
    if quoted < 5:
        return text
    return "\n".join(line[2:] if line.startswith("> ") else line[1:] if line.startswith(">") else line for line in lines)
