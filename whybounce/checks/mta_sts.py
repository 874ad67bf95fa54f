"""Whether a domain asks for TLS on the way to it, and whether its policy lets its own MX hosts take mail: MTA-STS, RFC 8461."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.https_fetch import Fetched, Outcome, fetch
from whybounce.checks.mta_sts_policy import Policy, is_sts, matches, parse_policy, parse_txt, policy_host, policy_url
from whybounce.checks.mx_hosts import MAX_HOSTS
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("none", State.INFO),
    DeclaredAnswer("mismatch-enforce", State.BAD),
    DeclaredAnswer("mismatch-testing", State.WARNING),
    DeclaredAnswer("unreachable", State.WARNING),
    DeclaredAnswer("invalid", State.WARNING),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

_FINDING_OF = {
    Outcome.REDIRECT: "mtasts.policy_redirect",
    Outcome.TOO_LARGE: "mtasts.policy_too_large",
    Outcome.CERTIFICATE: "mtasts.policy_cert",
    Outcome.STATUS: "mtasts.policy_unreachable",
    Outcome.REFUSED: "mtasts.policy_unreachable",
}
MAX_RECORDS = 5
MAX_LINES = 200


@dataclass(slots=True)
class _Seen:
    """What was found, while it is put together."""

    domain: str
    findings: list[Finding]
    facts: dict[str, Fact]

    def warn(self, finding: str, **data: Fact) -> None:
        self.findings.append(Finding(finding, Severity.WARNING, {"domain": self.domain, **data}))

    def result(self, answer: str, detail: str) -> CheckResult:
        return CheckResult("mtasts", answer, _STATES[answer], detail, tuple(self.findings), self.facts)


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Read the record, fetch the policy, and hold the MX hosts against it."""
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("mtasts", "unknown", State.UNKNOWN, str(error))
    resolver = tools.resolver
    # The policy host is asked for at once, which saves a round trip where there is a record.
    txt, mx, host = await asyncio.gather(
        resolver.ask(f"_mta-sts.{domain}", "TXT"), resolver.ask(domain, "MX"), resolver.addresses(policy_host(domain))
    )
    seen = _Seen(domain, [], {"domain": domain, "ttl": txt.ttl, "server": txt.server, "policy_url": policy_url(domain)})
    if not txt.found and not txt.absent:
        return seen.result("unknown", f"Whether {domain} has an MTA-STS record could not be looked up ({txt.status.value}).")
    records = sts_records(txt)
    seen.facts["records"] = [shown(record) for record in records[:MAX_RECORDS]]
    if not records:
        return seen.result("none", f"{domain} has no MTA-STS record.")
    usable = _judge_record(records, seen)
    fetched = await _policy(domain, host, tools, seen)
    return _judge(seen, usable, fetched, mx)


def sts_records(lookup: Lookup) -> list[str]:
    """The TXT records for MTA-STS, an octet a character; where there are none, those that were meant to be one."""
    found = [text for text in lookup.texts if is_sts(text)]
    meant = [text for text in lookup.texts if text.lstrip()[:7].lower() in (b"v=stsv1", b"v=sts1")]
    return [text.decode("latin-1") for text in found or meant]


def _judge_record(records: list[str], seen: _Seen) -> str:
    """Note what is wrong with the record; "" where nothing is, else the end of a sentence."""
    shown_records: list[Fact] = [shown(record) for record in records[:MAX_RECORDS]]
    if len(records) > 1:
        seen.warn("mtasts.multiple", records=shown_records)
        return f"there are {len(records)} records, and only one may be there"
    record = parse_txt(records[0])
    seen.facts["id"] = shown(record.id)
    if record.problem:
        seen.warn("mtasts.syntax", record=shown_records[0], reason=record.problem)
    return record.problem


async def _policy(domain: str, host: tuple[Lookup, Lookup], tools: Tools, seen: _Seen) -> Fetched | None:
    """The policy file; None where its host cannot be connected to, which is noted."""
    name, addresses = policy_host(domain), host[0].records + host[1].records
    good = [address for address in addresses if tools.may_connect(address)]
    bad: list[Fact] = [address for address in addresses if address not in good]
    if bad:
        seen.warn("mtasts.non_public_address", host=name, addresses=bad[:4])
    if not addresses:
        if all(lookup.absent for lookup in host):
            seen.warn("mtasts.policy_unreachable", url=policy_url(domain), reason=f"{name} has no address")
            return None
        status = next(lookup.status.value for lookup in host if not lookup.absent)
        return Fetched(Outcome.UNKNOWN, detail=f"the address of {name} could not be looked up ({status})")
    if not good:
        known = all(lookup.found or lookup.absent for lookup in host)
        return None if known else Fetched(Outcome.UNKNOWN, detail=f"not all addresses of {name} could be looked up")
    return await tools.once(("mta-sts", domain), lambda: fetch(policy_url(domain), good, port=tools.reach.https_port, ca_file=tools.reach.ca_file))


def _judge(seen: _Seen, problem: str, fetched: Fetched | None, mx: Lookup) -> CheckResult:
    domain = seen.domain
    policy = _note_policy(seen, fetched)
    if problem:
        return seen.result("invalid", f"The MTA-STS record of {domain} cannot be used: {problem}.")
    if fetched is None:
        reason = "its address is not public" if seen.findings[-1].finding == "mtasts.non_public_address" else "it has no address"
        return seen.result("unreachable", f"{domain} has an MTA-STS record, but its policy cannot be fetched from {policy_host(domain)}: {reason}.")
    if fetched.outcome is Outcome.UNKNOWN:
        return seen.result("unknown", f"The MTA-STS policy of {domain} could not be looked at: {fetched.detail}.")
    if policy is None:
        return seen.result("unreachable", f"{domain} has an MTA-STS record, but its policy cannot be fetched: {fetched.detail}.")
    if policy.problems:
        seen.warn("mtasts.syntax", url=policy_url(domain), reason=policy.problems[0], problems=list(policy.problems))
        return seen.result("invalid", f"The MTA-STS policy of {domain} cannot be used: {policy.problems[0]}.")
    return _compare(seen, policy, mx)


def _note_policy(seen: _Seen, fetched: Fetched | None) -> Policy | None:
    """What was fetched, as a policy; None where nothing usable came. `facts["policy"]` is then "", or missing where that is not known."""
    if fetched is None or fetched.outcome is not Outcome.FOUND:
        if fetched is None or fetched.outcome in _FINDING_OF:
            seen.facts["policy"] = ""
        if fetched is not None and fetched.outcome in _FINDING_OF:
            data: dict[str, Fact] = {"location": fetched.location} if fetched.location else {}
            seen.warn(_FINDING_OF[fetched.outcome], url=policy_url(seen.domain), reason=fetched.detail, address=fetched.address, **data)
        return None
    text = fetched.body.decode("utf-8", "backslashreplace")
    policy = parse_policy(text)
    lines = text.replace("\r\n", "\n").split("\n")[:MAX_LINES]
    seen.facts |= {
        "policy": "\n".join(shown(line, 300) for line in lines),
        "mode": shown(policy.mode, 50),
        "max_age": policy.max_age,
        "policy_mx": [shown(pattern, 300) for pattern in policy.mx[:50]],
        "address": fetched.address,
        "content_type": fetched.content_type,
    }
    return policy


def _compare(seen: _Seen, policy: Policy, mx: Lookup) -> CheckResult:
    """RFC 8461 section 4.1: in mode enforce an MX host that the policy does not name is never delivered to."""
    domain = seen.domain
    record = Finding("mtasts.record", Severity.OK, {"domain": domain, "id": seen.facts["id"], "mode": policy.mode})
    if policy.mode == "none":
        seen.findings.append(record)
        return seen.result("none", f"The MTA-STS policy of {domain} has the mode none: it asks for nothing.")
    if not mx.found and not mx.absent:
        return seen.result("unknown", f"The MX hosts of {domain}, which its MTA-STS policy is about, could not be looked up ({mx.status.value}).")
    hosts = [record.host for record in mx.mx if record.host != "."] if mx.found else [domain]
    seen.facts["mx"] = [shown(host) for host in hosts[:MAX_HOSTS]]
    missing = [host for host in dict.fromkeys(hosts) if not matches(host, policy.mx)]
    if not missing:
        seen.findings.append(record)
        return seen.result("ok", f"The MTA-STS policy of {domain} (mode {policy.mode}) names all its MX hosts.")
    stops = policy.mode == "enforce" and len(missing) == len(set(hosts))
    names: list[Fact] = [shown(host) for host in missing[:MAX_HOSTS]]
    data: dict[str, Fact] = {"domain": domain, "mode": policy.mode, "hosts": names, "policy_mx": seen.facts["policy_mx"]}
    seen.findings.append(Finding("mtasts.mx_mismatch", Severity.ERROR if stops else Severity.WARNING, data))
    hosts_text = " and ".join(map(str, names))
    effect = "senders that follow it do not deliver there" if policy.mode == "enforce" else "senders only report that, since the mode is testing"
    return seen.result(f"mismatch-{policy.mode}", f"The MTA-STS policy of {domain} does not name the MX host {hosts_text}: {effect}.")


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)
