"""What one line of a mail log says."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from whybounce.failure import Stage


class Event(StrEnum):
    """What happened. OTHER: a line that belongs to a message but says nothing about its fate (client=, message-id=)."""

    FAILED = "failed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    REJECTED = "rejected"  # this server refused what a client wanted to hand in; DEFERRED with a client_ip: only for now
    EXPIRED = "expired"  # the queue gave up after its last attempt
    RECEIVED = "received"  # the message came in
    OTHER = "other"


class LogEvent(NamedTuple):
    """One line of a log. Empty strings and None: the line does not say.

    A named tuple, not a frozen dataclass: one is made for every line of a log, and it takes a third of the time.

    program          slug of the program that wrote the line: "postfix", "exim", "sendmail" ...
    event            what happened
    time             as written in the line
    host             name of the host in the line's prefix: the server that wrote the log
    queue_id         what the lines of one message have in common: queue id, message number, transaction
    delivery         qmail and Haraka number the deliveries of a message; "" elsewhere
    recipient        the envelope recipient, "@example.org" for all of a domain; more_recipients: those after it on the same line
    orig_recipient   the recipient before aliases and rewriting
    envelope_sender  "" also for the null sender
    remote_mta       name of the server that the mail was to go to, remote_ip its address
    client           name of the host that handed the mail in, client_ip its address, helo the name it gave
    code, enhanced   basic and enhanced status code of the reply, read quickly; `text` read whole may tell more
    stage            the command that was refused, where the line's form says it
    text             the reply or the reason as it stands in the line, with what the program put around it
    size             of the message in bytes
    """

    program: str
    event: Event
    time: str = ""
    host: str = ""
    queue_id: str = ""
    delivery: str = ""
    recipient: str = ""
    more_recipients: tuple[str, ...] = ()
    orig_recipient: str = ""
    envelope_sender: str = ""
    remote_mta: str = ""
    remote_ip: str = ""
    client: str = ""
    client_ip: str = ""
    helo: str = ""
    code: str | None = None
    enhanced: str | None = None
    stage: Stage = Stage.EMPTY
    text: str = ""
    message_id: str = ""
    size: int | None = None
