"""Whether the sender's domain lets the sending address send for it: SPF, RFC 7208."""

from __future__ import annotations

import asyncio

from whybounce.checks.dns_message import Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.spf_eval import Sender, is_checkable
from whybounce.checks.spf_findings import audit_findings, evaluation_findings, result_sentence
from whybounce.checks.spf_record import select_records
from whybounce.checks.spf_shared import Evaluated, Identity, audited, evaluated, identity_of, sender_of
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


def needs(subject: Subject) -> str:
    return "" if identity_of(subject) else "the envelope sender (MAIL FROM), or the EHLO name"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Evaluate the SPF record of the sender for the sending address; without one, only look whether the record can be used."""
    identity = identity_of(subject)
    if identity is None:
        return CheckResult("spf", "unknown", State.UNKNOWN, f"SPF cannot be looked at without {needs(subject)}.")
    try:
        sender = sender_of(identity, subject)
    except ValueError:
        return CheckResult("spf", "unknown", State.UNKNOWN, f"{shown(subject.sending_ip, 100)} is no IP address, so SPF cannot be evaluated.")
    return await (_evaluate(identity, sender, tools) if sender else _without_address(identity, tools))


async def _evaluate(identity: Identity, sender: Sender, tools: Tools) -> CheckResult:
    """The evaluation decides; the audit and the EHLO name's record are looked at meanwhile, and waited for only a little."""
    auditing = asyncio.create_task(audited(identity.domain, sender.address_type, tools))
    helo = asyncio.create_task(_helo(identity, sender, tools))
    try:
        judged = await evaluated(sender, tools)
        done, _ = await asyncio.wait((auditing, helo), timeout=BESIDES_SECONDS)
        other = helo.result() if helo in done else None
        audit = auditing.result().audit if auditing in done else None
    finally:
        auditing.cancel()
        helo.cancel()
        await asyncio.gather(auditing, helo, return_exceptions=True)
    result, root, stop, evaluation = judged.result, judged.root, judged.stop, judged.evaluation
    findings = evaluation_findings(identity.kind, result, root, stop, evaluation)
    findings += audit_findings(audit, root.domain, stop, Severity.WARNING) if audit else []
    findings += await _more(root, result, tools.resolver)
    facts = _facts(identity, root, result, sender)
    facts |= {"lookups": evaluation.lookups, "voids": evaluation.voids, "lookups_in_all": audit.lookups if audit else None}
    facts |= {"matched": shown(evaluation.matched), "explanation": shown(evaluation.explanation, 500)}
    if other is not None:
        facts["helo"] = {"domain": shown(other.root.domain), "result": other.result, "record": other.root.record}
        findings += evaluation_findings("helo", "fail", other.root, None, other.evaluation) if other.result == "fail" else []
    detail = result_sentence(result, root, stop, evaluation)
    return CheckResult("spf", result, _STATES[result], detail, tuple(findings), facts)


async def _helo(identity: Identity, sender: Sender, tools: Tools) -> Evaluated | None:
    """The EHLO name's own record, which receivers may look at as well (RFC 7208 section 2.3)."""
    if identity.kind == "helo" or sender.helo == identity.domain or not is_checkable(sender.helo):
        return None
    return await evaluated(Sender(sender.ip, "postmaster", sender.helo, sender.helo), tools)


async def _without_address(identity: Identity, tools: Tools) -> CheckResult:
    """The sending address is not known: whether there is a record, and whether it can be used."""
    looked = await audited(identity.domain, "A", tools)
    audit, root = looked.audit, looked.root
    stop = min(audit.problems, key=lambda problem: problem.result != "permerror", default=None)
    stop = stop or audit.too_many(root.domain) or audit.too_many_void(root.domain)
    if not is_checkable(identity.domain):
        root.result = "none"
    result = root.result or (stop.result if stop else "unknown")
    findings = audit_findings(audit, root.domain, None, Severity.ERROR)
    if result == "none":
        findings.append(Finding("spf.none", Severity.WARNING, {"domain": shown(root.domain)}))
    if result == "unknown" and audit.ending == "neutral":
        findings.append(Finding("spf.neutral", Severity.WARNING, {"domain": shown(root.domain), "record": root.record}))
    findings += await _more(root, result, tools.resolver)
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
