"""Dovecot's local delivery: `lmtp(user)<pid><session>: msgid=<..>: save failed to INBOX: Quota exceeded`, `lda(user): ...`."""

from __future__ import annotations

from whybounce.intake.logs.common import Entry, between
from whybounce.intake.logs.event import Event, LogEvent

_DELIVERED = ("saved mail to ", "stored mail into mailbox ", "forwarded to ", "discarding ", "discarded ", "marked message to be discarded")


def parse(entry: Entry) -> LogEvent | None:
    """The event of a line; None for a line that is not of Dovecot's LDA or LMTP."""
    rest = entry.rest
    head = f"{entry.tag}: {rest}" if entry.tag.startswith(("lda(", "lmtp(")) else rest
    if not head.startswith(("lda(", "lmtp(", "deliver(")):
        return None
    user = between(head, "(", ")").partition(",")[0]
    told = head.partition(": ")[2].removeprefix("Info: ").removeprefix("Error: ").removeprefix("sieve: ")
    message_id = ""
    if told.startswith("msgid="):
        message_id, _, told = told[6:].partition(": ")
    session = between(head.partition(": ")[0], "><", ">")
    event = Event.OTHER
    text = ""
    if told.startswith(_DELIVERED):
        event, text = Event.DELIVERED, told
    elif told.startswith("save failed to ") or "failed to store into mailbox" in told:
        event, text = Event.FAILED, told.partition(": ")[2]
        if "uota exceeded" not in text:
            event = Event.DEFERRED
    elif told.startswith(("rejected: ", "rejecting: ", "Rejected/")):
        event, text = Event.FAILED, told.partition(": ")[2]
    return LogEvent("dovecot", event, entry.time, entry.host, session or message_id, recipient=user, text=text, message_id=message_id)
