"""Whether a domain's name servers are in charge of it, agree and answer, and whether DNSSEC lets their answers through: the check "dns".
RFC 1034 section 4.2.2 (delegation), RFC 1912 section 2.8 (lame servers), RFC 4035 (DNSSEC)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whybounce.checks.delegation_judge import EDE_UNREACHABLE, Servers, judge_servers
from whybounce.checks.dns_findings import dns_findings
from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.dnssec import Bogus, error_codes, find_bogus
from whybounce.checks.guard import DomainError, is_address, parse_domain, shown
from whybounce.checks.mx_hosts import MAX_HOSTS, is_localhost
from whybounce.checks.name_servers import ask_servers
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.checks.zone_cut import find_zone_cut
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("slow", State.INFO),
    DeclaredAnswer("inconsistent", State.WARNING),
    DeclaredAnswer("lame", State.WARNING),
    DeclaredAnswer("all-lame", State.BAD),
    DeclaredAnswer("bogus", State.BAD),
    DeclaredAnswer("nxdomain", State.BAD),
    DeclaredAnswer("servfail", State.BAD),
    DeclaredAnswer("timeout", State.UNKNOWN, informative=False),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# More than any mail server needs to read: what comes over TCP in many packets is slow and breaks at firewalls.
HUGE_OCTETS = 8192


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the resolver says of the domain: its MX, what else was asked, and what of it is withheld because of DNSSEC."""

    mx: Lookup
    others: tuple[Lookup, ...]
    bogus: tuple[Bogus, ...]
    mail_stops: bool

    @property
    def secure(self) -> bool:
        return self.mx.authenticated and (self.mx.found or self.mx.absent) and not self.bogus


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's or the sender's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Ask the resolver about the domain, and each of its name servers itself."""
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("dns", "unknown", State.UNKNOWN, str(error))
    answers, servers = await asyncio.gather(_ask_resolver(domain, tools), _ask_name_servers(domain, tools))
    findings = dns_findings(domain, answers.mx) + _dnssec_findings(domain, answers) + _size_findings(answers)
    findings += servers.findings(_answered(answers.mx)) + _silence_findings(domain, findings, answers, servers) + _slow_findings(findings, servers)
    answer, detail = _judge(domain, answers, servers, findings)
    return CheckResult("dns", answer, _STATES[answer], detail, tuple(findings), _facts(domain, answers, servers))


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient) or domain_of(subject.mail_from) or domain_of(subject.header_from)


async def _ask_resolver(domain: str, tools: Tools) -> _Answers:
    """MX, TXT and SOA of the domain and the addresses of its MX hosts: what other checks ask for as well."""
    resolver = tools.resolver
    mx, text, soa = await asyncio.gather(*(resolver.ask(domain, rdtype) for rdtype in ("MX", "TXT", "SOA")))
    names = dict.fromkeys(mx_record.host for mx_record in mx.mx[:MAX_HOSTS]) if mx.found else {}
    hosts = [host for host in names if host != "." and not is_address(host) and not is_localhost(host)]
    pairs = await asyncio.gather(*(resolver.addresses(host) for host in hosts))
    bogus = await find_bogus((mx, text, soa, *(lookup for pair in pairs for lookup in pair)), resolver)
    withheld = {found.name for found in bogus}
    no_host = bool(hosts) and all(host in withheld and not (a.found or aaaa.found) for host, (a, aaaa) in zip(hosts, pairs, strict=True))
    return _Answers(mx, (text, soa), bogus, domain in withheld or no_host)


async def _ask_name_servers(domain: str, tools: Tools) -> Servers:
    cut = await find_zone_cut(domain, tools)
    return judge_servers(cut, await ask_servers(cut, tools))


def _answered(lookup: Lookup) -> bool:
    """Mail servers get an answer: records, or that there are none."""
    return lookup.found or lookup.status is Status.NODATA


def _dnssec_findings(domain: str, answers: _Answers) -> list[Finding]:
    findings = [bogus.finding() for bogus in answers.bogus]
    if answers.secure and answers.mx.status is not Status.NXDOMAIN:
        findings.append(Finding("dnssec.secure", Severity.OK, {"name": domain, "validated_by": answers.mx.server}))
    return findings


def _size_findings(answers: _Answers) -> list[Finding]:
    return [
        Finding("dns.huge_answer", Severity.INFO, {"name": shown(lookup.name), "rdtype": lookup.rdtype, "octets": lookup.size})
        for lookup in (answers.mx, *answers.others)
        if lookup.size > HUGE_OCTETS
    ]


def _silence_findings(domain: str, findings: list[Finding], answers: _Answers, servers: Servers) -> list[Finding]:
    """A resolver that knows already that nobody answers says SERVFAIL at once; what is wrong is the silence."""
    told = _answered(answers.mx) or any(finding.finding == "dns.timeout" for finding in findings)
    return [Finding("dns.timeout", Severity.ERROR, {"name": domain})] if servers.all_silent and not told else []


def _slow_findings(findings: list[Finding], servers: Servers) -> list[Finding]:
    """A slow name server where the resolver, perhaps from memory, was quick."""
    if servers.slow is None or any(finding.finding == "dns.slow" for finding in findings):
        return []
    data: dict[str, Fact] = {"name": servers.cut.name, "milliseconds": servers.slow.milliseconds, "server": shown(servers.slow.host)}
    return [Finding("dns.slow", Severity.INFO, data)]


def _facts(domain: str, answers: _Answers, servers: Servers) -> dict[str, Fact]:
    mx = answers.mx
    return {
        "domain": domain,
        "status": mx.status.value,
        "server": mx.server,
        "ttl": mx.ttl,
        "aliases": [shown(alias) for alias in mx.chain],
        "dns_errors": list(mx.ede),
        "dnssec": "bogus" if answers.bogus else "secure" if answers.secure else "not validated",
        "dnssec_by": f"the resolver {mx.server}: what it says of its own validation, not looked at again here",
        **servers.facts(),
    }


def _judge(domain: str, answers: _Answers, servers: Servers, findings: list[Finding]) -> tuple[str, str]:
    """One answer, and the sentence that says what was seen."""
    mx = answers.mx
    if mx.status is Status.NXDOMAIN:
        name = f"{domain} is an alias of {shown(mx.chain[-1])}, which" if mx.chain else f"The domain {domain}"
        return "nxdomain", f"{name} does not exist in DNS."
    if answers.bogus and answers.mail_stops:
        first = answers.bogus[0]
        about = "its " if first.name == domain else f"{shown(first.name)}'s "
        reason = f" ({'; '.join(first.reasons)})" if first.reasons else ""
        return (
            "bogus",
            f"The DNSSEC signatures of {domain} are wrong, so resolvers that validate withhold {about}{' and '.join(first.rdtypes)} records{reason}.",
        )
    if not _answered(mx):
        return _judge_failure(domain, mx, servers, findings)
    if servers.inconsistent:
        return "inconsistent", f"The name servers of {servers.cut.zone} hold different MX records for {domain}: {servers.differences()}."
    if servers.lame:
        return "lame", f"The zone {servers.cut.zone} is delegated to {servers.lame_sentence()}."
    slow = next((finding for finding in findings if finding.finding == "dns.slow"), None)
    if slow is not None:
        return "slow", f"DNS needs {slow.data['milliseconds']} ms for an answer about {domain}, which makes mail servers give up now and then."
    heard = [report.host for report in servers.reports if report.heard]
    if not heard:
        return "ok", f"DNS answers about {domain}. Its name servers could not be asked one by one: {servers.why_not_asked()}."
    signed = ", and the answer is signed by DNSSEC" if answers.secure else ""
    return "ok", f"All name servers of {servers.cut.zone} that were asked ({len(heard)}) answer for {domain} and agree{signed}."


def _judge_failure(domain: str, mx: Lookup, servers: Servers, findings: list[Finding]) -> tuple[str, str]:
    """The resolver has no answer about the domain: is it the domain's fault for certain?"""
    errors = f" ({'; '.join(mx.ede)})" if mx.ede else ""
    if mx.status in (Status.SERVFAIL, Status.TIMEOUT) and servers.all_lame:
        return "all-lame", f"None of the name servers of {servers.cut.zone} answers for {domain}: {servers.lame_sentence()}."
    if mx.status is Status.SERVFAIL:
        if servers.cut.above and not servers.known and set(error_codes(mx)) & EDE_UNREACHABLE:
            data: dict[str, Fact] = {
                "zone": servers.cut.zone or domain,
                "lame": [],
                "answering": [],
                "told_by": mx.server,
                "dns_errors": list(mx.ede),
            }
            findings.append(Finding("ns.lame", Severity.ERROR, data))
            return "all-lame", f"The resolver reaches none of the name servers of {domain}{errors}; they could not be asked from here."
        return "servfail", f"The name servers of {domain} give no usable answer: the look-up ends in SERVFAIL{errors}."
    if mx.status is Status.TIMEOUT:
        return "timeout", f"No answer about {domain} came from DNS in time."
    return "unknown", f"The DNS of {domain} could not be looked at: {shown(mx.detail)}{errors}."
