"""The SPF record to publish: RFC 7208."""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass

from whybounce.checks.guard import DomainError, parse_domain, parse_networks, shown
from whybounce.checks.spf_eval import MAX_LOOKUPS, Address
from whybounce.publish.spf_limit import count, flatten, network_text
from whybounce.publish.spf_merge import merged
from whybounce.publish.spf_terms import Terms, make_term, read_terms
from whybounce.publish.values import Behind, Proposal, Published, Seen, Wanted, nothing, proposal

# RFC 7208 section 3.4: so that the answer fits into a UDP packet of 512 octets.
MAX_OCTETS = 450

# No receiver ever sees such an address.
_INTERNAL = parse_networks(
    ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7", "fe80::/10"]
)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be allowed, as terms."""

    ip: Address | None = None
    include: str = ""

    @property
    def texts(self) -> list[str]:
        found = [network_text(ipaddress.ip_network(self.ip))] if self.ip is not None else []
        return found + ([f"include:{self.include}"] if self.include else [])


class _Refused(Exception):
    """There is nothing to propose; the message says why."""


def propose_spf(seen: Seen, wanted: Wanted) -> Proposal:
    """The present record with what is wanted added to it and its mistakes mended, and everything else as it stands."""
    try:
        return _propose(seen, wanted)
    except _Refused as refused:
        return nothing(seen.domain, str(refused), seen.spf)


def _propose(seen: Seen, wanted: Wanted) -> Proposal:
    if not seen.exists:
        raise _Refused(f"The domain {seen.domain} does not exist in DNS, so no record can be published for it.")
    if seen.spf is None:
        raise _Refused(f"Whether {seen.domain} has an SPF record could not be found out, so nothing is proposed.")
    wish = _wish(seen, wanted)
    texts = seen.spf.texts
    if not texts:
        return _first(seen, seen.spf, wish)
    whole = merged(texts) if len(texts) > 1 else read_terms(texts[0])
    before = read_terms(texts[0])
    _drop_dead(whole, seen)
    whole.notes += [f"{term.text} stands there twice." for term in whole.drop_repeated()]
    _drop_ptr(whole, wanted)
    _add(whole, wish, seen)
    _keep_limit(whole, before if len(texts) == 1 else None, seen)
    text = whole.text
    if len(texts) == 1 and text.lower() == " ".join(texts[0].lower().split()):
        raise _Refused(_in_order(seen, wish))
    return proposal(seen.domain, seen.spf, text, " ".join(dict.fromkeys(whole.notes)), tuple(dict.fromkeys([*whole.warnings, *_length(text)])))


def _wish(seen: Seen, wanted: Wanted) -> _Wish:
    ip: Address | None = None
    if wanted.sending_ip:
        try:
            ip = ipaddress.ip_address(wanted.sending_ip)
        except ValueError:
            raise _Refused(f"{shown(wanted.sending_ip, 100)} is no IP address.") from None
        ip = ip if ip.version == 4 else ip.ipv4_mapped or ip
        if any(ip in network for network in _INTERNAL):
            raise _Refused(f"{ip} is an internal address. Receivers see the public address of the line or of the relay: that one belongs into SPF.")
    if not wanted.include:
        return _Wish(ip)
    try:
        include = parse_domain(wanted.include)
    except DomainError as error:
        raise _Refused(str(error)) from None
    if include == seen.domain:
        raise _Refused(f"{include} cannot include itself.")
    if seen.behind.get(include, Behind()).found is False:
        raise _Refused(f"{include} has no SPF record. A record that includes it gives an error for everybody: ask the provider for the right name.")
    return _Wish(ip, include)


def _first(seen: Seen, published: Published, wish: _Wish) -> Proposal:
    has_mx = seen.mx is not None and any(text.split()[-1] != "." for text in seen.mx.texts)
    texts = wish.texts or (["mx"] if has_mx else [])
    if not texts:
        raise _Refused(f"{seen.domain} has no SPF record, and it is not known who sends for it: name an address or a provider.")
    whole = Terms([make_term(text) for text in (*texts, "~all")])
    _keep_limit(whole, None, seen)
    why = f"{seen.domain} has no SPF record. This one names {_named(wish) or 'its MX hosts'} and asks receivers to be wary of others (~all)."
    everybody = f"Add all others that send for {seen.domain} before you change ~all to -all: shops, newsletters, ticket systems, printers."
    return proposal(seen.domain, published, whole.text, " ".join([why, *whole.notes]), (everybody, *whole.warnings, *_length(whole.text)))


def _drop_dead(whole: Terms, seen: Seen) -> None:
    """An include or redirect of a domain without a record is an error for everybody whom no earlier term matches (section 5.2)."""
    for term in list(whole.terms):
        if term.name not in ("include", "redirect"):
            continue
        if term.domain == seen.domain:
            why = "leads back to the record itself"
        elif term.domain and seen.behind.get(term.domain, Behind()).found is False:
            why = f"leads to {term.domain}, which has no SPF record"
        else:
            continue
        whole.terms = [kept for kept in whole.terms if kept is not term]
        whole.notes.append(f"{term.text} {why}: receivers give an error there, so it is left out.")
        whole.warnings.append(f"See whether {term.domain} is mistyped: then the right name is needed in its place.")


def _drop_ptr(whole: Terms, wanted: Wanted) -> None:
    """RFC 7208 section 5.5: not to be used. Where the record works today senders may rely on it, so it goes only where that is wanted."""
    for term in [term for term in whole.terms if term.name == "ptr"]:
        if whole.broken or wanted.remove_ptr:
            whole.terms.remove(term)
            whole.notes.append(f"{term.text} is left out: it is slow, and RFC 7208 asks not to use it.")
            whole.warnings.append("Name the hosts that only ptr allowed with ip4, ip6 or a.")
        else:
            whole.warnings.append(f"{term.text} should go (RFC 7208 section 5.5) once the hosts that rely on it are named with ip4, ip6 or a.")


def _add(whole: Terms, wish: _Wish, seen: Seen) -> None:
    """Put an address first and an include last; what lets them pass already stays as it is."""
    risky = [name for name, below in seen.behind.items() if below.found is None]
    reached = [term for term in whole.terms[: whole.place(risky) + 1] if term.mechanism is not None]
    passing = list(itertools.takewhile(lambda term: term.passes, reached))
    ends = next((term for term in whole.terms if term.name == "all"), None)
    for text in wish.texts:
        term = make_term(text)
        network = term.mechanism.network if term.mechanism else None
        covered = network is not None and any(_covers(other.mechanism.network, network) for other in passing if other.mechanism is not None)
        known = network is not None and seen.spf_result == "pass" and seen.spf_ip == str(wish.ip)
        # Before +all only a term that refuses can stop an address, and a provider is let in anyhow.
        open_to_all = ends is not None and ends.passes and (ends in passing or network is None)
        if open_to_all or covered or known or any(other.key == term.key for other in passing):
            continue
        whole.terms.insert(whole.place_for_address if network is not None else whole.place(risky), term)
        whole.notes.append(f"{text} is added, so that mail from {wish.ip if network is not None else 'this provider'} passes.")


def _covers(wide: object, narrow: object) -> bool:
    if isinstance(wide, ipaddress.IPv4Network) and isinstance(narrow, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    return isinstance(wide, ipaddress.IPv6Network) and isinstance(narrow, ipaddress.IPv6Network) and narrow.subnet_of(wide)


def _keep_limit(whole: Terms, before: Terms | None, seen: Seen) -> None:
    """At most ten look-ups, or nothing is proposed. What is behind an include that was not looked at is known in all only."""
    counted = count(whole.terms, seen.behind)
    surplus, uncounted = 0, set(counted.unknown)
    if before is not None and seen.spf_lookups is not None:
        at_first = count(before.terms, seen.behind)
        surplus = max(0, seen.spf_lookups - at_first.lookups) if at_first.unknown else 0
        uncounted -= set(at_first.unknown)
    for name in sorted(uncounted):
        whole.warnings.append(f"What {name} costs could not be counted: a record may need {MAX_LOOKUPS} DNS look-ups at most.")
    if not flatten(whole, seen.behind, surplus):
        lookups = count(whole.terms, seen.behind).lookups + surplus
        raise _Refused(
            f"The SPF record of {seen.domain} would need {lookups} DNS look-ups, {MAX_LOOKUPS} are allowed, and none of its includes can be written"
            " as addresses. Take out what no longer sends, or send from a sub-domain with a record of its own."
        )


def _length(text: str) -> list[str]:
    if len(text) <= MAX_OCTETS:
        return []
    return [
        f"The record has {len(text)} octets. Beyond {MAX_OCTETS} its answer may not fit into one packet (RFC 7208 section 3.4), and some receivers"
        " then do not see it."
    ]


def _named(wish: _Wish) -> str:
    return " and ".join(([str(wish.ip)] if wish.ip is not None else []) + ([wish.include] if wish.include else []))


def _in_order(seen: Seen, wish: _Wish) -> str:
    if wish.texts:
        return f"The SPF record of {seen.domain} allows {_named(wish)} already."
    return f"The SPF record of {seen.domain} is in order."
