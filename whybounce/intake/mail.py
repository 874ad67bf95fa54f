"""An e-mail's bytes -> its headers and readable parts (RFC 5322, RFC 2045 to 2047).

Nothing here trusts the mail: the number of parts, their depth and their size are capped, unknown charsets and broken
encodings are read as far as they go, and a multipart whose boundary does not occur is read as the text that it is.
"""

from __future__ import annotations

import contextlib
import email.errors
import email.header
from dataclasses import dataclass, field

from whybounce.intake.html_text import html_to_text
from whybounce.intake.mime import Entity, entity_of
from whybounce.intake.page import Page, PageBuilder, Part, unquote

MAX_PARTS = 100
MAX_DEPTH = 12

_KNOWN = frozenset(
    (
        b"from",
        b"to",
        b"subject",
        b"date",
        b"received",
        b"return-path",
        b"message-id",
        b"mime-version",
        b"content-type",
        b"delivered-to",
        b"reply-to",
        b"sender",
        b"cc",
        b"x-failed-recipients",
        b"auto-submitted",
        b"content-transfer-encoding",
        b"envelope-to",
        b"dkim-signature",
        b"x-original-to",
        b"authentication-results",
        b"received-spf",
        b"arc-seal",
    )
)
_SHOWN = tuple((name, name.lower()) for name in ("From", "To", "Subject", "Date", "X-Failed-Recipients"))
# How fields begin of which a report has many and intake reads none.
_TRACE = ("received", "dkim-", "arc-", "authentication-results", "x-ms-", "x-microsoft-", "x-forefront-", "x-google-", "x-gm-")
_READABLE_TYPES = ("application/json",)
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_ORIGINAL_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial", "text/rfc822")


@dataclass(slots=True)
class Mail:
    """What intake reads of an e-mail.

    headers     the report's own, first value of each name, lower-case names, decoded, on one line
    page        its readable text
    types       the content types of its parts, lower case
    attached    mails that it carries whole, to look into where it is a forwarded bounce
    """

    headers: dict[str, str]
    page: Page
    types: set[str] = field(default_factory=set)
    attached: list[Entity] = field(default_factory=list)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()


def looks_like_mail(data: bytes) -> bool:
    """True where `data` (LF line ends) begins with at least two known header fields, or one and an mbox line."""
    seen: set[bytes] = set()
    start = 0
    mbox = data.startswith(b"From ")
    for _ in range(60):
        stop = data.find(b"\n", start, start + 20_000)
        line = data[start : stop if stop >= 0 else len(data)]
        if not line.strip():
            break
        if line[:1] not in b" \t" and not (start == 0 and mbox):
            name, colon, _ = line[:80].partition(b":")
            if not colon or b" " in name.rstrip():
                return False
            name = name.strip().lower()
            if name in _KNOWN:
                seen.add(name)
                if len(seen) > 2:
                    return True
        if stop < 0:
            break
        start = stop + 1
    return len(seen) >= 2 or (mbox and len(seen) >= 1)


def parse(data: bytes) -> Mail:
    """`data`: a whole e-mail with LF line ends."""
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    return read_message(entity_of(data))


def read_message(message: Entity) -> Mail:
    headers = {
        name: " ".join(value.split()) if "=?" not in value else _header(value) for name, value in message.first.items() if not name.startswith(_TRACE)
    }
    mail = Mail(headers, Page("", ()))
    builder = PageBuilder()
    builder.add(Part.HEAD, "\n".join(f"{name}: {headers[key]}" for name, key in _SHOWN if headers.get(key)))
    _Walk(mail, builder).part(message, 0)
    mail.page = builder.page()
    return mail


def _header(value: str) -> str:
    with contextlib.suppress(ValueError, LookupError, email.errors.MessageError):
        value = str(email.header.make_header(email.header.decode_header(value)))
    return " ".join(value.split())


@dataclass(slots=True)
class _Walk:
    mail: Mail
    builder: PageBuilder
    parts: int = 0
    after_original: bool = False

    def part(self, message: Entity, depth: int) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            return
        kind = message.kind
        self.mail.types.add(kind)
        if kind in _STATUS_TYPES:
            self.builder.add(Part.STATUS, message.text())
        elif kind in _ORIGINAL_TYPES:
            self._original(message)
        elif kind.startswith("multipart/"):
            parts = message.parts()
            if parts is None:  # the boundary does not occur
                self.builder.add(Part.HUMAN, message.text())
            else:
                self._multipart(parts, kind, depth)
        elif kind.startswith("text/") or kind in _READABLE_TYPES:
            self._text(message, kind)

    def _multipart(self, parts: list[Entity], kind: str, depth: int) -> None:
        if kind == "multipart/alternative":
            plain = [part for part in parts if part.kind == "text/plain" and len(part.body[:200].strip()) > 3]
            parts = plain[:1] or parts
        for part in parts:
            self.part(part, depth + 1)

    def _original(self, message: Entity) -> None:
        self.after_original = True
        raw = message.content()
        if message.kind.endswith("headers"):
            self.builder.add(Part.ORIGINAL, message.text()[:20_000])
            return
        inner = entity_of(raw)
        if not inner.head:
            self.builder.add(Part.ORIGINAL, message.text()[:8000])
            return
        self.mail.attached.append(inner)
        self.builder.add(Part.ORIGINAL, inner.head[:20_000])

    def _text(self, message: Entity, kind: str) -> None:
        if self.after_original and kind != "text/plain":
            return
        text = message.text()
        if kind == "text/html":
            text = html_to_text(text)
        elif "> Final-Recipient" in text or "> <<<" in text or "> Diagnostic" in text or text.count("\n> ") > 8:
            text = unquote(text)
        self.builder.add(Part.HUMAN, text)
