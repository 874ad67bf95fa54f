"""The bytes of an e-mail -> its header fields and parts (RFC 5322 section 2.2, RFC 2045, RFC 2046 section 5).

A report wants a dozen fields and the first few kilobytes of its parts, so nothing is taken apart before it is asked for. The standard
library's parser takes three times as long for the same mails, and on hostile ones time that grows with the number of nested boundaries;
here each level of parts is one pass over the bytes.
"""

from __future__ import annotations

import binascii
import email.message
import re
from dataclasses import dataclass

MAX_FIELD = 32_000
"""Characters of one header field that are read."""
MAX_HEAD = 200_000
"""Bytes of a header that are read."""
MAX_TEXT = 200_000
"""Characters of one text part that are read: a report's explanation is a few thousand."""
_MAX_PIECES = 1000

# Possessive throughout: no character is looked at twice.
_HEAD = re.compile(r"(?:[^\s:][^: \n]*+[^\S\n]*+:[^\n]*+(?:\n|\Z)(?:[ \t][^\n]*+(?:\n|\Z))*+)*+")
_FIELD = re.compile(r"([^\s:][^: \n]*+)[^\S\n]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?")
_PARAMETER = re.compile(r';\s*([a-zA-Z-]{1,40})\s*=\s*(?:"([^"\n]{0,400})"|([^\s;"]{1,400}))', re.ASCII)


@dataclass(slots=True)
class Entity:
    """A mail or one of its parts: the header as text, and the bytes after the empty line."""

    head: str
    body: bytes
    default_kind: str = "text/plain"
    _kind: str = ""
    _first: dict[str, str] | None = None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields in their order: lower-case name, value as written, not yet unfolded."""
        return [(name.lower(), value[:MAX_FIELD]) for name, value in _FIELD.findall(self.head)]

    @property
    def first(self) -> dict[str, str]:
        """The first value of each field."""
        if self._first is None:
            self._first = dict(reversed(self.fields))
        return self._first

    def get(self, name: str) -> str:
        """The first value of a field (lower-case name), "" where there is none."""
        return self.first.get(name, "")

    @property
    def kind(self) -> str:
        """The content type, lower case; the default where there is none, text/plain where it is none (RFC 2045 section 5.2)."""
        if not self._kind:
            value = self.get("content-type")
            kind = value.partition(";")[0].strip().lower()
            self._kind = self.default_kind if not value else kind if kind.count("/") == 1 else "text/plain"
        return self._kind

    def parameter(self, name: str) -> str:
        """A parameter of Content-Type, "" where there is none."""
        value = self.get("content-type")
        if "*" in value:  # RFC 2231: continued or in another charset
            message = email.message.Message()
            message["Content-Type"] = " ".join(value.split())[:4000]
            found = message.get_param(name)
            return str(found[2] if isinstance(found, tuple) else found or "")
        for match in _PARAMETER.finditer(value, 0, 4000):
            if match[1].lower() == name:
                return match[2] if match[2] is not None else match[3]
        return ""

    def parts(self) -> list[Entity] | None:
        """The parts of a multipart, None where its boundary does not occur or it is none."""
        boundary = self.parameter("boundary").strip()
        if not boundary:
            return None
        marker = b"\n--" + boundary.encode("utf-8", "surrogateescape")
        pieces = (b"\n" + self.body).split(marker, _MAX_PIECES)
        if len(pieces) < 2:
            return None
        default = "message/rfc822" if self.kind == "multipart/digest" else "text/plain"
        found: list[bytes] = []
        for piece in pieces[1:]:
            if piece.startswith(b"--"):
                break
            stop = piece.find(b"\n")
            rest = piece[:stop] if stop >= 0 else piece
            if rest.strip():  # the boundary of another level that begins alike
                if found:
                    found[-1] += marker + piece
            else:
                found.append(piece[stop + 1 :] if stop >= 0 else b"")
        return [entity_of(piece, default) for piece in found]

    def content(self) -> bytes:
        """The body with its transfer encoding undone (RFC 2045 section 6); as it is where that fails."""
        encoding = self.get("content-transfer-encoding").strip().lower()
        raw = self.body[: MAX_TEXT * 8]
        if encoding == "quoted-printable":
            return binascii.a2b_qp(raw)
        if encoding == "base64":
            return _base64(raw)
        if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            message = email.message.Message()
            message["Content-Transfer-Encoding"] = encoding
            message.set_payload(raw.decode("ascii", "surrogateescape"))
            decoded = message.get_payload(decode=True)
            return decoded if isinstance(decoded, bytes) else raw
        return raw

    def text(self) -> str:
        """The body as text: transfer encoding and charset undone, LF line ends, no NULs."""
        raw = self.content()[: MAX_TEXT * 4]
        return to_text(raw, self.parameter("charset") if not raw.isascii() or b"\x1b" in raw else "")[:MAX_TEXT]


def _base64(raw: bytes) -> bytes:
    for end in (b"", b"==", b"="):
        try:
            return binascii.a2b_base64(raw + end)
        except binascii.Error:
            continue
    return raw


def entity_of(data: bytes, default_kind: str = "text/plain") -> Entity:
    """`data`: a mail or a part with LF line ends. Its header ends at the first line that is empty or begins no field."""
    if data.startswith(b"\n"):
        return Entity("", data[1:], default_kind)
    at = data.find(b"\n\n")
    stop = at if at >= 0 else len(data)
    if stop > MAX_HEAD:  # at a line end, lest half a field be taken for text
        stop = max(data.rfind(b"\n", 0, MAX_HEAD), 0) or MAX_HEAD
    head = _decode(data[:stop], "")
    found = _HEAD.match(head)
    length = found.end() if found else 0
    if length < len(head):  # what follows is text that no empty line sets apart
        return Entity(head[:length], head[length:].encode("utf-8", "replace") + data[stop:], default_kind)
    return Entity(head, data[at + 2 :] if at >= 0 else b"", default_kind)


def to_text(raw: bytes, charset: str = "") -> str:
    """Bytes in a charset that may be wrong or unknown -> text with LF line ends and without NULs."""
    text = _decode(raw, charset)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "") if "\0" in text else text


def _decode(raw: bytes, charset: str) -> str:
    """In the charset named, UTF-8 or Latin-1, the first that fits."""
    if raw.isascii() and b"\x1b" not in raw and not charset:
        return raw.decode("ascii")
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
