"""Haraka: `[NOTICE] [UUID.1.1] [outbound] recipient <..> rejected: 550 ...`; UUID.1 is the transaction, UUID.1.1 its first delivery."""

from __future__ import annotations

from whybounce.intake.logs.common import Entry, bare, between, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent

_LEVELS = ("[DATA]", "[PROTOCOL]", "[DEBUG]", "[INFO]", "[NOTICE]", "[WARN]", "[ERROR]", "[CRIT]", "[ALERT]", "[EMERG]")


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not Haraka's."""
    rest = entry.rest
    at = rest.find("[") if rest[:1] == "[" or entry.tag == "haraka" or rest[:10].startswith("haraka") else -1
    if at < 0 or not rest.startswith(_LEVELS, at):
        return None
    parts = rest[at:].split(" ", 3)
    if len(parts) < 4 or parts[2][:1] != "[":
        return None
    unique = parts[1].strip("[]")
    if len(unique) < 36 or unique[8] != "-":
        return LogEvent("haraka", Event.OTHER, entry.time, entry.host)
    words = unique.split(".")
    queue_id, delivery = ".".join(words[:2]), ".".join(words[2:])
    told = parts[3].strip()
    return _outbound(entry, queue_id, delivery, told) if parts[2] == "[outbound]" else _inbound(entry, queue_id, told)


def _outbound(entry: Entry, queue_id: str, delivery: str, told: str) -> LogEvent:
    recipient = text = ""
    event = Event.OTHER
    if told.startswith("recipient <"):
        recipient = between(told, "<", ">")
        verdict, _, text = told[len(recipient) + 12 :].strip().partition(": ")
        event = Event.FAILED if verdict == "rejected" else Event.DEFERRED if verdict == "deferred" else Event.OTHER
    elif told.startswith("bouncing mail: ") and "Some recipients failed" not in told:
        text = told[15:]
        event = Event.FAILED
        if text.startswith("Too many failures"):
            event, text = Event.EXPIRED, text[18:].strip("()").removeprefix("Upstream error: ")
    elif told.startswith("Temp failing ") and "Some recipients temp failed" not in told:
        text = told.partition(" seconds: ")[2].removeprefix("Upstream error: ")
        event = Event.DEFERRED
    elif told.startswith("delivered "):
        return LogEvent(
            "haraka", Event.DELIVERED, entry.time, entry.host, queue_id, delivery, "@" + between(told, "domain=", " "),
            remote_mta=between(told, " host=", " ").strip('"'), remote_ip=between(told, " ip=", " "), text=between(told, 'response="', '"'),
        )  # fmt: skip
    elif told.startswith(("Failed to get socket: ", "Remote end ")):
        text = told
    code, enhanced = quick_codes(text)
    return LogEvent("haraka", event, entry.time, entry.host, queue_id, delivery, recipient, code=code, enhanced=enhanced, text=text)


def _inbound(entry: Entry, queue_id: str, told: str) -> LogEvent:
    if told.startswith("recipient <"):
        sender = bare(told.rpartition(" sender=")[2].strip('"'))
        return LogEvent("haraka", Event.OTHER, entry.time, entry.host, queue_id, recipient=between(told, "<", ">"), envelope_sender=sender)
    if told.startswith("sender <"):
        return LogEvent("haraka", Event.OTHER, entry.time, entry.host, queue_id, envelope_sender=between(told, "<", ">"))
    if told.startswith("message "):
        size = number(between(told, " size=", " "))
        return LogEvent("haraka", Event.RECEIVED, entry.time, entry.host, queue_id, message_id=between(told, "mid=", " "), size=size)
    if told.startswith("disconnect "):
        text = between(told, 'lr="', '"')
        code, enhanced = quick_codes(text)
        refused = code is not None and code[0] in "45"
        client = between(told, " rdns=", " ")
        return LogEvent(
            "haraka", Event.REJECTED if refused else Event.OTHER, entry.time, entry.host, queue_id,
            client="" if client == "Unknown" else client, client_ip=between(told, " ip=", " "), helo=between(told, " helo=", " ").strip('"'),
            code=code, enhanced=enhanced, text=text if refused else "",
        )  # fmt: skip
    return LogEvent("haraka", Event.OTHER, entry.time, entry.host, queue_id)
