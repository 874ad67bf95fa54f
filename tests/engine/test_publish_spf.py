from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.servers.dns import DnsServer
from tests.servers.zones import txt
from whybounce.checks import mx, spf
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Subject
from whybounce.checks.tools import Tools
from whybounce.publish import Behind, Kind, Proposal, Published, Seen, Wanted, after, look, propose, seen_in
from whybounce.publish.spf_limit import network_terms

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
IP = "192.0.2.9"


def proposed(*texts: str, wanted: Wanted | None = None, behind: dict[str, Behind] | None = None, **seen: Any) -> Proposal:
    given = Seen("example.test", spf=Published(texts, 600), behind=behind or {}, **seen)
    return propose(Kind.SPF, given, wanted or Wanted(NOW, sending_ip=IP))


PASSES = Behind(True, 1, ("198.51.100.0/24",))

ADDED = [
    ("v=spf1 mx -all", "v=spf1 ip4:192.0.2.9 mx -all"),
    ("v=spf1 ip4:203.0.113.1 include:x.test ~all", "v=spf1 ip4:203.0.113.1 ip4:192.0.2.9 include:x.test ~all"),
    ("v=spf1 redirect=x.test", "v=spf1 ip4:192.0.2.9 redirect=x.test"),
    ("v=spf1 a", "v=spf1 ip4:192.0.2.9 a"),
    ("v=spf1", "v=spf1 ip4:192.0.2.9"),
    ("v=spf1 -ip4:192.0.2.0/24 a -all", "v=spf1 ip4:192.0.2.9 -ip4:192.0.2.0/24 a -all"),
    ("V=SPF1 A MX:Example.test -ALL", "v=spf1 ip4:192.0.2.9 A MX:Example.test -ALL"),
    ("v=spf1 exp=e.test a -all", "v=spf1 ip4:192.0.2.9 exp=e.test a -all"),
    ("v=spf1 exists:%{i}._spf.x.test -all", "v=spf1 ip4:192.0.2.9 exists:%{i}._spf.x.test -all"),
]


@pytest.mark.parametrize(("text", "expected"), ADDED)
def test_the_address_is_added_and_the_rest_stays(text: str, expected: str) -> None:
    proposal = proposed(text, behind={"x.test": PASSES})
    assert proposal.proposed == expected
    assert (proposal.name, proposal.rdtype, proposal.ttl, proposal.published) == ("example.test", "TXT", 600, (text,))
    assert proposal.warnings == ()


@pytest.mark.parametrize(
    "text", ["v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 ip4:192.0.2.9 -all", "v=spf1 +all", "v=spf1 ip4:192.0.2.9/32 ip4:203.0.113.1 ~all"]
)
def test_what_is_allowed_already_is_not_added(text: str) -> None:
    proposal = proposed(text)
    assert not proposal
    assert proposal.why == "The SPF record of example.test allows 192.0.2.9 already."


def test_an_address_that_passes_by_an_include_is_not_added() -> None:
    assert not proposed("v=spf1 include:x.test -all", spf_result="pass", spf_ip=IP)
    assert proposed("v=spf1 include:x.test -all", spf_result="pass", spf_ip="192.0.2.10")


def test_a_providers_include_goes_before_all() -> None:
    wanted = Wanted(NOW, include="_spf.Provider.test.")
    proposal = proposed("v=spf1 mx ?include:y.test -all", wanted=wanted, behind={"_spf.provider.test": PASSES, "y.test": PASSES})
    assert proposal.proposed == "v=spf1 mx ?include:y.test include:_spf.provider.test -all"
    assert not proposed("v=spf1 include:_SPF.provider.test -all", wanted=wanted, behind={"_spf.provider.test": PASSES})


def test_an_include_without_a_record_is_refused() -> None:
    proposal = proposed("v=spf1 mx -all", wanted=Wanted(NOW, include="typo.test"), behind={"typo.test": Behind(found=False)})
    assert not proposal
    assert "typo.test has no SPF record" in proposal.why


def test_an_include_goes_before_one_that_ends_in_an_error() -> None:
    wanted = Wanted(NOW, include="good.test")
    proposal = proposed("v=spf1 include:broken.test -all", wanted=wanted, behind={"good.test": PASSES, "broken.test": Behind()})
    assert proposal.proposed == "v=spf1 include:good.test include:broken.test -all"


MERGED = [
    (("v=spf1 mx -all", "v=spf1 include:x.test -all"), "v=spf1 ip4:192.0.2.9 mx include:x.test -all"),
    (("v=spf1 mx -all", "v=spf1 mx a ~all"), "v=spf1 ip4:192.0.2.9 mx a ~all"),
    (("v=spf1 mx -all", "v=spf1 redirect=x.test"), "v=spf1 ip4:192.0.2.9 mx include:x.test -all"),
    (("v=spf1 redirect=x.test", "v=spf1 redirect=y.test"), "v=spf1 ip4:192.0.2.9 include:x.test redirect=y.test"),
    (("v=spf1 a +all", "v=spf1 mx -all"), "v=spf1 ip4:192.0.2.9 a mx -all"),
    (("v=spf1 ptr -all", "v=spf1 mx -all"), "v=spf1 ip4:192.0.2.9 mx -all"),
]


@pytest.mark.parametrize(("texts", "expected"), MERGED)
def test_two_records_become_one(texts: tuple[str, ...], expected: str) -> None:
    proposal = proposed(*texts, behind={"x.test": PASSES, "y.test": PASSES})
    assert proposal.proposed == expected
    assert proposal.published == texts
    assert "Only one SPF record may be there" in proposal.why


MENDED = [
    ("v=spf1 ipv4:192.0.2.9 -all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9-all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9, mx -all", "v=spf1 ip4:192.0.2.9 mx -all"),
    ("v=spf1 ip:192.0.2.9 includes:x.test -all", "v=spf1 ip4:192.0.2.9 include:x.test -all"),
    ("v=spf1 ip4=192.0.2.9 -all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9 nonsense:x -all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9 redirect=x.test redirect=y.test", "v=spf1 ip4:192.0.2.9 redirect=x.test"),
    ("v=spf1 ip4:192.0.2.9 ip4:192.0.2.9/32 mx MX -all", "v=spf1 ip4:192.0.2.9 mx -all"),
    ("v=spf1 ip4:192.0.2.9 include:gone.test -all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9 include:example.test -all", "v=spf1 ip4:192.0.2.9 -all"),
    ("v=spf1 ip4:192.0.2.9 include:\u00e9.test -all", "v=spf1 ip4:192.0.2.9 -all"),
]


@pytest.mark.parametrize(("text", "expected"), MENDED)
def test_mistakes_are_mended(text: str, expected: str) -> None:
    behind = {"x.test": PASSES, "y.test": PASSES, "gone.test": Behind(found=False)}
    proposal = proposed(text, behind=behind)
    assert proposal.proposed == expected
    assert proposal.why


def test_an_include_that_receivers_pass_over_is_not_put_into_force() -> None:
    proposal = proposed("v=spf1 include=x.test -all")
    assert proposal.proposed == "v=spf1 ip4:192.0.2.9 include=x.test -all"
    assert "with a colon in place of =" in proposal.warnings[0]


def test_ptr_stays_where_the_record_works_unless_it_is_to_go() -> None:
    kept = proposed("v=spf1 ptr -all")
    assert kept.proposed == "v=spf1 ip4:192.0.2.9 ptr -all"
    assert "ptr should go" in kept.warnings[0]
    gone = proposed("v=spf1 ptr -all", wanted=Wanted(NOW, sending_ip=IP, remove_ptr=True))
    assert gone.proposed == "v=spf1 ip4:192.0.2.9 -all"


def test_no_record_gives_one_that_is_only_wary() -> None:
    proposal = proposed(wanted=Wanted(NOW, sending_ip="2001:db8::9", include="x.test"), behind={"x.test": PASSES})
    assert proposal.proposed == "v=spf1 ip6:2001:db8::9 include:x.test ~all"
    assert "Add all others that send" in proposal.warnings[0]
    assert proposed(wanted=Wanted(NOW), mx=Published(("10 mx.example.test",))).proposed == "v=spf1 mx ~all"
    assert not proposed(wanted=Wanted(NOW), mx=Published(("0 .",)))
    assert not proposed(wanted=Wanted(NOW))


@pytest.mark.parametrize(
    ("seen", "wanted", "why"),
    [
        (Seen("example.test"), Wanted(NOW, sending_ip=IP), "could not be found out"),
        (Seen("example.test", spf=Published(), exists=False), Wanted(NOW, sending_ip=IP), "does not exist"),
        (Seen("example.test", spf=Published()), Wanted(NOW, sending_ip="10.0.0.1"), "internal address"),
        (Seen("example.test", spf=Published()), Wanted(NOW, sending_ip="fe80::1"), "internal address"),
        (Seen("example.test", spf=Published()), Wanted(NOW, sending_ip="x"), "no IP address"),
        (Seen("example.test", spf=Published()), Wanted(NOW, include="a b"), "space"),
        (Seen("example.test", spf=Published()), Wanted(NOW, include="example.test"), "cannot include itself"),
        (Seen("example.test", spf=Published(("v=spf1 mx -all",))), Wanted(NOW), "is in order"),
    ],
)
def test_nothing_is_proposed_and_it_says_why(seen: Seen, wanted: Wanted, why: str) -> None:
    proposal = propose(Kind.SPF, seen, wanted)
    assert not proposal
    assert why in proposal.why
    assert (proposal.proposed, proposal.zone_line, proposal.diff) == ("", "", ())


def test_a_mapped_address_is_ipv4() -> None:
    assert proposed("v=spf1 -all", wanted=Wanted(NOW, sending_ip="::ffff:192.0.2.9")).proposed == "v=spf1 ip4:192.0.2.9 -all"


COSTLY = {"a.test": Behind(True, 4, ("198.51.100.0/25", "198.51.100.128/25", "2001:db8::/32")), "b.test": Behind(True, 5, ("203.0.113.1/32",))}


def test_an_include_beyond_the_limit_is_written_as_addresses() -> None:
    proposal = proposed("v=spf1 mx include:a.test include:b.test -all", behind=COSTLY)
    assert proposal.proposed == "v=spf1 ip4:192.0.2.9 mx include:a.test ip4:203.0.113.1 -all"
    assert "include:b.test, which costs 6" in proposal.why
    assert "change when its operator changes them" in proposal.warnings[0]


def test_addresses_are_joined_and_keep_the_qualifier() -> None:
    assert [term.text for term in network_terms(COSTLY["a.test"].networks or (), "?")] == ["?ip4:198.51.100.0/24", "?ip6:2001:db8::/32"]


def test_a_limit_that_cannot_be_kept_proposes_nothing() -> None:
    opaque = {"a.test": Behind(True, 9, None), "b.test": Behind(True, 5, None)}
    proposal = proposed("v=spf1 include:a.test include:b.test -all", behind=opaque)
    assert not proposal
    assert "16 DNS look-ups, 10 are allowed" in proposal.why


def test_what_was_not_counted_is_said_or_taken_from_the_count_in_all() -> None:
    assert "could not be counted" in proposed("v=spf1 include:a.test -all").warnings[0]
    assert proposed("v=spf1 include:a.test -all", spf_lookups=4).warnings == ()
    assert not proposed("v=spf1 include:a.test -all", spf_lookups=12)


def test_a_long_record_is_warned_of_and_cut_into_strings() -> None:
    text = "v=spf1 " + " ".join(f"ip4:203.0.113.{number}" for number in range(40)) + " -all"
    proposal = proposed(text)
    assert "450" in proposal.warnings[0]
    assert proposal.zone_line.startswith('example.test. 600 IN TXT "v=spf1 ip4:203.0.113.0 ')
    strings = proposal.zone_line.split("TXT ")[1].strip('"').split('" "')
    assert "".join(strings) == proposal.proposed
    assert max(map(len, strings)) == 255


ZONE = """$ORIGIN example.test.
@ MX 10 mx1
@ A 192.0.2.30
mx1 A 192.0.2.20
mx1 AAAA 2001:db8::20
inc TXT "v=spf1 a:mx1.example.test ip4:198.51.100.0/28 -all"
deep TXT "v=spf1 include:inc.example.test include:inc.example.test mx:example.test a:mx1.example.test -all"
macro TXT "v=spf1 exists:%{i}.x.example.test -all"
"""


def with_zone(server: DnsServer, record: str, work: Callable[[Resolver], Coroutine[Any, Any, Any]]) -> Any:
    server.add(ZONE + txt("example.test.", record))

    async def run() -> Any:
        async with Resolver([server.address]) as resolver:
            return await work(resolver)

    return asyncio.run(run())


def test_looking_counts_what_is_behind_and_resolves_only_beyond_the_limit(dns_server: DnsServer) -> None:
    seen = with_zone(dns_server, "v=spf1 include:deep.example.test -all", lambda resolver: look("example.test", resolver))
    assert seen.spf.texts == ("v=spf1 include:deep.example.test -all",)
    assert seen.behind["deep.example.test"].lookups == 6
    assert seen.mx.texts == ("10 mx1.example.test",)
    assert (seen.dmarc.texts, seen.dmarc_above, seen.exists) == ((), "", True)
    assert dns_server.count("mx1.example.test") == 0


OPAQUE = ["v=spf1 -ip4:192.0.2.0/28 ip4:192.0.2.0/24 -all", "v=spf1 +all", "v=spf1 ptr -all", "v=spf1 exists:%{i}.x.test -all", "v=spf1 a:%{d} -all"]


@pytest.mark.parametrize("record", OPAQUE)
def test_what_depends_on_more_than_a_list_of_addresses_is_not_written_as_one(dns_server: DnsServer, record: str) -> None:
    dns_server.add(txt("opaque.test.", record))
    seen = with_zone(
        dns_server, "v=spf1 include:opaque.test include:deep.example.test mx a a:mx1.example.test -all", lambda r: look("example.test", r)
    )
    assert seen.behind["opaque.test"].found
    assert seen.behind["opaque.test"].networks is None
    assert seen.behind["deep.example.test"].networks


def test_a_record_beyond_the_limit_passes_once_it_is_flattened(dns_server: DnsServer) -> None:
    record = "v=spf1 include:deep.example.test a mx include:macro.example.test ~all"

    async def work(resolver: Resolver) -> tuple[Proposal, list[str]]:
        seen = await look("example.test", resolver, include="inc.example.test")
        proposal = propose(Kind.SPF, seen, Wanted(NOW, sending_ip=IP, include="inc.example.test"))
        addresses = [IP, "192.0.2.20", "2001:db8::20", "198.51.100.3", "192.0.2.30", "203.0.113.5"]
        return proposal, [await after(proposal, address, resolver) for address in addresses]

    proposal, results = with_zone(dns_server, record, work)
    assert "include:deep.example.test, which costs 7" in proposal.why
    assert "include:macro.example.test" in proposal.proposed
    assert results == ["pass"] * 5 + ["softfail"]
    assert dns_server.asked_twice() == []


def test_the_results_of_the_checks_are_enough_for_a_proposal(dns_server: DnsServer) -> None:
    async def work(resolver: Resolver) -> Proposal:
        tools = Tools(resolver)
        subject = Subject(sending_ip=IP, mail_from="anna@example.test", domain="example.test")
        results = [await check.run(subject, tools) for check in (spf, mx)]
        seen = seen_in(results, "example.test")
        assert seen.behind["inc.example.test"].lookups == 1
        assert seen.mx is not None
        assert seen.mx.texts == ("10 mx1.example.test",)
        asked = dns_server.count()
        proposal = propose(Kind.SPF, seen, Wanted(NOW, sending_ip=IP))
        assert dns_server.count() == asked
        return proposal

    proposal = with_zone(dns_server, "v=spf1 include:inc.example.test -all", work)
    assert proposal.proposed == "v=spf1 ip4:192.0.2.9 include:inc.example.test -all"


def test_the_check_counts_also_what_its_evaluation_did_not_reach(dns_server: DnsServer) -> None:
    async def work(resolver: Resolver) -> Proposal:
        result = await spf.run(Subject(sending_ip="203.0.113.1", mail_from="anna@example.test"), Tools(resolver))
        seen = seen_in([result], "example.test")
        assert (seen.spf_result, seen.spf_ip, seen.behind, seen.spf_lookups) == ("pass", "203.0.113.1", {}, 8)
        return propose(Kind.SPF, seen, Wanted(NOW, include="_spf.provider.test"))

    proposal = with_zone(dns_server, "v=spf1 ip4:203.0.113.1 include:deep.example.test mx -all", work)
    assert proposal.proposed == "v=spf1 ip4:203.0.113.1 include:deep.example.test mx include:_spf.provider.test -all"
    assert [warning.split(" costs")[0] for warning in proposal.warnings] == ["What _spf.provider.test"]


def test_both_of_two_records_are_in_the_results_of_the_check(dns_server: DnsServer) -> None:
    dns_server.add('two.test. TXT "v=spf1 a -all"\ntwo.test. TXT "v=spf1 mx -all"\n')

    async def work(resolver: Resolver) -> Seen:
        return seen_in([await spf.run(Subject(sending_ip=IP, mail_from="a@two.test"), Tools(resolver))], "two.test")

    seen = with_zone(dns_server, "v=spf1 -all", work)
    assert sorted(seen.spf.texts) == ["v=spf1 a -all", "v=spf1 mx -all"]


def test_results_about_another_domain_or_without_an_answer_tell_nothing(dns_server: DnsServer) -> None:
    dns_server.add(";! fails.test servfail\n")

    async def work(resolver: Resolver) -> list[Seen]:
        results = [await spf.run(Subject(sending_ip=IP, mail_from=f"a@{name}"), Tools(resolver)) for name in ("example.test", "fails.test")]
        return [seen_in(results, "other.test"), seen_in(results, "fails.test")]

    assert [seen.spf for seen in with_zone(dns_server, "v=spf1 -all", work)] == [None, None]
