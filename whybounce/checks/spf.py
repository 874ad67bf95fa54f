"""Whether the sender's domain lets the sending address send for it: SPF, RFC 7208."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from whybounce.checks.dns_message import Status
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import Evaluation, Sender, is_checkable
from whybounce.checks.spf_findings import audit_findings, evaluation_findings, result_sentence
from whybounce.checks.spf_record import select_records
from whybounce.checks.spf_tree import Node
from whybounce.checks.tools import Tools

ANSWERS = (
    DeclaredAnswer("pass", State.GOOD),
    DeclaredAnswer("fail", State.BAD),
    DeclaredAnswer("softfail", State.WARNING),
    DeclaredAnswer("neutral", State.WARNING),
    DeclaredAnswer("none", State.WARNING),
    DeclaredAnswer("permerror", State.BAD),
    DeclaredAnswer("temperror", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# How long a finished evaluation waits for what is looked at besides.
BESIDES_SECONDS = 1.0
HUGE_OCTETS = 8192


@dataclass(frozen=True, slots=True)
class Identity:
    """Which name of the sender is judged (RFC 7208 sections 2.3 and 2.4): "mailfrom", or "helo" for the null sender."""

    kind: str
    local: str
    domain: str


def identity_of(subject: Subject) -> Identity | None:
    """MAIL FROM where it is known; else the EHLO name. A domain alone stands for the sender's only where no recipient says otherwise."""
    text = subject.mail_from.strip()
    mail_from = text.removeprefix("<").removesuffix(">")
    if mail_from:
        local, _, domain = mail_from.rpartition("@")
        return Identity("mailfrom", local or "postmaster", _normal(domain))
    if subject.domain and not subject.recipient and text != "<>":
        return Identity("mailfrom", "postmaster", _normal(subject.domain))
    if subject.helo:
        return Identity("helo", "postmaster", _normal(subject.helo))
    return None


def needs(subject: Subject) -> str:
    return "" if identity_of(subject) else "the envelope sender (MAIL FROM), or the EHLO name"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Evaluate the SPF record of the sender for the sending address; without one, only look whether the record can be used."""
    resolver = tools.resolver
    identity = identity_of(subject)
    if identity is None:
        return CheckResult("spf", "unknown", State.UNKNOWN, f"SPF cannot be looked at without {needs(subject)}.")
    try:
        ip = _address(subject.sending_ip)
    except ValueError:
        return CheckResult("spf", "unknown", State.UNKNOWN, f"{shown(subject.sending_ip, 100)} is no IP address, so SPF cannot be evaluated.")
    if ip is None:
        return await _without_address(identity, resolver)
    return await _evaluate(identity, Sender(ip, identity.local, identity.domain, _normal(subject.helo)), resolver)


async def _evaluate(identity: Identity, sender: Sender, resolver: Resolver) -> CheckResult:
    """The evaluation decides; the audit and the EHLO name's record are looked at meanwhile, and waited for only a little."""
    evaluation, audit = Evaluation(sender, resolver), Audit(resolver, sender.address_type)
    auditing = asyncio.create_task(audit.run(identity.domain))
    helo = asyncio.create_task(_helo(identity, sender, resolver))
    try:
        result, root, stop = await evaluation.run(identity.domain)
        done, _ = await asyncio.wait((auditing, helo), timeout=BESIDES_SECONDS)
        other = helo.result() if helo in done else None
        finished = auditing in done and auditing.result() is not None
    finally:
        auditing.cancel()
        helo.cancel()
        await asyncio.gather(auditing, helo, return_exceptions=True)
    findings = evaluation_findings(identity.kind, result, root, stop, evaluation)
    findings += audit_findings(audit, root.domain, stop, Severity.WARNING)
    findings += await _more(root, result, resolver)
    facts = _facts(identity, root, result, sender)
    facts |= {"lookups": evaluation.lookups, "voids": evaluation.voids, "lookups_in_all": audit.lookups if finished else None}
    facts |= {"matched": shown(evaluation.matched), "explanation": shown(evaluation.explanation, 500)}
    if other is not None:
        name, node = other
        facts["helo"] = {"domain": shown(node.domain), "result": name, "record": node.record}
        if name == "fail":
            findings.append(Finding("spf.helo_fail", Severity.ERROR, {"domain": shown(node.domain), "ip": str(sender.ip), "record": node.record}))
    detail = result_sentence(result, root, stop, evaluation)
    return CheckResult("spf", result, _STATES[result], detail, tuple(findings), facts)


async def _helo(identity: Identity, sender: Sender, resolver: Resolver) -> tuple[str, Node] | None:
    """The EHLO name's own record, which receivers may look at as well (RFC 7208 section 2.3)."""
    if identity.kind == "helo" or sender.helo == identity.domain or not is_checkable(sender.helo):
        return None
    result, node, _ = await Evaluation(Sender(sender.ip, "postmaster", sender.helo, sender.helo), resolver).run(sender.helo)
    return result, node


async def _without_address(identity: Identity, resolver: Resolver) -> CheckResult:
    """The sending address is not known: whether there is a record, and whether it can be used."""
    audit = Audit(resolver)
    root = await audit.run(identity.domain) if is_checkable(identity.domain) else Node(identity.domain, result="none")
    stop = min(audit.problems, key=lambda problem: problem.result != "permerror", default=None) or audit.too_many(root.domain)
    result = root.result or (stop.result if stop else "unknown")
    findings = audit_findings(audit, root.domain, None, Severity.ERROR)
    if result == "none":
        findings.append(Finding("spf.none", Severity.WARNING, {"domain": shown(root.domain)}))
    if result == "unknown" and audit.ending == "neutral":
        findings.append(Finding("spf.neutral", Severity.WARNING, {"domain": shown(root.domain), "record": root.record}))
    findings += await _more(root, result, resolver)
    facts = _facts(identity, root, result, None) | {"lookups_in_all": audit.lookups}
    if result == "unknown" and stop is None:
        detail = f"{shown(root.domain)} has an SPF record without mistakes; whom it allows can be told only for a sending IP address."
    else:
        detail = result_sentence(result, root, stop, None)
    return CheckResult("spf", result, _STATES[result], detail, tuple(findings), facts)


async def _more(root: Node, result: str, resolver: Resolver) -> list[Finding]:
    """What DNS itself tells beside the record: a domain that does not exist, a record of the retired type SPF, a huge answer."""
    findings = []
    if root.octets > HUGE_OCTETS:
        findings.append(Finding("dns.huge_answer", Severity.INFO, {"name": shown(root.domain), "type": "TXT", "octets": root.octets}))
    if result != "none" or not is_checkable(root.domain):
        return findings
    if (await resolver.ask(root.domain, "TXT")).status is Status.NXDOMAIN:
        findings.append(Finding("dns.nxdomain", Severity.ERROR, {"name": shown(root.domain)}))
    else:
        retired = select_records((await resolver.ask(root.domain, "SPF")).texts)
        if retired:
            findings.append(Finding("spf.type99", Severity.INFO, {"domain": shown(root.domain), "record": shown(retired[0])}))
    return findings


def _facts(identity: Identity, root: Node, result: str, sender: Sender | None) -> dict[str, Fact]:
    return {
        "identity": identity.kind,
        "domain": shown(identity.domain, 300),
        "sending_ip": str(sender.ip) if sender else "",
        "result": result,
        "record": root.record,
        "ttl": root.ttl,
        "server": root.server,
        "tree": root.fact(),
    }


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IPv4-mapped address is judged as IPv4 (RFC 7208 section 5)."""
    literal = text.strip().removeprefix("[").removesuffix("]")
    if literal.lower().startswith("ipv6:"):
        literal = literal[5:]
    if not literal:
        return None
    ip = ipaddress.ip_address(literal.partition("%")[0])
    return ip if ip.version == 4 else ip.ipv4_mapped or ip


def _normal(domain: str) -> str:
    """Lower-case A-labels where the text is a domain; else as it is, which the evaluation then finds to be none."""
    try:
        return parse_domain(domain)
    except DomainError:
        return domain.strip().removesuffix(".")
