"""An Outlook message (MS-OXMSG) -> the e-mail that it was, so that everything that is known of e-mails applies to it.

The properties of a report's recipients are fields of RFC 3464 by other names (MS-OXCMAIL 2.1.3.6.1, 2.2.3.7.1), so they become those
fields again. What is embedded or attached becomes a part; attachments that are neither mails nor texts are named, not read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from whybounce.intake.html_text import html_to_text
from whybounce.intake.mime import entity_of
from whybounce.intake.outlook.compound import MAGIC, Compound, CompoundError, Entry
from whybounce.intake.outlook.rtf import codec_of, text_of, unpacked

__all__ = ["MAGIC", "mail_of"]

MAX_BODY = 600_000
MAX_ATTACHED = 2_000_000
MAX_TOTAL = 6_000_000
"""Bytes of all properties and attachments that are read of one file."""
MAX_DEPTH = 4
_MOST_ROWS = 200
_UNICODE, _STRING8, _BINARY, _LONG = 0x001F, 0x001E, 0x0102, 0x0003
_HEADERS_KEPT_OUT = ("content-type", "content-transfer-encoding", "mime-version", "content-disposition", "content-description", "content-language")
# The end of the message class -> Action of RFC 3464 (MS-OXCMAIL 2.2.3.7.1.1), the longest first.
_ACTIONS = (
    (".expanded.dr", "expanded"),
    (".relayed.dr", "relayed"),
    (".delayed.dr", "delayed"),
    (".delayed", "delayed"),
    (".ndr", "failed"),
    (".dr", "delivered"),
)


@dataclass(slots=True)
class _Budget:
    left: int = MAX_TOTAL


@dataclass(slots=True)
class _Item:
    """A message, a recipient or an attachment: one storage with properties. `skip` bytes stand before its fixed-length ones."""

    file: Compound
    storage: Entry
    skip: int
    budget: _Budget
    codec: str = "cp1252"
    fixed: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        raw = self.file.read(self.storage.children.get("__properties_version1.0"), 64_000)
        for at in range(self.skip, len(raw) - 15, 16):
            kind, number = struct.unpack_from("<HH", raw, at)
            self.fixed.setdefault((number, kind), raw[at + 8 : at + 16])
        pages = [page for number in (0x3FFD, 0x3FDE) if (page := self.long(number)) and page > 0]
        if pages:
            self.codec = codec_of(pages[0])

    def long(self, number: int) -> int | None:
        raw = self.fixed.get((number, _LONG))
        return int(struct.unpack_from("<i", raw)[0]) if raw else None

    def raw(self, number: int, kind: int, limit: int) -> bytes:
        entry = self.storage.children.get(f"__substg1.0_{number:04X}{kind:04X}")
        found = self.file.read(entry, min(limit, self.budget.left)) if entry else b""
        self.budget.left -= len(found)
        return found

    def text(self, number: int, limit: int = 4000) -> str:
        """A property of characters, "" where it is missing."""
        wide = self.raw(number, _UNICODE, limit * 2)
        found = wide.decode("utf-16-le", "replace") if wide else self.raw(number, _STRING8, limit).decode(self.codec, "replace")
        return found.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")

    def below(self, prefix: str) -> list[Entry]:
        """The storages of the recipients or the attachments, in their order."""
        names = sorted(name for name in self.storage.children if name.startswith(prefix))[:_MOST_ROWS]
        return [self.storage.children[name] for name in names]


def mail_of(data: bytes) -> bytes | None:
    """The bytes of a .msg file -> an e-mail with LF line ends; None for a compound file that is no message, or too broken to read."""
    return _read(data, 0)


def _read(data: bytes, depth: int) -> bytes | None:
    try:
        file = Compound(data)
    except (CompoundError, struct.error):
        return None
    if "__properties_version1.0" not in file.root.children and not any(name.startswith("__substg1.0_") for name in file.root.children):
        return None
    return _mail(_Item(file, file.root, 32, _Budget()), depth)


def _mail(item: _Item, depth: int) -> bytes:
    kind = item.text(0x001A, 200).lower()
    parts = [_part("text/plain; charset=utf-8", _body(item).encode("utf-8", "replace"))]
    action = next((action for end, action in _ACTIONS if kind.endswith(end)), "") if kind.startswith("report.") else ""
    status = _status(item, action) if action else ""
    if status:
        parts.append(_part("message/delivery-status", status.encode("utf-8", "replace")))
    receipt = kind.startswith("report.") and kind.endswith((".ipnrn", ".ipnnrn"))
    if receipt:
        parts.append(_part("message/disposition-notification", b""))
    if depth < MAX_DEPTH:
        parts += _attachments(item, depth)
    boundary = b"=_outlook_%d" % depth
    while any(boundary in part for part in parts):
        boundary += b"_"
    report = "report; report-type=delivery-status" if action else "report; report-type=disposition-notification" if receipt else "mixed"
    head = _headers(item, kind)
    head.append(f'Content-Type: multipart/{report}; boundary="{boundary.decode("ascii")}"')
    joined = b"".join(b"--%s\n%s\n" % (boundary, part) for part in parts)
    return "\n".join(head).encode("utf-8", "replace") + b"\n\n" + joined + b"--" + boundary + b"--\n"


def _part(kind: str, body: bytes) -> bytes:
    return b"Content-Type: " + kind.encode("ascii", "replace") + b"\n\n" + body


def _headers(item: _Item, kind: str) -> list[str]:
    """The header as it came over the net where Outlook kept it, else one of the properties."""
    kept = item.text(0x007D, 60_000).strip().encode("utf-8", "replace")
    fields = entity_of(kept).fields if kept else []
    head = [f"{name.title()}:{value}" for name, value in fields if name not in _HEADERS_KEPT_OUT]
    names = {name for name, _value in fields}
    sender = _first(item, 0x5D01, 0x5D02, 0x0C1F, 0x0065)
    name = _line(item.text(0x0C1A, 400))
    if "@" not in sender:  # an address within Exchange: "/o=..."
        sender = "" if sender.startswith("/") else sender
    own = {
        "from": f"{name} <{sender}>" if sender and name and name != sender else sender or name,
        "to": _recipients(item) if not kind.startswith("report.") else "",
        "subject": _first(item, 0x0037, 0x0E1D),
        "message-id": _first(item, 0x1035),
        "auto-submitted": "auto-replied" if kind.startswith("ipm.note.rules.oof") else "",
    }
    head += [f"{key.title()}: {value}" for key, value in own.items() if value and key not in names]
    return head or ["Subject: "]


def _recipients(item: _Item) -> str:
    found = []
    for storage in item.below("__recip_version1.0_")[:20]:
        address = _address(_Item(item.file, storage, 8, item.budget, item.codec))
        if address:
            found.append(f"<{address}>")
    return ", ".join(found) or _first(item, 0x0E04)


def _address(row: _Item) -> str:
    return next((value for value in (_line(row.text(number, 400)) for number in (0x39FE, 0x3003, 0x3001)) if "@" in value), "").strip("<>'\"")


def _first(item: _Item, *numbers: int) -> str:
    return next((value for number in numbers if (value := _line(item.text(number, 2000)))), "")


def _line(text: str) -> str:
    return " ".join(text.split())


def _status(item: _Item, action: str) -> str:
    """Fields of RFC 3464 for each recipient that the report is about; "" where it does not say."""
    reporting = _first(item, 0x6820)
    groups = [f"Reporting-MTA: dns; {reporting}"] if reporting else []
    begin = len(groups)
    for storage in item.below("__recip_version1.0_"):
        row = _Item(item.file, storage, 8, item.budget, item.codec)
        address = _address(row)
        told = _line(row.text(0x0C1B)) or _line(row.text(0x1001))
        remote, status, diagnostic = _supplementary(told)
        remote = _line(row.text(0x0C21, 300)) or remote
        if not address or not (told or remote or row.long(0x0C04) is not None or row.long(0x0C05) is not None or row.long(0x0C20) is not None):
            continue
        fields = [f"Final-Recipient: rfc822; {address}", f"Action: {action}"]
        fields += [
            f"{name}: {value}"
            for name, value in (("Status", status), ("Remote-MTA", remote and f"dns; {remote}"), ("Diagnostic-Code", diagnostic))
            if value
        ]
        groups.append("\n".join(fields))
    return "\n\n".join(groups) if len(groups) > begin else ""


def _supplementary(told: str) -> tuple[str, str, str]:
    """`<mx.example.net #5.1.1 smtp;550 5.1.1 ...>` -> host, status, diagnostic code (MS-OXCMAIL 2.2.3.7.1.2)."""
    inner = told.removeprefix("<").removesuffix(">")
    remote, mark, rest = inner.partition("#")
    words = rest.split(None, 1)
    if not mark or not words or " " in remote.strip() or words[0].count(".") != 2 or not words[0].replace(".", "").isdigit():
        return "", "", told
    return remote.strip(), words[0], words[1] if len(words) > 1 else ""


def _body(item: _Item) -> str:
    """The text in the form that says most: plain text, else HTML, else RTF."""
    plain = item.text(0x1000, MAX_BODY)
    if len(plain.strip()) > 3:
        return plain
    page = item.long(0x3FDE)
    raw = item.raw(0x1013, _BINARY, MAX_BODY)
    if raw:
        try:
            source = raw.decode(codec_of(page) if page and page > 0 else "utf-8")
        except UnicodeError:
            source = raw.decode(item.codec, "replace")
    else:
        source = item.text(0x1013, MAX_BODY)
    if source.strip():
        return html_to_text(source)
    text, is_html = text_of(unpacked(item.raw(0x1009, _BINARY, MAX_BODY)))
    if text.strip():
        return html_to_text(text) if is_html else text
    return item.text(0x1001, MAX_BODY)


def _attachments(item: _Item, depth: int) -> list[bytes]:
    """Embedded messages and attached mails as parts, texts too; what else is attached is left out."""
    parts: list[bytes] = []
    for storage in item.below("__attach_version1.0_"):
        row = _Item(item.file, storage, 8, item.budget, item.codec)
        embedded = storage.children.get("__substg1.0_3701000D")
        if embedded is not None:
            parts.append(_part("message/rfc822", _mail(_Item(item.file, embedded, 24, item.budget), depth + 1)))
            continue
        name = (_first(row, 0x3707, 0x3704) or _first(row, 0x3001)).lower()
        kind = _first(row, 0x370E).lower().partition(";")[0]
        is_mail = name.endswith(".eml") or kind in ("message/rfc822", "text/rfc822-headers")
        is_text = name.endswith((".txt", ".log", ".htm", ".html")) or kind in ("text/plain", "text/html", "message/delivery-status")
        if not is_mail and not is_text and not name.endswith(".msg"):
            continue
        data = row.raw(0x3701, _BINARY, MAX_ATTACHED)
        if data.startswith(MAGIC):
            inner = _read(data, depth + 1)
            if inner:
                parts.append(_part("message/rfc822", inner[:MAX_ATTACHED]))
        elif is_mail:
            parts.append(_part("message/rfc822", data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")))
        elif is_text:
            stated = kind if kind.startswith(("text/", "message/")) else "text/html" if name.endswith((".htm", ".html")) else "text/plain"
            parts.append(_part(stated, data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")))
    return parts
