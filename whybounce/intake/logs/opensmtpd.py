"""OpenSMTPD (smtpd(8)) since 5.9: `session mta delivery evpid=... from=<..> to=<..> result="PermFail" stat="550 ..."`, and 5.4 to 5.8."""

from __future__ import annotations

from whybounce.intake.logs.common import Entry, bare, between, host_and_ip, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.stages import command_stage

_RESULTS = {"Ok": Event.DELIVERED, "PermFail": Event.FAILED, "TempFail": Event.DEFERRED, "Expired": Event.EXPIRED}


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not OpenSMTPD's."""
    rest = entry.rest
    if rest.startswith(("smtp-out: ", "warn: ", "info: ")) and entry.tag in ("smtpd", ""):
        return LogEvent("opensmtpd", Event.OTHER, entry.time, entry.host) if entry.tag else None
    if rest.startswith(("relay: Expire for ", "Expire for ")):
        return _expired(entry, rest)
    if " evpid=" in rest or rest.startswith(("delivery: ", "relay: ", "mta: ")):
        return _delivery(entry, rest)
    session, _, told = rest.partition(" ")
    if len(session) != 16 or not session.isalnum():
        return None
    if told.startswith(("smtp event=failed-command", "smtp failed-command")):
        return _refusal(entry, session, told)
    if told.startswith(("smtp message ", "smtp event=message ")):
        size = number(between(told, " size=", " "))
        return LogEvent("opensmtpd", Event.RECEIVED, entry.time, entry.host, between(told, "msgid=", " "), size=size)
    if told.startswith(("mta error ", "mta event=error ")):
        text = told.partition("reason=")[2]
        code, enhanced = quick_codes(text)
        return LogEvent("opensmtpd", Event.OTHER, entry.time, entry.host, text=text, code=code, enhanced=enhanced)
    if told.startswith(("smtp connected ", "smtp event=connected ")):
        client = between(told + " ", " host=", " ")
        ip = between(told, " address=", " ")
        return LogEvent("opensmtpd", Event.OTHER, entry.time, entry.host, delivery=session, client=client, client_ip="" if ip == "local" else ip)
    if told.startswith(("smtp ", "mta ", "mda ")):
        return LogEvent("opensmtpd", Event.OTHER, entry.time, entry.host)
    return None


def _delivery(entry: Entry, rest: str) -> LogEvent | None:
    result = between(rest, ' result="', '"') or between(rest + " ", " result=", " ").rstrip(",")
    event = _RESULTS.get(result)
    sender = between(rest, " from=<", ">")
    recipient = between(rest, " to=<", ">")
    evpid = between(rest + " ", "evpid=", " ")
    if event is None:
        if " smtp envelope " not in rest and "event=envelope" not in rest:
            return None
        return LogEvent("opensmtpd", Event.OTHER, entry.time, entry.host, evpid[:8], recipient=recipient, envelope_sender=sender)
    stat_at = rest.find(" stat=")
    text = rest[stat_at + 6 :].strip('"') if stat_at >= 0 else ""
    relay = between(rest, ' relay="', '"') or between(rest, " relay=", ",")
    name, ip = host_and_ip(relay.replace(" (", "[").replace(")", "]") if relay[:1].isdigit() else "")
    if relay[:1].isdigit():  # "192.0.2.25 (mx.example.net)", the name being the address where it has no reverse entry
        name, ip = ("" if ip == name else ip), name
    elif "(" in relay:
        name, ip = relay.partition(" (")[0], between(relay, "(", ")")
    original = bare(between(rest, " rcpt=<", ">"))
    code, enhanced = quick_codes(text)
    return LogEvent(
        program="opensmtpd",
        event=event,
        time=entry.time,
        host=entry.host,
        queue_id=evpid[:8],
        recipient=recipient,
        orig_recipient=original if original not in ("-", recipient) else "",
        envelope_sender=sender,
        remote_mta=name,
        remote_ip=ip,
        code=code,
        enhanced=enhanced,
        text=text,
    )


def _expired(entry: Entry, rest: str) -> LogEvent:
    evpid = between(rest, "Expire for ", ":")
    sender, recipient = between(rest, "from=<", ">"), between(rest, " to=<", ">")
    text = rest.partition(", stat=")[2]
    return LogEvent("opensmtpd", Event.EXPIRED, entry.time, entry.host, evpid[:8], recipient=recipient, envelope_sender=sender, text=text)


def _refusal(entry: Entry, session: str, told: str) -> LogEvent:
    command = between(told, 'command="', '"')
    text = between(told, 'result="', '"')
    code, enhanced = quick_codes(text)
    address = between(command, "<", ">")
    stage = command_stage(command)
    return LogEvent(
        program="opensmtpd",
        event=Event.REJECTED,
        time=entry.time,
        host=entry.host,
        delivery=session,
        recipient=address if stage == "rcpt" else "",
        envelope_sender=address if stage == "mail" else "",
        code=code,
        enhanced=enhanced,
        stage=stage,
        text=text,
    )
