"""What the head of the returned mail tells: its sender, subject and Message-ID (RFC 5322 section 3.6, RFC 5321 section 4.4)."""

from __future__ import annotations

import email.errors
import email.header
import re
from dataclasses import dataclass

from whybounce.failure import Span
from whybounce.intake.addresses import find_address
from whybounce.intake.page import Page, Part, trim

_WANTED = ("return-path", "from", "to", "subject", "message-id", "x-envelope-from", "x-envelope-to", "delivered-to", "received")
_SURE = frozenset(("from", "subject", "message-id"))
_SPACE = re.compile(r"[^\S\n]{1,79}:")
_EMPTY = re.compile(r"\n[^\S\n]*+(?:\n|\Z)")
# Where a value ends: before the next field or an empty line.
_NEXT = re.compile(r"\n(?:[a-z][a-z0-9_-]{0,78}[^\S\n]{0,79}:|[^\S\n]*+(?:\n|\Z))", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Original:
    envelope_sender: str = ""
    sender_span: Span | None = None
    header_from: str = ""
    to: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""


def read_original(page: Page) -> Original:
    """The first value of each field in the page's sections of the original."""
    first: dict[str, tuple[int, int]] = {}
    for section in page.of(Part.ORIGINAL):
        for name, place in _places(page.text, section.start, section.end, bool(first.keys() & _SURE)):
            first.setdefault(name, place)
    if not first:
        return Original()
    text = page.text
    sender, span = "", None
    for name in ("return-path", "x-envelope-from", "received"):
        if name in first:
            start, end = first[name]
            if name == "received":
                start = text.find("envelope-from", start, end)
                if start < 0:
                    continue
            found = find_address(text, start, end)
            if found:
                sender, span = text[slice(*found)], Span(*found)
                break
    return Original(
        envelope_sender=sender,
        sender_span=span,
        header_from=_address(text, first.get("from")),
        to=_addresses(text, first.get("to") or first.get("x-envelope-to") or first.get("delivered-to")),
        subject=_decoded(text, first.get("subject")),
        message_id=" ".join(text[slice(*first["message-id"])].split())[:998] if "message-id" in first else "",
    )


def _places(text: str, start: int, end: int, begun: bool) -> list[tuple[str, tuple[int, int]]]:
    """Name and value of each wanted field; they end at the first empty line after one that every mail has, at once where one was seen."""
    lowered = "\n" + text[start:end].lower()
    if len(lowered) != end - start + 1:  # letters that have no lower case of the same length
        lowered = "\n" + text[start:end]
    found = {name: place for name in _WANTED if (place := _value_at(lowered, name))}
    sure = 0 if begun else min((found[name][0] for name in _SURE if name in found), default=-1)
    empty = _EMPTY.search(lowered, sure) if sure >= 0 else None
    stop = empty.start() if empty else len(lowered)
    places = []
    for name, (line, at) in found.items():
        if line <= stop:
            after = _NEXT.search(lowered, at)
            places.append((name, trim(text, start + at - 1, start + (after.start() if after else len(lowered)) - 1)))
    return places


def _value_at(lowered: str, name: str) -> tuple[int, int] | None:
    """Where the field begins (its line end before) and where its value does."""
    at = lowered.find("\n" + name)
    while at >= 0:
        after = at + 1 + len(name)
        if lowered.startswith(":", after):
            return at, after + 1
        space = _SPACE.match(lowered, after)
        if space:
            return at, space.end()
        at = lowered.find("\n" + name, after)
    return None


def _address(text: str, place: tuple[int, int] | None) -> str:
    found = _last_address(text, *place) if place else None
    return text[slice(*found)] if found else ""


def _last_address(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The address in angle brackets, which stands last; a display name may hold another."""
    opening = text.rfind("<", start, end)
    return find_address(text, opening if opening >= 0 else start, end) or find_address(text, start, end)


def _addresses(text: str, place: tuple[int, int] | None) -> tuple[str, ...]:
    if place is None:
        return ()
    found: list[str] = []
    at, end = place
    while len(found) < 50:
        address = find_address(text, at, end)
        if address is None:
            break
        found.append(text[slice(*address)])
        at = address[1]
    return tuple(dict.fromkeys(found))


def _decoded(text: str, place: tuple[int, int] | None) -> str:
    if place is None:
        return ""
    value = " ".join(text[slice(*place)].split())[:2000]
    if "=?" not in value:
        return value
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, email.errors.MessageError):
        return value
