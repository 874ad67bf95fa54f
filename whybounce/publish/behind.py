"""What stands behind the includes and redirects of an SPF record, from the tree of records that the SPF check or its audit saw."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from whybounce.checks.spf_audit import literal
from whybounce.checks.spf_macros import letters
from whybounce.checks.spf_record import Mechanism, Record, SyntaxProblem, parse_record
from whybounce.publish.values import Behind

Tree = Mapping[str, Any]
"""`Node.fact()` of whybounce.checks.spf_tree: domain, record, result, terms (term, target, record ...)."""

Addresses = Mapping[tuple[str, str], Sequence[str]]
"""What an `a` or `mx` term finds: ("a", "example.com") -> address literals. A pair that is missing was not found out."""


def behind_in(tree: Tree, addresses: Addresses) -> dict[str, Behind]:
    """Each domain of the tree but the first -> what stands behind it."""
    found: dict[str, Behind] = {}
    _collect(tree, addresses, found)
    return found


def behind(tree: Tree, addresses: Addresses) -> Behind:
    """What stands behind the first domain of the tree, for who includes it."""
    return _judge(tree, addresses, _collect(tree, addresses, {}))


def wanted_addresses(tree: Tree) -> set[tuple[str, str]]:
    """The (mechanism, name) pairs that have to be looked up before the records below the first can be written as addresses."""
    wanted: set[tuple[str, str]] = set()
    for child in _children(tree).values():
        record = _record(child)
        if record is not None:
            wanted |= {(term.name, name) for term in record.mechanisms if term.name in ("a", "mx") and (name := _target(term, child["domain"]))}
        wanted |= wanted_addresses(child)
    return wanted


def _children(tree: Tree) -> dict[str, Tree]:
    terms = cast("Sequence[Tree]", tree.get("terms") or ())
    return {str(term["target"]).lower(): term["record"] for term in terms if term.get("target") and term.get("record")}


def _collect(tree: Tree, addresses: Addresses, found: dict[str, Behind]) -> dict[str, Behind]:
    """The domains directly below `tree`; all of them go into `found`."""
    here = {}
    for name, child in _children(tree).items():
        here[name] = _judge(child, addresses, _collect(child, addresses, found))
        # A domain may stand there twice, the second time not looked at to its end.
        found[name] = max(here[name], found.get(name, Behind()), key=lambda below: (below.found is not None, below.lookups))
    return here


def _record(tree: Tree) -> Record | None:
    text = str(tree.get("record") or "")
    if not text or "\\" in text:
        return None
    try:
        return parse_record(text.encode("ascii", "replace"))
    except SyntaxProblem:
        return None


def _judge(tree: Tree, addresses: Addresses, below: Mapping[str, Behind]) -> Behind:
    if tree.get("result") == "none":
        return Behind(found=False)
    record = _record(tree)
    if record is None:
        return Behind()
    lookups = sum(_cost(term, below) for term in _effective(record))
    if record.redirect is not None and not record.has_all:
        lookups += 1 + _of(literal(record.redirect.target), below).lookups
    networks = _networks(record, str(tree["domain"]), addresses, below)
    return Behind(True, lookups, None if networks is None else tuple(str(network) for network in networks))


def _effective(record: Record) -> Iterator[Mechanism]:
    """What follows `all` is ignored (RFC 7208 section 5.1)."""
    for term in record.mechanisms:
        yield term
        if term.name == "all":
            return


def _cost(term: Mechanism, below: Mapping[str, Behind]) -> int:
    if term.network is not None or term.name == "all":
        return 0
    return 1 + (_of(literal(term.target), below).lookups if term.name == "include" else 0)


def _of(name: str, below: Mapping[str, Behind]) -> Behind:
    return below.get(name.lower(), Behind())


def _networks(record: Record, domain: str, addresses: Addresses, below: Mapping[str, Behind]) -> list[str] | None:
    """Where the record passes, None where that depends on more than the address, or on what was not looked up."""
    networks: list[str] = []
    for term in _effective(record):
        if term.name == "all":
            return None if term.qualifier == "+" else networks
        found = _term_networks(term, domain, addresses, below)
        if term.qualifier != "+" or found is None:
            return None
        networks += found
    if record.redirect is None:
        return networks
    further = _of(literal(record.redirect.target), below).networks
    return None if further is None else [*networks, *further]


def _term_networks(term: Mechanism, domain: str, addresses: Addresses, below: Mapping[str, Behind]) -> list[str] | None:
    if term.network is not None:
        return [str(term.network)]
    if term.name == "include":
        further = _of(literal(term.target), below).networks
        return None if further is None else list(further)
    name = _target(term, domain)
    found = addresses.get((term.name, name)) if name else None
    if term.name not in ("a", "mx") or found is None:
        return None
    return [_with_prefix(address, term) for address in found]


def _target(term: Mechanism, domain: str) -> str:
    """The name that an `a` or `mx` term is about; "" where a macro makes it depend on the sender."""
    if letters(term.target):
        return ""
    return (literal(term.target) or domain).lower()


def _with_prefix(address: str, term: Mechanism) -> str:
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network(f"{ip}/{term.cidr4 if ip.version == 4 else term.cidr6}", strict=False))
