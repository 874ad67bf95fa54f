"""Whether the TLSA records of a domain's mail servers match the certificates that these send: RFC 7672."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from whybounce.checks.conversation_record import Conversation, Limits
from whybounce.checks.conversation_servers import MailServers, mail_hosts, mail_servers
from whybounce.checks.conversation_wire import Ending
from whybounce.checks.dane_tlsa import Tlsa, mismatch, would_match
from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import DomainError, is_address, parse_domain, shown
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import SmtpMode, Tools
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("none", State.INFO),
    DeclaredAnswer("mismatch", State.BAD),
    DeclaredAnswer("not-dnssec", State.WARNING),
    DeclaredAnswer("usage", State.WARNING),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# Records looked at of one host; a host changes its keys with two or three.
MAX_RECORDS = 20


class Verdict(StrEnum):
    """What came of one host, the gravest first."""

    MISMATCH = "mismatch"
    NOT_DNSSEC = "not-dnssec"
    USAGE = "usage"
    OK = "ok"
    UNTESTED = "untested"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(slots=True)
class HostRecords:
    """A mail server's TLSA records.

    verdict, why   why it is so, as the end of a sentence
    matched        the record that the certificate matches
    would_match    the record that would match it
    """

    host: str
    lookup: Lookup
    records: tuple[Tlsa, ...] = ()
    verdict: Verdict = Verdict.NONE
    why: str = ""
    matched: Tlsa | None = None
    would_match: str = ""

    @property
    def usable(self) -> list[Tlsa]:
        return [record for record in self.records if not record.unusable]

    def fact(self) -> dict[str, Fact]:
        return {
            "host": shown(self.host, 253),
            "asked": shown(self.lookup.name, 253),
            "status": self.lookup.status.value,
            "authenticated": self.lookup.authenticated,
            "records": [str(record) for record in self.records],
            "verdict": self.verdict.value,
            "reason": self.why,
            "matched": str(self.matched) if self.matched else None,
            "would_match": self.would_match,
            "ttl": self.lookup.ttl,
            "server": self.lookup.server,
        }


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools, limits: Limits = Limits()) -> CheckResult:  # noqa: B008 (frozen)
    """Look up the TLSA records of each mail server, and hold those that DNSSEC vouches for against its certificate."""
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("dane", "unknown", State.UNKNOWN, str(error))
    servers = await mail_hosts(domain, tools)
    if servers.problem:
        return CheckResult("dane", "unknown", State.UNKNOWN, servers.problem)
    hosts = await asyncio.gather(*(_look_up(mx.host, tools) for mx in servers.hosts if not is_address(mx.host)))
    await asyncio.gather(*(_settle_unsigned(host, servers.lookup, tools) for host in hosts if host.verdict is Verdict.NOT_DNSSEC))
    if any(_to_test(host) for host in hosts):
        spoken = await mail_servers(domain, subject, tools, limits) if tools.reach.smtp is not SmtpMode.OFF else None
        for host in hosts:
            if _to_test(host):
                _test(host, domain, spoken)
    findings = [finding for host in hosts for finding in _findings(host)]
    answer, detail = _answer(domain, hosts)
    facts: dict[str, Fact] = {
        "domain": domain,
        "mx_authenticated": servers.lookup.authenticated,
        "hosts": [host.fact() for host in hosts],
    }
    return CheckResult("dane", answer, _STATES[answer], detail, tuple(findings), facts)


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)


async def _look_up(host: str, tools: Tools) -> HostRecords:
    """The TLSA records of a host; where it is an alias, those of what it stands for come first (RFC 7672 section 2.2.2)."""
    lookup, addresses = await asyncio.gather(tools.resolver.ask(f"_25._tcp.{host}", "TLSA"), tools.resolver.ask(host, "A"))
    if addresses.chain:
        beyond = await tools.resolver.ask(f"_25._tcp.{addresses.chain[-1]}", "TLSA")
        lookup = beyond if beyond.found else lookup
    found = HostRecords(host, lookup, _parse(lookup))
    if lookup.absent:
        return found
    if not lookup.found:
        found.verdict, found.why = Verdict.UNKNOWN, f"its TLSA records could not be looked up ({lookup.status.value})"
    elif not lookup.authenticated:
        found.verdict, found.why = Verdict.NOT_DNSSEC, "DNSSEC does not vouch for its TLSA records, so mail servers do not use them"
    elif not found.usable:
        found.verdict, found.why = Verdict.USAGE, found.records[0].unusable if found.records else "no record can be read"
    else:
        found.verdict, found.why = Verdict.UNTESTED, "its certificate is not known"
    return found


async def _settle_unsigned(host: HostRecords, mx: Lookup, tools: Tools) -> None:
    """That the resolver does not vouch for records speaks against them only where it vouches for anything, or where their zone has no keys:
    one that does not validate vouches for nothing, and then it is not known."""
    if mx.authenticated:
        return
    base = host.lookup.name.removeprefix("_25._tcp.")
    root, soa = await asyncio.gather(tools.resolver.ask(".", "SOA"), tools.resolver.ask(base, "SOA"))
    if root.authenticated or soa.authenticated:
        return
    if soa.zone and (await tools.resolver.ask(soa.zone, "DNSKEY")).absent:
        return
    host.verdict, host.why = Verdict.UNKNOWN, "the name server asked here does not say whether DNSSEC vouches for them"


def _parse(lookup: Lookup) -> tuple[Tlsa, ...]:
    records = []
    for record in lookup.records[:MAX_RECORDS]:
        try:
            records.append(Tlsa.parse(record))
        except ValueError:
            continue
    return tuple(records)


def _to_test(host: HostRecords) -> bool:
    return host.verdict is Verdict.UNTESTED


def _test(host: HostRecords, domain: str, servers: MailServers | None) -> None:
    """Hold the usable records against the certificate. What could not be seen is never a mismatch."""
    if servers is None:
        host.why = "conversations with mail servers are switched off here"
        return
    talk = next((talk for talk in servers.conversations if talk.server.host == host.host and talk.reached), None)
    if talk is None:
        host.why = "it could not be reached or was not contacted"
    elif talk.tls is not None:
        _compare(host, domain, talk, talk.tls.chain)
    elif talk.greeted and "STARTTLS" not in talk.offered and talk.ending is Ending.COMPLETE:
        # RFC 7672 section 2.2: with usable records there, mail may not be sent in the clear.
        host.verdict, host.why = Verdict.MISMATCH, "the server offers no STARTTLS"
    else:
        host.why = talk.tls_error or talk.reason or "it put us off"


def _compare(host: HostRecords, domain: str, talk: Conversation, chain: Sequence[bytes]) -> None:
    host.would_match = would_match(chain)
    names = [talk.server.host, host.lookup.name.removeprefix("_25._tcp."), domain]
    reasons = []
    for record in host.usable:
        reason = mismatch(record, chain, names)
        if not reason:
            host.verdict, host.why, host.matched = Verdict.OK, "", record
            return
        reasons.append(reason)
    host.verdict, host.why = Verdict.MISMATCH, reasons[0]


def _findings(host: HostRecords) -> list[Finding]:
    records: list[Fact] = [str(record) for record in host.records]
    data: dict[str, Fact] = {"host": shown(host.host, 253), "name": shown(host.lookup.name, 253), "records": records}
    found = []
    if host.verdict is Verdict.OK:
        found.append(Finding("dane.tlsa", Severity.OK, data | {"matched": str(host.matched)}))
    if host.verdict is Verdict.MISMATCH:
        found.append(Finding("dane.mismatch", Severity.ERROR, data | {"reason": host.why, "would_match": host.would_match}))
    if host.verdict is Verdict.NOT_DNSSEC:
        found.append(Finding("dane.not_dnssec", Severity.WARNING, data))
    unusable = [record for record in host.records if record.unusable]
    if unusable:
        found.append(Finding("dane.usage", Severity.WARNING, data | {"record": str(unusable[0]), "reason": unusable[0].unusable}))
    return found


def _answer(domain: str, hosts: Sequence[HostRecords]) -> tuple[str, str]:
    """The gravest of what was found; "none" only where no host has records, for certain."""
    for verdict in Verdict:
        of_these = [host for host in hosts if host.verdict is verdict]
        if of_these:
            break
    else:
        return "unknown", f"No mail server of {domain} has a name to look for TLSA records at."
    first = of_these[0]
    name = shown(first.host, 253)
    match verdict:
        case Verdict.MISMATCH:
            return "mismatch", f"The TLSA records of {name} do not match what it sends: {first.why}. Servers that use DANE do not deliver to it."
        case Verdict.NOT_DNSSEC:
            return "not-dnssec", f"{name} has TLSA records, but {first.why}."
        case Verdict.USAGE:
            return "usage", f"{name} has TLSA records, but mail servers cannot use them: {first.why}."
        case Verdict.OK:
            return "ok", f"The TLSA records match the certificate of {', '.join(shown(host.host, 253) for host in of_these)}."
        case Verdict.UNTESTED:
            return "unknown", f"{name} has TLSA records, but they were not held against its certificate: {first.why}."
        case Verdict.UNKNOWN:
            return "unknown", f"Whether mail servers can use TLSA records of {name} is not known: {first.why}."
        case _:
            return "none", f"No mail server of {domain} has TLSA records, so DANE is not used."
