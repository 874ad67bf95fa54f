"""Which zone holds a name, and which name servers are in charge of it: from the resolver, or where that fails from the zone above."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.dns_transport import NameServer
from whybounce.checks.tools import Tools

# Names above a failing one that are asked for, from the top; and servers of the one found that are asked who is in charge.
MAX_ABOVE = 4
PARENT_SERVERS = 2


@dataclass(frozen=True, slots=True)
class ZoneCut:
    """
    name         the name asked about, at the end of its aliases
    zone         the zone that holds it; "" where it was not found
    servers      the names of its name servers, in lower case, sorted
    glue         (name of a server, address) as the zone above tells
    reached      a name server could be asked directly on the way, so others can be, too
    above        the resolver answers for a name above
    """

    name: str
    zone: str = ""
    servers: tuple[str, ...] = ()
    glue: tuple[tuple[str, str], ...] = ()
    reached: bool = False
    above: bool = False


async def find_zone_cut(domain: str, tools: Tools) -> ZoneCut:
    """The zone that holds `domain`. Three questions at once where the resolver answers; a name that does not exist has none to look at."""
    resolver = tools.resolver
    soa, *known = await asyncio.gather(resolver.ask(domain, "SOA"), *(resolver.ask(name, "NS") for name in _likely(domain)))
    if soa.status is Status.SERVFAIL:
        # Signatures that are wrong hide who is in charge; without validation it is told.
        unchecked = await asyncio.gather(*(resolver.ask(domain, rdtype, checking_disabled=True) for rdtype in ("SOA", "NS")))
        if unchecked[0].found or unchecked[0].absent:
            soa, known = unchecked[0], [*known, unchecked[1]]
    if soa.status is Status.NXDOMAIN:
        return ZoneCut(domain)
    if not soa.found and not soa.absent:
        return await _from_above(domain, tools)
    name = _end(soa)
    servers = {_end(lookup): lookup for lookup in known if lookup.found}
    zone = soa.zone or next((owner for owner in servers if holds(owner, name)), "")
    if "." not in zone:
        # A top-level domain or the root: not the domain's own.
        return ZoneCut(name)
    lookup = servers.get(zone) or await resolver.ask(zone, "NS")
    return ZoneCut(name, zone, _names(lookup))


def holds(zone: str, name: str) -> bool:
    """Whether `name` is the zone's own or lies below it; both in lower case without the final dot."""
    return name == zone or name.endswith("." + zone) or zone == "."


async def _from_above(domain: str, tools: Tools) -> ZoneCut:
    """The delegation as the servers of the zone above tell it, for a domain about which the resolver has no answer."""
    resolver = tools.resolver
    labels = domain.split(".")
    names = [".".join(labels[i:]) for i in range(1, len(labels))][-MAX_ABOVE:]
    lookups = await asyncio.gather(*(resolver.ask(name, "NS") for name in names))
    above = any(lookup.found or lookup.absent for lookup in lookups)
    parent = next((lookup for lookup in lookups if lookup.found), None)
    if parent is None:
        return ZoneCut(domain, above=above)
    addresses = await asyncio.gather(*(server_address(host, (), tools) for host in _names(parent)[:PARENT_SERVERS]))
    asked = [NameServer(address, tools.reach.dns_port) for address, _ in addresses if address]
    answers = await asyncio.gather(*(resolver.ask_server(domain, "MX", server) for server in asked))
    reached = any(answer.found or answer.absent for answer in answers)
    for referral in (answer.referral for answer in answers if answer.referral):
        if holds(referral.zone, domain) and len(referral.zone) > len(parent.name):
            return ZoneCut(domain, referral.zone, referral.servers, referral.glue, reached, above)
    if "." in parent.name and any(answer.authoritative for answer in answers):
        return ZoneCut(domain, parent.name, _names(parent), (), reached, above)
    return ZoneCut(domain, reached=reached, above=above)


async def server_address(host: str, glue: Sequence[tuple[str, str]], tools: Tools) -> tuple[str, str]:
    """One address of a name server that may be connected to, IPv4 where there is one; else "" and why not: "none" where it certainly
    has no address, otherwise the end of a sentence."""
    addresses = [address for name, address in glue if name == host]
    lookups: list[Lookup] = []
    for rdtype in ("A", "AAAA"):
        if not addresses:
            lookups.append(await tools.resolver.ask(host, rdtype))
            addresses += lookups[-1].records
    addresses.sort(key=lambda address: ":" in address)
    usable = next((address for address in addresses if tools.may_connect(address)), "")
    if usable:
        return usable, ""
    if addresses:
        return "", f"its address {addresses[0]} is none that this program connects to"
    return "", "none" if all(lookup.absent for lookup in lookups) else "its address could not be looked up"


def _likely(domain: str) -> list[str]:
    """Where the zone most likely begins: at the domain, or one label above."""
    above = domain.partition(".")[2]
    return [domain, above] if "." in above else [domain]


def _end(lookup: Lookup) -> str:
    return lookup.chain[-1].lower() if lookup.chain else lookup.name


def _names(lookup: Lookup) -> tuple[str, ...]:
    return tuple(sorted({record.lower() for record in lookup.records}))
