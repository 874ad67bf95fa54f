"""A report of failed delivery, from its fields and its explanation together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from whybounce.failure import DeliveryFailure, IntakeReport, Span
from whybounce.intake.addresses import find_address
from whybounce.intake.dsn import Notification, read_notification
from whybounce.intake.forwarded import behind_forwarding
from whybounce.intake.kinds import other_kind, waiting_kind
from whybounce.intake.mail import Mail, read_message
from whybounce.intake.original import Original, read_original
from whybounce.intake.page import Page, Part
from whybounce.intake.prose import read_prose
from whybounce.intake.reply import code_notes
from whybounce.intake.sections import refine
from whybounce.intake.signs import from_daemon, is_report

_REPORT_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status", "message/feedback-report"))
_TNEF = "A part of it is a winmail.dat (TNEF), which only Outlook opens: save the mail from Outlook as .msg, or copy its text, and paste that."

Completed = tuple[DeliveryFailure, dict[str, Any], dict[str, Span | None]]
"""What the fields say; what the explanation changes of it, and where that stands."""


def read_mail(mail: Mail, depth: int = 0) -> IntakeReport:
    """The failures of one e-mail; where it reports none, its kind. A bounce that it carries as an attachment counts."""
    page, headers = mail.page, mail.headers
    if not from_daemon(headers.get("from", "")):
        page, forwarded = behind_forwarding(page)
        headers = {**headers, **forwarded}
    page = refine(page)
    notification = read_notification(page)
    waiting = waiting_kind(mail) if not notification.failures and not mail.types & _REPORT_TYPES else None
    if waiting is not None:
        return IntakeReport("mail", page.text, (), waiting[0], (waiting[1],))
    if notification.failures or is_report(mail):
        if not notification.failures and notification.succeeded:
            return _delivered(page, notification)
        if "message/feedback-report" not in mail.types:
            report = read_page(page, notification, headers)
            told = any("recipient" in failure.spans for failure in report.failures)
            if not told and depth < 2:
                report = _carried(mail, depth, only_reports=True) or report
            if report.failures:
                return _marked(report)
    kind, note = other_kind(mail)
    carried = _carried(mail, depth) if kind == "ordinary-mail" and depth < 2 else None
    notes = (note, _TNEF) if "application/ms-tnef" in mail.types else (note,)
    return carried or IntakeReport("mail", page.text, (), kind, notes)


def _marked(report: IntakeReport) -> IntakeReport:
    """The report, with the recipients that only a header named marked where they stand."""
    if all("recipient" in failure.spans for failure in report.failures):
        return report
    return replace(report, failures=tuple(_recipient_marked(failure, report.text) for failure in report.failures))


def _recipient_marked(failure: DeliveryFailure, text: str) -> DeliveryFailure:
    at = text.find(failure.recipient) if failure.recipient and "recipient" not in failure.spans else -1
    return replace(failure, spans={**failure.spans, "recipient": Span(at, at + len(failure.recipient))}) if at >= 0 else failure


def _carried(mail: Mail, depth: int, only_reports: bool = False) -> IntakeReport | None:
    """The first bounce among the mails that this one carries: somebody forwarded it, or a gateway wrapped it."""
    for attached in mail.attached[:10]:
        if only_reports and attached.kind != "multipart/report":
            continue
        inner = read_mail(read_message(attached), depth + 1)
        if inner.failures:
            return inner
    return None


def _delivered(page: Page, notification: Notification) -> IntakeReport:
    count = f"{notification.succeeded} recipients" if notification.succeeded > 1 else "the recipient"
    note = f"This notification (RFC 3464) says that the mail was delivered or handed on for {count}. Nothing failed."
    return IntakeReport("dsn", page.text, (), "delivered", (note,))


def read_page(page: Page, notification: Notification, headers: dict[str, str]) -> IntakeReport:
    """The failures of a report's page; `headers` are the report's own (empty where only its text was pasted)."""
    original = read_original(page)
    failed = headers.get("x-failed-recipients", "")
    fallback = _addresses(failed) or original.to
    senders = frozenset(address.lower() for name in ("from", "to", "reply-to", "return-path") for address in _addresses(headers.get(name, ""))) | {
        original.header_from.lower(),
        original.envelope_sender.lower(),
    }
    told = read_prose(page, senders, fallback)
    found: list[Completed] = [(failure, {}, {}) for failure in told]
    if notification.failures:
        found = _merged(notification.failures, told, _addresses(failed))
    shared, place = _shared(notification, original, headers, page)
    filled = tuple(
        _filled(failure, {**shared, **changes}, spans, place)
        for failure, changes, spans in found
        if changes.get("recipient", failure.recipient) or changes.get("text", failure.text)
    )
    notes = tuple(dict.fromkeys(note for failure in filled for note in code_notes(failure)))
    return IntakeReport("dsn" if notification.failures else "bounce-mail", page.text, filled, "", notes)


def _merged(noted: tuple[DeliveryFailure, ...], told: list[DeliveryFailure], failed: tuple[str, ...]) -> list[Completed]:
    by_address = {failure.recipient.lower(): failure for failure in told}
    merged: list[Completed] = []
    for number, failure in enumerate(noted):
        other = by_address.get(failure.recipient.lower()) or by_address.get(failure.original_recipient.lower())
        if other is None and len(told) == len(noted):
            other = told[number]
        changes, spans = _completed(failure, other) if other else ({}, {})
        if not failure.recipient and len(noted) == 1 and failed:
            changes["recipient"] = failed[0]
            spans.pop("recipient", None)
        merged.append((failure, changes, spans))
    return merged


def _completed(noted: DeliveryFailure, told: DeliveryFailure) -> tuple[dict[str, Any], dict[str, Span | None]]:
    """What the explanation adds to the fields' facts: the reply where the fields have none, the stage, the host."""
    taken: list[str] = []
    takes_reply = not noted.text or (noted.code is None and told.code is not None)
    if noted.text[3:4] == "-" and told.text.startswith(noted.text):  # sendmail notes the first line alone
        takes_reply = True
    expired = _expired(noted.enhanced) and noted.code and told.code and not _expired(told.enhanced)
    if expired:  # the queue's verdict; the last refusal is the cause
        takes_reply = True
        taken += ["code", "enhanced"]
    wanted = ["stage", "remote_mta", "sending_ip", "message_size", "recipient"]
    if takes_reply and told.text:
        taken.append("text")
        wanted.append("code")
        if told.enhanced and (noted.enhanced is None or noted.enhanced.endswith(".0.0")):
            taken.append("enhanced")
    taken += [name for name in wanted if not getattr(noted, name) and getattr(told, name)]
    return {name: getattr(told, name) for name in taken}, {name: told.spans.get(name) for name in taken}


def _expired(enhanced: str | None) -> bool:
    """X.4.7, "delivery time expired" (RFC 3463 section 3.5)."""
    return enhanced is not None and enhanced.endswith(".4.7")


def _shared(notification: Notification, original: Original, headers: Mapping[str, str], page: Page) -> tuple[dict[str, Any], Span | None]:
    """What all failures of a report have in common, and where the envelope sender stands."""
    sender, span = notification.envelope_sender, notification.sender_span
    if not sender:
        sender, span = original.envelope_sender, original.sender_span
    if not sender:
        sender, span = _report_to(headers, page)
    return {
        "envelope_sender": sender,
        "header_from": original.header_from,
        "message_id": original.message_id,
        "subject": original.subject,
        "queue_id": notification.queue_id,
        "reporting_mta": notification.reporting_mta,
        "sent_at": notification.arrival or headers.get("date", ""),
    }, span if sender else None


def _filled(failure: DeliveryFailure, changes: dict[str, Any], places: Mapping[str, Span | None], sender: Span | None) -> DeliveryFailure:
    spans = dict(failure.spans)
    for name, span in places.items():
        if span is not None:
            spans[name] = span
        elif name not in ("code", "enhanced"):
            spans.pop(name, None)
    if sender is not None:
        spans["envelope_sender"] = sender
    for name in ("envelope_sender", "reporting_mta", "sent_at"):
        changes[name] = getattr(failure, name) or changes[name]
    return replace(failure, spans=spans, **changes)


def _report_to(headers: Mapping[str, str], page: Page) -> tuple[str, Span | None]:
    """A report goes to the envelope sender (RFC 5321 section 4.5.5), so a single To names it."""
    addresses = _addresses(headers.get("to", ""))
    if not from_daemon(headers.get("from", "")) and headers.get("return-path") != "<>":  # somebody forwarded it
        return "", None
    if len(addresses) != 1:
        return "", None
    for section in page.of(Part.HEAD):
        at = page.text.find("To: ", section.start, section.end)
        place = page.text.find(addresses[0], at, section.end) if at >= 0 else -1
        if place >= 0:
            return addresses[0], Span(place, place + len(addresses[0]))
    return addresses[0], None


def _addresses(value: str) -> tuple[str, ...]:
    found: list[str] = []
    at = 0
    while len(found) < 100:
        place = find_address(value, at, len(value))
        if place is None:
            break
        found.append(value[slice(*place)])
        at = place[1]
    return tuple(dict.fromkeys(found))
