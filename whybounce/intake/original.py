"""What the head of the returned mail tells: its sender, subject and Message-ID (RFC 5322 section 3.6, RFC 5321 section 4.4)."""

from __future__ import annotations

import email.errors
import email.header
from dataclasses import dataclass

from whybounce.failure import Span
from whybounce.intake.addresses import find_address
from whybounce.intake.fields import fields_of
from whybounce.intake.page import Page, Part

_WANTED = frozenset(
    ("return-path", "from", "to", "subject", "message-id", "x-envelope-from", "x-envelope-to", "delivered-to", "received"),
)


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
        for field in fields_of(page.text, section.start, section.end):
            if field is None:
                if "from" in first or "subject" in first or "message-id" in first:
                    break
            elif field.name in _WANTED and field.name not in first:
                first[field.name] = (field.start, field.end)
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
    except (ValueError, LookupError, email.errors.HeaderParseError):
        return value
