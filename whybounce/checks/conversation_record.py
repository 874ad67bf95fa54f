"""One SMTP conversation as plain values: with whom, within which limits, what may be said, and what was."""

from __future__ import annotations

from dataclasses import dataclass, field

from whybounce.checks.conversation_reply import Reply
from whybounce.checks.conversation_wire import Ending, TlsSession
from whybounce.checks.result import Fact

# The connection itself came to nothing: another address or server may be tried instead.
UNREACHED = frozenset((Ending.NOT_ALLOWED, Ending.CONNECT_TIMEOUT, Ending.UNREACHABLE, Ending.REFUSED))


@dataclass(frozen=True, slots=True)
class Limits:
    """
    connect_seconds   for the connection
    seconds           for a whole conversation
    whole_seconds     for all of a domain, DNS included: below the deadline of a check
    slow_seconds      a greeting that needs this long is slow; some servers wait a few seconds on purpose, to see who speaks too early
    """

    connect_seconds: float = 5.0
    seconds: float = 12.0
    whole_seconds: float = 13.5
    slow_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is said after EHLO where a recipient may be probed. Paths come without angle brackets and have been checked (conversation_path).

    sender      "": the null sender
    recipient   whom the case is about
    stranger    a made-up mailbox of the same domain: who takes it takes every name
    foreign     a mailbox elsewhere, only for servers in the operator's own networks; "": relaying is not tried
    utf8        the recipient's address needs SMTPUTF8 (RFC 6531)
    """

    sender: str
    recipient: str
    stranger: str
    foreign: str = ""
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """An MX host at one of its addresses."""

    host: str
    preference: int
    address: str
    port: int = 25


@dataclass(slots=True)
class Conversation:
    """What was said; filled while it goes on, only read afterwards.

    ending, stage, reason   how it ended, at which step, and why ("" where at its end)
    replies        by step: greeting, ehlo, helo, starttls, ehlo-tls, mail, recipient, stranger, vrfy, foreign
    extensions     what EHLO listed, within TLS where TLS came about
    offered        what the first EHLO listed
    tls            the session; tls_error: why there is none although STARTTLS was offered
    again          the greeting of a second connection, made where TLS failed
    not_probed     why no recipient was named although it was wanted
    steps          (step, milliseconds)
    """

    server: Server
    ending: Ending = Ending.COMPLETE
    stage: str = ""
    reason: str = ""
    local_address: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)
    offered: dict[str, str] = field(default_factory=dict)
    tls: TlsSession | None = None
    tls_error: str = ""
    again: Reply | None = None
    not_probed: str = ""
    steps: list[tuple[str, int]] = field(default_factory=list)
    transcript: list[dict[str, Fact]] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        """A connection came about."""
        return self.ending not in UNREACHED

    @property
    def greeted(self) -> bool:
        """The server took EHLO or HELO."""
        return any(step in self.replies and self.replies[step].kind == 2 for step in ("ehlo", "helo"))

    def milliseconds(self, step: str) -> int:
        """How long a step took; 0 where it was not reached."""
        return next((elapsed for name, elapsed in self.steps if name == step), 0)
