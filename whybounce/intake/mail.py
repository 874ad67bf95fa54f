"""An e-mail's bytes -> its headers and readable parts (RFC 5322, RFC 2045 to 2047), by the stdlib's parser.

Nothing here trusts the mail: the number of parts, their depth and their size are capped, unknown charsets and broken
encodings are read as far as they go, and a multipart whose boundary does not occur is read as the text that it is.
"""

from __future__ import annotations

import contextlib
import email
import email.errors
import email.header
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.policy import Compat32

from whybounce.intake.html_text import html_to_text
from whybounce.intake.page import Page, PageBuilder, Part, unquote

MAX_PARTS = 100
MAX_DEPTH = 12
MAX_TEXT = 200_000
"""Characters of one text part that are read: a report's explanation is a few thousand."""
MAX_FIELD = 32_000
"""Characters of one header field that are read: the stdlib takes time that grows with the square of its parameters."""
MAX_BOUNDARIES = 20
"""Parts within parts that are parsed: the stdlib compares each line with the boundary of every part around it."""
_BOUNDARY = re.compile(rb"boundary[\s*\d]*=", re.IGNORECASE)

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
_SHOWN = ("From", "To", "Subject", "Date", "X-Failed-Recipients")
_READABLE_TYPES = ("message/feedback-report", "message/disposition-notification", "application/json")
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_ORIGINAL_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial", "text/rfc822")


@dataclass(slots=True)
class Mail:
    """What intake reads of an e-mail.

    headers     the report's own, last value of each name, lower-case names, decoded, on one line
    page        its readable text
    types       the content types of its parts, lower case
    attached    mails that it carries whole, to look into where it is a forwarded bounce
    """

    headers: dict[str, str]
    page: Page
    types: set[str] = field(default_factory=set)
    attached: list[Message] = field(default_factory=list)

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
                return len(seen) >= 3
            name = name.strip().lower()
            if name in _KNOWN:
                seen.add(name)
        if stop < 0:
            break
        start = stop + 1
    return len(seen) >= 2 or (mbox and len(seen) >= 1)


class _ShortFields(Compat32):
    """The stdlib's policy for mails as they are, with header fields cut at MAX_FIELD."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_FIELD]


_POLICY = _ShortFields()


def parse(data: bytes) -> Mail:
    """`data`: a whole e-mail with LF line ends."""
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    return read_message(email.message_from_bytes(_not_too_nested(data), policy=_POLICY))


def _not_too_nested(data: bytes) -> bytes:
    """`data` up to the boundary parameter with which more than MAX_BOUNDARIES parts could stand within each other."""
    for number, match in enumerate(_BOUNDARY.finditer(data)):
        if number == MAX_BOUNDARIES:
            return data[: match.start()]
    return data


def read_message(message: Message) -> Mail:
    headers = {name.lower(): _header(value) for name, value in reversed(_items(message))}
    mail = Mail(headers, Page("", ()))
    builder = PageBuilder()
    shown = [f"{name}: {headers[name.lower()]}" for name in _SHOWN if headers.get(name.lower())]
    builder.add(Part.HEAD, "\n".join(shown))
    _Walk(mail, builder).part(message, 0)
    mail.page = builder.page()
    return mail


def _items(message: Message) -> list[tuple[str, str]]:
    """Header fields as they were read: `items()` would turn 8-bit values into question marks."""
    return [(name, str(value)) for name, value in message.raw_items()]


def _header(value: object) -> str:
    text = str(value)
    if "=?" in text:
        with contextlib.suppress(ValueError, LookupError, email.errors.HeaderParseError):
            text = str(email.header.make_header(email.header.decode_header(text)))
    elif not text.isascii():
        text = _fold(text)
    return " ".join(text.split())


@dataclass(slots=True)
class _Walk:
    mail: Mail
    builder: PageBuilder
    parts: int = 0
    after_original: bool = False
    html: list[str] = field(default_factory=list)
    plain: bool = False

    def part(self, message: Message, depth: int) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            return
        kind = message.get_content_type()
        self.mail.types.add(kind)
        payload = message.get_payload()
        if kind in _STATUS_TYPES:
            self.builder.add(Part.STATUS, status_text(message))
        elif kind in _ORIGINAL_TYPES:
            self._original(message, payload)
        elif isinstance(payload, list):
            self._multipart(_messages(payload), kind, depth)
        elif kind.startswith("text/") or kind in _READABLE_TYPES:
            self._text(message, kind)
        elif kind.startswith("multipart/"):  # the boundary does not occur
            self._flat(message)

    def _multipart(self, payload: list[Message], kind: str, depth: int) -> None:
        if kind == "multipart/alternative":
            plain = [part for part in payload if part.get_content_type() == "text/plain" and len(str(part.get_payload()).strip()) > 3]
            payload = plain[:1] or payload
        for part in payload:
            self.part(part, depth + 1)

    def _original(self, message: Message, payload: object) -> None:
        inner = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Message) else None
        if inner is not None:
            if message.get_content_type() == "message/rfc822" and not inner.items() and inner.get_payload():
                self.builder.add(Part.ORIGINAL, decoded_text(inner)[:8000])
                return
            self.mail.attached.append(inner)
            self.builder.add(Part.ORIGINAL, "\n".join(f"{name}: {_fold(value)}" for name, value in _items(inner))[:20_000])
        else:
            self.builder.add(Part.ORIGINAL, decoded_text(message)[:20_000])
        self.after_original = True

    def _text(self, message: Message, kind: str) -> None:
        if self.after_original and kind != "text/plain":
            return
        text = decoded_text(message)
        if kind == "text/html":
            text = html_to_text(text)
        elif "> Final-Recipient" in text or "> <<<" in text or "> Diagnostic" in text or text.count("\n> ") > 8:
            text = unquote(text)
        self.builder.add(Part.HUMAN, text)

    def _flat(self, message: Message) -> None:
        self.builder.add(Part.HUMAN, decoded_text(message))


def _messages(payload: Sequence[object]) -> list[Message]:
    return [part for part in payload if isinstance(part, Message)]


def _fold(value: object) -> str:
    text = str(value)
    return text if text.isascii() else to_text(text.encode("utf-8", "surrogateescape"))


def status_text(message: Message) -> str:
    """The fields of a delivery-status part as text, an empty line between the groups (RFC 3464 section 2.1)."""
    payload = message.get_payload()
    if not isinstance(payload, list):
        return decoded_text(message)
    encoding = str(message.get("content-transfer-encoding", "")).strip().lower()
    groups = []
    for group in _messages(payload)[:1000]:
        fields = [f"{name}: {_fold(value)}" for name, value in _items(group)]
        rest = group.get_payload()
        if isinstance(rest, str) and rest.strip():
            if encoding in ("base64", "quoted-printable") and not fields:
                group["Content-Transfer-Encoding"] = encoding
            fields.append("\n" + decoded_text(group))
        elif isinstance(rest, list):
            fields.extend(status_text(part) for part in _messages(rest)[:20])
        groups.append("\n".join(fields))
    return "\n\n".join(groups)


def decoded_text(message: Message) -> str:
    """A part's text: transfer encoding undone, then its charset, UTF-8 and Latin-1 in this order; NULs dropped, LF line ends."""
    try:
        raw = message.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        raw = None
    if not isinstance(raw, bytes):
        raw = str(message.get_payload()).encode("utf-8", "surrogateescape")
    raw = raw[: MAX_TEXT * 4]
    return to_text(raw, _charset(message))[:MAX_TEXT]


def _charset(message: Message) -> str:
    try:
        return str(message.get_content_charset() or "")
    except (ValueError, LookupError, AttributeError):
        return ""


def to_text(raw: bytes, charset: str = "") -> str:
    """Bytes in a charset that may be wrong or unknown -> text with LF line ends and without NULs."""
    text = _decode(raw, charset)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "") if "\0" in text else text


def _decode(raw: bytes, charset: str) -> str:
    if b"\x1b$" in raw or b"\x1b(" in raw:  # ISO 2022-JP says so itself, whatever the header says
        charset = "iso-2022-jp"
    for name in (charset, "utf-8"):
        if name:
            try:
                return raw.decode(name)
            except (LookupError, UnicodeError, ValueError):
                continue
    if charset:
        try:
            return raw.decode(charset, "replace")
        except (LookupError, UnicodeError, ValueError):
            pass
    return raw.decode("latin-1")
