"""From pasted bytes to a report: limits, decoding, and the registry of forms, asked in order."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from whybounce.failure import IntakeReport
from whybounce.intake import copied, logs, mbox, outlook
from whybounce.intake.bounce import read_mail, read_page
from whybounce.intake.dsn import read_notification
from whybounce.intake.exceptions import read_exception
from whybounce.intake.forwarded import behind_forwarding
from whybounce.intake.mail import looks_like_mail, parse
from whybounce.intake.mime import MAX_TEXT, to_text
from whybounce.intake.page import PageBuilder, Part
from whybounce.intake.reply import read_text
from whybounce.intake.sections import refine
from whybounce.intake.sessions.form import TRANSCRIPT, read_session
from whybounce.intake.signs import reads_as_report
from whybounce.intake.webhooks import read_paste, read_within_mail

MAX_BYTES = 25_000_000
MAX_PARSED = 2_000_000
"""Bytes of one e-mail's body that are parsed: a report's own parts stand before the returned mail and its attachments."""
_BLANK = b"\n \t\0"
_CONTROLS = bytes(byte for byte in range(1, 32) if byte not in b"\t\n\f\r\x1b")
_BINARY = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\xd0\xcf\x11\xe0", "an Office document or an Outlook message that is damaged"),
    (b"\x78\x9f\x3e\x22", "a winmail.dat (TNEF), in which Outlook packs attachments"),
    (b"\x1f\x8b", "a gzip archive"),
)


@dataclass(slots=True)
class Paste:
    """What was pasted: `data` with LF line ends; `text` is the same, decoded, when a form asks for it first."""

    data: bytes
    _text: str | None = None
    _mail: bool | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = copied.readable(to_text(self.data[: MAX_TEXT * 4])[:MAX_TEXT])
        return self._text

    @property
    def is_mail(self) -> bool:
        if self._mail is None:
            self._mail = looks_like_mail(self.data.lstrip(_BLANK))
        return self._mail


@dataclass(frozen=True, slots=True)
class Form:
    """A form that pastes come in. `read` gives None for a paste that is not of this form."""

    slug: str
    read: Callable[[Paste], IntakeReport | None]


def read(data: bytes) -> IntakeReport:
    """Reads a paste of any form. Never raises: what cannot be read is said in `kind`, `notes` or `error`."""
    try:
        return read_or_raise(data)
    except Exception:  # noqa: BLE001 (whatever a hostile paste does: the page must show something)
        return _binary(data) or read_text(Paste(_line_ends(_unicode(data))).text)


def read_or_raise(data: bytes) -> IntakeReport:
    """As `read`, but an error in a form's code is raised: for tests and `bench.mutants`, which look for those."""
    if len(data) > MAX_BYTES:
        return IntakeReport("", error=f"The paste is {-(-len(data) // 1_000_000)} MB; the limit is {MAX_BYTES // 1_000_000} MB.")
    if not data.strip(b" \t\r\n\0\x0b\x0c"):
        note = "There is nothing here. Paste a bounce, a reply of a mail server or a code such as 5.7.1."
        return IntakeReport("empty", kind="empty", notes=(note,))
    if data.startswith(outlook.MAGIC):
        data = outlook.mail_of(data) or data
    binary = _binary(data)
    if binary is not None:
        return binary
    paste = Paste(_line_ends(_unicode(data)))
    return next(report for form in FORMS if (report := form.read(paste)) is not None)


def _binary(data: bytes) -> IntakeReport | None:
    """A file that is no text: by its first bytes, or by its share of control characters."""
    name = next((name for magic, name in _BINARY if data.startswith(magic)), "")
    if not name:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return None
        head = data[:4096]
        controls = len(head) - len(head.translate(None, _CONTROLS))
        if (controls * 20 <= len(head) and head.count(0) * 3 <= len(head)) or _unicode(data) is not data:
            return None
        name = "a binary file"
    note = f"This is {name}, not text. Save the bounce as .eml (in most mail programs: save as, or show original) or copy its text and paste that."
    return IntakeReport("binary", kind="binary", notes=(note,))


def _unicode(data: bytes) -> bytes:
    """UTF-16, as Windows programs save text, as UTF-8; other data unchanged, a UTF-8 byte order mark dropped."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    head = data[:200]
    if len(head) >= 8 and head[1::2].count(0) * 10 > len(head) * 4 and not head[::2].count(0):
        return data.decode("utf-16-le", "replace").encode("utf-8", "replace")
    return data


def _line_ends(data: bytes) -> bytes:
    """LF alone: mails come with CRLF, and from old Macs with CR."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _read_mbox(paste: Paste) -> IntakeReport | None:
    messages = mbox.split(paste.data)
    if len(messages) < 2:
        return None
    return mbox.join([_read_one(message) for message in mbox.readable(messages)], len(messages))


def _read_one(data: bytes) -> IntakeReport:
    one = Paste(data)
    return _read_mail(one) or _read_report_text(one) or read_text(one.text)


def _read_session(paste: Paste) -> IntakeReport | None:
    if paste.is_mail and TRANSCRIPT not in paste.data[:20_000]:
        return None
    return read_session(paste.data)


def _read_mail(paste: Paste) -> IntakeReport | None:
    if not paste.is_mail:
        return None
    data = paste.data.lstrip(_BLANK)
    mail = parse(data[: max(0, data.find(b"\n\n")) + MAX_PARSED])
    report = read_mail(mail)
    if not report.failures:
        return next((found for section in mail.page.of(Part.HUMAN) if (found := _within(mail.page.slice(section)))), report)
    return report


def _within(text: str) -> IntakeReport | None:
    """What a program mailed: an event of a mail service, or its own error."""
    return read_within_mail(text) or read_exception(text)


def _read_report_text(paste: Paste) -> IntakeReport | None:
    """The text of a report, pasted without its headers."""
    if not reads_as_report(paste.text):
        return None
    builder = PageBuilder()
    builder.add(Part.HUMAN, paste.text)
    page, headers = behind_forwarding(builder.page())
    page = refine(page)
    report = read_page(page, read_notification(page), headers)
    return report if report.failures else None


def _read_body(paste: Paste) -> IntakeReport | None:
    """A base64 body part without its headers, as "show source" and ticket systems give it."""
    body = copied.body_of(paste.data)
    return read(body) if body is not None else None


def _read_quoted_mail(paste: Paste) -> IntakeReport | None:
    """A whole mail with its header, quoted or prefixed on every line."""
    data = paste.text.lstrip().encode("utf-8", "replace") if ":" in paste.text[:2000] else b""
    return _read_mail(Paste(data)) if data and looks_like_mail(data) else None


def _read_log(paste: Paste) -> IntakeReport | None:
    """Log lines; a report that quotes a line of the kind that logs have is none."""
    report = logs.read(paste.text)
    if report is not None and report.failures and reads_as_report(paste.text) and not any(f.queue_id or f.recipient for f in report.failures):
        return None
    return report


def _read_text(paste: Paste) -> IntakeReport:
    return read_text(paste.text)


# A new form is one module and one line here; the first that reads the paste wins.
FORMS = (
    Form("body", _read_body),
    Form("mbox", _read_mbox),
    Form("session", _read_session),
    Form("mail", _read_mail),
    Form("quoted-mail", _read_quoted_mail),
    Form("log", _read_log),
    Form("webhook", lambda paste: read_paste(paste.data)),
    Form("exception", lambda paste: read_exception(paste.text)),
    Form("report-text", _read_report_text),
    Form("reply", _read_text),
)
