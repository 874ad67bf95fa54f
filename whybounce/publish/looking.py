"""What a domain publishes, asked of DNS where no check has looked yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.mta_sts_policy import is_sts
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import MAX_LOOKUPS, MAX_MX, is_askable
from whybounce.checks.spf_record import select_records
from whybounce.publish.behind import Tree, behind_in, wanted_addresses
from whybounce.publish.dmarc import is_dmarc
from whybounce.publish.spf_limit import count
from whybounce.publish.spf_terms import make_term, read_terms
from whybounce.publish.values import Behind, Published, Seen

# Parents in which a DMARC record is looked for: as many names as RFC 9989 asks in its tree walk, the domain's own with them.
MAX_PARENTS = 7
MAX_ADDRESS_NAMES = 20
MAX_INCLUDES = 12


async def look(domain: str, resolver: Resolver, *, include: str = "", known: Seen | None = None) -> Seen:
    """What `domain` publishes, and what stands behind the includes of its SPF record and behind `include`, which is to be added.

    domain    lower case, no trailing dot
    known     what checks saw already (`seen_in`): only the rest is asked for. Its policy file is never fetched here.
    """
    seen = known or Seen(domain)
    names = {"spf": domain, "dmarc": f"_dmarc.{domain}", "mta_sts": f"_mta-sts.{domain}", "tls_rpt": f"_smtp._tls.{domain}"}
    spf, dmarc, mta_sts, tls_rpt = await asyncio.gather(*(resolver.ask(name, "TXT") for name in names.values()))
    published = _published(spf, lambda text: bool(select_records((text,))))
    mx, above, (further, lookups) = await asyncio.gather(
        resolver.ask(domain, "MX"),
        _dmarc_above(domain, resolver, dmarc),
        _behind(domain, published.texts if published else (), include, resolver),
    )
    return replace(
        seen,
        spf=published,
        dmarc=None if above is None else _published(dmarc, lambda text: is_dmarc(text.decode("latin-1"))),
        dmarc_above=above or "",
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


async def _dmarc_above(domain: str, resolver: Resolver, dmarc: Lookup) -> str | None:
    """The nearest domain above that has a DMARC record; None where that could not be found out."""
    if any(is_dmarc(text.decode("latin-1")) for text in dmarc.texts):
        return ""
    labels = domain.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels))][-MAX_PARENTS:]
    lookups = await asyncio.gather(*(resolver.ask(f"_dmarc.{parent}", "TXT") for parent in parents))
    for parent, lookup in zip(parents, lookups, strict=True):
        if any(text.startswith(b"v=DMARC1") for text in lookup.texts):
            return parent
        if not lookup.found and not lookup.absent:
            return None
    return ""


async def _behind(domain: str, texts: Collection[str], include: str, resolver: Resolver) -> tuple[dict[str, Behind], int]:
    """What stands behind each include, and the look-ups in all. Addresses are looked up only where the limit would be passed: then an
    include has to be written as addresses."""
    own = Audit(resolver)
    terms = [term for text in texts for term in read_terms(text).terms if term.name != "all"]
    with contextlib.suppress(ValueError):
        terms += [make_term(f"include:{include.lower().removesuffix('.')}")] if include else []
    names = {term.domain for term in terms if term.name in ("include", "redirect") and term.domain}
    # Each by itself, since an audit of the whole gives up where a record is far beyond the limit.
    chosen = sorted(name for name in names if is_askable(name))[:MAX_INCLUDES]
    _, *nodes = await asyncio.gather(own.run(domain), *(Audit(resolver).run(name) for name in chosen))
    tree: Tree = {"domain": domain, "terms": [{"target": name, "record": node.fact()} for name, node in zip(chosen, nodes, strict=True)]}
    found = behind_in(tree, {})
    if count(terms, found).lookups > MAX_LOOKUPS:
        found = behind_in(tree, await _addresses(wanted_addresses(tree), resolver))
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
