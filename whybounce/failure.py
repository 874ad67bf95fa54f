"""What was read from a paste: the facts of each failed delivery. Everything after intake works on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whybounce.intake.sessions.dialogue import Session


class Action(StrEnum):
    """What became of the message for a recipient (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"


class Stage(StrEnum):
    """The command that was refused; MESSAGE is the reply to the final dot, EMPTY where the text does not tell."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    MESSAGE = "message"
    EMPTY = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a fact stood: characters `start` to `end` (exclusive) of `IntakeReport.text`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """One recipient whose mail was refused or delayed. Empty string or None: the text does not say.

    text             what the refusing server said, on one line: continuation lines joined by a space, repeated code
                     prefixes ("550-5.1.1 ") dropped but for the first
    code, enhanced   basic reply code ("550") and enhanced status code ("5.1.1") of that reply
    remote_mta       host name (or address in brackets) of the server that refused
    reporting_mta    host that wrote the report
    sending_ip       address literal from which the refused connection came, without brackets
    sent_at          date of the report or of the attempt as written, RFC 5322 or ISO form
    spans            name of a field above -> where it stood in the report's text; "command": the refused command of a session
    """

    text: str = ""
    recipient: str = ""
    original_recipient: str = ""
    action: Action = Action.FAILED
    code: str | None = None
    enhanced: str | None = None
    stage: Stage = Stage.EMPTY
    remote_mta: str = ""
    reporting_mta: str = ""
    sending_ip: str = ""
    envelope_sender: str = ""
    header_from: str = ""
    helo: str = ""
    message_id: str = ""
    queue_id: str = ""
    subject: str = ""
    sent_at: str = ""
    message_size: int | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)

    @property
    def recipient_domain(self) -> str:
        """The part after the last @ of the recipient, lower case; "" where there is none."""
        return domain_of(self.recipient)

    @property
    def sender_domain(self) -> str:
        """The domain of the envelope sender, lower case; "" for the null sender or where unknown."""
        return domain_of(self.envelope_sender)


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """The result of reading one paste.

    format      slug of the form that was recognised: "dsn", "bounce-mail", "reply", "mail", "text", "binary", "empty" ...
    text        the readable text that the spans of the failures point into (decoded; long attachments left out)
    failures    one per failed recipient, in the order of the paste; empty where nothing failed
    kind        why there is no failure: "" or one of "vacation", "complaint", "delivered", "read-receipt",
                "ordinary-mail", "no-reply-found", "empty", "binary", "code-only", "no-refusal" (a session without one),
                "challenge" (a filter wants an answer first), "moderation" (a list's moderator decides), "confirmation" (of a subscription)
    notes       sentences for a person: what was understood, what was not, what would help
    error       a sentence where the paste could not be read at all, else None
    hidden      passwords stood in the paste, and `text` has asterisks instead: the paste itself must not be kept
    session     the SMTP session that was pasted, as a dialogue, with what the client did wrong; else None
    """

    format: str
    text: str = ""
    failures: tuple[DeliveryFailure, ...] = ()
    kind: str = ""
    notes: tuple[str, ...] = ()
    error: str | None = None
    hidden: bool = False
    session: Session | None = None


def domain_of(address: str) -> str:
    """`"User@Example.ORG"` -> `"example.org"`; "" where the address has no @ or nothing after it."""
    return address.rpartition("@")[2].strip("<> .").lower() if "@" in address else ""
