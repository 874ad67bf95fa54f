"""Reports that somebody sent on within a text: the header that a mail program puts above them, in any language."""

from __future__ import annotations

from dataclasses import dataclass

from whybounce.intake.languages import ABOUT_NAMES, FROM_NAMES, TO_NAMES, says_undelivered
from whybounce.intake.page import Page, Part, Section, lines_of
from whybounce.intake.signs import from_daemon, says_report

_MOST_LINES = 2000
_NAMES = FROM_NAMES | TO_NAMES | ABOUT_NAMES


@dataclass(slots=True)
class _Head:
    start: int
    end: int
    sender: str = ""
    to: str = ""
    about: str = ""
    lines: int = 0


def behind_forwarding(page: Page) -> tuple[Page, dict[str, str]]:
    """The page with everything up to a forwarded report's own header as a section of its own, and that header's From and To."""
    sections: list[Section] = []
    headers: dict[str, str] = {}
    for section in page.sections:
        head = _head(page.text, section) if section.part is Part.HUMAN and not headers else None
        if head is None:
            sections.append(section)
            continue
        headers = {"from": head.sender, "to": head.to, "subject": head.about}
        sections += [Section(Part.HEAD, section.start, head.end), Section(Part.HUMAN, head.end, section.end)]
    return (Page(page.text, tuple(sections)), headers) if headers else (page, {})


def _head(text: str, section: Section) -> _Head | None:
    """The header of the report: the last that comes from a mail server or says that a mail was not delivered, else the first before a report."""
    if text.find(":", section.start, section.end) < 0:
        return None
    heads = [head for head in _heads(text, section) if head.sender and head.about and head.lines >= 3 and head.end < section.end]
    for head in reversed(heads):
        subject = head.about.lower()
        if from_daemon(head.sender) or says_undelivered(subject) or says_report(subject):
            return head
    return next((head for head in heads[:3] if says_report(text[head.end : head.end + 6000])), None)


def _heads(text: str, section: Section) -> list[_Head]:
    found: list[_Head] = []
    head: _Head | None = None
    for number, (start, end) in enumerate(lines_of(text, section.start, section.end)):
        if number > _MOST_LINES:
            break
        name, colon, value = text[start : min(end, start + 1000)].strip(" \t*>").partition(":")
        if not colon:
            name, colon, value = name.partition("：")
        name = name.strip(" \t*").lower()
        if not colon or name not in _NAMES:
            if text[start:end].strip():
                head = None
            continue
        if head is None:
            head = _Head(start, end)
            found.append(head)
        head.end = end
        head.lines += 1
        value = value.strip(" \t*")
        if name in FROM_NAMES and not head.sender:
            head.sender = value
        elif name in TO_NAMES and not head.to:
            head.to = value
        elif name in ABOUT_NAMES:
            head.about = f"{head.about} {value}"
    return found[:20]
