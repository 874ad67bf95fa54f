"""Sendmail 8 (the Sendmail Installation and Operation Guide, section 2.1.1.1): `id: name=value, name=value`."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.logs.common import Entry, bare, between, host_and_ip, is_enhanced, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent

_RULESETS = {"check_rcpt": Stage.RCPT, "check_mail": Stage.MAIL, "check_relay": Stage.CONNECT, "check_data": Stage.DATA, "check_eom": Stage.MESSAGE}
_WAITING = ("Deferred", "Message quarantined", "queued", "Operating system error", "Cannot exec", "I/O error")


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not Sendmail's."""
    rest = entry.rest
    colon = rest.find(": ", 0, 24)
    queue_id = rest[:colon] if colon > 0 else ""
    if not queue_id or not ((queue_id.isalnum() and len(queue_id) >= 8) or queue_id == "NOQUEUE"):
        return None
    at = colon + 2
    if rest.startswith("to=", at) and ", stat=" in rest:
        return _delivery(entry, queue_id, rest, at)
    if rest.startswith("from=", at) and ", size=" in rest:
        return _arrival(entry, queue_id, rest, at)
    if ", reject=" in rest:
        return _refusal(entry, queue_id, rest, at)
    if not entry.tag.startswith(("sendmail", "sm-mta", "sm-acceptingconnections", "sm-msp")):
        return None
    if rest.startswith("<", at) and ">... " in rest:  # `<bob@example.org>... User unknown`, said to a client
        recipient, _, text = rest[at + 1 :].partition(">... ")
        return LogEvent("sendmail", Event.REJECTED, entry.time, entry.host, queue_id, recipient=recipient, stage=Stage.RCPT, text=text)
    if ": Cannot send message for " in rest:
        return LogEvent("sendmail", Event.EXPIRED, entry.time, entry.host, queue_id, text=rest[rest.rfind(": Cannot") + 2 :])
    return LogEvent("sendmail", Event.OTHER, entry.time, entry.host, queue_id)


def _arrival(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent:
    client, ip = host_and_ip(rest[rest.find(", relay=") + 8 :]) if ", relay=" in rest else ("", "")
    return LogEvent(
        program="sendmail",
        event=Event.RECEIVED,
        time=entry.time,
        host=entry.host,
        queue_id=queue_id,
        envelope_sender=bare(rest[at + 5 : rest.find(",", at)]),
        client=client.partition("@")[2] or client,
        client_ip=ip,
        message_id=between(rest, ", msgid=", ", "),
        size=number(between(rest, ", size=", ",")),
    )


def _delivery(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent:
    stat_at = rest.rfind(", stat=")
    stat = rest[stat_at + 7 :]
    addresses = [bare(address) for address in rest[at + 3 : rest.find(", ", at)].split(",")]
    relay, relay_ip = host_and_ip(between(rest, ", relay=", ", "))
    dsn = between(rest, ", dsn=", ", ")
    if stat.startswith("Sent"):
        event = Event.DELIVERED
    elif dsn[:1] == "4" or stat.startswith(_WAITING):
        event = Event.DEFERRED
    else:
        event = Event.FAILED
    reply_at = rest.find(", reply=")
    reply = rest[reply_at + 8 : stat_at] if 0 <= reply_at < stat_at else ""
    text = reply or stat.removeprefix("Deferred: ")
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="sendmail",
        event=event,
        time=entry.time,
        host=entry.host,
        queue_id=queue_id,
        recipient=addresses[0],
        more_recipients=tuple(addresses[1:100]),
        envelope_sender=between(rest, ", ctladdr=<", ">"),
        remote_mta=relay if relay_ip else "",
        remote_ip=relay_ip,
        code=code,
        enhanced=enhanced or (dsn if is_enhanced(dsn) else None),
        text=text,
    )


def _refusal(entry: Entry, queue_id: str, rest: str, at: int) -> LogEvent:
    """`ruleset=check_rcpt, arg1=<..>, relay=client [ip], reject=550 5.7.1 ...`, `Milter: from=<..>, to=<..>, reject=...`."""
    text = rest[rest.find(", reject=") + 9 :]
    stage = _RULESETS.get(between(rest, "ruleset=", ","), Stage.MESSAGE if rest.startswith("Milter: data", at) else Stage.EMPTY)
    argument = bare(between(rest, "arg1=", ", "))
    client, ip = host_and_ip(between(rest, ", relay=", ", "))
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="sendmail",
        event=Event.REJECTED,
        time=entry.time,
        host=entry.host,
        queue_id=queue_id,
        recipient=argument if stage is Stage.RCPT else between(rest, "to=<", ">"),
        envelope_sender=argument if stage is Stage.MAIL else between(rest, "from=<", ">"),
        client=client.partition("@")[2] or client,
        client_ip=ip,
        code=code,
        enhanced=enhanced,
        stage=stage,
        text=text,
    )
