"""Who receives the mail of a domain: told by the names of its MX hosts, and behind a gateway by what else DNS shows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from whybounce.checks.dns_message import Lookup, Mx, Status
from whybounce.checks.guard import DomainError, is_address, parse_domain, shown
from whybounce.checks.mx_hosts import MAX_HOSTS, is_localhost
from whybounce.checks.provider_hints import Hint, hints
from whybounce.checks.registrable import registrable_domain
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, Fact, State, Subject
from whybounce.checks.tools import Tools
from whybounce.checks.zone_cut import holds
from whybounce.failure import domain_of
from whybounce.snapshot import Provider

ANSWERS = (
    DeclaredAnswer("mailbox", State.INFO),
    DeclaredAnswer("gateway", State.INFO),
    DeclaredAnswer("own", State.INFO),
    DeclaredAnswer("unknown", State.UNKNOWN, informative=False),
)
_STATES = {answer.slug: answer.state for answer in ANSWERS}

# Kinds that pass mail on to a mailbox elsewhere.
_IN_FRONT = ("gateway", "forwarder")
# Best hosts whose aliases are looked at where their names say nothing.
MAX_ALIASES = 2


def needs(subject: Subject) -> str:
    return "" if _domain(subject) else "the recipient's domain"


async def run(subject: Subject, tools: Tools) -> CheckResult:
    """Hold the MX hosts against the providers that are known, the best preference first."""
    try:
        domain = parse_domain(_domain(subject))
    except DomainError as error:
        return CheckResult("provider", "unknown", State.UNKNOWN, str(error))
    resolver = tools.resolver
    mx = await resolver.ask(domain, "MX")
    facts: dict[str, Fact] = {"domain": domain, "provider": "", "name": "", "gateway": "", "mx": [], "ttl": mx.ttl, "server": mx.server}
    if mx.status is Status.NODATA:
        return await _implicit(domain, resolver, facts)
    if not mx.found:
        said = "does not exist" if mx.status is Status.NXDOMAIN else f"could not be looked up ({mx.status.value})"
        return _result("unknown", f"{domain} {said}, so who receives its mail is not known.", facts)
    hosts = [record for record in mx.mx[:MAX_HOSTS] if record.host != "."]
    facts["mx"] = [_fact(record, by_host(record.host, tools.providers)) for record in hosts]
    if not hosts:
        return _result("unknown", f"{domain} accepts no mail (null MX), so nobody receives it.", facts)
    best = [record.host for record in hosts if record.preference == hosts[0].preference]
    provider = await _provider(best, tools)
    if provider is None:
        return _own(domain, best, facts)
    if provider.kind in _IN_FRONT:
        return await _behind(domain, provider, tools, facts)
    facts |= {"provider": provider.slug, "name": provider.name, "kind": provider.kind}
    return _result("mailbox", f"Mail for {domain} is received by {provider.name}, at {shown(best[0])}.", facts)


def by_host(host: str, providers: Sequence[Provider]) -> Provider | None:
    """The provider whose MX host this is: the longest suffix on label boundaries wins."""
    best: tuple[int, Provider | None] = (0, None)
    for provider in providers:
        for suffix in provider.mx_suffixes:
            name = suffix.strip(".").lower()
            if len(name) > best[0] and holds(name, host):
                best = (len(name), provider)
    return best[1]


def _domain(subject: Subject) -> str:
    return subject.domain or domain_of(subject.recipient)


def _fact(record: Mx, provider: Provider | None) -> dict[str, Fact]:
    return {"preference": record.preference, "host": shown(record.host), "provider": provider.slug if provider else ""}


async def _provider(hosts: Sequence[str], tools: Tools) -> Provider | None:
    """By the hosts' names, else by what they are aliases of."""
    named = next((provider for host in hosts if (provider := by_host(host, tools.providers))), None)
    if named is not None:
        return named
    asked = [host for host in hosts if not is_address(host) and not is_localhost(host)][:MAX_ALIASES]
    lookups = await asyncio.gather(*(tools.resolver.ask(host, "A") for host in asked))
    aliases = (alias.lower() for lookup in lookups for alias in lookup.chain)
    return next((provider for alias in aliases if (provider := by_host(alias, tools.providers))), None)


async def _implicit(domain: str, resolver: Resolver, facts: dict[str, Fact]) -> CheckResult:
    """No MX record: the domain's own host, if it has an address (RFC 5321 section 5.1)."""
    a, aaaa = await resolver.addresses(domain)
    if a.found or aaaa.found:
        return _result("own", f"{domain} has no MX record; its own host receives its mail.", facts)
    if a.absent and aaaa.absent:
        return _result("unknown", f"{domain} has neither an MX record nor an address, so nobody receives its mail.", facts)
    return _result("unknown", f"The address of {domain} could not be looked up, so who receives its mail is not known.", facts)


def _own(domain: str, hosts: Sequence[str], facts: dict[str, Fact]) -> CheckResult:
    name = shown(hosts[0])
    if any(holds(domain, host) for host in hosts) or any(holds(registrable_domain(domain) or domain, host) for host in hosts):
        return _result("own", f"{domain} has a mail server of its own: {name}.", facts)
    return _result("own", f"Mail for {domain} is received at {name}, which is none of the providers that are known here.", facts)


async def _behind(domain: str, gateway: Provider, tools: Tools, facts: dict[str, Fact]) -> CheckResult:
    """A gateway or forwarder stands in front; the mailbox is elsewhere."""
    text, autodiscover = await asyncio.gather(tools.resolver.ask(domain, "TXT"), tools.resolver.ask(f"autodiscover.{domain}", "CNAME"))
    found = hints(text, autodiscover, tools.providers)
    facts |= {"gateway": gateway.slug, "gateway_name": gateway.name, "kind": gateway.kind, "hints": [hint.seen for hint in found]}
    front = f"Mail for {domain} goes through {gateway.name}"
    if not found:
        return _result("gateway", f"{front}{_why_not(text)}.", facts)
    providers = _likely(found)
    facts |= {"provider": providers[0].slug, "name": providers[0].name, "probably": [provider.slug for provider in providers]}
    sure = "probably" if found[0].strong else "perhaps"
    names = " or ".join(provider.name for provider in providers)
    return _result("gateway", f"{front}; the mailboxes behind it are {sure} at {names} ({found[0].seen}).", facts)


def _likely(found: Sequence[Hint]) -> list[Provider]:
    """The providers that the hints speak for, most hints first; weak hints count only where there are no others."""
    telling = [hint.provider for hint in found if hint.strong == found[0].strong]
    unique = list(dict.fromkeys(provider.slug for provider in telling))
    by_slug = {provider.slug: provider for provider in telling}
    return sorted((by_slug[slug] for slug in unique), key=lambda provider: -sum(other.slug == provider.slug for other in telling))


def _why_not(text: Lookup) -> str:
    if text.found or text.absent:
        return "; where the mailboxes are, DNS does not tell"
    return "; what else DNS tells could not be looked up"


def _result(answer: str, detail: str, facts: dict[str, Fact]) -> CheckResult:
    return CheckResult("provider", answer, _STATES[answer], detail, (), facts)
