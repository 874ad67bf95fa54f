"""Logs of one JSON object a line: KumoMTA, Halon and alike; journald's and Docker's JSON around the line of another program."""

from __future__ import annotations

import json
from typing import Any

from whybounce.intake.logs.common import Entry, bare, quick_codes, split_entry
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.stages import command_stage

LONGEST = 100_000
# KumoMTA, "Log record": record types.
_KUMOMTA = {
    "Reception": Event.RECEIVED,
    "Delivery": Event.DELIVERED,
    "Bounce": Event.FAILED,
    "AdminBounce": Event.FAILED,
    "OOB": Event.FAILED,
    "TransientFailure": Event.DEFERRED,
    "Expiration": Event.EXPIRED,
    "Rejection": Event.REJECTED,
    "Delayed": Event.OTHER,
}
_ACTIONS = {
    "delivered": Event.DELIVERED,
    "deliver": Event.DELIVERED,
    "sent": Event.DELIVERED,
    "bounced": Event.FAILED,
    "bounce": Event.FAILED,
    "failed": Event.FAILED,
    "fail": Event.FAILED,
    "deferred": Event.DEFERRED,
    "defer": Event.DEFERRED,
    "retry": Event.DEFERRED,
    "queued": Event.RECEIVED,
    "reject": Event.REJECTED,
    "rejected": Event.REJECTED,
    "expired": Event.EXPIRED,
}


def load(line: str) -> dict[str, Any] | None:
    """The object of a line, None where it is none."""
    if line[:1] != "{" or len(line) > LONGEST or line.rstrip()[-1:] != "}":
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def wrapped(record: dict[str, Any]) -> Entry | None:
    """The line that journald (`journalctl -o json`) or Docker (json-file) put into an object."""
    message = record.get("MESSAGE")
    if isinstance(message, str) and ("SYSLOG_IDENTIFIER" in record or "_HOSTNAME" in record):
        tag = _string(record, "SYSLOG_IDENTIFIER") or _string(record, "_COMM")
        stamp = _string(record, "SYSLOG_TIMESTAMP").strip() or _string(record, "__REALTIME_TIMESTAMP")
        return Entry(stamp, _string(record, "_HOSTNAME"), tag, message)
    message = record.get("log")
    if isinstance(message, str) and "stream" in record:
        entry = split_entry(message.rstrip("\n"))
        return entry if entry.time else entry._replace(time=_string(record, "time"))
    return None


def parse(record: dict[str, Any]) -> LogEvent | None:
    """The event of a record; None for an object that is no record of a mail server."""
    kind = _string(record, "type")
    if kind in _KUMOMTA and "recipient" in record and ("response" in record or "queue" in record):
        return _kumomta(record, _KUMOMTA[kind])
    return _halon(record)


def _kumomta(record: dict[str, Any], event: Event) -> LogEvent:
    response = record.get("response")
    reply = response if isinstance(response, dict) else {}
    parts = reply.get("enhanced_code")
    enhanced = ".".join(str(parts.get(name, "")) for name in ("class", "subject", "detail")) if isinstance(parts, dict) else ""
    said = _string(reply, "content")
    code = _string(reply, "code")
    peer = record.get("peer_address")
    host = peer if isinstance(peer, dict) else {}
    recipients = _strings(record, "recipient")
    refused = event is Event.REJECTED
    return LogEvent(
        program="kumomta",
        event=event,
        time=_string(record, "event_time") or _string(record, "timestamp"),
        host=_string(record, "reception_host") or _string(record, "nodename"),
        queue_id=_string(record, "id"),
        recipient=recipients[0],
        more_recipients=tuple(recipients[1:100]),
        envelope_sender=bare(_string(record, "sender")),
        remote_mta="" if refused else _string(host, "name").rstrip("."),
        remote_ip="" if refused else _string(host, "addr"),
        client_ip=_string(host, "addr") if refused else "",
        code=code if len(code) == 3 and code.isdigit() else None,
        enhanced=enhanced or None,
        stage=command_stage(_string(reply, "command")),
        text=" ".join(word for word in (code, enhanced, said) if word) if said else "",
        size=record["size"] if isinstance(record.get("size"), int) else None,
    )


def _halon(record: dict[str, Any]) -> LogEvent | None:
    """Halon's hooks write what the operator chose; these are the names of its own fields and the usual ones."""
    names = {"".join(letter for letter in key.lower() if letter.isalnum()): value for key, value in list(record.items())[:200]}
    queue_id = _first(names, "transactionid", "queueid")
    event = _ACTIONS.get(_first(names, "action", "status", "event", "state", "result").lower())
    recipient = _first(names, "recipientaddress", "recipient", "rcpt", "rcptto")
    if not queue_id or event is None or "@" not in recipient:
        return None
    text = _first(names, "reason", "response", "reply", "text", "errormsg", "error")
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="halon",
        event=event,
        time=_first(names, "time", "timestamp", "ts", "date"),
        host=_first(names, "hostname", "systemid"),
        queue_id=queue_id,
        recipient=bare(recipient),
        envelope_sender=bare(_first(names, "senderaddress", "sender", "mailfrom")),
        remote_mta=_first(names, "remotemx", "remotehost", "mx"),
        remote_ip=_first(names, "remoteip"),
        client_ip=_first(names, "senderip", "clientip"),
        code=code,
        enhanced=enhanced,
        text=text,
        message_id=_first(names, "messageid"),
    )


def _first(names: dict[str, Any], *wanted: str) -> str:
    return next((found for name in wanted if (found := _string(names, name))), "")


def _string(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _strings(record: dict[str, Any], name: str) -> list[str]:
    value = record.get(name)
    found = [bare(item) for item in value if isinstance(item, str)] if isinstance(value, list) else [bare(_string(record, name))]
    return found or [""]
