"""Amazon SES: notifications (`notificationType`) and published events (`eventType`), bare or within what SNS, SQS or EventBridge put around.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html, .../event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from whybounce.intake.webhooks.document import Value
from whybounce.intake.webhooks.event import Event, Sender, after, child, entry, first, items, word

_OTHER = {"complaint": "complaint", "delivery": "delivered"}
_PARTS = {"bounce": ("bounce", "bouncedRecipients"), "deliverydelay": ("deliveryDelay", "delayedRecipients")}


def _kind(event: dict[str, Value]) -> str:
    return (word(event, "notificationType") or word(event, "eventType")).replace(" ", "")


def _knows(event: dict[str, Value]) -> bool:
    kind = _kind(event)
    return bool(kind) and any(isinstance(event.get(name), dict) for name in ("mail", _PARTS.get(kind, (kind,))[0]))


def _read(event: dict[str, Value]) -> Iterator[Event]:
    kind = _kind(event)
    mail = entry(event, "mail")
    headers = entry(mail, "commonHeaders")
    about = Event(
        "failed",
        envelope_sender=first(mail.get("source")),
        header_from=first(*items(headers, "from")),
        message_id=first(headers.get("messageId"), mail.get("messageId")),
        subject=first(headers.get("subject")),
    )
    if kind in _PARTS:
        name, recipients = _PARTS[kind]
        part = entry(event, name)
        sort = word(part, "bounceType")
        for item in items(part, recipients):
            if isinstance(item, dict):
                delayed = kind == "deliverydelay" or word(item, "action").startswith("delay")
                yield replace(
                    about,
                    outcome="delayed" if delayed else "failed",
                    recipient=item.get("emailAddress"),
                    said=first(item.get("diagnosticCode"), part.get("delayType"), part.get("bounceSubType")),
                    status=(item.get("status"),),
                    remote_mta=after(first(part.get("remoteMtaIp")), ";"),
                    reporting_mta=after(first(part.get("reportingMTA")), ";"),
                    sent_at=first(part.get("timestamp"), mail.get("timestamp")),
                    note="Amazon SES calls this bounce transient: the address may be good." if sort == "transient" else "",
                )
        return
    if kind in ("reject", "renderingfailure"):
        said = first(child(event, "reject", "reason"), child(event, "failure", "errorMessage"))
        note = "Amazon SES itself refused this mail; no mail server was asked."
        for recipient in items(mail, "destination")[:1] or [None]:
            yield replace(about, recipient=recipient, said=said, sent_at=first(mail.get("timestamp")), note=note)
        return
    yield Event(_OTHER.get(kind, "other"))


SES = Sender("ses-notification", "Amazon SES", ("otificationType", "eventType"), _knows, _read)
