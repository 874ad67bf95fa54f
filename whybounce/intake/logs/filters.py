"""Content filters beside a mail server: the verdict lines of amavis and rspamd."""

from __future__ import annotations

from whybounce.failure import Stage
from whybounce.intake.logs.common import Entry, bare, between, number
from whybounce.intake.logs.event import Event, LogEvent


def parse_amavis(entry: Entry) -> LogEvent | None:
    """`(01234-05) Blocked SPAM {RejectedInbound}, [192.0.2.11]:4711 <a@..> -> <b@..>, Queue-ID: .., Message-ID: <..>, ... size: 3000`."""
    rest = entry.rest
    at = rest.find(") Blocked ", 0, 40)
    passed = rest.find(") Passed ", 0, 40) if at < 0 else -1
    if rest[:1] != "(" or (at < 0 and passed < 0) or "> -> <" not in rest:
        return None
    arrow = rest.find("> -> <")
    sender = rest[rest.rfind("<", 0, arrow) + 1 : arrow]
    stop = rest.find(">, ", arrow + 6)
    recipients = [bare(word) for word in rest[arrow + 5 : stop + 1 if stop >= 0 else len(rest)].split(",")]
    bracket = rest.find("[", 0, arrow)
    return LogEvent(
        program="amavis",
        event=Event.REJECTED if at >= 0 else Event.OTHER,
        time=entry.time,
        host=entry.host,
        queue_id=between(rest, "Queue-ID: ", ","),
        recipient=recipients[0],
        more_recipients=tuple(recipients[1:100]),
        envelope_sender=sender,
        client_ip=between(rest, "[", "]") if bracket >= 0 else "",
        stage=Stage.MESSAGE,
        text=rest[at + 2 : rest.find(", ", at)] if at >= 0 else "",
        message_id=between(rest, "Message-ID: ", ","),
        size=number(between(rest + ",", ", size: ", ",")),
    )


def parse_rspamd(entry: Entry) -> LogEvent | None:
    """`... rspamd_task_write_log: id: <..>, qid: <..>, ip: .., from: <..>, (default: T (reject): [16.1/15.0] [..]), len: .., rcpts: <..>`."""
    rest = entry.rest
    at = rest.find("(default: ")
    if at < 0 or "task_write_log" not in rest:
        return None
    action = between(rest, " (", ")", at)
    event = {"reject": Event.REJECTED, "soft reject": Event.DEFERRED, "greylist": Event.DEFERRED}.get(action, Event.OTHER)
    recipients = [bare(word) for word in between(rest + ", ", " rcpts: ", ", ").split(",")]
    stop = rest.find("), len:", at)
    return LogEvent(
        program="rspamd",
        event=event,
        time=entry.time,
        host=entry.host,
        queue_id=between(rest, "qid: <", ">"),
        recipient=recipients[0],
        more_recipients=tuple(recipients[1:100]),
        envelope_sender=between(rest, "from: <", ">"),
        client_ip=between(rest, " ip: ", ","),
        stage=Stage.MESSAGE,
        text=rest[rest.find("(" + action, at) : stop if stop >= 0 else len(rest)] if event is not Event.OTHER else "",
        message_id=between(rest, " id: ", ","),
        size=number(between(rest, "len: ", ",")),
    )
