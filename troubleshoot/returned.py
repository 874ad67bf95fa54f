"""The message that bounced, byte for byte as far as it was pasted: a DKIM signature can only be verified over all of it."""

from __future__ import annotations

import re

MOST = 10_000_000
_MOST_SELECTORS = 5
_MOST_SCANNED = 1_000_000
_MOST_PARTS = 50
_SIGNATURE = re.compile(rb"(?im)^[> \t]{0,8}dkim-signature[ \t]*:((?:[^\r\n]|\r?\n(?:>[> ]{0,7})?[ \t]+)*)")
_QUOTED = re.compile(rb"\r?\n[> \t]+")
_TAG = re.compile(rb"(?:^|;)\s*([sd])\s*=\s*([A-Za-z0-9._-]{1,253})\s*(?=;|$)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FIELD = rb"(?im)^%s[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)"
_BOUNDARY = re.compile(rb"boundary[ \t]*=[ \t]*(?:\"([^\"\r\n]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)


def returned_message(pasted: bytes) -> bytes:
    """The message itself where it was pasted whole, or the one that a report returns (RFC 6522 section 3; as message/rfc822, not as
    headers alone). b"" where there is none with a DKIM signature."""
    if len(pasted) > MOST:
        return b""
    data = pasted.lstrip(b"\r\n")
    kind = _field(data, b"content-type")
    if re.match(rb"\s*multipart/report\b", kind, re.IGNORECASE):
        data = _attached(data, kind)
    return data if data and _field(data, b"dkim-signature") else b""


def selectors_in(pasted: bytes) -> list[str]:
    """The selectors that the DKIM signatures in a paste name, as "selector@domain" (RFC 6376 section 3.5), in order; at most five.
    Also of a message of which only the header was returned."""
    found = []
    for match in _SIGNATURE.finditer(pasted[:_MOST_SCANNED]):
        tags = {name: value.decode().lower() for name, value in _TAG.findall(_QUOTED.sub(b" ", match[1]))}
        if tags.keys() == {b"s", b"d"}:
            found.append(f"{tags[b's']}@{tags[b'd']}")
    return list(dict.fromkeys(found))[:_MOST_SELECTORS]


def _attached(data: bytes, kind: bytes) -> bytes:
    """The part of type message/rfc822. The line break before a boundary belongs to the boundary (RFC 2046 section 5.1.1)."""
    found = _BOUNDARY.search(kind)
    if found is None:
        return b""
    for part in re.split(rb"\r?\n--" + re.escape(found[1] or found[2]) + rb"(?:--)?[ \t]*(?=\r?\n|\Z)", data, maxsplit=_MOST_PARTS)[1:]:
        part = re.sub(rb"\A\r?\n", b"", part, count=1)
        head = _HEAD_END.search(part)
        encoding = _field(part, b"content-transfer-encoding").strip().lower()
        whole = re.match(rb"\s*message/(?:rfc822|global)\b", _field(part, b"content-type"), re.IGNORECASE)
        if head and whole and encoding in (b"", b"7bit", b"8bit", b"binary"):
            return part[head.end() :]
    return b""


def _field(data: bytes, name: bytes) -> bytes:
    """The first value of a header field; b"" where there is none."""
    head = _HEAD_END.search(data)
    found = re.search(_FIELD % name, data[: head.start()] if head else data)
    return found[1] if found else b""
