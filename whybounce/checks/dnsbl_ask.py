"""A question to a DNS list and what its answer means: RFC 5782, and what each list says of its own answers."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Fact
from whybounce.snapshot import Blocklist, ListAnswer

# RFC 5782 section 2.1: a listing lies in 127/8; section 5: 127.0.0.1 is never listed. 127.255.255/24 is how lists say that they refuse.
_LISTS = ipaddress.IPv4Network("127.0.0.0/8")
_NEVER = ipaddress.IPv4Address("127.0.0.1")
_REFUSALS = ipaddress.IPv4Network("127.255.255.0/24")

DAY_SECONDS = 86_400.0
MAX_TEXT = 500

_FAILURES = {
    Status.SERVFAIL: "the look-up ends in SERVFAIL",
    Status.REFUSED: "our resolver refused the question",
    Status.TIMEOUT: "no answer came in time",
}

# (zone, name servers) -> whether an entry that must not be there was listed, and when that was seen. One for the process: once a day is enough.
_tested: dict[tuple[str, str, tuple[object, ...]], tuple[float, bool]] = {}


class Standing(StrEnum):
    """ERROR: could not tell, which is neither of the others."""

    LISTED = "listed"
    NOT_LISTED = "not-listed"
    ERROR = "error"


@dataclass(slots=True)
class Entry:
    """What one list says of one address or domain.

    subject   the address or domain asked about; query the name that was asked for
    answers   the meanings of the addresses that it answered, where it lists
    reason    why it could not tell, as the end of a sentence
    refused   it answered, and refused: not a fault of the network
    text      its TXT record: who is listed why (RFC 5782 section 2.1)
    named     the reply names this list
    """

    list: Blocklist
    subject: str
    query: str
    of_domain: bool = False
    standing: Standing = Standing.ERROR
    answers: tuple[ListAnswer, ...] = ()
    reason: str = ""
    refused: bool = False
    text: str = ""
    ttl: int | None = None
    named: bool = False

    def fact(self) -> dict[str, Fact]:
        """As JSON; what is empty is left out."""
        answers: list[Fact] = [{"answer": code.answer, "meaning": code.meaning, "cause": code.cause or self.list.cause} for code in self.answers]
        fact: dict[str, Fact] = {
            "list": self.list.slug,
            "name": self.list.name,
            "zone": self.list.zone,
            "domain" if self.of_domain else "ip": self.subject,
            "standing": self.standing.value,
            "weight": self.list.weight.value,
            "answers": answers,
            "text": self.text,
            "reason": self.reason,
            "named": self.named,
            "ttl": self.ttl,
            "removal_page": self.list.removal_page if self.standing is Standing.LISTED else "",
        }
        return {key: value for key, value in fact.items() if value not in ("", [], None, False)}


@dataclass(slots=True)
class Budget:
    """How many questions may still be asked."""

    left: int
    left_out: list[str] = field(default_factory=list)

    def take(self, count: int = 1) -> bool:
        if self.left < count:
            return False
        self.left -= count
        return True


def reversed_address(address: str) -> str:
    """RFC 5782 sections 2.1 and 2.4: `192.0.2.1` -> `1.2.0.192`, an IPv6 address as 32 nibbles; an IPv4-mapped one as IPv4."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


async def ask(entry: Entry, resolver: Resolver) -> None:
    """Put the question and note what the answer means."""
    lookup = await resolver.ask(entry.query, "A")
    read_answer(entry, lookup)


def read_answer(entry: Entry, lookup: Lookup) -> None:
    """Three states: absent is not listed, an address that is a listing is one, and everything else could not be told."""
    entry.ttl = lookup.ttl
    if lookup.absent:
        entry.standing = Standing.NOT_LISTED
        return
    if not lookup.found:
        entry.reason = _FAILURES.get(lookup.status, "") or f"the look-up failed ({shown(lookup.detail, 200) or lookup.status.value})"
        return
    listings, errors = [], []
    for address in lookup.records:
        error = _error(entry.list, address)
        if error:
            errors.append(f"{address}: {error}")
            continue
        code = _match(entry.list.codes, address)
        listings.append(ListAnswer(address, code.meaning, code.cause) if code else ListAnswer(address, ""))
    if listings:
        entry.standing = Standing.LISTED
        entry.answers = tuple(listings)
    else:
        entry.reason = f"it answered {'; '.join(errors[:3])}"
        entry.refused = True


def _error(item: Blocklist, address: str) -> str:
    """Why an answer is no listing; "" where it is one. What the list itself says comes before the general rule."""
    known = _match(item.errors, address)
    if known is not None:
        return known.meaning or "no listing"
    ip = ipaddress.ip_address(address)
    if ip not in _LISTS:
        return "outside 127.0.0.0/8, so it does not come from a list"
    if ip in _REFUSALS:
        return "the list refused to answer"
    return "no listing (RFC 5782 section 5)" if ip == _NEVER and _match(item.codes, address) is None else ""


def _match(answers: Iterable[ListAnswer], address: str) -> ListAnswer | None:
    """The most exact of the answers (addresses or networks) that this address is in."""
    ip = ipaddress.ip_address(address)
    fitting = [(network.prefixlen, answer) for answer in answers if ip in (network := ipaddress.ip_network(answer.answer, strict=False))]
    return max(fitting, key=lambda pair: pair[0], default=(0, None))[1]


async def fetch_text(entry: Entry, resolver: Resolver) -> None:
    """Why it is listed, in the list's own words."""
    lookup = await resolver.ask(entry.query, "TXT")
    entry.text = " ".join(shown(text, MAX_TEXT) for text in lookup.texts[:3])


async def passes_test(entry: Entry, listed: bool, resolver: Resolver, budget: Budget) -> bool | None:
    """Whether the list does what it must at a test point (RFC 5782 section 5): `listed` asks for the one that it must list, else for the
    one that it must not. None: it could not be found out, or the list has no such point. Each is asked once a day."""
    point = _point(entry, listed)
    if not point:
        return None
    key = (point, entry.list.zone, tuple(resolver.nameservers))
    at, good = _tested.get(key, (-DAY_SECONDS, False))
    if time.monotonic() - at < DAY_SECONDS:
        return good
    if not budget.take():
        return None
    probe = Entry(entry.list, point, f"{point}.{entry.list.zone}")
    await ask(probe, resolver)
    if probe.standing is Standing.ERROR:
        return None
    good = (probe.standing is Standing.LISTED) == listed
    _tested[key] = (time.monotonic(), good)
    return good


def _point(entry: Entry, listed: bool) -> str:
    """The name of a test point before the zone. Every list of addresses must not list 127.0.0.1, every list of domains not INVALID."""
    text = entry.list.test_listed if listed else entry.list.test_unlisted
    if not text and not listed:
        text = "invalid" if entry.of_domain else "127.0.0.1"
    if not text:
        return ""
    try:
        is_ip = bool(ipaddress.ip_address(text))
    except ValueError:
        is_ip = False
    if is_ip == entry.of_domain:
        return ""
    return reversed_address(text) if is_ip else _within(text, entry.list.zone)


def _within(name: str, zone: str) -> str:
    """A test point that is written as a whole name of the zone, without the zone."""
    return name.lower().removesuffix("." + zone)


def entries_for(lists: Sequence[Blocklist], address: str, domains: Sequence[str]) -> list[Entry]:
    """What to ask the lists: the address those of addresses (IPv6 only where they hold it), the domains those of domains."""
    entries = []
    is_v6 = bool(address) and reversed_address(address).count(".") > 3
    for item in lists:
        if not item.zone:
            continue
        if address and item.kind != "domain" and (not is_v6 or item.ipv6 or item.kind == "any"):
            entries.append(Entry(item, address, f"{reversed_address(address)}.{item.zone}"))
        if item.kind in ("domain", "any"):
            entries += [Entry(item, domain, f"{domain}.{item.zone}", of_domain=True) for domain in domains]
    return entries
