"""Whether reports can reach those that rua= names: the other domain agrees (RFC 9990, verifying external destinations) and takes mail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whybounce.checks.dmarc_record import DmarcRecord, is_record
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Fact, Finding, Severity
from whybounce.checks.spf_eval import is_askable

MAX_DOMAINS = 5


@dataclass(frozen=True, slots=True)
class Destination:
    """A domain to which reports go. None: not found out; `authorised` is True where it needs no agreement."""

    domain: str
    authorised: bool | None = True
    takes_mail: bool | None = None

    def fact(self) -> dict[str, Fact]:
        return {"domain": self.domain, "authorised": self.authorised, "takes_mail": self.takes_mail}


async def destinations(record: DmarcRecord, published_at: str, organisation: str, resolver: Resolver) -> tuple[Destination, ...]:
    """The domains of rua=, all looked at at once. published_at: the domain whose record it is; organisation: its
    organisational domain, "" where that is a public suffix."""
    domains = list(dict.fromkeys(address.domain for address in record.rua if address.domain))[:MAX_DOMAINS]
    return tuple(await asyncio.gather(*(_look(domain, published_at, organisation, resolver) for domain in domains)))


async def _look(domain: str, published_at: str, organisation: str, resolver: Resolver) -> Destination:
    own = domain == published_at or (bool(organisation) and f".{domain}".endswith(f".{organisation}"))
    authorised, takes_mail = await asyncio.gather(_authorised(domain, published_at, resolver, own=own), _takes_mail(domain, resolver))
    return Destination(domain, authorised, takes_mail)


async def _authorised(domain: str, published_at: str, resolver: Resolver, *, own: bool) -> bool | None:
    name = f"{published_at}._report._dmarc.{domain}"
    if own or not is_askable(name):
        return True if own else None
    lookup = await resolver.ask(name, "TXT")
    if not lookup.found and not lookup.absent:
        return None
    return any(is_record(text) for text in lookup.texts)


async def _takes_mail(domain: str, resolver: Resolver) -> bool | None:
    """RFC 5321 section 5.1: an MX that is not the null one (RFC 7505), else an address."""
    mx = await resolver.ask(domain, "MX")
    if mx.found:
        return any(record.host != "." for record in mx.mx)
    if not mx.absent:
        return None
    lookups = await resolver.addresses(domain)
    if any(lookup.found for lookup in lookups):
        return True
    return False if all(lookup.absent for lookup in lookups) else None


def report_findings(found: tuple[Destination, ...], published_at: str) -> list[Finding]:
    findings = []
    for destination in found:
        data: dict[str, Fact] = {"domain": published_at, "to": shown(destination.domain, 300)}
        if destination.authorised is False:
            wanted = f"{published_at}._report._dmarc.{destination.domain}"
            findings.append(Finding("dmarc.rua_unauthorised", Severity.WARNING, {**data, "name": wanted}))
        if destination.takes_mail is False:
            findings.append(Finding("dmarc.rua_no_mx", Severity.WARNING, data))
    return findings
