"""The recipient's address itself: its form, characters that nobody sees, and whether its domain is a typing mistake."""

from __future__ import annotations

import asyncio

from whybounce.checks.address_syntax import Address, AddressError, character_name, invisible_characters, parse_address, unwrapped
from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, Finding, Severity, State, Subject
from whybounce.checks.tools import Tools
from whybounce.checks.typos import near_domains
from whybounce.failure import domain_of

ANSWERS = (
    DeclaredAnswer("ok", State.GOOD),
    DeclaredAnswer("needs-smtputf8", State.WARNING),
    DeclaredAnswer("literal", State.INFO),
    DeclaredAnswer("invalid", State.BAD),
    DeclaredAnswer("invisible", State.BAD),
    DeclaredAnswer("typo", State.BAD),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# How many near domains DNS is asked about; and characters shown of what is no address.
MAX_SUGGESTIONS = 2
SHOWN = 320


def needs(subject: Subject) -> str:
    return "" if subject.recipient.strip() else "the recipient's address"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Read the address; where its domain has no mail, look for a near one that has."""
    text = unwrapped(subject.recipient)
    if not text:
        return _result("unknown", "No address was given.", {})
    facts: dict[str, Fact] = {"address": shown(text, SHOWN)}
    invisible = invisible_characters(text)
    if invisible:
        return _with_invisible(text, invisible, facts)
    try:
        address = parse_address(text)
    except AddressError as error:
        finding = Finding("address.syntax", Severity.ERROR, {"address": shown(text, SHOWN), "reason": str(error)})
        return _result("invalid", f"{shown(text, SHOWN)} is no valid address: {error}.", facts, finding)
    facts |= {"local_part": shown(address.local), "domain": address.ascii_domain or shown(address.domain)}
    if not address.ascii_domain:
        finding = Finding("address.domain_literal", Severity.INFO, {"address": shown(text), "literal": shown(address.domain)})
        return _result("literal", f"{shown(text)} names the host by its IP address; many servers take no such mail.", facts, finding)
    return await _named(text, address, subject, tools, facts)


async def _named(text: str, address: Address, subject: Subject, tools: Tools, facts: dict[str, Fact]) -> CheckResult:
    """A valid address at a domain."""
    findings = _internationalised(address)
    mail, suggestions = await _near_with_mail(address.ascii_domain, subject, tools)
    facts["domain_has_mail"] = mail
    if suggestions:
        data: dict[str, Fact] = {"domain": address.ascii_domain, "suggestions": list(suggestions)}
        findings.append(Finding("address.typo", Severity.INFO, data))
        meant = " or ".join(suggestions)
        return _result("typo", f"No mail can go to {address.ascii_domain}, but {meant} has mail: perhaps that was meant.", facts, *findings)
    if address.internationalised:
        detail = f"{shown(text)} has characters outside ASCII before the @, so every server on the way needs SMTPUTF8."
        return _result("needs-smtputf8", detail, facts, *findings)
    return _result("ok", f"{shown(text)} is a valid address.", facts, *findings)


def _internationalised(address: Address) -> list[Finding]:
    findings = []
    if not address.domain.isascii():
        findings.append(Finding("address.idn", Severity.INFO, {"domain": shown(address.domain), "ascii": address.ascii_domain}))
    if address.internationalised:
        findings.append(Finding("address.eai", Severity.WARNING, {"local_part": shown(address.local)}))
    return findings


def _with_invisible(text: str, found: list[tuple[int, str]], facts: dict[str, Fact]) -> CheckResult:
    hidden = {at for at, _ in found}
    without = "".join(char for at, char in enumerate(text) if at not in hidden)
    names = list(dict.fromkeys(character_name(char) for _, char in found))[:5]
    characters: list[Fact] = [{"position": at, "character": character_name(char)} for at, char in found[:10]]
    data: dict[str, Fact] = {"address": shown(text, SHOWN), "characters": characters, "without": shown(without, SHOWN)}
    detail = (
        f"The address holds a character that nobody sees ({', '.join(names)}), often copied from a web page. Without it: {shown(without, SHOWN)}."
    )
    return _result("invisible", detail, facts, Finding("address.invisible_char", Severity.ERROR, data))


async def _near_with_mail(domain: str, subject: Subject, tools: Tools) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the domain has mail (None: not known), and where it certainly has none the near domains that have."""
    mail = await _has_mail(domain, tools.resolver)
    if mail is not False:
        return mail, ()
    well_known = (name for provider in tools.providers for name in provider.domains if provider.kind == "mailbox")
    near = near_domains(domain, well_known, _own_domains(subject))[:MAX_SUGGESTIONS]
    lookups = await asyncio.gather(*(tools.resolver.ask(other, "MX") for other in near))
    return mail, tuple(other for other, lookup in zip(near, lookups, strict=True) if _accepts(lookup))


async def _has_mail(domain: str, resolver: Resolver) -> bool | None:
    """False only where the domain does not exist, or has neither an MX record nor an address (RFC 5321 section 5.1). A null MX is no
    typing mistake's sign: whoever published it has the domain."""
    mx = await resolver.ask(domain, "MX")
    if mx.found:
        return True
    if mx.status is Status.NXDOMAIN:
        return False
    if not mx.absent:
        return None
    a, aaaa = await resolver.addresses(domain)
    if a.found or aaaa.found:
        return True
    return False if a.absent and aaaa.absent else None


def _accepts(lookup: Lookup) -> bool:
    return lookup.found and any(mx.host != "." for mx in lookup.mx)


def _own_domains(subject: Subject) -> list[str]:
    """The sender's domains as far as they can be looked up."""
    own = []
    for address in (subject.header_from, subject.mail_from):
        try:
            own.append(parse_domain(domain_of(address)))
        except DomainError:
            continue
    return list(dict.fromkeys(own))


def _result(answer: str, detail: str, facts: dict[str, Fact], *findings: Finding) -> CheckResult:
    return CheckResult("address", answer, _STATES[answer], detail, findings, facts)
