"""Whatever record a domain has: the proposed one lets the sending address pass, and everybody who passed before."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_audit import Audit
from whybounce.checks.spf_eval import MAX_LOOKUPS, Evaluation, Sender
from whybounce.checks.spf_record import parse_record
from whybounce.publish import Kind, Proposal, Wanted, after, look, propose
from whybounce.publish.evaluating import Overlay

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DOMAIN = "example.test"

ZONE = """$ORIGIN example.test.
@ SOA ns h 1 1 1 1 60
@ MX 10 mx1
@ MX 20 mx2
@ A 192.0.2.30
mx1 A 192.0.2.20
mx1 AAAA 2001:db8::20
mx2 A 192.0.2.21
www A 192.0.2.10
plain TXT "v=spf1 ip4:198.51.100.0/28 ip6:2001:db8:1::/48 -all"
hosts TXT "v=spf1 a:www.example.test mx:example.test ~all"
neutral TXT "v=spf1 -ip4:198.51.100.0/30 ip4:198.51.100.0/24 ?all"
deep TXT "v=spf1 include:plain.example.test include:hosts.example.test a:mx1.example.test -all"
deeper TXT "v=spf1 include:deep.example.test include:hosts.example.test include:plain.example.test -all"
onward TXT "v=spf1 a:mx2.example.test redirect=plain.example.test"
macro TXT "v=spf1 exists:%{ir}.allowed.example.test -all"
10.2.0.192.allowed A 127.0.0.2
broken TXT "v=spf1 nonsense:x -all"
none TXT "no record"
world TXT "v=spf1 +all"
20.2.0.192.in-addr.arpa. PTR mx1.example.test.
;! fails.example.test servfail
"""

PROBES = (
    "192.0.2.9",
    "192.0.2.10",
    "192.0.2.20",
    "192.0.2.21",
    "192.0.2.30",
    "198.51.100.2",
    "198.51.100.200",
    "203.0.113.4",
    "2001:db8::20",
    "2001:db8:1::5",
)

_NAMES = ("plain", "hosts", "neutral", "deep", "deeper", "onward", "macro", "broken", "none", "world", "fails", "missing")
_QUALIFIERS = st.sampled_from(["", "", "", "+", "?", "~", "-"])
_MECHANISMS = st.sampled_from(
    [
        "a",
        "mx",
        "ptr",
        "a:www.example.test",
        "mx:example.test/28",
        "a:missing.example.test",
        "exists:%{ir}.allowed.example.test",
        "ip4:192.0.2.10",
        "ip4:198.51.100.0/24",
        "ip4:203.0.113.4/32",
        "ip6:2001:db8::/64",
        *(f"include:{name}.example.test" for name in _NAMES),
    ]
)
_TERMS = st.lists(st.builds(str.__add__, _QUALIFIERS, _MECHANISMS), max_size=6)
_ENDINGS = st.sampled_from(
    ["", "-all", "~all", "?all", "+all", "all", "redirect=plain.example.test", "redirect=deep.example.test", "redirect=none.example.test"]
)


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record that is right by the grammar, with mistakes of other kinds."""
    terms = draw(_TERMS)
    place = draw(st.integers(0, len(terms)))
    ending = draw(_ENDINGS)
    position = len(terms) if draw(st.booleans()) else place
    return " ".join(["v=spf1", *terms[:position], *filter(None, [ending]), *terms[position:]])


@dataclass
class World:
    """One loop and one resolver for all examples, so that each name is asked for once."""

    loop: asyncio.AbstractEventLoop
    resolver: Resolver

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return self.loop.run_until_complete(work())


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with DnsServer(ZONE) as server:
        loop = asyncio.new_event_loop()
        resolver = Resolver([server.address], max_queries=100_000)
        yield World(loop, resolver)
        loop.run_until_complete(resolver.close())
        loop.close()


async def results(resolver: Resolver, texts: tuple[str, ...]) -> dict[str, str]:
    """What SPF gives to each probe with these records published."""
    if len(texts) != 1:
        return dict.fromkeys(PROBES, "permerror")
    proposal = Proposal(DOMAIN, "TXT", 60, (), texts[0], "")
    return {probe: await after(proposal, probe, resolver) for probe in PROBES}


async def scenario(resolver: Resolver, text: str, wanted: Wanted) -> tuple[Proposal, dict[str, str], dict[str, str], int]:
    published = Overlay(resolver, DOMAIN, text)
    proposal = propose(Kind.SPF, await look(DOMAIN, published, include=wanted.include), wanted)
    if not proposal:
        return proposal, {}, {}, 0
    audit = Audit(Overlay(resolver, DOMAIN, proposal.proposed))
    await audit.run(DOMAIN)
    return proposal, await results(resolver, (text,)), await results(resolver, (proposal.proposed,)), audit.lookups


@settings(max_examples=120, deadline=None)
@given(text=records(), sending_ip=st.sampled_from(PROBES), include=st.sampled_from(["", "", "plain.example.test", "hosts.example.test"]))
def test_the_sender_passes_and_whoever_passed_before_still_does(world: World, text: str, sending_ip: str, include: str) -> None:
    if "redirect=" in text and include:
        # What comes before a redirect counts against whoever passes by it, look-ups that find nothing too: an include that has none.
        include = "plain.example.test"
    wanted = Wanted(NOW, sending_ip=sending_ip, include=include)
    proposal, before, now, lookups = world.run(lambda: scenario(world.resolver, text, wanted))
    if not proposal:
        assert proposal.why.endswith(".")
        return
    parse_record(proposal.proposed.encode("ascii"))
    assert now[sending_ip] == "pass"
    assert {probe for probe, result in before.items() if result == "pass"} <= {probe for probe, result in now.items() if result == "pass"}
    assert lookups <= MAX_LOOKUPS
    others = [probe for probe in PROBES if probe != sending_ip and not include]
    assert not any(now[probe] == "pass" for probe in others if before[probe] in ("fail", "softfail", "neutral")), "nobody else is let in"
    assert not any(now[probe] == "fail" for probe, result in before.items() if result in ("softfail", "neutral"))


@settings(max_examples=40, deadline=None)
@given(text=records())
def test_a_second_proposal_finds_nothing_left_to_do(world: World, text: str) -> None:
    wanted = Wanted(NOW, sending_ip="192.0.2.9")

    async def twice() -> tuple[Proposal, Proposal | None]:
        first = propose(Kind.SPF, await look(DOMAIN, Overlay(world.resolver, DOMAIN, text)), wanted)
        if not first:
            return first, None
        return first, propose(Kind.SPF, await look(DOMAIN, Overlay(world.resolver, DOMAIN, first.proposed)), wanted)

    first, second = world.run(twice)
    assert second is None or not second, f"{first.proposed} -> {second.proposed if second else ''}"


def test_the_overlay_answers_as_the_server_would(world: World) -> None:
    async def both() -> tuple[str, str]:
        sender = Sender(ipaddress.ip_address("198.51.100.2"), "postmaster", "plain.example.test")
        direct, _, _ = await Evaluation(sender, world.resolver).run("plain.example.test")
        return direct, await after(
            Proposal("x.example.test", "TXT", 60, (), "v=spf1 include:plain.example.test -all", ""), "198.51.100.2", world.resolver
        )

    assert world.run(both) == ("pass", "pass")
