"""Postmark: webhooks (`RecordType`) and entries of the bounce API.

https://postmarkapp.com/developer/webhooks/bounce-webhook, https://postmarkapp.com/developer/api/bounce-api
"""

from __future__ import annotations

from collections.abc import Iterator

from whybounce.intake.webhooks.document import Value
from whybounce.intake.webhooks.event import Event, Sender, first, word

# Bounce types that are no failure, and those after which Postmark tries again.
_TYPES = {"autoresponder": "other", "spamcomplaint": "complaint", "subscribe": "other", "unsubscribe": "other", "transient": "delayed"}
_RECORDS = {"delivery": "delivered", "spamcomplaint": "complaint"}


def _knows(event: dict[str, Value]) -> bool:
    return "RecordType" in event or ("TypeCode" in event and "Email" in event)


def _read(event: dict[str, Value]) -> Iterator[Event]:
    record = word(event, "RecordType") or "bounce"
    outcome = _RECORDS.get(record, "other")
    if record == "bounce":
        outcome = _TYPES.get(word(event, "Type"), "failed")
    yield Event(
        outcome,
        recipient=first(event.get("Email"), event.get("Recipient")),
        said=first(event.get("Details"), event.get("Description")),
        header_from=first(event.get("From")),
        queue_id=first(event.get("MessageID")),
        subject=first(event.get("Subject")),
        sent_at=first(event.get("BouncedAt")),
    )


POSTMARK = Sender("postmark-event", "Postmark", ("RecordType", "TypeCode"), _knows, _read)
