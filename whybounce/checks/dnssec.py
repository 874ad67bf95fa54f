"""Whether what DNS says is signed as it should be, as far as the resolver validates (RFC 4035): its AD flag, its SERVFAIL, its reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Finding, Severity

# Extended errors (RFC 8914 section 4) by which a resolver says that validation failed: "DNSSEC bogus" to "NSEC missing".
_BOGUS_CODES = range(6, 13)


@dataclass(frozen=True, slots=True)
class Bogus:
    """Answers about a name that the resolver withholds because their signatures are wrong. `reasons`: its extended errors for the first."""

    name: str
    rdtypes: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    def finding(self) -> Finding:
        data = {"name": shown(self.name), "rdtypes": list(self.rdtypes), "dns_errors": [shown(reason) for reason in self.reasons]}
        return Finding("dnssec.bogus", Severity.ERROR, data)


async def find_bogus(lookups: Iterable[Lookup], resolver: Resolver) -> tuple[Bogus, ...]:
    """By name, those of the look-ups that ended in SERVFAIL because of DNSSEC: the resolver says so, or asked without validation it has an answer.
    A name server that merely fails does so either way."""
    failed = [lookup for lookup in lookups if lookup.status is Status.SERVFAIL]
    bogus = await asyncio.gather(*(_is_bogus(lookup, resolver) for lookup in failed))
    withheld: dict[str, list[Lookup]] = {}
    for lookup, wrong in zip(failed, bogus, strict=True):
        if wrong:
            withheld.setdefault(lookup.name, []).append(lookup)
    return tuple(Bogus(name, tuple(lookup.rdtype for lookup in lookups), lookups[0].ede) for name, lookups in withheld.items())


async def _is_bogus(lookup: Lookup, resolver: Resolver) -> bool:
    if any(code in _BOGUS_CODES for code in error_codes(lookup)):
        return True
    again = await resolver.ask(lookup.name, lookup.rdtype, checking_disabled=True)
    return (again.found or again.absent) and await _may_be_signed(lookup.name, resolver)


async def _may_be_signed(name: str, resolver: Resolver) -> bool:
    """False where the zone that holds the name certainly has no keys: a name server that failed once and then answered has no
    signatures to blame."""
    here = await resolver.ask(name, "DNSKEY", checking_disabled=True)
    zone = here.zone if here.absent and here.zone else name
    lookups = await asyncio.gather(*(resolver.ask(zone, rdtype, checking_disabled=True) for rdtype in ("DNSKEY", "DS")))
    return not all(lookup.absent for lookup in lookups)


def error_codes(lookup: Lookup) -> list[int]:
    """The numbers of the extended errors of an answer (RFC 8914)."""
    numbers = (error.partition(" ")[0].rstrip(":") for error in lookup.ede)
    return [int(number) for number in numbers if number.isdigit()]
