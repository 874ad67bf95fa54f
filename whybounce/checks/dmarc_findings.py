"""What was found of a domain's DMARC policy, as findings and as sentences."""

from __future__ import annotations

from whybounce.checks.dmarc_record import DmarcRecord, Policy, is_meant, is_record
from whybounce.checks.dmarc_verdict import Result, Verdict, Voucher
from whybounce.checks.dmarc_walk import Step, Walk
from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import shown
from whybounce.checks.result import Fact, Finding, Severity

MAX_TEXTS = 5
_ASKS = {Policy.NONE: "to do nothing special with", Policy.QUARANTINE: "to treat as suspicious", Policy.REJECT: "to reject"}


def walk_findings(walked: Walk, txt: Lookup, holding: Step | None) -> list[Finding]:
    """What is wrong at the names of the walk. txt: the TXT records of the domain itself; holding: where the record that counts is."""
    findings = []
    own = walked.own
    failed = next((step for step in walked.steps if step.failed), None) if holding is None else None
    if failed is not None:
        data: dict[str, Fact] = {"name": f"_dmarc.{failed.domain}", "status": failed.lookup.status.value}
        findings.append(Finding("dmarc.temperror", Severity.UNKNOWN, data))
    several = [step for step in walked.steps if step.count > 1 and (step is own or own.record is None)]
    for step in several:
        texts: list[Fact] = [shown(text, 500) for text in step.lookup.texts if is_record(text)]
        findings.append(Finding("dmarc.multiple", Severity.ERROR, {"name": f"_dmarc.{step.domain}", "records": texts[:MAX_TEXTS]}))
    if own.begun and own.record is None:
        reason = "no semicolon stands between v=DMARC1 and the rest"
        findings.append(Finding("dmarc.syntax", Severity.ERROR, {"domain": walked.domain, "record": own.begun, "reason": reason}))
    elif holding is None and failed is None and not several:
        meant: list[Fact] = [shown(text, 500) for text in own.lookup.texts if is_meant(text)]
        findings.append(Finding("dmarc.none", Severity.WARNING, {"domain": walked.domain, **({"records": meant[:MAX_TEXTS]} if meant else {})}))
    misplaced = next((text for text in txt.texts if is_record(text)), None)
    if misplaced is not None and own.count == 0 and not own.failed:
        findings.append(Finding("dmarc.wrong_location", Severity.WARNING, {"domain": walked.domain, "record": shown(misplaced, 500)}))
    return findings


def record_findings(walked: Walk, record: DmarcRecord, at: Step, tag: str, policy: Policy) -> list[Finding]:
    """What the record that holds says."""
    own = at.domain == walked.domain
    data: dict[str, Fact] = {"domain": walked.domain, "at": f"_dmarc.{at.domain}", "record": record.text, "tag": tag, "policy": policy.value}
    findings = []
    if record.wrong:
        wrong: list[Fact] = [*record.wrong]
        findings.append(Finding("dmarc.syntax", Severity.ERROR, {**data, "wrong": wrong}))
    elif own and policy is not Policy.NONE:
        findings.append(Finding("dmarc.policy", Severity.OK, data))
    if not own:
        findings.append(Finding("dmarc.policy_walk", Severity.OK, data))
    if tag == "np" and policy is not Policy.NONE:
        findings.append(Finding("dmarc.policy_np", Severity.ERROR, data))
    if "sp" in record.policies:
        findings.append(Finding("dmarc.policy_sp", Severity.INFO, {**data, "sp": record.policies["sp"].value, "applies": tag == "sp"}))
    if policy is Policy.NONE and not record.wrong:
        findings.append(Finding("dmarc.policy_none", Severity.INFO, data))
    if record.testing:
        findings.append(Finding("dmarc.testing", Severity.INFO, data))
    if record.removed:
        tags: list[Fact] = [*record.removed]
        findings.append(Finding("dmarc.tag_removed", Severity.INFO, {**data, "tags": tags}))
    return findings


def misaligned(domain: str, verdict: Verdict, policy: Policy, *, typed: bool) -> list[Finding]:
    """The finding for a mail that fails. Where no signature is known, that is certain only if there is none: it is told of facts that a person
    `typed`, and not of a bounce, whose signatures are mostly left out."""
    certain = verdict.result is Result.FAIL
    alone = verdict.spf is not None and verdict.spf.aligned is False and not verdict.all_known
    if verdict.result is Result.PASS or not (certain or (alone and typed)):
        return []
    vouchers: list[Fact] = [voucher.fact() for voucher in verdict.vouchers]
    data: dict[str, Fact] = {"domain": domain, "policy": policy.value, "by": vouchers, "certain": certain}
    return [Finding("dmarc.fail_misaligned", Severity.ERROR, data)]


def none_sentence(walked: Walk) -> str:
    """No record holds, for certain."""
    several = next((step for step in walked.steps if step.count > 1), None)
    if several:
        return f"There are {several.count} DMARC records at _dmarc.{several.domain}, and receivers ignore them all."
    if any(is_meant(text) for text in walked.own.lookup.texts):
        return f"What stands at _dmarc.{walked.domain} does not begin with v=DMARC1 and a semicolon, so receivers ignore it."
    above = ", nor has a domain above it" if len(walked.steps) > 2 else ""
    return f"{walked.domain} has no DMARC record{above}."


def policy_sentence(domain: str, at: str, record: DmarcRecord, tag: str, policy: Policy, effective: Policy) -> str:
    """The policy that holds, and whose."""
    if not record.applies:
        return f"The DMARC record of {at} has {record.wrong[0]}, which is no policy, so receivers ignore the record."
    if record.wrong:
        return f"The DMARC record of {at} has {record.wrong[0]}, which is no policy, so receivers take it as p=none."
    whose = f"{domain} asks" if at == domain else f"{domain} has no DMARC record of its own, and the one of {at} asks"
    said = f"{tag}={policy}" if tag in record.policies else "no p="
    trial = f"; as t=y says that this is a trial, {effective} is expected" if record.testing and policy is not effective else ""
    return f"{whose} receivers {_ASKS[policy]} mail that fails DMARC ({said}{trial})."


def mail_sentence(domain: str, verdict: Verdict) -> str:
    """Whether this mail passes, and why."""
    if verdict.result is Result.PASS:
        passing = next(voucher for voucher in verdict.vouchers if voucher.passes)
        return f"This mail passes: {_named(passing)} passes for {shown(passing.domain, 300)}, which is aligned with {domain}."
    told = "; ".join(_told(voucher, domain) for voucher in verdict.vouchers)
    if verdict.result is Result.FAIL:
        return f"This mail fails: {told or 'it has neither an SPF result nor a signature'}."
    if not verdict.all_known:
        lacking = "Whether a DKIM signature of this domain passes is not known, so it is not certain whether the mail passes"
    elif verdict.spf is None:
        lacking = "MAIL FROM is not known, so it is not certain whether the mail passes"
    else:
        lacking = "Whether the mail passes is not certain"
    return f"{lacking}{': ' + told if told else ''}."


def _told(voucher: Voucher, domain: str) -> str:
    near = {True: "is", False: "is not", None: "may be"}[voucher.aligned]
    return f"{_named(voucher)} is of {shown(voucher.domain, 300)} ({voucher.said}), which {near} aligned with {domain}"


def _named(voucher: Voucher) -> str:
    return "SPF" if voucher.kind == "spf" else "a DKIM signature"
