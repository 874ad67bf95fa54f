"""What an SPF evaluation found, as findings and as a sentence."""

from __future__ import annotations

from whybounce.checks.guard import shown
from whybounce.checks.result import Fact, Finding, Severity
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import MAX_VOIDS, Evaluation
from whybounce.checks.spf_tree import Node, Reason, SpfStop

_OF_RESULT = {
    "pass": ("spf.pass", Severity.OK),
    "fail": ("spf.fail", Severity.ERROR),
    "softfail": ("spf.softfail", Severity.WARNING),
    "neutral": ("spf.neutral", Severity.WARNING),
    "none": ("spf.none", Severity.WARNING),
}


def evaluation_findings(kind: str, result: str, root: Node, stop: SpfStop | None, evaluation: Evaluation) -> list[Finding]:
    """The finding for the result or for what stopped the evaluation, and whether stricter receivers count otherwise."""
    if stop is not None:
        return [stop_finding(stop, Severity.ERROR)]
    name, severity = _OF_RESULT[result]
    if kind == "helo" and result == "fail":
        name = "spf.helo_fail"
    data: dict[str, Fact] = {"domain": shown(root.domain)}
    if result != "none":
        data |= {"ip": str(evaluation.sender.ip), "record": root.record, "matched": shown(evaluation.matched)}
    findings = [Finding(name, severity, data)]
    if evaluation.voids <= MAX_VOIDS < evaluation.voids_by_name:
        findings.append(Finding("spf.fail_or_void", Severity.WARNING, {"domain": shown(root.domain), "voids": evaluation.voids_by_name}))
    return findings


def audit_findings(audit: Audit, domain: str, stop: SpfStop | None, many: Severity) -> list[Finding]:
    """What is wrong anywhere in the record, whoever sends. `stop` is what the evaluation came upon itself; `many`: how grave too many
    look-ups are, which an evaluation that ends early never makes: an error where no sender is judged, as then there is none."""
    findings = []
    judged = many is not Severity.ERROR
    whole = [audit.too_many(domain), *([] if judged else [audit.too_many_void(domain)])]
    known = {_key(stop)} if stop else set()
    for problem in [*audit.problems, *(item for item in whole if item)]:
        if _key(problem) in known:
            continue
        known.add(_key(problem))
        if problem.result == "permerror" or (stop is None and not judged):
            findings.append(stop_finding(problem, many if problem.reason is Reason.TOO_MANY_LOOKUPS else Severity.ERROR))
    if audit.ptr:
        findings.append(Finding("spf.ptr", Severity.WARNING, {"domains": [shown(name) for name in sorted(set(audit.ptr))]}))
    if audit.plus_all:
        findings.append(Finding("spf.plus_all", Severity.WARNING, {"domains": [shown(name) for name in sorted(set(audit.plus_all))]}))
    return findings


def _key(stop: SpfStop) -> tuple[str, str]:
    """What counts as the same problem: limits are of the whole record, the others of one domain."""
    whole = stop.reason in (Reason.TOO_MANY_LOOKUPS, Reason.TOO_MANY_VOID)
    return stop.reason.value, "" if whole else stop.domain.lower()


def stop_finding(stop: SpfStop, grave: Severity) -> Finding:
    """The finding for what stopped an evaluation; where DNS failed, it is never an error of the record."""
    if stop.reason in (Reason.TEMPERROR, Reason.NOT_ASKED):
        return Finding("spf.temperror", Severity.UNKNOWN, stop.data())
    return Finding(f"spf.{stop.reason.value}", grave, stop.data())


def result_sentence(result: str, root: Node, stop: SpfStop | None, evaluation: Evaluation | None) -> str:
    """One sentence that says what was seen."""
    domain = shown(root.domain)
    if result == "none":
        return f"{domain} has no SPF record, so receivers cannot tell who may send for it."
    if stop is not None:
        if result == "permerror":
            return f"The SPF record of {domain} cannot be used: {stop.detail}."
        return f"The SPF result for {domain} could not be found out: {stop.detail}."
    ip = evaluation.sender.ip if evaluation else "the sending address"
    by = f" (by {shown(evaluation.matched)})" if evaluation and evaluation.matched else ""
    return {
        "pass": f"The SPF record of {domain} allows {ip}{by}.",
        "fail": f"The SPF record of {domain} does not allow {ip}{by}.",
        "softfail": f"The SPF record of {domain} says that {ip} is probably not allowed{by}.",
        "neutral": f"The SPF record of {domain} says nothing about {ip}{by or ': nothing in it matches, and it has no all term'}.",
    }[result]
