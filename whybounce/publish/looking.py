"""What a domain publishes, asked of DNS where no check has looked yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.mta_sts_policy import is_sts
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import MAX_LOOKUPS, MAX_MX, is_askable
from whybounce.checks.spf_record import select_records
from whybounce.publish.behind import Addresses, Tree, behind_in, wanted_addresses
from whybounce.publish.dmarc import is_dmarc
from whybounce.publish.values import Behind, Published, Seen

# Parents in which a DMARC record is looked for: as many names as RFC 9989 asks in its tree walk, the domain's own with them.
MAX_PARENTS = 7
MAX_ADDRESS_NAMES = 20


async def look(domain: str, resolver: Resolver, *, include: str = "", known: Seen | None = None) -> Seen:
    """What `domain` publishes, and what stands behind the includes of its SPF record and behind `include`, which is to be added.

    domain    lower case, no trailing dot
    known     what checks saw already (`seen_in`): only the rest is asked for. Its policy file is never fetched here.
    """
    seen = known or Seen(domain)
    names = {"spf": domain, "dmarc": f"_dmarc.{domain}", "mta_sts": f"_mta-sts.{domain}", "tls_rpt": f"_smtp._tls.{domain}"}
    spf, dmarc, mta_sts, tls_rpt = await asyncio.gather(*(resolver.ask(name, "TXT") for name in names.values()))
    mx, above, (further, lookups) = await asyncio.gather(
        resolver.ask(domain, "MX"), _dmarc_above(domain, resolver, dmarc), _behind(domain, include, resolver)
    )
    return replace(
        seen,
        spf=_published(spf, lambda text: bool(select_records((text,)))),
        dmarc=_published(dmarc, lambda text: is_dmarc(text.decode("latin-1"))),
        dmarc_above=above,
        mta_sts=_published(mta_sts, lambda text: is_sts(text) or text[:6].lower() == b"v=stsv"),
        tls_rpt=_published(tls_rpt, lambda text: text[:8].lower() == b"v=tlsrpt"),
        mx=Published(tuple(f"{record.preference} {record.host}" for record in mx.mx), mx.ttl) if mx.found or mx.absent else None,
        behind={**seen.behind, **further},
        spf_lookups=lookups,
        exists=spf.status is not Status.NXDOMAIN,
    )


def _published(lookup: Lookup, is_kind: Callable[[bytes], bool]) -> Published | None:
    """The texts of one kind; None where DNS neither found nor denied them."""
    if not lookup.found and not lookup.absent:
        return None
    return Published(tuple(text.decode("latin-1") for text in lookup.texts if is_kind(text)), lookup.ttl if lookup.found else None)


async def _dmarc_above(domain: str, resolver: Resolver, dmarc: Lookup) -> str:
    """The nearest domain above that has a DMARC record."""
    if any(is_dmarc(text.decode("latin-1")) for text in dmarc.texts):
        return ""
    labels = domain.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels))][-MAX_PARENTS:]
    lookups = await asyncio.gather(*(resolver.ask(f"_dmarc.{parent}", "TXT") for parent in parents))
    return next((parent for parent, lookup in zip(parents, lookups, strict=True) if any(text.startswith(b"v=DMARC1") for text in lookup.texts)), "")


async def _behind(domain: str, include: str, resolver: Resolver) -> tuple[dict[str, Behind], int]:
    """What stands behind the includes, and the look-ups in all. Addresses are looked up only where the limit would be passed: then an
    include has to be written as addresses."""
    include = include.lower().removesuffix(".")
    own, wanted = Audit(resolver), Audit(resolver)
    root = await own.run(domain)
    trees: list[Tree] = [root.fact()]
    if include and is_askable(include):
        trees.append({"domain": domain, "terms": [{"target": include, "record": (await wanted.run(include)).fact()}]})
    addresses: Addresses = {}
    if own.lookups + wanted.lookups + bool(include) > MAX_LOOKUPS:
        addresses = await _addresses(set[tuple[str, str]]().union(*(wanted_addresses(tree) for tree in trees)), resolver)
    found: dict[str, Behind] = {}
    for tree in trees:
        found |= behind_in(tree, addresses)
    return found, own.lookups


async def _addresses(names: set[tuple[str, str]], resolver: Resolver) -> dict[tuple[str, str], tuple[str, ...]]:
    """The addresses that a and mx terms stand for; what could not be looked up is left out."""
    chosen = sorted(names)[:MAX_ADDRESS_NAMES]
    found = await asyncio.gather(*(_hosts(name, resolver) if kind == "mx" else _host(name, resolver) for kind, name in chosen))
    return {pair: addresses for pair, addresses in zip(chosen, found, strict=True) if addresses is not None}


async def _host(name: str, resolver: Resolver) -> tuple[str, ...] | None:
    lookups = await resolver.addresses(name)
    if not all(lookup.found or lookup.absent for lookup in lookups):
        return None
    return tuple(address for lookup in lookups for address in lookup.records)


async def _hosts(name: str, resolver: Resolver) -> tuple[str, ...] | None:
    lookup = await resolver.ask(name, "MX")
    if not (lookup.found or lookup.absent) or len(lookup.mx) > MAX_MX:
        return None
    hosts = await asyncio.gather(*(_host(mx.host, resolver) for mx in lookup.mx if mx.host != "."))
    return None if None in hosts else tuple(address for host in hosts for address in host or ())
