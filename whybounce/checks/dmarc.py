"""Whether the domain in From asks receivers to refuse this mail: its DMARC policy, and whether the mail passes. RFC 9989."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whybounce.checks.dmarc_findings import mail_sentence, misaligned, none_sentence, policy_sentence, record_findings, walk_findings
from whybounce.checks.dmarc_record import DmarcRecord, Policy, is_meant
from whybounce.checks.dmarc_reports import Destination, destinations, report_findings
from whybounce.checks.dmarc_verdict import Result, Verdict, judge, see
from whybounce.checks.dmarc_walk import Step, Walk, walk
from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools

ANSWERS = (
    DeclaredAnswer("pass", State.GOOD),
    DeclaredAnswer("fail-reject", State.BAD),
    DeclaredAnswer("fail-quarantine", State.BAD),
    DeclaredAnswer("fail-none", State.WARNING),
    DeclaredAnswer("policy", State.GOOD),
    DeclaredAnswer("none", State.WARNING),
    DeclaredAnswer("invalid", State.BAD),
    DeclaredAnswer("temperror", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}
MAX_RECORDS = 5


@dataclass(frozen=True, slots=True)
class Author:
    """The domain that is looked at, and where it stands: "From", or what stands for it where From is not known."""

    domain: str
    source: str

    @property
    def known(self) -> bool:
        return self.source == "From"


@dataclass(frozen=True, slots=True)
class Applied:
    """The policy that holds for the author's domain: where its record is, the tag that says it, and what t=y leaves of it."""

    step: Step
    record: DmarcRecord
    tag: str
    policy: Policy

    @property
    def effective(self) -> Policy:
        return self.policy.milder if self.record.testing else self.policy


def author_of(subject: Subject) -> Author | None:
    """The domain in From; else that of MAIL FROM, else the subject's own where no recipient says that it is the recipient's."""
    own = "" if subject.recipient else subject.domain
    for source, text in (("From", subject.header_from), ("MAIL FROM", subject.mail_from), ("the domain", own)):
        domain = text.strip().rpartition("@")[2].strip("<> .")
        if domain:
            return Author(domain, source)
    return None


def needs(subject: Subject) -> str:
    return "" if author_of(subject) else "the address in From"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Find the policy that holds, see whom SPF and DKIM vouch for, and judge this mail where From is known."""
    author = author_of(subject)
    if author is None:
        return CheckResult("dmarc", "unknown", State.UNKNOWN, f"DMARC cannot be looked at without {needs(subject)}.")
    try:
        author = Author(parse_domain(author.domain), author.source)
    except DomainError as error:
        return CheckResult("dmarc", "unknown", State.UNKNOWN, str(error))
    seeing = asyncio.create_task(see(subject, tools)) if author.known else None
    try:
        walked, txt = await asyncio.gather(walk(author.domain, tools.resolver), tools.resolver.ask(author.domain, "TXT"))
        applied = _applied(walked, txt)
        reports: tuple[Destination, ...] = ()
        if applied:
            reports = await destinations(applied.record, applied.step.domain, _organisation(walked, applied), tools.resolver)
        verdict = judge(await seeing, walked, applied.record) if seeing and applied and applied.record.applies else None
    finally:
        if seeing:
            seeing.cancel()
            await asyncio.gather(seeing, return_exceptions=True)
    return _result(subject, author, walked, txt, applied, verdict, reports)


def _applied(walked: Walk, txt: Lookup) -> Applied | None:
    """The policy for the author's domain; None where there is none, or where DNS did not tell."""
    step = None if walked.own.failed else walked.holding
    if step is None or step.record is None:
        return None
    exists = txt.status is not Status.NXDOMAIN or bool(txt.chain)
    tag, policy = step.record.policy(below=step.domain != walked.domain, exists=exists)
    return Applied(step, step.record, tag, policy)


def _organisation(walked: Walk, applied: Applied) -> str:
    """The organisation whose record holds, with all below it; "" for a public suffix, below which are others."""
    at, organisation = applied.step.domain, walked.organisation
    return organisation if at == organisation or at.endswith("." + organisation) else ""


def _result(
    subject: Subject,
    author: Author,
    walked: Walk,
    txt: Lookup,
    applied: Applied | None,
    verdict: Verdict | None,
    reports: tuple[Destination, ...],
) -> CheckResult:
    facts = _facts(author, walked, applied)
    findings = walk_findings(walked, txt, applied.step if applied else None)
    if applied is None:
        answer, detail = _without_policy(walked)
        return CheckResult("dmarc", answer, _STATES[answer], detail, tuple(findings), facts)
    findings += record_findings(walked, applied.record, applied.step, applied.tag, applied.policy)
    findings += report_findings(reports, applied.step.domain)
    facts["rua"] = [destination.fact() for destination in reports]
    detail = policy_sentence(walked.domain, applied.step.domain, applied.record, applied.tag, applied.policy, applied.effective)
    answer = "policy"
    if verdict is not None:
        facts["by"] = [voucher.fact() for voucher in verdict.vouchers]
        answer = {Result.PASS: "pass", Result.FAIL: f"fail-{applied.effective}"}.get(verdict.result, "policy")
        if verdict.result is Result.PASS:
            passing = next(voucher for voucher in verdict.vouchers if voucher.passes)
            findings.append(Finding("dmarc.pass", Severity.OK, {"domain": walked.domain, "by": passing.kind, "passing": passing.domain}))
        # What a person typed is all there is of the mail; a bounce often leaves its signatures out.
        findings += misaligned(walked.domain, verdict, applied.policy, typed=not subject.reply)
        detail += " " + mail_sentence(walked.domain, verdict)
    elif applied.record.applies:
        detail += f" The address in From is not known, so {author.source} was looked at, and whether the mail passes cannot be told."
    if applied.record.wrong or walked.own_is_broken:
        answer = "invalid"
    return CheckResult("dmarc", answer, _STATES[answer], detail, tuple(findings), facts)


def _without_policy(walked: Walk) -> tuple[str, str]:
    """The answer where no record holds."""
    failed = next((step for step in walked.steps if step.failed), None)
    if failed is not None:
        answer = "unknown" if failed.lookup.status is Status.UNKNOWN else "temperror"
        why = shown(failed.lookup.detail or f"DNS answered {failed.lookup.status.value}", 200)
        return answer, f"The DMARC record _dmarc.{failed.domain} could not be looked up: {why}."
    broken = walked.own_is_broken or any(step.count > 1 for step in walked.steps)
    return "invalid" if broken else "none", none_sentence(walked)


def _facts(author: Author, walked: Walk, applied: Applied | None) -> dict[str, Fact]:
    lookup = walked.own.lookup
    facts: dict[str, Fact] = {"domain": author.domain, "from": author.source, "ttl": lookup.ttl, "server": lookup.server}
    if lookup.found or lookup.absent:
        facts["records"] = [shown(text) for text in lookup.texts if is_meant(text)][:MAX_RECORDS]
    facts["walk"] = [step.fact() for step in walked.steps]
    if applied is None:
        return facts
    record = applied.record
    facts |= {"above": applied.step.domain if applied.step.domain != author.domain else "", "record": record.text}
    facts |= {"tag": applied.tag, "policy": applied.policy.value, "effective": applied.effective.value, "organisation": walked.organisation}
    facts |= {"aspf": "s" if record.strict_spf else "r", "adkim": "s" if record.strict_dkim else "r"}
    facts |= {"removed": list(record.removed), "ignored": list(record.ignored)}
    return facts
