"""At most ten DNS look-ups in an SPF record (RFC 7208 section 4.6.4): counted, and kept by writing includes as addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whybounce.checks.spf_eval import MAX_LOOKUPS
from whybounce.checks.spf_record import Network
from whybounce.publish.spf_terms import Term, Terms, make_term
from whybounce.publish.values import Behind


@dataclass(frozen=True, slots=True)
class Count:
    """Look-ups in all; `unknown` are the domains behind which could not be counted."""

    lookups: int
    unknown: tuple[str, ...] = ()


def count(terms: Sequence[Term], behind: Mapping[str, Behind]) -> Count:
    """What one evaluation that matches nothing before `all` costs."""
    lookups, unknown = 0, []
    has_all = any(term.name == "all" for term in terms)
    for term in terms:
        if term.name == "all":
            break  # what follows is ignored (RFC 7208 section 5.1)
        if not _asks(term, has_all):
            continue
        lookups += 1
        if term.name in ("include", "redirect"):
            below = behind.get(term.domain, Behind())
            lookups += below.lookups
            unknown += [] if below.found else [term.domain or term.text]
    return Count(lookups, tuple(unknown))


def _asks(term: Term, has_all: bool) -> bool:
    if term.mechanism is None:
        return term.name == "redirect" and not has_all
    return term.mechanism.network is None


def flatten(whole: Terms, behind: Mapping[str, Behind], surplus: int = 0) -> bool:
    """Write includes as addresses, the one that costs most first, until the limit is kept; False where it cannot be.

    surplus     look-ups that are known to be there besides what `behind` tells
    """
    while count(whole.terms, behind).lookups + surplus > MAX_LOOKUPS:
        choices = [term for term in whole.terms if term.name == "include" and behind.get(term.domain, Behind()).networks]
        if not choices:
            return False
        costly = max(choices, key=lambda term: (behind[term.domain].lookups, -len(behind[term.domain].networks or ())))
        below = behind[costly.domain]
        place = whole.terms.index(costly)
        qualifier = costly.mechanism.qualifier.replace("+", "") if costly.mechanism else ""
        whole.terms[place : place + 1] = network_terms(below.networks or (), qualifier)
        whole.drop_repeated()
        whole.notes.append(
            f"The record would need more than {MAX_LOOKUPS} DNS look-ups, and receivers then refuse to use it: {costly.text}, which costs"
            f" {below.lookups + 1}, is written as the addresses it stands for today."
        )
        whole.warnings.append(
            f"The addresses of {costly.domain} change when its operator changes them: look every month whether they are still the same, or mail will"
            " fail one day. Better is a sub-domain of its own for this sender, with an SPF record of its own."
        )
    return True


def network_terms(networks: Sequence[str], qualifier: str = "") -> list[Term]:
    """`ip4:` and `ip6:` terms for the networks, joined where they lie side by side."""
    parsed: list[Network] = [ipaddress.ip_network(network) for network in networks]
    joined: list[Network] = [*ipaddress.collapse_addresses([network for network in parsed if isinstance(network, ipaddress.IPv4Network)])]
    joined += ipaddress.collapse_addresses([network for network in parsed if isinstance(network, ipaddress.IPv6Network)])
    return [make_term(f"{qualifier}{network_text(network)}") for network in joined]


def network_text(network: Network) -> str:
    """`ip4:192.0.2.1` or `ip6:2001:db8::/32`."""
    whole = network.prefixlen == network.max_prefixlen
    return f"ip{network.version}:{network.network_address if whole else network}"
