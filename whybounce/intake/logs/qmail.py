"""qmail: qmail-send(8), whose lines name a delivery by a number and a message by another; times by splogger or multilog (tai64n)."""

from __future__ import annotations

from whybounce.intake.logs.common import Entry, bare, between, number, quick_codes
from whybounce.intake.logs.event import Event, LogEvent

_RESULTS = {"success": Event.DELIVERED, "failure": Event.FAILED, "deferral": Event.DEFERRED}


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not qmail's."""
    rest = entry.rest
    if entry.tag == "qmail" and rest[:10].isdigit() and rest[10:11] == ".":  # splogger adds the seconds since 1970
        rest = rest.partition(" ")[2]
    if rest.startswith("delivery "):
        return _result(entry, rest)
    words = rest.split(" ", 7)
    if rest.startswith("starting delivery ") and len(words) >= 8 and words[3] == "msg":
        recipient = bare(words[7].partition(" ")[0])
        if words[6] == "local":  # a virtual domain's name is put before the user
            recipient = recipient.removeprefix(recipient.rpartition("@")[2] + "-")
        return LogEvent("qmail", Event.OTHER, entry.time, entry.host, queue_id=words[4], delivery=words[2].rstrip(":"), recipient=recipient)
    if rest.startswith("info msg ") and " from <" in rest:
        size = number(between(rest, ": bytes ", " "))
        sender = between(rest, " from <", ">")
        return LogEvent("qmail", Event.RECEIVED, entry.time, entry.host, words[2].rstrip(":"), envelope_sender=sender, size=size)
    if rest.startswith(("new msg ", "end msg ", "bounce msg ")):
        return LogEvent("qmail", Event.OTHER, entry.time, entry.host, words[2])
    if rest.startswith(("status: local ", "triple bounce: ", "double bounce: ")):
        return LogEvent("qmail", Event.OTHER, entry.time, entry.host)
    return None


def _result(entry: Entry, rest: str) -> LogEvent | None:
    """`delivery 14: failure: 192.0.2.25_does_not_like_recipient./Remote_host_said:_550_.../`: "_" for a space, "/" for a line end."""
    head, _, told = rest.partition(": ")
    result, _, report = told.partition(": ")
    event = _RESULTS.get(result)
    delivery = head[9:]
    if event is None or not delivery.isdigit():
        return None
    text = _plain(report).strip()
    code, enhanced = quick_codes(text.replace("said: ", ": "))
    return LogEvent("qmail", event, entry.time, entry.host, delivery=delivery, text=text, code=code, enhanced=enhanced)


def _plain(report: str) -> str:
    """ "_" stands for a space and "/" for a line end, but also for itself: only the line ends that qmail-remote writes are sure. The length stays."""
    text = report.replace("_", " ").replace("/Remote host said", "\nRemote host said").replace("/Giving up on", "\nGiving up on")
    return text[:-1] + "\n" if text[-1:] == "/" else text


def readable(line: str) -> str:
    """A line with the report of a delivery in plain words; the length stays."""
    at = max(line.find(": failure: "), line.find(": deferral: "))
    return line[:at] + _plain(line[at:]) if at >= 0 else line
