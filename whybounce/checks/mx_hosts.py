"""The hosts that MX records name: what is found at each, and whether mail can go there (RFC 5321 section 5.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from whybounce.checks.dns_message import Lookup, Mx, Status
from whybounce.checks.guard import is_address, is_connectable, shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Fact, Finding, Severity

# Hosts looked up, and addresses of each family shown: what a delivery would try, and a bound for whoever publishes hundreds.
MAX_HOSTS = 10
SHOWN_ADDRESSES = 2
_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class Verdict(StrEnum):
    """Whether mail can go to a host, and if not, why."""

    USABLE = "usable"
    NO_ADDRESS = "no-address"
    NOT_PUBLIC = "not-public"
    IP_LITERAL = "ip-literal"
    ROOT = "root"
    SERVFAIL = "servfail"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


# We could not find out, so nothing may be concluded.
UNDECIDED = frozenset((Verdict.TIMEOUT, Verdict.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Host:
    """One MX target. `v4` and `v6` are all its addresses, `aliases` the CNAME targets on the way to them."""

    mx: Mx
    verdict: Verdict
    v4: tuple[str, ...] = ()
    v6: tuple[str, ...] = ()
    not_public: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    exists: bool = True
    ttl: int | None = None

    @property
    def name(self) -> str:
        return self.mx.host

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.v4 + self.v6

    @property
    def usable(self) -> bool:
        return self.verdict is Verdict.USABLE

    def fact(self) -> dict[str, Fact]:
        return {
            "preference": self.mx.preference,
            "host": shown(self.name),
            "verdict": self.verdict.value,
            "addresses": [*self.v4[:SHOWN_ADDRESSES], *self.v6[:SHOWN_ADDRESSES]],
            "address_count": len(self.addresses),
            "aliases": [shown(alias) for alias in self.aliases],
            "ttl": self.ttl,
        }


async def look_up_hosts(targets: Sequence[Mx], resolver: Resolver) -> tuple[Host, ...]:
    """The first MAX_HOSTS targets, all at once, in the given order."""
    return tuple(await asyncio.gather(*(look_up_host(mx, resolver) for mx in targets[:MAX_HOSTS])))


async def look_up_host(mx: Mx, resolver: Resolver) -> Host:
    """What is found at one target. The root, an address and localhost are not asked for."""
    if mx.host == ".":
        return Host(mx, Verdict.ROOT)
    if is_address(mx.host):
        return Host(mx, Verdict.IP_LITERAL)
    if is_localhost(mx.host):
        return Host(mx, Verdict.NOT_PUBLIC)
    return judge(mx, *await resolver.addresses(mx.host), resolver)


def judge(mx: Mx, a: Lookup, aaaa: Lookup, resolver: Resolver) -> Host:
    """The verdict on a host from its A and AAAA answers; one answered family is enough to be usable."""
    not_public = tuple(ip for ip in a.records + aaaa.records if not is_connectable(ip, resolver.allow_networks))
    if len(not_public) < len(a.records + aaaa.records):
        verdict = Verdict.USABLE
    elif a.absent and aaaa.absent:
        verdict = Verdict.NO_ADDRESS
    else:
        verdict = _failure((a, aaaa)) or Verdict.NOT_PUBLIC
    ttls = [lookup.ttl for lookup in (a, aaaa) if lookup.found and lookup.ttl is not None]
    exists = Status.NXDOMAIN not in (a.status, aaaa.status)
    return Host(mx, verdict, a.records, aaaa.records, not_public, a.chain or aaaa.chain, exists, min(ttls, default=None))


def _failure(lookups: Sequence[Lookup]) -> Verdict | None:
    statuses = {lookup.status for lookup in lookups if not lookup.found and not lookup.absent}
    for status, verdict in ((Status.TIMEOUT, Verdict.TIMEOUT), (Status.SERVFAIL, Verdict.SERVFAIL)):
        if status in statuses:
            return verdict
    return Verdict.UNKNOWN if statuses else None


def is_localhost(host: str) -> bool:
    return host in ("localhost", "localhost.localdomain") or host.endswith(".localhost")


def host_findings(hosts: Sequence[Host]) -> Iterator[Finding]:
    """What is to say of the hosts. What stops one of them is an error only where mail can go to none."""
    grave = Severity.WARNING if any(host.usable for host in hosts) else Severity.ERROR
    for host in hosts:
        yield from _findings_of(host, grave)
    usable = [host for host in hosts if host.usable]
    if usable and all(not host.v4 for host in usable):
        yield Finding("mx.ipv6_only", Severity.WARNING, {"hosts": [shown(host.name) for host in usable]})
    by_address: dict[str, list[str]] = {}
    for host in hosts:
        for address in host.addresses:
            by_address.setdefault(address, []).append(host.name)
    for address, names in by_address.items():
        if len(set(names)) > 1:
            yield Finding("mx.same_address", Severity.INFO, {"address": address, "hosts": [shown(name) for name in sorted(set(names))]})


def _findings_of(host: Host, grave: Severity) -> Iterator[Finding]:
    name = shown(host.name)
    if host.verdict is Verdict.IP_LITERAL:
        yield Finding("mx.ip_literal", Severity.ERROR, {"host": name})
        return
    if host.verdict is Verdict.ROOT:
        return
    if is_localhost(host.name):
        yield Finding("mx.localhost", Severity.ERROR, {"host": name})
    elif host.not_public:
        yield Finding("mx.non_public_address", grave, {"host": name, "addresses": list(host.not_public[: 2 * SHOWN_ADDRESSES])})
    if host.verdict is Verdict.NO_ADDRESS:
        yield Finding("mx.unresolvable", grave, {"host": name, "reason": "no address" if host.exists else "does not exist"})
    if host.verdict is Verdict.SERVFAIL:
        yield Finding("dns.servfail", Severity.ERROR, {"name": name})
    if host.verdict is Verdict.TIMEOUT:
        yield Finding("dns.timeout", Severity.ERROR, {"name": name})
    if host.aliases:
        yield Finding("mx.cname", Severity.WARNING, {"host": name, "target": shown(host.aliases[-1])})
    if not set(host.name) <= _LDH or any(label.startswith("-") or label.endswith("-") for label in host.name.split(".")):
        yield Finding("mx.bad_hostname", Severity.WARNING, {"host": name})
