"""Courier: courierd, courieresmtp, courierlocal, courieresmtpd. The reply and the verdict stand on two lines with the same id and addr."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.logs.common import Entry, bare, between, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent

_PROGRAMS = ("courier",)
_VERDICTS = (
    ("status: failure", Event.FAILED),
    ("status: deferred", Event.DEFERRED),
    ("status: success", Event.DELIVERED),
    ("success: ", Event.DELIVERED),
)


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not Courier's."""
    if not entry.tag.startswith(_PROGRAMS):
        return None
    rest = entry.rest
    if rest.startswith("error,relay="):
        return _refusal(entry, rest)
    queue_id = between(rest + ",", "id=", ",").rstrip(":").partition(":")[0]
    if not queue_id:
        return None
    sender, recipient = between(rest, "from=<", ">"), between(rest, "addr=<", ">")
    if not recipient:
        return LogEvent("courier", Event.RECEIVED if rest.startswith("newmsg,") else Event.OTHER, entry.time, entry.host, queue_id)
    told = rest.partition("addr=<" + recipient + ">")[2].lstrip(",: ")
    if told.startswith("size="):
        size, _, told = told.partition(",")
        return _event(entry, queue_id, sender, recipient, told, number(size[5:]))
    return _event(entry, queue_id, sender, recipient, told, None)


def _event(entry: Entry, queue_id: str, sender: str, recipient: str, told: str, size: int | None) -> LogEvent:
    for mark, event in _VERDICTS:
        if told.startswith(mark):
            return LogEvent(
                "courier", event, entry.time, entry.host, queue_id, recipient=recipient, envelope_sender=sender, size=size,
                text=told if event is Event.DELIVERED else "",
            )  # fmt: skip
    code, enhanced = quick_codes(told)
    return LogEvent(
        "courier", Event.OTHER, entry.time, entry.host, queue_id, recipient=recipient, envelope_sender=sender, size=size,
        code=code, enhanced=enhanced, text=told,
    )  # fmt: skip


def _refusal(entry: Entry, rest: str) -> LogEvent:
    """`error,relay=::ffff:192.0.2.11,from=<..>,to=<..>: 513 Relaying denied.`"""
    fields, _, text = rest.partition(": ")
    code, enhanced = quick_codes(text)
    recipient = bare(between(fields, "to=<", ">"))
    return LogEvent(
        program="courier",
        event=Event.REJECTED,
        time=entry.time,
        host=entry.host,
        recipient=recipient,
        envelope_sender=between(fields, "from=<", ">"),
        client_ip=between(fields + ",", "relay=", ",").removeprefix("::ffff:"),
        code=code,
        enhanced=enhanced,
        stage=Stage.RCPT if recipient else Stage.EMPTY,
        text=text,
    )
