from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import dns.flags
import pytest

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour, txt
from whybounce.checks.resolver import Health, Lookup, NameServer, Resolver, Status, parse_nameserver, system_nameservers

ZONE = """$ORIGIN example.test.
@ 600 SOA ns hostmaster 1 2 3 4 60
@ MX 20 mx2
@ 120 MX 10 MX1
mx1 A 192.0.2.1
mx1 A 192.0.2.2
mail CNAME alias
alias 30 CNAME mx1
broken CNAME gone
empty.below TXT "x"
*.wild MX 10 mx1
circle CNAME circle2
circle2 CNAME circle
quoted TXT "one " "two"
"""


def ask(server: DnsServer, name: str, rdtype: str) -> Lookup:
    server.add(ZONE)
    return asyncio.run(Resolver([server.address], question_seconds=5).ask(name, rdtype))


def closed_port() -> tuple[str, int]:
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[0], probe.getsockname()[1]


def test_it_gives_records_with_their_ttl_and_who_answered(dns_server: DnsServer) -> None:
    lookup = ask(dns_server, "Example.TEST.", "MX")
    assert lookup.status is Status.ANSWERED
    assert [(mx.preference, mx.host) for mx in lookup.mx] == [(10, "mx1.example.test"), (20, "mx2.example.test")]
    assert lookup.ttl == 120
    assert lookup.server == f"127.0.0.1:{dns_server.port}"


def test_it_tells_a_name_without_records_from_one_that_does_not_exist(dns_server: DnsServer) -> None:
    assert ask(dns_server, "mx1.example.test", "AAAA").status is Status.NODATA
    assert ask(dns_server, "below.example.test", "A").status is Status.NODATA
    gone = ask(dns_server, "nobody.example.test", "A")
    assert gone.status is Status.NXDOMAIN
    assert gone.ttl == 60


def test_it_follows_aliases_within_the_answer(dns_server: DnsServer) -> None:
    lookup = ask(dns_server, "mail.example.test", "A")
    assert sorted(lookup.records) == ["192.0.2.1", "192.0.2.2"]
    assert lookup.chain == ("alias.example.test", "mx1.example.test")
    assert lookup.ttl == 30
    assert dns_server.count() == 1


def test_it_asks_on_for_aliases_that_the_answer_leaves_open(dns_server: DnsServer) -> None:
    dns_server.behave("*.example.test", Behaviour(chase=False))
    lookup = ask(dns_server, "mail.example.test", "A")
    assert sorted(lookup.records) == ["192.0.2.1", "192.0.2.2"]
    assert lookup.chain == ("alias.example.test", "mx1.example.test")
    assert dns_server.count() == 3


def test_an_alias_of_nothing_does_not_exist(dns_server: DnsServer) -> None:
    lookup = ask(dns_server, "broken.example.test", "A")
    assert lookup.status is Status.NXDOMAIN
    assert lookup.chain == ("gone.example.test",)


@pytest.mark.parametrize("chase", [True, False])
def test_it_ends_where_aliases_lead_in_a_circle(dns_server: DnsServer, chase: bool) -> None:
    dns_server.behave("*.example.test", Behaviour(chase=chase))
    lookup = ask(dns_server, "circle.example.test", "A")
    assert lookup.status is Status.ERROR
    assert "circle" in lookup.detail


@pytest.mark.parametrize("chase", [True, False])
def test_it_follows_eight_aliases_and_not_nine(dns_server: DnsServer, chase: bool) -> None:
    dns_server.behave("*.chain.test", Behaviour(chase=chase))
    dns_server.add("".join(f"c{i}.chain.test. CNAME c{i + 1}.chain.test.\n" for i in range(9)) + "c9.chain.test. A 192.0.2.9\n")
    assert ask(dns_server, "c1.chain.test", "A").records == ("192.0.2.9",)
    assert ask(dns_server, "c0.chain.test", "A").status is Status.ERROR


@pytest.mark.parametrize(("rcode", "status"), [("servfail", Status.SERVFAIL), ("refused", Status.REFUSED), ("notimp", Status.ERROR)])
def test_a_failure_of_the_server_is_an_answer_of_its_own(dns_server: DnsServer, rcode: str, status: Status) -> None:
    dns_server.behave("example.test", Behaviour(rcode=rcode, ede=9))
    lookup = ask(dns_server, "example.test", "MX")
    assert lookup.status is status
    assert lookup.ede == ("9 DNSKEY missing",)
    assert not lookup.absent


def test_an_extended_error_that_is_not_registered_keeps_its_number(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(rcode="servfail", ede=4242))
    assert ask(dns_server, "example.test", "MX").ede == ("4242",)


@pytest.mark.parametrize("behaviour", [Behaviour(silent=True), Behaviour(garbage=True)])
def test_silence_and_garbage_are_a_time_out_and_never_an_absence(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("example.test", behaviour)
    lookup = asyncio.run(Resolver([dns_server.address], question_seconds=0.5).ask("example.test", "MX"))
    assert lookup.status is Status.TIMEOUT
    assert not lookup.absent


def test_a_large_answer_comes_over_tcp(dns_server: DnsServer) -> None:
    dns_server.add(txt("big.test.", "v=spf1 " + "x" * 60_000))
    lookup = ask(dns_server, "big.test", "TXT")
    assert lookup.texts == (b"v=spf1 " + b"x" * 60_000,)
    assert lookup.size > 60_000


def test_an_answer_cut_short_without_tcp_is_an_error_and_not_an_absence(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(no_tcp=True))
    lookup = ask(dns_server, "example.test", "MX")
    assert lookup.status is Status.ERROR
    assert "TCP" in lookup.detail


def test_the_strings_of_a_txt_record_are_joined(dns_server: DnsServer) -> None:
    assert ask(dns_server, "quoted.example.test", "TXT").texts == (b"one two",)


@pytest.mark.parametrize("name", ["a..b.test", "x" * 64 + ".test", "a." * 140 + "test", "\\300.test"])
def test_a_name_that_dns_cannot_hold_is_an_error_without_a_query(dns_server: DnsServer, name: str) -> None:
    assert ask(dns_server, name, "A").status is Status.ERROR
    assert dns_server.count() == 0


def test_without_validation_is_another_question(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)

    async def both() -> tuple[Lookup, Lookup, Lookup]:
        resolver = Resolver([dns_server.address])
        return (
            await resolver.ask("example.test", "MX"),
            await resolver.ask("example.test", "MX", checking_disabled=True),
            await resolver.ask("example.test.", "MX", checking_disabled=True),
        )

    checked, unchecked, again = asyncio.run(both())
    assert checked.found
    assert unchecked == again
    wanted = dns.flags.RD | dns.flags.AD
    assert [query.flags for query in dns_server.queries] == [wanted, wanted | dns.flags.CD]


def test_an_absence_without_validation_is_none_with_it(dns_server: DnsServer) -> None:
    async def both() -> None:
        resolver = Resolver([dns_server.address])
        await resolver.ask("nobody.test", "MX", checking_disabled=True)
        await resolver.ask("nobody.test", "TXT")

    asyncio.run(both())
    assert dns_server.count() == 2


@pytest.mark.parametrize(
    ("signed", "secure"), [({"mail.example.test", "alias.example.test", "mx1.example.test"}, True), ({"mx1.example.test"}, False)]
)
def test_an_answer_is_validated_only_where_all_its_steps_are(dns_server: DnsServer, signed: set[str], secure: bool) -> None:
    dns_server.add(ZONE)
    for name in ("mail", "alias", "mx1"):
        name = f"{name}.example.test"
        dns_server.behave(name, Behaviour(chase=False, ad=name in signed))
    lookup = asyncio.run(Resolver([dns_server.address]).ask("mail.example.test", "A"))
    assert (lookup.found, lookup.authenticated) == (True, secure)


DIRECT = ";! * aa\n$ORIGIN example.test.\n@ SOA ns h 1 2 3 4 5\n@ MX 10 mx\nalias CNAME other\nsub NS ns.sub\nsub NS NS.elsewhere.test.\n"
DIRECT += "ns.sub A 192.0.2.53\nns.sub AAAA 2001:db8::53\n"


def ask_server(server: DnsServer, name: str, rdtype: str, **limits: float) -> Lookup:
    server.add(DIRECT)
    resolver = Resolver([], **limits)  # type: ignore[arg-type]
    return asyncio.run(resolver.ask_server(name, rdtype, NameServer(*server.address)))


def test_one_server_is_asked_itself_without_recursion(dns_server: DnsServer) -> None:
    lookup = ask_server(dns_server, "Example.test.", "MX")
    assert (lookup.records, lookup.authoritative, lookup.recursion_available) == (("10 mx.example.test",), True, False)
    assert [query.flags for query in dns_server.queries] == [0]
    assert lookup.zone == ""
    assert ask_server(dns_server, "example.test", "TXT").zone == "example.test"
    assert ask_server(dns_server, "example.test", "SOA").zone == "example.test"
    assert ask_server(dns_server, "alias.example.test", "MX").chain == ("other.example.test",)
    assert {query.name for query in dns_server.queries} == {"example.test", "alias.example.test"}


def test_a_server_that_refers_to_others_tells_who_they_are(dns_server: DnsServer) -> None:
    lookup = ask_server(dns_server, "www.sub.example.test", "MX")
    assert (lookup.authoritative, lookup.found) == (False, False)
    assert lookup.referral is not None
    assert (lookup.referral.zone, lookup.referral.servers) == ("sub.example.test", ("ns.elsewhere.test", "ns.sub.example.test"))
    assert set(lookup.referral.glue) == {("ns.sub.example.test", "192.0.2.53"), ("ns.sub.example.test", "2001:db8::53")}


def test_a_server_asked_itself_is_asked_twice_at_most_and_counted(dns_server: DnsServer) -> None:
    dns_server.add(";! * silent\n")

    async def look() -> tuple[list[Lookup], int]:
        resolver = Resolver([], question_seconds=0.5, try_seconds=0.1, max_queries=3)
        server = NameServer(*dns_server.address)
        return [await resolver.ask_server(name, "MX", server) for name in ("a.test", "a.test", "b.test", "c.test")], resolver.queries

    lookups, queries = asyncio.run(look())
    assert [lookup.status for lookup in lookups] == [Status.TIMEOUT] * 3 + [Status.UNKNOWN]
    assert queries == dns_server.count() == 3


def test_a_closed_port_is_told_from_silence() -> None:
    async def look() -> Lookup:
        return await Resolver([]).ask_server("example.test", "MX", NameServer(*closed_port()))

    lookup = asyncio.run(look())
    assert (lookup.status, lookup.closed, lookup.no_way) == (Status.ERROR, True, False)


def test_it_asks_each_thing_once_even_at_the_same_time(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("*", Behaviour(delay=0.05))

    async def many() -> Resolver:
        resolver = Resolver([dns_server.address])
        await asyncio.gather(*(resolver.ask(name, "MX") for name in ("example.test", "EXAMPLE.test", "example.test.") for _ in range(5)))
        await resolver.ask("example.test", "MX")
        return resolver

    assert asyncio.run(many()).queries == 1
    assert dns_server.count() == 1


def test_a_name_that_does_not_exist_is_not_asked_for_again_with_another_type(dns_server: DnsServer) -> None:
    async def twice() -> Lookup:
        resolver = Resolver([dns_server.address])
        await resolver.ask("nobody.test", "MX")
        return await resolver.ask("nobody.test", "TXT")

    lookup = asyncio.run(twice())
    assert (lookup.status, lookup.rdtype) == (Status.NXDOMAIN, "TXT")
    assert dns_server.count() == 1


def test_a_question_outlives_one_of_those_who_wait_for_it_but_not_all(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("*", Behaviour(delay=0.2))

    async def scenario() -> tuple[Lookup, set[asyncio.Task[object]]]:
        resolver = Resolver([dns_server.address])
        first = asyncio.create_task(resolver.ask("example.test", "MX"))
        second = asyncio.create_task(resolver.ask("example.test", "MX"))
        lonely = asyncio.create_task(resolver.ask("mx1.example.test", "A"))
        await asyncio.sleep(0.05)
        first.cancel()
        lonely.cancel()
        lookup = await second
        return lookup, asyncio.all_tasks() - {asyncio.current_task()}

    lookup, left = asyncio.run(scenario())
    assert lookup.found
    assert not left


def test_it_stops_asking_at_its_limit_and_says_so(dns_server: DnsServer) -> None:
    async def many() -> list[Lookup]:
        resolver = Resolver([dns_server.address], max_queries=10)
        return [await resolver.ask(f"n{i}.test", "A") for i in range(12)]

    lookups = asyncio.run(many())
    assert [lookup.status for lookup in lookups[9:]] == [Status.NXDOMAIN, Status.UNKNOWN, Status.UNKNOWN]
    assert "limit of 10" in lookups[-1].detail
    assert dns_server.count() == 10


def test_a_slow_answer_is_waited_for_while_others_are_asked(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("*", Behaviour(delay=0.6))

    lookup = asyncio.run(Resolver([dns_server.address], try_seconds=0.25).ask("example.test", "MX"))
    assert lookup.found
    assert 550 <= lookup.elapsed_ms < 1500


def test_the_time_counts_from_the_first_try_with_the_server_that_answers(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("*", Behaviour(silent=True, times=1))
    again = asyncio.run(Resolver([dns_server.address], try_seconds=0.5).ask("example.test", "MX"))
    assert again.elapsed_ms >= 500
    with DnsServer(";! * silent") as dead:
        other = asyncio.run(Resolver([dead.address, dns_server.address], try_seconds=0.5).ask("example.test", "MX"))
    assert other.elapsed_ms < 450


def test_a_lost_packet_is_sent_again(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("*", Behaviour(silent=True, times=1))
    assert asyncio.run(Resolver([dns_server.address], try_seconds=0.2).ask("example.test", "MX")).found


def test_a_dead_name_server_costs_one_wait_and_is_then_asked_last(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    with DnsServer(";! * silent") as dead:

        async def several() -> float:
            resolver = Resolver([dead.address, dns_server.address], try_seconds=0.5)
            began = time.monotonic()
            for name in ("example.test", "mx1.example.test", "mail.example.test", "alias.example.test"):
                assert (await resolver.ask(name, "A")).status in (Status.ANSWERED, Status.NODATA)
            return time.monotonic() - began

        assert asyncio.run(several()) < 1.4
        assert dead.count() == 1


def test_resolvers_that_share_their_health_learn_from_each_other(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    health = Health()
    with DnsServer(";! * silent") as dead:
        for name in ("example.test", "mx1.example.test"):
            asyncio.run(Resolver([dead.address, dns_server.address], try_seconds=0.2, health=health).ask(name, "A"))
        assert dead.count() == 1


def test_a_port_where_nobody_listens_costs_no_wait(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    began = time.monotonic()
    assert asyncio.run(Resolver([closed_port(), dns_server.address]).ask("example.test", "MX")).found
    assert time.monotonic() - began < 0.9
    assert asyncio.run(Resolver([closed_port()]).ask("example.test", "MX")).status is Status.ERROR


def test_a_server_that_fails_is_followed_by_the_next(dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    with DnsServer(";! * servfail") as failing:
        assert asyncio.run(Resolver([failing.address, dns_server.address]).ask("example.test", "MX")).found
        assert asyncio.run(Resolver([failing.address]).ask("example.test", "MX")).status is Status.SERVFAIL


def test_without_a_name_server_it_says_that_it_did_not_ask() -> None:
    assert asyncio.run(Resolver([]).ask("example.test", "MX")).status is Status.UNKNOWN


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
def test_it_speaks_ipv6_to_a_name_server() -> None:
    with DnsServer(ZONE, host="::1") as server:
        lookup = asyncio.run(Resolver([server.address]).ask("example.test", "MX"))
    assert lookup.found
    assert lookup.server.startswith("[::1]:")


def test_it_reads_the_name_servers_of_the_system(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("# comment\nsearch example.test\nnameserver 192.0.2.53\nnameserver nonsense\nnameserver 2001:db8::53\n")
    assert system_nameservers(conf) == [("192.0.2.53", 53), ("2001:db8::53", 53)]
    assert system_nameservers(tmp_path / "missing") == [("127.0.0.1", 53)]


def test_it_reads_a_name_server_with_and_without_a_port() -> None:
    assert parse_nameserver("127.0.0.1:5300") == NameServer("127.0.0.1", 5300)
    assert parse_nameserver("2001:db8::1") == NameServer("2001:db8::1", 53)
    assert parse_nameserver("[2001:db8::1]:5300") == NameServer("2001:db8::1", 5300)
    for wrong in ("resolver.example", "127.0.0.1:99999", "127.0.0.1:x", ""):
        with pytest.raises(ValueError, match=r"name server|port"):
            parse_nameserver(wrong)
