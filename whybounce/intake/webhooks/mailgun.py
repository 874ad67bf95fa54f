"""Mailgun: webhooks (`event-data`), items of the events API, and the flat fields of the former webhooks.

https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure
"""

from __future__ import annotations

from collections.abc import Iterator

from whybounce.intake.webhooks.document import Value
from whybounce.intake.webhooks.event import Event, Sender, child, entry, first, word

_OUTCOMES = {"rejected": "failed", "bounced": "failed", "dropped": "failed", "complained": "complaint", "delivered": "delivered"}


def _knows(event: dict[str, Value]) -> bool:
    inner = entry(event, "event-data") or event
    return "event" in inner and (
        "delivery-status" in inner or "event-data" in event or "reject" in inner or ("recipient" in inner and _is_old(inner))
    )


def _is_old(event: dict[str, Value]) -> bool:
    return word(event, "event") in _OUTCOMES and ("error" in event or "description" in event or "message-headers" in event or "code" in event)


def _read(outer: dict[str, Value]) -> Iterator[Event]:
    event = entry(outer, "event-data") or outer
    status = entry(event, "delivery-status")
    headers = entry(event, "message", "headers")
    outcome = _OUTCOMES.get(word(event, "event"), "other")
    if word(event, "event") == "failed":
        outcome = "delayed" if word(event, "severity") == "temporary" else "failed"
    reason = word(event, "reason")
    yield Event(
        outcome,
        recipient=first(event.get("recipient"), headers.get("to")),
        said=first(
            status.get("message"),
            status.get("description"),
            child(event, "reject", "reason"),
            child(event, "reject", "description"),
            event.get("error"),
            event.get("description"),
            event.get("reason"),
        ),
        status=(status.get("code"), status.get("enhanced-code"), event.get("code")),
        remote_mta=first(status.get("mx-host")),
        sending_ip=first(child(event, "envelope", "sending-ip")),
        envelope_sender=first(child(event, "envelope", "sender")),
        header_from=first(headers.get("from")),
        message_id=first(headers.get("message-id"), event.get("Message-Id")),
        subject=first(headers.get("subject")),
        sent_at=first(event.get("timestamp")),
        note="Mailgun did not try to deliver: the address is on its suppression list." if reason.startswith("suppress") else "",
    )


MAILGUN = Sender("mailgun-event", "Mailgun", ("event-data", "delivery-status", "recipient"), _knows, _read)
