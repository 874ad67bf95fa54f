"""Postfix: smtp(8), lmtp(8), local(8), virtual(8), pipe(8), error(8), bounce(8), qmgr(8), cleanup(8), smtpd(8), postscreen(8)."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.logs.common import Entry, between, host_and_ip, is_enhanced, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.stages import command_stage

_STATUS = {
    "sent": Event.DELIVERED,
    "bounced": Event.FAILED,
    "deferred": Event.DEFERRED,
    "undeliverable": Event.FAILED,  # postmap -q, sendmail -bv and address verification
    "deliverable": Event.OTHER,
    "expired": Event.EXPIRED,
    "force-expired": Event.EXPIRED,
}
_REJECTS = ("reject: ", "milter-reject: ", "reject_warning: ", "discard: ", "milter-discard: ", "hold: ", "warn: ")
_CONTENT = ("header ", "body ", "mime-header ", "nested-header ")
# What a delivery agent notes of a server before it tries the next one.
_LOOSE = ("host ", "connect to ", "lost connection with ", "conversation with ", "SSL_connect error to ", "Cannot start TLS")


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not Postfix's. `entry.tag` may be empty: a line copied without its prefix."""
    rest = entry.rest
    if not entry.tag and not _plain(rest):
        return None
    colon = rest.find(": ", 0, 24)
    queue_id = rest[:colon] if colon > 0 and _is_queue_id(rest[:colon]) else ""
    at = colon + 2 if queue_id else 0
    if queue_id and rest.startswith("to=<", at):
        return _delivery(entry, queue_id, rest, at)
    if queue_id == "NOQUEUE" or (queue_id and rest.startswith(_REJECTS, at)):
        return _reject(entry, "" if queue_id == "NOQUEUE" else queue_id, rest, at)
    if queue_id:
        return _about(entry, queue_id, rest, at)
    if rest.startswith(_LOOSE):
        code, enhanced = quick_codes(rest)
        return LogEvent("postfix", Event.OTHER, entry.time, entry.host, text=rest, code=code, enhanced=enhanced)
    if entry.tag.startswith("postfix"):
        return LogEvent("postfix", Event.OTHER, entry.time, entry.host)
    return None


def _plain(rest: str) -> bool:
    return (", status=" in rest and "to=<" in rest) or rest.startswith("NOQUEUE: ") or (": reject: " in rest and "to=<" in rest)


def _is_queue_id(word: str) -> bool:
    """Hexadecimal, or with enable_long_queue_ids letters and digits without vowels."""
    return (word.isalnum() and word.isascii() and len(word) >= 6 and not word.islower()) or word == "NOQUEUE"


def _delivery(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent | None:
    close = rest.find(">", at)
    status_at = rest.find(" status=", close)
    if close < 0 or status_at < 0:
        return None
    status, _, told = rest[status_at + 8 :].partition(" ")
    relay, relay_ip = host_and_ip(between(rest, "relay=", ", ", close))
    dsn = between(rest, "dsn=", ", ", close)
    text = told[1:-1] if told[:1] == "(" and told[-1:] == ")" else told.lstrip("(")
    text = text.removeprefix("delivery temporarily suspended: ")
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="postfix",
        event=_STATUS.get(status.rstrip(","), Event.OTHER),
        time=entry.time,
        host=entry.host,
        queue_id=queue_id,
        recipient=rest[at + 4 : close],
        orig_recipient=between(rest, "orig_to=<", ">", close) if rest.startswith(", orig_to=<", close + 1) else "",
        remote_mta=relay if relay_ip else "",
        remote_ip=relay_ip if not relay_ip.startswith("/") and not relay_ip.startswith("private/") else "",
        code=code,
        enhanced=enhanced or (dsn if is_enhanced(dsn) else None),
        text=text,
    )


def _reject(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent:
    """`reject: RCPT from client[192.0.2.11]: 554 5.7.1 ...; from=<..> to=<..> proto=ESMTP helo=<..>`; cleanup(8) puts the reason last."""
    kind, _, told = rest[at:].partition(": ")
    refused = kind in ("reject", "milter-reject")
    start = told.rfind(" from ", 0, told.find("; from=<")) if told.startswith(_CONTENT) else told.find(" from ")
    command, after = (told[:start], told[start + 6 :]) if start >= 0 else (told, "")
    client, _, text = after.partition(": ")
    fields = after
    client_host, client_ip = host_and_ip(client.partition(";")[0])
    end = text.rfind("; from=<")
    if end < 0:
        end = min((stop for mark in ("; to=<", "; proto=", "; helo=<") if (stop := text.rfind(mark)) >= 0), default=-1)
    if end >= 0:
        text, fields = text[:end], text[end:]
    elif "; from=<" in client or "; proto=" in client:  # cleanup: header_checks and body_checks
        fields = client
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="postfix",
        event=Event.REJECTED if refused else Event.OTHER,
        time=entry.time,
        host=entry.host,
        queue_id=queue_id,
        recipient=between(fields, " to=<", ">"),
        envelope_sender=between(fields, " from=<", ">"),
        client=client_host,
        client_ip=client_ip,
        helo=between(fields, "helo=<", ">"),
        code=code,
        enhanced=enhanced,
        stage=_stage(command),
        text=text if refused else "",
    )


def _stage(command: str) -> Stage:
    if command.startswith(("END-OF-MESSAGE", *_CONTENT)):
        return Stage.MESSAGE
    return command_stage(command)


def _about(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent:
    program, time, host = "postfix", entry.time, entry.host
    if rest.startswith("from=<", at):
        sender = between(rest, "from=<", ">", at)
        if " status=" in rest and "expired" in rest:
            return LogEvent(program, Event.EXPIRED, time, host, queue_id, envelope_sender=sender, text=rest[rest.find("status=") :])
        size = between(rest, "size=", ",", at)
        return LogEvent(program, Event.RECEIVED, time, host, queue_id, envelope_sender=sender, size=number(size))
    if rest.startswith("client=", at):
        client, ip = host_and_ip(rest[at + 7 :].partition(",")[0])
        return LogEvent(program, Event.OTHER, time, host, queue_id, client=client, client_ip=ip)
    if rest.startswith("message-id=", at):
        return LogEvent(program, Event.OTHER, time, host, queue_id, message_id=rest[at + 11 :].strip())
    if rest.startswith(_LOOSE, at):
        code, enhanced = quick_codes(rest[at:])
        return LogEvent(program, Event.OTHER, time, host, queue_id, code=code, enhanced=enhanced, text=rest[at:])
    return LogEvent(program, Event.OTHER, time, host, queue_id)
