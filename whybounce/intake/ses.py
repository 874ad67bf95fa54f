"""Amazon SES notifications: JSON in a mail from SNS, or pasted alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from whybounce.failure import Action, DeliveryFailure, IntakeReport, Span
from whybounce.intake.facts import Facts, read_facts
from whybounce.intake.page import trim

_KINDS = {
    "complaint": ("complaint", "This is a complaint notification of Amazon SES: a recipient marked the mail as spam. It was delivered."),
    "delivery": ("delivered", "This is a delivery notification of Amazon SES: the mail was delivered."),
}


def read_notification(text: str) -> IntakeReport | None:
    """The bounce in an SES notification (`notificationType` or `eventType`), bare or within an SNS envelope; None: no such JSON."""
    if "otificationType" not in text and "eventType" not in text:
        return None
    event = _event(text)
    if event is None:
        return None
    kind = str(event.get("notificationType") or event.get("eventType") or "").lower()
    if kind in _KINDS:
        name, note = _KINDS[kind]
        return IntakeReport("ses-notification", text, (), name, (note,))
    bounce = event.get("bounce")
    if not isinstance(bounce, dict):
        return None
    recipients = bounce.get("bouncedRecipients")
    mail = event.get("mail")
    failures = [
        _failure(text, item, bounce, mail if isinstance(mail, dict) else {})
        for item in (recipients if isinstance(recipients, list) else [])[:1000]
        if isinstance(item, dict)
    ]
    return IntakeReport("ses-notification", text, tuple(failures)) if failures else None


def _event(text: str) -> dict[str, Any] | None:
    for candidate in _candidates(text):
        opening = candidate.find("{")
        if opening < 0:
            continue
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(candidate, opening)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("Message"), str):
            try:
                value = json.loads(value["Message"], strict=False)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            return value
    return None


def _candidates(text: str) -> Iterator[str]:
    """The text as it is; then without the "!" line breaks that sendmail puts into lines longer than 990 characters."""
    yield text
    if "!\n" in text:
        yield text.replace("!\n ", "").replace("!\n", "")
    yield text.replace("\n ", "").replace("\n", "")


def _failure(text: str, item: dict[str, Any], bounce: dict[str, Any], mail: dict[str, Any]) -> DeliveryFailure:
    recipient = str(item.get("emailAddress") or "")
    diagnostic = str(item.get("diagnosticCode") or "")
    said = diagnostic.partition(";")[2].strip() if diagnostic.lower().startswith(("smtp;", "x-")) else diagnostic
    facts = read_facts(said, *trim(said, 0, len(said))) if said else Facts()
    status = str(item.get("status") or "") or None
    common = mail.get("commonHeaders")
    headers = common if isinstance(common, dict) else {}
    sources = headers.get("from")
    values = {"recipient": recipient, "code": facts.code or "", "enhanced": facts.enhanced or status or "", "text": facts.text}
    return DeliveryFailure(
        text=facts.text,
        recipient=recipient,
        action=Action.DELAYED if str(item.get("action")).lower().startswith("delay") else Action.FAILED,
        code=facts.code,
        enhanced=facts.enhanced or status,
        stage=facts.stage,
        remote_mta=facts.remote_mta or _typed(bounce.get("remoteMtaIp")),
        reporting_mta=_typed(bounce.get("reportingMTA")),
        sending_ip=facts.sending_ip,
        envelope_sender=str(mail.get("source") or ""),
        header_from=str(sources[0]) if isinstance(sources, list) and sources else "",
        message_id=str(headers.get("messageId") or mail.get("messageId") or ""),
        subject=str(headers.get("subject") or ""),
        sent_at=str(bounce.get("timestamp") or ""),
        spans=_spans(text, values),
    )


def _typed(value: object) -> str:
    return str(value or "").rpartition(";")[2].strip()


def _spans(text: str, values: dict[str, str]) -> dict[str, Span]:
    """Where the values stand as written; escapes and broken lines may hide one."""
    spans = {}
    anchor = text.find("diagnosticCode")
    for name, value in values.items():
        at = text.find(value, anchor if name != "recipient" and anchor >= 0 else 0) if value else -1
        if at >= 0:
            spans[name] = Span(at, at + len(value))
    return spans
