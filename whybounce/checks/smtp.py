"""Whether the mail servers of a domain can be spoken with, what they offer and, where the operator allows it, whether they take the recipient."""

from __future__ import annotations

from whybounce.checks.certificates import examine
from whybounce.checks.conversation_record import Conversation, Limits
from whybounce.checks.conversation_servers import MailServers, mail_servers
from whybounce.checks.conversation_wire import Ending
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.result import CheckResult, Fact, Severity, State, Subject
from whybounce.checks.smtp_answer import ANSWERS, STATES, overall
from whybounce.checks.smtp_findings import Seen, findings
from whybounce.checks.smtp_refusals import Known
from whybounce.checks.tools import SmtpMode, Tools
from whybounce.failure import domain_of

__all__ = ["ANSWERS", "needs", "run"]


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools, limits: Limits = Limits()) -> CheckResult:  # noqa: B008 (frozen)
    """Speak with the best mail servers of the recipient's domain."""
    if tools.reach.smtp is SmtpMode.OFF:
        return CheckResult("smtp", "off", State.UNKNOWN, "Conversations with mail servers are switched off here, so nobody was contacted.")
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("smtp", "unknown", State.UNKNOWN, str(error))
    servers = await mail_servers(domain, subject, tools, limits)
    if not servers.conversations:
        return CheckResult("smtp", "unknown", State.UNKNOWN, servers.problem, facts=_facts(servers, [], tools))
    seen = _judge(servers, subject, tools, limits)
    allowed = any(each.conversation.ending is not Ending.NOT_ALLOWED for each in seen)
    found = [finding for each in seen for finding in findings(each, Severity.WARNING if allowed else Severity.ERROR)]
    answer, detail = overall(seen)
    return CheckResult("smtp", answer, STATES[answer], detail, tuple(found), _facts(servers, seen, tools))


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)


def _judge(servers: MailServers, subject: Subject, tools: Tools, limits: Limits) -> list[Seen]:
    known = Known.of(tools.reach.own_addresses, tools.blocklists)
    greeted: set[str] = set()
    seen = []
    for talk in servers.conversations:
        certificate = examine(talk.tls.chain, talk.server.host, tools.reach.ca_file) if talk.tls else None
        seen.append(Seen(talk, certificate, known, limits, subject.message_size, talk.server.address in greeted))
        if talk.greeted:
            greeted.add(talk.server.address)
    return seen


def _facts(servers: MailServers, seen: list[Seen], tools: Tools) -> dict[str, Fact]:
    return {
        "domain": servers.domain,
        "mode": tools.reach.smtp.value,
        "hosts": [{"preference": mx.preference, "host": shown(mx.host, 253)} for mx in servers.hosts],
        "servers": [_server(each) for each in seen],
        "not_contacted": [{"host": shown(host, 253), "reason": reason} for host, reason in servers.not_contacted],
        "not_probed": servers.not_probed,
        "ttl": servers.lookup.ttl,
        "dns_server": servers.lookup.server,
    }


def _server(seen: Seen) -> dict[str, Fact]:
    """What was seen of one server."""
    talk = seen.conversation
    return {
        "host": shown(talk.server.host, 253),
        "preference": talk.server.preference,
        "address": talk.server.address,
        "port": talk.server.port,
        "ended": talk.ending.value,
        "ended_at": talk.stage,
        "reason": talk.reason,
        "banner": _text(talk, "greeting"),
        "ehlo": _lines(talk),
        "extensions": dict(talk.extensions),
        "size_limit": seen.size_limit,
        "tls": {"version": talk.tls.version, "cipher": talk.tls.cipher} if talk.tls else None,
        "tls_error": talk.tls_error,
        "certificate": seen.certificate.fact() if seen.certificate else None,
        "mail": _text(talk, "mail"),
        "rcpt": _text(talk, "recipient"),
        "rcpt_made_up": _text(talk, "stranger"),
        "not_probed": talk.not_probed,
        "steps": [{"step": step, "ms": elapsed} for step, elapsed in talk.steps],
        "transcript": list(talk.transcript),
    }


def _text(talk: Conversation, step: str) -> str:
    return talk.replies[step].text if step in talk.replies else ""


def _lines(talk: Conversation) -> list[str]:
    reply = talk.replies.get("ehlo-tls") or talk.replies.get("helo") or talk.replies.get("ehlo")
    return list(reply.shown_lines()) if reply else []
