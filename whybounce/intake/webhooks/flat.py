"""Services whose event is one flat object: SendGrid, Mailjet, Brevo, Elastic Email.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event, https://dev.mailjet.com/email/guides/webhooks/,
https://developers.brevo.com/docs/transactional-webhooks, https://help.elasticemail.com/en/articles/2376855
"""

from __future__ import annotations

from collections.abc import Iterator

from whybounce.intake.webhooks.document import Value
from whybounce.intake.webhooks.event import Event, Sender, first, word

_SENDGRID = {"bounce": "failed", "blocked": "failed", "dropped": "failed", "deferred": "delayed", "delivered": "delivered", "spamreport": "complaint"}
_MAILJET = {"bounce": "failed", "blocked": "failed", "spam": "complaint", "sent": "delivered"}
_BREVO = {
    "hard_bounce": "failed", "soft_bounce": "failed", "blocked": "failed", "invalid_email": "failed", "invalid": "failed", "error": "failed",
    "deferred": "delayed", "delivered": "delivered", "spam": "complaint", "complaint": "complaint",
}  # fmt: skip


def _is_sendgrid(event: dict[str, Value]) -> bool:
    if "sg_message_id" in event or "sg_event_id" in event or "smtp-id" in event:
        return "event" in event
    return ("created" in event and "reason" in event and "email" in event) or (
        word(event, "event") in _SENDGRID and "email" in event and ("reason" in event or "response" in event) and "message-id" not in event
    )


def _sendgrid(event: dict[str, Value]) -> Iterator[Event]:
    outcome = _SENDGRID.get(word(event, "event"), "other") if "event" in event else "failed"
    notes = {
        "dropped": "SendGrid dropped this mail itself and asked no mail server.",
        "blocked": "SendGrid calls this a block: the mail was refused, the address may be good.",
    }
    yield Event(
        outcome,
        recipient=event.get("email"),
        said=first(event.get("reason"), event.get("response"), event.get("bounce_classification")),
        status=(event.get("status"),),
        sending_ip=first(event.get("ip")),
        message_id=first(event.get("smtp-id")),
        queue_id=first(event.get("sg_message_id")),
        sent_at=first(event.get("timestamp"), event.get("created")),
        note=notes.get("blocked" if word(event, "type") == "blocked" else word(event, "event"), ""),
    )


def _is_mailjet(event: dict[str, Value]) -> bool:
    return "event" in event and ("mj_campaign_id" in event or "mj_contact_id" in event or ("MessageID" in event and "email" in event))


def _mailjet(event: dict[str, Value]) -> Iterator[Event]:
    yield Event(
        _MAILJET.get(word(event, "event"), "other"),
        recipient=event.get("email"),
        said=first(event.get("comment"), event.get("error")),
        queue_id=first(event.get("MessageID")),
        sent_at=first(event.get("time")),
        note="Mailjet blocked this mail itself: no mail server was asked." if word(event, "event") == "blocked" else "",
    )


def _is_brevo(event: dict[str, Value]) -> bool:
    return "event" in event and "email" in event and ("message-id" in event or "ts_epoch" in event or "ts_event" in event)


def _brevo(event: dict[str, Value]) -> Iterator[Event]:
    yield Event(
        _BREVO.get(word(event, "event"), "other"),
        recipient=event.get("email"),
        said=first(event.get("reason"), event.get("event")),
        sending_ip=first(event.get("sending_ip")),
        envelope_sender=first(event.get("sender_email")),
        message_id=first(event.get("message-id")),
        subject=first(event.get("subject")),
        sent_at=first(event.get("date"), event.get("ts_event"), event.get("ts")),
        note="Brevo blocked this mail itself: no mail server was asked." if word(event, "event") == "blocked" else "",
    )


def _is_elastic(event: dict[str, Value]) -> bool:
    return "status" in event and "category" in event and "transaction" in event


def _elastic(event: dict[str, Value]) -> Iterator[Event]:
    outcome = {"error": "failed", "bounced": "failed", "abusereport": "complaint", "sent": "delivered"}.get(word(event, "status"), "other")
    yield Event(
        outcome,
        recipient=first(event.get("to")),
        said=first(event.get("message"), event.get("category")),
        header_from=first(event.get("from")),
        message_id=first(event.get("messageid")),
        subject=first(event.get("subject")),
        sent_at=first(event.get("date")),
    )


SENDGRID = Sender(
    "sendgrid-event", "SendGrid", ("sg_message_id", "sg_event_id", "smtp-id", '"created"', '"reason"', '"response"'), _is_sendgrid, _sendgrid
)
MAILJET = Sender("mailjet-event", "Mailjet", ("mj_campaign_id", "mj_contact_id", "MessageID"), _is_mailjet, _mailjet)
BREVO = Sender("brevo-event", "Brevo", ("message-id", "ts_epoch", "ts_event"), _is_brevo, _brevo)
ELASTIC = Sender("elastic-email-event", "Elastic Email", ("transaction",), _is_elastic, _elastic)
