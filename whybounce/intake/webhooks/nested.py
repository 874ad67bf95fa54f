"""Services whose event holds the message in an object of its own: SparkPost, Mandrill, Resend.

https://developers.sparkpost.com/api/webhooks/, https://mailchimp.com/developer/transactional/docs/webhooks/,
https://resend.com/docs/dashboard/webhooks/event-types
"""

from __future__ import annotations

from collections.abc import Iterator

from whybounce.intake.webhooks.document import Value
from whybounce.intake.webhooks.event import Event, Sender, child, entry, first, items, word

_SPARKPOST = {
    "bounce": "failed", "out_of_band": "failed", "policy_rejection": "failed", "generation_failure": "failed", "generation_rejection": "failed",
    "delay": "delayed", "delivery": "delivered", "spam_complaint": "complaint",
}  # fmt: skip
_MANDRILL = {
    "hard_bounce": "failed", "soft_bounce": "failed", "reject": "failed", "deferral": "delayed", "send": "delivered", "delivered": "delivered",
    "spam": "complaint",
}  # fmt: skip
_RESEND = {
    "email.bounced": "failed", "email.failed": "failed", "email.suppressed": "failed", "email.delivery_delayed": "delayed",
    "email.delivered": "delivered", "email.complained": "complaint",
}  # fmt: skip


def _is_sparkpost(event: dict[str, Value]) -> bool:
    return isinstance(event.get("msys"), dict) or ("rcpt_to" in event and "type" in event and ("raw_reason" in event or "error_code" in event))


def _sparkpost(event: dict[str, Value]) -> Iterator[Event]:
    inner = next((value for value in entry(event, "msys").values() if isinstance(value, dict)), event)
    kind = word(inner, "type")
    yield Event(
        _SPARKPOST.get(kind, "other"),
        recipient=first(inner.get("raw_rcpt_to"), inner.get("rcpt_to")),
        said=first(inner.get("raw_reason"), inner.get("reason")),
        status=(inner.get("error_code"),),
        remote_mta=first(inner.get("ip_address")),
        sending_ip=first(inner.get("sending_ip")),
        envelope_sender=first(inner.get("msg_from")),
        header_from=first(inner.get("friendly_from")),
        queue_id=first(inner.get("message_id")),
        subject=first(inner.get("subject")),
        sent_at=first(inner.get("timestamp")),
        note="SparkPost itself refused this mail; no mail server was asked." if kind in ("policy_rejection", "generation_rejection") else "",
    )


def _is_mandrill(event: dict[str, Value]) -> bool:
    return ("event" in event and isinstance(event.get("msg"), dict)) or ("reject_reason" in event and "email" in event and "status" in event)


def _mandrill(event: dict[str, Value]) -> Iterator[Event]:
    """An event, or an entry of the API's answer to a sent mail, which has `reject_reason`."""
    note = "Mandrill did not try to deliver: the address is on its rejection list, or the mail breaks a rule of Mandrill's."
    if "reject_reason" in event:
        rejected = word(event, "status") in ("rejected", "invalid")
        yield Event(
            "failed" if rejected else "other", recipient=event.get("email"), said=first(event.get("reject_reason"), event.get("status")), note=note
        )
        return
    message = entry(event, "msg")
    last = next((item for item in reversed(items(message, "smtp_events")) if isinstance(item, dict)), {})
    kind = word(event, "event")
    yield Event(
        _MANDRILL.get(kind, "other"),
        recipient=message.get("email"),
        said=first(
            message.get("diag"), child(last, "diag"), child(message, "reject", "reason"), message.get("bounce_description"), message.get("state")
        ),
        sending_ip=first(child(last, "source_ip")),
        remote_mta=first(child(last, "destination_ip")),
        header_from=first(message.get("sender")),
        queue_id=first(message.get("_id")),
        subject=first(message.get("subject")),
        sent_at=first(event.get("ts"), message.get("ts")),
        note=note if kind == "reject" else "",
    )


def _is_resend(event: dict[str, Value]) -> bool:
    return word(event, "type").startswith("email.") and isinstance(event.get("data"), dict)


def _resend(event: dict[str, Value]) -> Iterator[Event]:
    kind = word(event, "type")
    data = entry(event, "data")
    bounce = entry(data, "bounce")
    said = first(
        *items(bounce, "diagnosticCode"),
        bounce.get("message"),
        child(data, "failed", "reason"),
        child(data, "suppressed", "message"),
        bounce.get("subType"),
    )
    for recipient in items(data, "to") or [None]:
        yield Event(
            _RESEND.get(kind, "other"),
            recipient=recipient,
            said=said,
            header_from=first(data.get("from")),
            queue_id=first(data.get("email_id")),
            message_id=first(data.get("message_id")),
            subject=first(data.get("subject")),
            sent_at=first(event.get("created_at"), data.get("created_at")),
            note="Resend calls this bounce transient: the address may be good." if word(bounce, "type") == "transient" else "",
        )


SPARKPOST = Sender("sparkpost-event", "SparkPost", ("msys", "rcpt_to"), _is_sparkpost, _sparkpost)
MANDRILL = Sender("mandrill-event", "Mandrill (Mailchimp Transactional)", ('"msg"', "reject_reason"), _is_mandrill, _mandrill)
RESEND = Sender("resend-event", "Resend", ('"email.',), _is_resend, _resend)
