"""Events and errors of mail services as JSON: alone, as a list, a line each, within other JSON, a log line or a form field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote_plus

from whybounce.failure import Action, DeliveryFailure, IntakeReport, Span
from whybounce.intake.mime import MAX_TEXT, to_text
from whybounce.intake.webhooks.api import ERRORS
from whybounce.intake.webhooks.document import Text, Value, documents, unquoted
from whybounce.intake.webhooks.event import Event, Sender, failure
from whybounce.intake.webhooks.flat import BREVO, ELASTIC, MAILJET, SENDGRID
from whybounce.intake.webhooks.mailgun import MAILGUN
from whybounce.intake.webhooks.nested import MANDRILL, RESEND, SPARKPOST
from whybounce.intake.webhooks.postmark import POSTMARK
from whybounce.intake.webhooks.ses import SES

MAX_JSON = 1_000_000
"""Bytes of a paste that are read as JSON."""
MAX_EVENTS = 1000
_MAX_WITHIN = 8

# A new service is one entry; the first that knows an object reads it: the most specific first.
SENDERS: tuple[Sender, ...] = (SES, POSTMARK, SPARKPOST, RESEND, MANDRILL, MAILJET, BREVO, MAILGUN, SENDGRID, ELASTIC, *ERRORS)
_MARKS = tuple(dict.fromkeys(mark.strip('"') for sender in SENDERS for mark in sender.marks))
_OUTCOMES = {"complaint": "complaint", "delivered": "delivered", "other": "delivered"}
_SAYS = {
    "complaint": "This is a complaint event of {name}: a recipient marked the mail as spam. It was delivered.",
    "delivered": "This is a delivery event of {name}: the mail was delivered.",
    "other": "This is an event of {name} that reports no failed delivery.",
}

Read = tuple[str, Sender, Event]
"""The text that an event stands in, its sender, the event."""


def read_paste(data: bytes) -> IntakeReport | None:
    """The events in a paste; None: it is no JSON of a mail service."""
    head = data[:MAX_JSON]
    if (b"{" not in head and b"%7B" not in head) or not any(mark.encode() in head for mark in _MARKS):
        return None
    report = read_webhook(to_text(head))
    if report and len(data) > MAX_JSON:
        note = f"Only the first {MAX_JSON // 1_000_000} MB were read."
        return replace(report, notes=(*report.notes, note))
    return report


def read_within_mail(text: str) -> IntakeReport | None:
    """The events in the text of a mail, such as SNS sends; with line breaks that mail servers put into long lines."""
    if "{" not in text:
        return None
    report = read_webhook(text)
    if report is None and "!\n" in text:  # sendmail, in lines longer than 990 characters
        report = read_webhook(text.replace("!\n ", "").replace("!\n", ""))
    return report or read_webhook(text.replace("\n ", "").replace("\n", ""))


def read_webhook(text: str) -> IntakeReport | None:
    """The events in a text; the report's text is the document that they stand in, taken out of strings and form fields."""
    found: list[Read] = []
    for event in _events(_plain(text)):
        found.append(event)
        if len(found) >= MAX_EVENTS:
            break
    return _report(found) if found else None


def _plain(text: str) -> str:
    if "{" not in text[:MAX_TEXT] and "%7B%22" in text:
        return unquote_plus(text)
    if '{\\"' in text and '{"' not in text:
        return unquoted(text)
    return text


def _events(text: str) -> Iterator[Read]:
    for document in documents(text):
        yield from _within(document.value, text, 0)


def _within(value: Value, text: str, depth: int) -> Iterator[Read]:
    """The events in a value: its own, those of what it holds, those of JSON in its strings."""
    if depth > _MAX_WITHIN:
        return
    if isinstance(value, dict):
        sender = next((sender for sender in SENDERS if sender.knows(value)), None)
        if sender is not None:
            yield from ((text, sender, event) for event in sender.read(value))
            return
        for item in value.values():
            yield from _within(item, text, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, text, depth + 1)
    elif isinstance(value, Text) and value[:1] in ("{", "[") and any(mark in value for mark in _MARKS):
        inner = str(value)
        for document in documents(inner):
            yield from _within(document.value, inner, depth + 1)


def _report(found: list[Read]) -> IntakeReport:
    texts: dict[int, int] = {}  # which text -> where it begins in the report's
    shown: list[str] = []
    length = 0
    for text, _, _ in found:
        if id(text) not in texts:
            texts[id(text)] = length
            shown.append(text)
            length += len(text) + 1
    failures = []
    for text, _, event in found:
        if event.outcome in ("failed", "delayed"):
            failures.append(_moved(failure(text, event), texts[id(text)]))
    kept = _settled(failures, found)
    senders = list(dict.fromkeys(sender.name for _, sender, _ in found))
    whole = "\n".join(shown)
    if len(whole) > MAX_TEXT:  # as far as the failures go
        whole = whole[: max([MAX_TEXT, *(span.end + 200 for item in kept for span in item.spans.values())])]
    first = found[0][1]
    if kept:
        kept = [item if item.reporting_mta else replace(item, reporting_mta=first.name) for item in kept]
        return IntakeReport(first.slug, whole, tuple(kept), "", _notes(found, senders, len(kept)))
    outcome = next((event.outcome for _, _, event in found if event.outcome == "complaint"), found[0][2].outcome)
    if outcome in ("failed", "delayed"):
        outcome = "delivered"  # delayed at first
    return IntakeReport(first.slug, whole, (), _OUTCOMES[outcome], (_SAYS[outcome].format(name=first.name),))


def _moved(item: DeliveryFailure, offset: int) -> DeliveryFailure:
    if not offset:
        return item
    return replace(item, spans={name: Span(span.start + offset, span.end + offset) for name, span in item.spans.items()})


def _settled(failures: list[DeliveryFailure], found: list[Read]) -> list[DeliveryFailure]:
    """One failure for a recipient of a message: the final one; none where it was delivered after delays."""
    delivered = {
        (str(event.recipient).lower(), str(event.queue_id or event.message_id or "")) for _, _, event in found if event.outcome == "delivered"
    }
    kept: dict[tuple[str, str], DeliveryFailure] = {}
    for item in failures:
        key = (item.recipient.lower(), item.queue_id or item.message_id)
        if item.action is Action.DELAYED and (key in delivered or (key in kept and kept[key].action is Action.FAILED)):
            continue
        kept[key if all(key) else (key[0], item.text)] = item
    return list(kept.values())


def _notes(found: list[Read], senders: list[str], failures: int) -> tuple[str, ...]:
    notes = [f"This comes from {' and '.join(senders)}."]
    notes += dict.fromkeys(event.note for _, _, event in found if event.note)
    others = sum(1 for _, _, event in found if event.outcome not in ("failed", "delayed"))
    if others:
        notes.append(f"{others} of {len(found)} events report no failure.")
    if len(found) >= MAX_EVENTS:
        notes.append(f"Only the first {MAX_EVENTS} events were read.")
    return tuple(notes)
