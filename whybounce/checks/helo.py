"""The name that the sending server gives in HELO or EHLO: RFC 5321 sections 2.3.5, 4.1.1.1, 4.1.3 and 4.1.4."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address

from whybounce.checks.dns_message import Lookup
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("not-fqdn", State.BAD),
    DeclaredAnswer("bare-ip", State.BAD),
    DeclaredAnswer("syntax", State.WARNING),
    DeclaredAnswer("unresolvable", State.BAD),
    DeclaredAnswer("mismatch", State.WARNING),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
Address = IPv4Address | IPv6Address

# An answer of the check, and the sentence that says what was seen.
_Verdict = tuple[str, str]


def needs(subject: Subject) -> str:
    return "" if _given(subject) else "the name that the sending server gives in HELO"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Hold the HELO name against the rules, DNS and, where it is known, the sending address."""
    given, address = _given(subject), _parse_address(subject.sending_ip)
    facts: dict[str, Fact] = {"helo": shown(given, 300), "address": str(address) if address else ""}
    findings: list[Finding] = []
    answer, detail = _by_form(given, address, findings) or await _by_dns(given, address, tools, findings, facts)
    return CheckResult("helo", answer, _STATES[answer], detail, tuple(findings), facts)


def _given(subject: Subject) -> str:
    return subject.helo.strip()


def _parse_address(text: str) -> Address | None:
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _by_form(given: str, address: Address | None, findings: list[Finding]) -> _Verdict | None:
    """What the text alone tells; None where it is a name to look up."""
    name, data = shown(given, 253), {"helo": shown(given, 253)}
    if _parse_address(given):
        findings.append(Finding("helo.bare_ip", Severity.ERROR, data))
        return "bare-ip", f"The sending server calls itself {name}, an address without the brackets that RFC 5321 asks for."
    if given.startswith("["):
        return _literal(given, address, findings)
    if "." not in given.strip(".") or given.lower().rstrip(".") == "localhost.localdomain":
        findings.append(Finding("helo.not_fqdn", Severity.ERROR, data))
        return "not-fqdn", f"The sending server calls itself {name}, which is no fully qualified domain name."
    try:
        parse_domain(given)
        if not given.isascii():
            raise DomainError("only ASCII may stand in HELO: an internationalised name is given as A-labels")
    except DomainError as error:
        findings.append(Finding("helo.syntax", Severity.WARNING, data | {"reason": shown(str(error), 300)}))
        return "syntax", f"The name that the sending server gives, {name}, is no valid host name."
    return None


def _literal(given: str, address: Address | None, findings: list[Finding]) -> _Verdict:
    """An address in brackets, as a host without a name may give (RFC 5321 section 4.1.3)."""
    inner = given.removeprefix("[").removesuffix("]")
    literal = _parse_address(inner[5:] if inner.lower().startswith("ipv6:") else inner)
    name, data = shown(given, 253), {"helo": shown(given, 253)}
    if literal is None or not given.endswith("]") or (literal.version == 6) is not inner.lower().startswith("ipv6:"):
        findings.append(Finding("helo.syntax", Severity.WARNING, data | {"reason": "no valid address literal"}))
        return "syntax", f"The sending server calls itself {name}, which is no valid address literal."
    if address and literal != address:
        findings.append(Finding("helo.mismatch", Severity.WARNING, data | {"address": str(address), "addresses": [str(literal)]}))
        return "mismatch", f"The sending server calls itself {name}, but sends from {address}."
    findings.append(Finding("helo.ok", Severity.OK, data))
    return "ok", f"The sending server calls itself {name}, a valid address literal, as a host without a name may; many receivers want a name."


async def _by_dns(given: str, address: Address | None, tools: Tools, findings: list[Finding], facts: dict[str, Fact]) -> _Verdict:
    """The name is well-formed, but for characters that DNS takes and host names may not hold."""
    domain, data = parse_domain(given), {"helo": shown(given, 253)}
    bad = "".join(sorted(set(domain) - _LDH))
    if bad:
        reason = f"a host name may not hold {'an underscore' if bad == '_' else bad} (RFC 952, RFC 1123 section 2.1)"
        findings.append(Finding("helo.syntax", Severity.WARNING, data | {"reason": reason}))
    a, aaaa, pointed = await asyncio.gather(tools.resolver.ask(domain, "A"), tools.resolver.ask(domain, "AAAA"), _names_of(address, tools))
    records = a.records + aaaa.records
    facts |= {
        "addresses": list(records[:10]),
        "ttl": min((lookup.ttl for lookup in (a, aaaa) if lookup.found and lookup.ttl is not None), default=None),
        "server": a.server or aaaa.server,
        "aliases": [shown(alias, 253) for alias in a.chain or aaaa.chain],
        "ptr": [shown(name, 253) for name in pointed],
    }
    if not records and not (a.absent and aaaa.absent):
        return "unknown", f"The addresses of {domain}, the name that the sending server gives, could not be looked up."
    if not records:
        findings.append(Finding("helo.unresolvable", Severity.ERROR, data))
        return "unresolvable", f"The sending server calls itself {domain}, a name that {_why_none(a, aaaa)} in DNS."
    matches = address is None or any(_parse_address(record) == address for record in records)
    if not matches and _same_family_failed(address, a, aaaa):
        return "unknown", f"Not all addresses of {domain}, the name that the sending server gives, could be looked up."
    if not matches:
        findings.append(Finding("helo.mismatch", Severity.WARNING, data | {"address": str(address), "addresses": list(records[:10])}))
        return "mismatch", f"The sending server calls itself {domain}, which stands for {', '.join(records[:3])}, but sends from {address}."
    if bad:
        return "syntax", f"The name that the sending server gives, {domain}, holds a character that no host name may hold: {bad}"
    findings.append(Finding("helo.ok", Severity.OK, data | {"is_ptr": domain in pointed}))
    also = " and is its name in reverse DNS" if domain in pointed else ""
    return "ok", f"The sending server calls itself {domain}, which leads {'back to it' if address else f'to {records[0]}'}{also}."


async def _names_of(address: Address | None, tools: Tools) -> tuple[str, ...]:
    """The names of the sending address in reverse DNS."""
    if address is None:
        return ()
    lookup = await tools.resolver.ask(address.reverse_pointer, "PTR")
    return tuple(record.lower() for record in lookup.records[:10])


def _same_family_failed(address: Address | None, a: Lookup, aaaa: Lookup) -> bool:
    lookup = aaaa if address is not None and address.version == 6 else a
    return not lookup.found and not lookup.absent


def _why_none(a: Lookup, aaaa: Lookup) -> str:
    return "does not exist" if "nxdomain" in (a.status.value, aaaa.status.value) else "has no address"
