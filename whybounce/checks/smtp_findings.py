"""What a conversation with a mail server shows, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from whybounce.checks.certificates import CertificateView
from whybounce.checks.conversation_record import Conversation, Limits
from whybounce.checks.conversation_wire import Ending
from whybounce.checks.guard import shown
from whybounce.checks.result import Fact, Finding, Severity
from whybounce.checks.smtp_refusals import Known, Refused, names_client, refused_at_mail, refused_at_rcpt

# A limit below this stops nearly every mail with an attachment.
TINY_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A conversation with what is needed to judge it.

    certificate    None where there is none, or it cannot be read
    known          what of this machine may be named in replies
    greeted_before this very address had greeted us in the same run
    """

    conversation: Conversation
    certificate: CertificateView | None
    known: Known
    limits: Limits
    message_size: int | None = None
    greeted_before: bool = False

    @property
    def size_limit(self) -> int | None:
        """Octets that the server takes (RFC 1870 section 3); None where it does not say or has no fixed limit (0)."""
        value = self.conversation.extensions.get("SIZE", "").split(" ")[0]
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 20 and int(value) else None

    @property
    def too_small(self) -> bool:
        """The message does not fit; where no message is known: nearly none would."""
        limit = self.size_limit
        return limit is not None and (limit < TINY_LIMIT if self.message_size is None else limit < self.message_size)

    @property
    def refused(self) -> Refused | None:
        """What the envelope came to; None where none was given."""
        replies = self.conversation.replies
        if "mail" not in replies:
            return None
        mail = refused_at_mail(replies["mail"], self.conversation, self.known)
        if mail is not Refused.NOBODY or "recipient" not in replies:
            return mail if mail is not Refused.NOBODY else None
        return refused_at_rcpt(replies["recipient"], self.conversation, self.known)

    @property
    def refused_stage(self) -> str:
        """The command that was refused: "MAIL" or "RCPT"."""
        return "RCPT" if self.conversation.replies["mail"].kind == 2 else "MAIL"

    @property
    def catch_all(self) -> bool:
        stranger = self.conversation.replies.get("stranger")
        return self.refused is Refused.NOBODY and stranger is not None and stranger.kind == 2

    @property
    def relays(self) -> bool:
        foreign = self.conversation.replies.get("foreign")
        return foreign is not None and foreign.kind == 2

    @property
    def rate_limited(self) -> bool:
        """A 421 to a connection although another had been served, one that speaks of policy (X.7: RFC 3463 section 3.8) or, without such a
        code, one that names our address."""
        greeting, again = self.conversation.replies.get("greeting"), self.conversation.again
        if again is not None and again.kind == 4:
            return True
        if greeting is None or greeting.code != 421:
            return False
        if greeting.enhanced is not None and not self.greeted_before:
            return greeting.enhanced.subject == 7
        return self.greeted_before or names_client(greeting, self.conversation, self.known)


def findings(seen: Seen, grave: Severity) -> list[Finding]:
    """All that is to say of one conversation; `grave` is for an address that may not be connected to (ERROR: none other may be)."""
    found = [*_connection(seen, grave), *_greeting(seen), *_tls(seen), *_capabilities(seen), *_envelope(seen)]
    bad = {Severity.ERROR, Severity.WARNING, Severity.UNKNOWN}
    if seen.conversation.greeted and not any(finding.severity in bad for finding in found):
        found.insert(0, _finding(seen, "smtp.ok", Severity.OK))
    return found


def _finding(seen: Seen, name: str, severity: Severity, **data: Fact) -> Finding:
    server = seen.conversation.server
    return Finding(name, severity, {"host": shown(server.host, 253), "address": server.address, **data})


def _connection(seen: Seen, grave: Severity) -> Iterator[Finding]:
    talk = seen.conversation
    match talk.ending:
        case Ending.NOT_ALLOWED:
            yield Finding("mx.non_public_address", grave, {"host": shown(talk.server.host, 253), "addresses": [talk.server.address]})
        case Ending.CONNECT_TIMEOUT | Ending.UNREACHABLE:
            yield _finding(seen, "smtp.connect_timeout", Severity.UNKNOWN, reason=talk.reason)
        case Ending.REFUSED:
            yield _finding(seen, "smtp.refused", Severity.ERROR, port=talk.server.port)
        case Ending.SILENT if talk.stage == "greeting":
            yield _finding(seen, "smtp.slow_banner", Severity.INFO, seconds=round(seen.limits.seconds, 1), greeted=False)
        case Ending.SILENT | Ending.TIMEOUT:
            yield _finding(seen, "smtp.timeout", Severity.UNKNOWN, stage=talk.stage)
        case Ending.CLOSED:
            yield _finding(seen, "smtp.closed_early", Severity.UNKNOWN, stage=talk.stage)
        case Ending.PROTOCOL:
            yield _finding(seen, "smtp.protocol_error", Severity.UNKNOWN, stage=talk.stage, reason=talk.reason)


def _greeting(seen: Seen) -> Iterator[Finding]:
    talk = seen.conversation
    greeting = talk.replies.get("greeting")
    if greeting is None:
        return
    if talk.milliseconds("greeting") >= seen.limits.slow_seconds * 1000:
        yield _finding(seen, "smtp.slow_banner", Severity.INFO, seconds=round(talk.milliseconds("greeting") / 1000, 1), greeted=True)
    if seen.rate_limited:
        yield _finding(seen, "smtp.rate_limited", Severity.UNKNOWN, stage="connect", reply=(talk.again or greeting).text)
    elif greeting.kind == 4:
        yield _finding(seen, "smtp.banner_tempfail", Severity.UNKNOWN, reply=greeting.text)
    elif greeting.kind == 5:
        yield _finding(seen, "smtp.banner_reject", Severity.ERROR, reply=greeting.text)
    for step in ("helo", "ehlo", "ehlo-tls"):
        reply = talk.replies.get(step)
        if reply is None or (step == "ehlo" and "helo" in talk.replies):
            continue
        if step == "helo" and reply.kind == 2:
            yield _finding(seen, "smtp.no_esmtp", Severity.INFO, reply=talk.replies["ehlo"].text)
        elif reply.kind == 4:
            yield _finding(seen, "smtp.rate_limited", Severity.UNKNOWN, stage=step.upper(), reply=reply.text)
        elif reply.kind != 2 and step == "ehlo-tls":
            yield _finding(seen, "smtp.protocol_error", Severity.UNKNOWN, stage=step.upper(), reason=f"EHLO within TLS was refused: {reply.text}")
        elif reply.kind != 2:
            yield _finding(seen, "smtp.client_blocked", Severity.ERROR, stage=step.upper(), reply=reply.text)


def _tls(seen: Seen) -> Iterator[Finding]:
    talk, certificate = seen.conversation, seen.certificate
    if not talk.greeted or talk.ending is Ending.PROTOCOL:
        return
    if talk.tls_error:
        yield _finding(seen, "smtp.starttls_fails", Severity.WARNING, reason=talk.tls_error)
        return
    if "STARTTLS" not in talk.offered:
        yield _finding(seen, "smtp.no_starttls", Severity.WARNING)
        return
    if talk.tls is None:
        return
    if certificate is None or (certificate.valid_now and certificate.matches):
        yield _finding(seen, "smtp.tls_ok", Severity.OK, version=talk.tls.version)
    if certificate is None:
        return
    if not certificate.valid_now:
        dates: dict[str, Fact] = {"not_before": certificate.not_before.isoformat(), "not_after": certificate.not_after.isoformat()}
        yield _finding(seen, "smtp.cert_expired", Severity.WARNING, **dates)
    if not certificate.matches:
        yield _finding(seen, "smtp.cert_name", Severity.WARNING, names=[shown(name, 253) for name in certificate.names[:10]])
    if certificate.trusted is False:
        yield _finding(seen, "smtp.cert_untrusted", Severity.INFO, reason=certificate.distrust, self_signed=certificate.self_signed)


def _capabilities(seen: Seen) -> Iterator[Finding]:
    talk = seen.conversation
    if "SMTPUTF8" in talk.extensions:
        yield _finding(seen, "smtp.smtputf8", Severity.INFO, requiretls="REQUIRETLS" in talk.extensions)
    if seen.too_small:
        yield _finding(seen, "smtp.size_limit", Severity.WARNING, limit=seen.size_limit, message_size=seen.message_size)
    offered, reply = "VRFY" in talk.extensions, talk.replies.get("vrfy")
    # RFC 5321 section 3.5.3: 250 and 251 tell of the mailbox; 252 does not, but a server that lists VRFY and gives it refuses unknown names.
    if (reply is None and offered) or (reply is not None and (reply.code in (250, 251) or (offered and reply.kind == 2))):
        yield _finding(seen, "smtp.vrfy", Severity.INFO, reply=reply.text if reply else None)


_REFUSALS = {
    Refused.NOBODY: ("smtp.rcpt_accepted", Severity.OK),
    Refused.LATER: ("smtp.greylisting", Severity.INFO),
    Refused.TOO_MUCH: ("smtp.rate_limited", Severity.UNKNOWN),
    Refused.MAILBOX_FULL: ("smtp.mailbox_full", Severity.ERROR),
    Refused.SENDER: ("smtp.sender_rejected", Severity.ERROR),
    Refused.CLIENT: ("smtp.client_blocked", Severity.ERROR),
    Refused.RECIPIENT: ("smtp.rcpt_rejected", Severity.ERROR),
    Refused.COMMAND: ("smtp.protocol_error", Severity.UNKNOWN),
}


def _envelope(seen: Seen) -> Iterator[Finding]:
    talk, refused = seen.conversation, seen.refused
    if refused is None:
        return
    stage = seen.refused_stage
    reply = talk.replies["recipient" if stage == "RCPT" else "mail"]
    name, severity = _REFUSALS[refused]
    if refused is Refused.LATER and stage == "MAIL":
        # The recipient was not named yet: it is not the first RCPT that has to wait, so nothing is known.
        name, severity = "smtp.rate_limited", Severity.UNKNOWN
    stranger = talk.replies.get("stranger")
    alike = stage == "RCPT" and stranger is not None and (stranger.code, stranger.enhanced) == (reply.code, reply.enhanced)
    yield _finding(seen, name, severity, stage=stage, reply=reply.text, same_for_a_made_up_mailbox=alike)
    if seen.catch_all and stranger is not None:
        yield _finding(seen, "smtp.catch_all", Severity.INFO, reply=stranger.text)
    if seen.relays:
        yield _finding(seen, "smtp.open_relay", Severity.ERROR, reply=talk.replies["foreign"].text)
