"""Where mail for a domain is to go, and whether it can: RFC 5321 section 5.1, RFC 7505 (null MX)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from whybounce.checks.dns_findings import dns_findings
from whybounce.checks.dns_message import Lookup, Mx, Status
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.mx_hosts import MAX_HOSTS, UNDECIDED, Host, Verdict, host_findings, judge, look_up_hosts
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("implicit", State.INFO),
    DeclaredAnswer("null-mx", State.BAD),
    DeclaredAnswer("none", State.BAD),
    DeclaredAnswer("nxdomain", State.BAD),
    DeclaredAnswer("dangling", State.BAD),
    DeclaredAnswer("partly-dangling", State.WARNING),
    DeclaredAnswer("cname", State.WARNING),
    DeclaredAnswer("ip-literal", State.BAD),
    DeclaredAnswer("private", State.BAD),
    DeclaredAnswer("servfail", State.BAD),
    DeclaredAnswer("timeout", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# An answer of the check, and the sentence that says what was seen.
_Verdict = tuple[str, str]


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Look up the MX records of the recipient's domain and the addresses of what they name."""
    resolver = tools.resolver
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("mx", "unknown", State.UNKNOWN, str(error))
    lookup = await resolver.ask(domain, "MX")
    findings = dns_findings(domain, lookup)
    facts = _facts(domain, lookup)
    if lookup.found:
        answer, detail = await _explicit(domain, lookup, resolver, findings, facts)
    elif lookup.status is Status.NODATA:
        answer, detail = await _implicit(domain, resolver, findings, facts)
    else:
        answer, detail = _failed(domain, lookup)
    return CheckResult("mx", answer, _STATES[answer], detail, tuple(findings), facts)


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)


def _facts(domain: str, lookup: Lookup) -> dict[str, Fact]:
    return {
        "domain": domain,
        "status": lookup.status.value,
        "mx": [],
        "count": len(lookup.records),
        "ttl": lookup.ttl,
        "server": lookup.server,
        "aliases": [shown(alias) for alias in lookup.chain],
        "dns_errors": list(lookup.ede),
    }


def _failed(domain: str, lookup: Lookup) -> _Verdict:
    errors = f" ({'; '.join(lookup.ede)})" if lookup.ede else ""
    if lookup.status is Status.NXDOMAIN:
        if lookup.chain:
            return "nxdomain", f"{domain} is an alias of {shown(lookup.chain[-1])}, which does not exist in DNS."
        return "nxdomain", f"The domain {domain} does not exist in DNS."
    if lookup.status is Status.SERVFAIL:
        return "servfail", f"The name servers of {domain} give no usable answer: the look-up ends in SERVFAIL{errors}."
    if lookup.status is Status.TIMEOUT:
        return "timeout", f"No answer about {domain} came from DNS in time."
    return "unknown", f"The MX records of {domain} could not be looked up: {shown(lookup.detail)}{errors}."


async def _explicit(domain: str, lookup: Lookup, resolver: Resolver, findings: list[Finding], facts: dict[str, Fact]) -> _Verdict:
    """The domain has MX records."""
    records = lookup.mx
    facts["mx"] = [{"preference": mx.preference, "host": shown(mx.host)} for mx in records[:MAX_HOSTS]]
    if all(mx.host == "." for mx in records):
        return _null(domain, records, findings)
    if any(mx.host == "." for mx in records):
        findings.append(Finding("mx.null_mixed", Severity.ERROR, {"records": [f"{mx.preference} {shown(mx.host)}" for mx in records[:MAX_HOSTS]]}))
    if len(records) > MAX_HOSTS:
        findings.append(Finding("mx.too_many", Severity.WARNING, {"count": len(records), "looked_at": MAX_HOSTS}))
    hosts, wildcard = await asyncio.gather(look_up_hosts(records, resolver), _is_wildcard(domain, lookup, resolver))
    facts["mx"] = [host.fact() for host in hosts]
    findings += host_findings(hosts)
    if wildcard:
        findings.append(Finding("mx.wildcard", Severity.INFO, {"name": domain, "wildcard": wildcard}))
    answer, detail = _judge(domain, hosts)
    if answer == "ok":
        findings.append(Finding("mx.ok", Severity.OK, {"hosts": [shown(host.name) for host in hosts]}))
    return answer, detail


def _null(domain: str, records: Sequence[Mx], findings: list[Finding]) -> _Verdict:
    """RFC 7505 section 3: one record with preference 0 and the root as its target."""
    findings.append(Finding("mx.null", Severity.ERROR, {"name": domain}))
    if any(mx.preference for mx in records):
        findings.append(Finding("mx.null_malformed", Severity.WARNING, {"preference": records[0].preference}))
    return "null-mx", f"{domain} says that it accepts no mail at all (null MX)."


async def _is_wildcard(domain: str, lookup: Lookup, resolver: Resolver) -> str:
    """The wildcard that gives the domain its MX records, "" where none does. Asked of sub-domains only: above a registered
    domain a wildcard would be the registry's."""
    parent = domain.partition(".")[2]
    if lookup.chain or "." not in parent:
        return ""
    wildcard = await resolver.ask(f"*.{parent}", "MX")
    return f"*.{parent}" if wildcard.found and set(wildcard.records) == set(lookup.records) else ""


def _judge(domain: str, hosts: Sequence[Host]) -> _Verdict:
    """One answer from all hosts: good where mail can go somewhere, bad only where it is certain that it cannot."""
    usable = [host for host in hosts if host.usable]
    broken = [host for host in hosts if not host.usable and host.verdict not in UNDECIDED]
    names = _names(usable)
    if usable and broken:
        return "partly-dangling", f"Mail for {domain} can go to {names}, but not to {_names(broken)}: {_why(broken[0])}."
    if usable and any(host.aliases for host in usable):
        alias = next(host for host in usable if host.aliases)
        return "cname", f"The MX of {domain}, {shown(alias.name)}, is an alias (CNAME) of {shown(alias.aliases[-1])}, which RFC 5321 does not allow."
    if usable:
        return "ok", f"Mail for {domain} goes to {names}."
    undecided = [host for host in hosts if host.verdict in UNDECIDED]
    if undecided:
        answer = "timeout" if undecided[0].verdict is Verdict.TIMEOUT else "unknown"
        return answer, f"The addresses of {_names(undecided)}, where mail for {domain} goes, could not be looked up."
    first = next((host for host in broken if host.verdict is not Verdict.ROOT), broken[0])
    return _BAD[first.verdict], f"Mail for {domain} can go nowhere: {_why(first)}."


_BAD = {
    Verdict.NO_ADDRESS: "dangling",
    Verdict.ROOT: "dangling",
    Verdict.IP_LITERAL: "ip-literal",
    Verdict.NOT_PUBLIC: "private",
    Verdict.SERVFAIL: "servfail",
}


def _why(host: Host) -> str:
    """Why no mail can go to a host, as the end of a sentence."""
    name = shown(host.name)
    match host.verdict:
        case Verdict.NO_ADDRESS:
            return f"{name} has no address" if host.exists else f"{name} does not exist"
        case Verdict.IP_LITERAL:
            return f"its MX names the address {name} where a host name is needed"
        case Verdict.NOT_PUBLIC:
            return f"{name} has only an address that cannot be reached from outside ({', '.join(host.not_public[:2]) or 'the machine itself'})"
        case Verdict.SERVFAIL:
            return f"the look-up of {name} ends in SERVFAIL"
        case _:
            return "one of its MX records is the null MX, which stands for no host"


def _names(hosts: Sequence[Host]) -> str:
    names = [shown(host.name) if host.name != "." else "the null MX" for host in hosts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


async def _implicit(domain: str, resolver: Resolver, findings: list[Finding], facts: dict[str, Fact]) -> _Verdict:
    """No MX record: the domain itself is the host (RFC 5321 section 5.1), if it has an address."""
    host = judge(Mx(0, domain), *await resolver.addresses(domain), resolver)
    facts["addresses"] = host.fact()["addresses"]
    if host.verdict is Verdict.NO_ADDRESS:
        findings.append(Finding("mx.none", Severity.ERROR, {"name": domain}))
        return "none", f"{domain} has neither an MX record nor an address, so no mail can go to it."
    # An alias is of the domain, told by dns.domain_is_cname: no MX names it.
    findings += (finding for finding in host_findings([host]) if finding.finding != "mx.cname")
    if host.usable:
        findings.append(Finding("mx.implicit", Severity.INFO, {"name": domain, "addresses": facts["addresses"]}))
        return "implicit", f"{domain} has no MX record; mail goes to its own address {host.addresses[0]} (implicit MX)."
    if host.verdict in UNDECIDED:
        return host.verdict.value, f"{domain} has no MX record, and its own address could not be looked up."
    return _BAD[host.verdict], f"{domain} has no MX record, and mail can go nowhere: {_why(host)}."
