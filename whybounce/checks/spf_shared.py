"""The sender that SPF judges, and one evaluation of it for all checks of a run that want the result."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from whybounce.checks.guard import DomainError, parse_domain
from whybounce.checks.result import Subject
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import Evaluation, Sender
from whybounce.checks.spf_tree import Node, SpfStop
from whybounce.checks.tools import Tools


@dataclass(frozen=True, slots=True)
class Identity:
    """Which name of the sender is judged (RFC 7208 sections 2.3 and 2.4): "mailfrom", or "helo" for the null sender."""

    kind: str
    local: str
    domain: str


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation that has ended: its result, the tree of what was looked at, what ended it before its time, its counts."""

    result: str
    root: Node
    stop: SpfStop | None
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Audited:
    """The whole of a domain's record, as a tree."""

    audit: Audit
    root: Node


def identity_of(subject: Subject) -> Identity | None:
    """MAIL FROM where it is known; else the EHLO name. A domain alone stands for the sender's only where no recipient says otherwise."""
    text = subject.mail_from.strip()
    mail_from = text.removeprefix("<").removesuffix(">")
    if mail_from:
        local, _, domain = mail_from.rpartition("@")
        return Identity("mailfrom", local or "postmaster", normal(domain))
    if subject.domain and not subject.recipient and text != "<>":
        return Identity("mailfrom", "postmaster", normal(subject.domain))
    if subject.helo:
        return Identity("helo", "postmaster", normal(subject.helo))
    return None


def sender_of(identity: Identity, subject: Subject) -> Sender | None:
    """The sender to evaluate; None where the sending address is not known. ValueError where what is given is none."""
    ip = _address(subject.sending_ip)
    return Sender(ip, identity.local, identity.domain, normal(subject.helo)) if ip else None


async def evaluated(sender: Sender, tools: Tools) -> Evaluated:
    """The result for this sender, evaluated once a run. What its record needs is asked for ahead, so that it waits only for the longest chain."""

    async def work() -> Evaluated:
        ahead = asyncio.ensure_future(audited(sender.domain, sender.address_type, tools))
        evaluation = Evaluation(sender, tools.resolver)
        try:
            result, root, stop = await evaluation.run(sender.domain)
        finally:
            ahead.cancel()
        return Evaluated(result, root, stop, evaluation)

    return await tools.once(("spf", sender), work)


async def audited(domain: str, address_type: str, tools: Tools) -> Audited:
    """The whole record of a domain, looked at once a run. address_type: that of the sender ("A" or "AAAA")."""

    async def work() -> Audited:
        audit = Audit(tools.resolver, address_type)
        return Audited(audit, await audit.run(domain))

    return await tools.once(("spf record", domain, address_type), work)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IPv4-mapped address is judged as IPv4 (RFC 7208 section 5)."""
    literal = text.strip().removeprefix("[").removesuffix("]")
    if literal.lower().startswith("ipv6:"):
        literal = literal[5:]
    if not literal:
        return None
    ip = ipaddress.ip_address(literal.partition("%")[0])
    return ip if ip.version == 4 else ip.ipv4_mapped or ip


def normal(domain: str) -> str:
    """Lower-case A-labels where the text is a domain; else as it is, which the evaluation then finds to be none."""
    try:
        return parse_domain(domain)
    except DomainError:
        return domain.strip().removesuffix(".")
