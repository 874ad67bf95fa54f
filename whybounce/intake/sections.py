"""Parts that no MIME boundary marks: the returned mail, delivery-status fields and quoting inside a report's text."""

from __future__ import annotations

from whybounce.intake.page import Page, Part, Section

# A line that holds one of these (lower case) comes right before the returned mail.
_ORIGINAL_MARKS = (
    "below this line is a copy of the message",  # qmail, Yahoo
    "enclosed is a copy of the message",  # IndiMail
    "this is a copy of the message",  # Exim
    "this is a copy of your message",
    "copy of the original message",  # OpenSMTPD
    "copy of the message header",  # MX Logic
    "header of the original message",  # GMX, 1&1
    "headers of the original message",
    "original message header",  # Exchange
    "original message follows",  # IMail, DragonFly, Yahoo groups
    "message headers follow",  # DragonFly
    "message header follows",
    "unsent message follows",  # sendmail 5
    "undelivered message follows",
    "rejected message",
    "-original message",  # m-FILTER
    "-original mail info",
    "- original message -",  # Gmail
    "- message header",
    "returned message ---",  # Lotus Notes
    "start of returned message",
    "-- original message",
)
_TRACE = ("received:", "return-path:")
_STATUS_STARTS = ("reporting-mta:", "final-recipient:", "original-envelope-id:")
_ACTION = "action: "
_TELLING = (*_TRACE, *_STATUS_STARTS, _ACTION, "message", "-original mail info")


def refine(page: Page) -> Page:
    """The page with its human sections divided: explanation, then inline delivery-status fields, then the returned mail."""
    noted = [page.slice(section).lower() for section in page.of(Part.STATUS)]
    has_status = any("final-recipient" in lowered or "original-recipient" in lowered for lowered in noted)
    sections: list[Section] = []
    for section in page.sections:
        if section.part is Part.HUMAN:
            sections.extend(_divide(page.text, section, not has_status))
        else:
            sections.append(section)
    return Page(page.text, tuple(sections))


def _divide(text: str, section: Section, with_status: bool) -> list[Section]:
    status = original = section.end
    lowered = text[section.start : section.end].replace("İ", "i").lower()  # the one letter whose lower case is longer
    lines = _telling_lines(lowered)
    if not lines:
        return [section]
    embedded = _embedded_status(text, section) if with_status else -1
    for start, end in lines:
        if end - start < 8:
            continue
        line = lowered[start : min(end, start + 200)].strip()
        start += section.start
        if is_original_mark(line) and not (status == section.end and start < embedded and line.startswith(_TRACE)):
            original = start
            break
        if status == section.end and with_status and (line.startswith(_STATUS_STARTS) or _action_first(text, line, end + section.start, section.end)):
            status = start
    status = min(status, original)
    found = [Section(Part.HUMAN, section.start, status), Section(Part.STATUS, status, original), Section(Part.ORIGINAL, original, section.end)]
    return [part for part in found if part.end > part.start]


def _telling_lines(lowered: str) -> list[tuple[int, int]]:
    """The lines, in order, that hold one of the words without which a line divides nothing."""
    found: set[tuple[int, int]] = set()
    for word in _TELLING:
        at = lowered.find(word)
        while at >= 0:
            stop = lowered.find("\n", at)
            stop = len(lowered) if stop < 0 else stop
            found.add((lowered.rfind("\n", 0, at) + 1, stop))
            at = lowered.find(word, stop)
    return sorted(found)


def _embedded_status(text: str, section: Section) -> int:
    """Where a report that is pasted whole into the text has its fields: the trace headers before them are the report's own."""
    at = text.find("\nReporting-MTA:", section.start, section.end)
    return at if at >= 0 and text.find("\nFinal-Recipient:", at, section.end) >= 0 else -1


def _action_first(text: str, line: str, end: int, limit: int) -> bool:
    return line.startswith(_ACTION) and text[end + 1 : min(end + 40, limit)].lower().startswith("final-recipient:")


def is_original_mark(line: str) -> bool:
    """True for a line (lower case, stripped) that introduces the returned mail or is its first trace field (RFC 5321 4.4)."""
    if line.startswith(_TRACE):
        return True
    if "message" not in line and "-original mail info" not in line:
        return False
    return any(mark in line for mark in _ORIGINAL_MARKS) and len(line) < 120
