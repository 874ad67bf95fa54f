"""Exim: main log and reject log (the Exim specification, chapter "Log files")."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.logs.common import Entry, bare, between, host_and_ip, number, quick_codes, split_entry
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.stages import command_stage

_FLAGS = {
    "=>": Event.DELIVERED,
    "->": Event.DELIVERED,
    ">>": Event.DELIVERED,
    "*>": Event.OTHER,  # delivery suppressed by -N
    "**": Event.FAILED,
    "==": Event.DEFERRED,
}
_UNREACHED = ("Connection refused", "Connection timed out", "No route to host", "Network is unreachable", "Network Error")


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not Exim's."""
    rest = entry.rest
    if entry.tag.startswith("exim") and rest[4:5] == "-" and rest[10:11] == " ":  # by syslog, with Exim's own time
        entry = split_entry(rest)._replace(host=entry.host)
        rest = entry.rest
    if rest[:1] == "[" and rest[1 : rest.find("]", 0, 12)].isdigit():  # the process id, with log_selector +pid
        rest = rest[rest.find("]") + 2 :]
    message, _, told = rest.partition(" ")
    if not _is_message_id(message):
        return _refusal(entry, "", rest) if " rejected " in rest else None
    flag = told[:2]
    if flag in _FLAGS and told[2:3] == " ":
        return _delivery(entry, message, _FLAGS[flag], told[3:])
    if flag == "<=" and told[2:3] == " ":
        return _arrival(entry, message, told[3:])
    if " rejected " in told:
        return _refusal(entry, message, told)
    if not told.startswith("H="):
        return LogEvent("exim", Event.OTHER, entry.time, entry.host, message)
    remote, remote_ip, _ = _peer(told)  # an attempt at one host of several
    text = told[told.find("]") + 1 :].lstrip(": ")
    return LogEvent("exim", Event.OTHER, entry.time, entry.host, message, remote_mta=remote, remote_ip=remote_ip, text=text)


def readable(line: str) -> str:
    r"""The lines of a reply, which Exim escapes as \n, as lines; the length stays."""
    return line.replace("\\n", " \n") if "\\n" in line else line


def _is_message_id(word: str) -> bool:
    """`1xW3Qy-00001B-0i`, and since 4.97 `1xW3Qy-000000001B1-0i2j`."""
    return len(word) in (16, 23) and word[6] == "-" and word.count("-") == 2 and word.replace("-", "").isalnum()


def _arrival(entry: Entry, message: str, told: str) -> LogEvent:
    sender, _, fields = told.partition(" ")
    client, client_ip, helo = _peer(fields)
    return LogEvent(
        program="exim",
        event=Event.RECEIVED,
        time=entry.time,
        host=entry.host,
        queue_id=message,
        envelope_sender=bare(sender),
        client=client,
        client_ip=client_ip,
        helo=helo,
        message_id=between(fields + " ", " id=", " "),
        size=number(between(fields + " ", " S=", " ")),
    )


def _delivery(entry: Entry, message: str, event: Event, told: str) -> LogEvent:
    """`address <original> R=router T=transport H=host [ip]: reason`, for == `... defer (-44) H=host [ip]: reason`."""
    cut = _reason_at(told)
    fields, reason = (told[:cut], told[cut + 2 :]) if cut >= 0 else (told, "")
    address, _, after = fields.partition(" ")
    original = between(fields, " <", ">") if after.startswith("<") else ""
    if (original and address.startswith(("/", "|", ":"))) or "@" not in address:
        address = original or address
    remote, remote_ip, _ = _peer(fields)
    if event is Event.DELIVERED:
        text = between(fields, ' C="', '"') or ""
    elif event is Event.DEFERRED and " defer (" in fields and not reason:
        text = fields.partition(" defer (")[2].partition(") ")[2]
    else:
        text = reason
    code, enhanced = quick_codes(text)
    if event is Event.FAILED and reason.startswith("retry timeout exceeded"):
        event = Event.EXPIRED
    return LogEvent(
        program="exim",
        event=event,
        time=entry.time,
        host=entry.host,
        queue_id=message,
        recipient=bare(address),
        orig_recipient=original if original != address else "",
        envelope_sender=between(fields, " F=<", ">") or between(fields, " P=<", ">"),
        remote_mta=remote,
        remote_ip=remote_ip,
        code=code,
        enhanced=enhanced,
        stage=Stage.CONNECT if text.startswith(_UNREACHED) else Stage.EMPTY,
        text=readable(text),
    )


def _reason_at(told: str) -> int:
    """Where the fields end: the first ": " that stands in no quoted value (DN="...", C="...")."""
    at = 0
    while True:
        cut = told.find(": ", at)
        if cut < 0:
            return -1
        quote = told.find('="', at, cut)
        if quote < 0:
            return cut
        close = told.find('"', quote + 2)
        if close < 0:
            return cut
        at = close + 1


def _peer(fields: str) -> tuple[str, str, str]:
    """Name, address and HELO name of `H=name (helo) [192.0.2.11]:port`."""
    at = 0 if fields.startswith("H=") else fields.find(" H=") + 1
    if at == 0 and not fields.startswith("H="):
        return "", "", ""
    stop = fields.find("]", at)
    name, ip = host_and_ip(fields[at + 2 : stop + 1 if stop >= 0 else len(fields)])
    helo = between(fields[at:stop], "(", ")") if stop >= 0 else ""
    name = name.partition("(")[0].strip()
    return ("" if helo and name == helo else name), ip, helo


def _refusal(entry: Entry, message: str, told: str) -> LogEvent | None:
    """`H=(helo) [192.0.2.11] F=<sender> rejected RCPT <recipient>: reason`, `... rejected after DATA: reason`."""
    at = told.find(" rejected ")
    before, after = told[:at], told[at + 10 :]
    if "H=" not in before and not message:
        return None
    what, _, reason = after.partition(": ")
    client, client_ip, helo = _peer(before)
    recipient = between(what, "RCPT <", ">") or (what[5:] if what.startswith("RCPT ") else "")
    sender = between(before, " F=<", ">") or between(what, "MAIL <", ">")
    temporary = before.endswith("temporarily")
    code, enhanced = quick_codes(reason)
    return LogEvent(
        program="exim",
        event=Event.DEFERRED if temporary else Event.REJECTED,
        time=entry.time,
        host=entry.host,
        queue_id=message,
        recipient=recipient,
        envelope_sender=sender,
        client=client,
        client_ip=client_ip,
        helo=helo,
        code=code,
        enhanced=enhanced,
        stage=Stage.MESSAGE
        if what.startswith(("after DATA", "DATA")) or "data ACL" in what
        else command_stage(what.replace("connection", "connect")),
        text=readable(reason or what),
    )
