from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.servers.dns import DnsServer, free_port
from tests.servers.zones import Behaviour, txt
from whybounce.checks import delegation
from whybounce.checks.guard import parse_networks
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Reach, Tools

PARENT, FIRST, SECOND = "127.0.0.1", "127.0.0.2", "127.0.0.3"
ZONE = f"""$ORIGIN example.test.
@ 600 SOA ns1 hostmaster 7 3600 600 86400 60
@ NS ns1
@ NS ns2
@ MX 10 mx
mx A 8.8.8.8
ns1 A {FIRST}
ns2 A {SECOND}
"""
ABOVE = f"""$ORIGIN test.
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {PARENT}
example NS ns1.example
example NS ns2.example
ns1.example A {FIRST}
ns2.example A {SECOND}
"""


class Servers:
    """Two name servers of example.test, one of test., and a recursive one that knows the same; all on one port but for the last."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        port = free_port(FIRST, SECOND, PARENT)
        self.first = stack.enter_context(DnsServer(";! * aa\n" + ZONE, host=FIRST, port=port))
        self.second = stack.enter_context(DnsServer(";! * aa\n" + ZONE, host=SECOND, port=port))
        self.above = stack.enter_context(DnsServer(";! * aa\n" + ABOVE, host=PARENT, port=port))
        self.recursive = stack.enter_context(DnsServer(ABOVE + ZONE))

    def check(self, domain: str = "example.test", seconds: float = 0.8, **subject: str) -> CheckResult:
        return asyncio.run(self._check(Subject(domain=domain, **subject), seconds))

    async def _check(self, subject: Subject, seconds: float) -> CheckResult:
        resolver = Resolver(
            [self.recursive.address], question_seconds=seconds, try_seconds=min(1.0, seconds / 2), allow_networks=parse_networks(["127.0.0.0/8"])
        )
        async with Tools(resolver, Reach(dns_port=self.first.port)) as tools:
            result = await delegation.run(subject, tools)
        self.queries = resolver.queries
        assert result.state is {declared.slug: declared.state for declared in delegation.ANSWERS}[result.answer]
        assert result.detail.endswith(".")
        json.dumps([result.facts, [finding.data for finding in result.findings]])
        return result

    def fail(self, behaviour: Behaviour) -> None:
        """The resolver finds nothing at the domain or below."""
        self.recursive.behave("example.test", behaviour)
        self.recursive.behave("*.example.test", behaviour)

    def lame(self, server: DnsServer, behaviour: Behaviour) -> None:
        server.behave("*", behaviour)


@pytest.fixture
def servers() -> Iterator[Servers]:
    with contextlib.ExitStack() as stack:
        yield Servers(stack)


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def states(result: CheckResult) -> dict[str, str]:
    return {server["server"]: server["state"] for server in result.facts["name_servers"]}  # type: ignore[index,union-attr,call-overload,misc]


def test_servers_that_agree_are_ok_and_shown(servers: Servers) -> None:
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {})
    assert "(2) answer for example.test and agree" in result.detail
    first = result.facts["name_servers"][0]  # type: ignore[index,call-overload]
    assert (first["server"], first["address"], first["state"]) == ("ns1.example.test", FIRST, "ok")
    assert (first["serial"], first["mx"]) == (7, ["10 mx.example.test"])
    assert result.facts["zone"] == "example.test"
    assert result.facts["not_looked_at"] == []


def test_it_asks_each_server_two_things_once_and_without_recursion(servers: Servers) -> None:
    servers.check()
    for server in (servers.first, servers.second):
        assert sorted((query.name, query.rdtype) for query in server.queries) == [("example.test", "MX"), ("example.test", "SOA")]
    assert servers.recursive.asked_twice() == []
    assert servers.above.count() == 0
    assert servers.queries == 12


def test_it_takes_three_round_trips(servers: Servers) -> None:
    servers.recursive.behave("*", Behaviour(delay=0.5))
    for server in (servers.first, servers.second):
        server.behave("*", Behaviour(delay=0.5, aa=True))

    async def timed() -> float:
        began = asyncio.get_running_loop().time()
        await servers._check(Subject(domain="example.test"), 5)
        return asyncio.get_running_loop().time() - began

    assert 1.5 <= asyncio.run(timed()) < 1.95


def test_a_sub_domain_is_looked_for_in_the_zone_that_holds_it(servers: Servers) -> None:
    for server in (servers.recursive, servers.first, servers.second):
        server.add("lists.example.test. MX 10 mx.example.test.\n")
    result = servers.check("lists.example.test")
    assert (result.answer, result.facts["zone"]) == ("ok", "example.test")
    assert servers.first.count("lists.example.test", "MX") == 1


LAME = [
    (Behaviour(rcode="refused"), "refused"),
    (Behaviour(rcode="servfail"), "servfail"),
    (Behaviour(silent=True), "silent"),
    (Behaviour(), "not-authoritative"),
    (Behaviour(garbage=True), "silent"),
    (Behaviour(no_tcp=True), "broken"),
]


@pytest.mark.parametrize(("behaviour", "state"), LAME, ids=["refused", "servfail", "silent", "without AA", "garbage", "no tcp"])
def test_one_lame_server_is_a_warning(servers: Servers, behaviour: Behaviour, state: str) -> None:
    servers.lame(servers.second, behaviour)
    result = servers.check()
    assert (result.answer, found(result)) == ("lame", {"ns.lame": "warning"})
    assert states(result) == {"ns1.example.test": "ok", "ns2.example.test": state}
    assert f"ns2.example.test ({SECOND}" in result.detail
    assert result.findings[0].data["answering"] == ["ns1.example.test"]


def test_a_server_that_answers_one_of_two_questions_is_not_lame(servers: Servers) -> None:
    servers.second.add(";! example.test silent rdtype=MX\n")
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {})
    assert states(result)["ns2.example.test"] == "ok"


def test_all_lame_while_the_resolver_still_answers_lets_mail_through(servers: Servers) -> None:
    for server in (servers.first, servers.second):
        servers.lame(server, Behaviour(rcode="refused"))
    result = servers.check()
    assert (result.answer, found(result)) == ("lame", {"ns.lame": "warning"})


def test_a_server_that_refers_elsewhere_is_lame(servers: Servers) -> None:
    servers.second.replace(";! * aa\ntest. SOA ns.test. h.test. 1 2 3 4 5\nexample.test. NS elsewhere.test.\n")
    result = servers.check()
    assert (result.answer, states(result)["ns2.example.test"]) == ("lame", "not-authoritative")
    assert "does not know the zone" in result.detail


def test_a_name_server_without_an_address_is_lame(servers: Servers) -> None:
    servers.recursive.remove("ns2.example.test")
    result = servers.check()
    assert (result.answer, found(result), states(result)["ns2.example.test"]) == ("lame", {"ns.lame": "warning"}, "no-address")


def test_a_port_where_nobody_listens_is_lame(servers: Servers) -> None:
    servers.recursive.add("ns2.example.test. A 127.0.0.9\n")
    result = servers.check()
    assert (result.answer, states(result)["ns2.example.test"]) == ("lame", "closed")
    servers.recursive.add("ns1.example.test. A 127.0.0.8\n")
    assert servers.check().answer == "ok", "a firewall that refuses all questions looks the same"


@pytest.mark.parametrize("failure", [Behaviour(rcode="servfail"), Behaviour(silent=True)], ids=["servfail", "time-out"])
@pytest.mark.parametrize("behaviour", [Behaviour(rcode="refused"), Behaviour(silent=True)], ids=["refused", "silent"])
def test_where_all_are_lame_the_zone_above_tells_who_they_are(servers: Servers, failure: Behaviour, behaviour: Behaviour) -> None:
    servers.fail(failure)
    for server in (servers.first, servers.second):
        servers.lame(server, behaviour)
    result = servers.check()
    seen = {"dns.servfail"} if failure.rcode else {"dns.timeout"}
    seen |= {"dns.timeout"} if behaviour.silent else set()
    assert (result.answer, found(result)) == ("all-lame", dict.fromkeys(seen | {"ns.lame"}, "error"))
    assert len(result.findings) == len(found(result))
    assert set(states(result)) == {"ns1.example.test", "ns2.example.test"}
    assert "None of the name servers of example.test answers" in result.detail
    assert servers.queries < 30


def test_where_the_resolver_fails_and_the_servers_answer_it_is_a_plain_failure(servers: Servers) -> None:
    servers.fail(Behaviour(rcode="servfail"))
    result = servers.check()
    assert (result.answer, found(result)) == ("servfail", {"dns.servfail": "error"})
    assert set(states(result).values()) == {"ok"}


def test_a_sub_domain_of_a_lame_zone_is_found_by_the_zone_above_both(servers: Servers) -> None:
    servers.fail(Behaviour(rcode="servfail"))
    for server in (servers.first, servers.second):
        servers.lame(server, Behaviour(rcode="refused"))
    result = servers.check("mail.lists.example.test")
    assert (result.answer, result.facts["zone"]) == ("all-lame", "example.test")
    assert servers.check("a.b.c.d.example.test").answer == "all-lame"


def test_a_lame_zone_below_the_domain_is_told_by_the_domains_own_servers(servers: Servers) -> None:
    servers.recursive.behave("branch.example.test", Behaviour(rcode="servfail"))
    for server in (servers.first, servers.second):
        server.add("branch.example.test. NS ns.branch.example.test.\nns.branch.example.test. A 127.0.0.9\n")
    result = servers.check("branch.example.test")
    assert (result.answer, result.facts["zone"], states(result)) == ("all-lame", "branch.example.test", {"ns.branch.example.test": "closed"})


@pytest.mark.parametrize("ede", [22, 23])
def test_without_a_way_to_the_servers_the_resolvers_word_is_taken(servers: Servers, ede: int) -> None:
    servers.fail(Behaviour(rcode="servfail", ede=ede))
    servers.recursive.remove("ns.test")
    result = servers.check()
    assert (result.answer, found(result)) == ("all-lame", {"dns.servfail": "error", "ns.lame": "error"})
    assert "could not be asked from here" in result.detail
    assert result.facts["not_looked_at"] == ["they are not known"]


def test_another_reason_of_the_resolver_makes_no_server_lame(servers: Servers) -> None:
    servers.fail(Behaviour(rcode="servfail", ede=14))
    servers.recursive.remove("ns.test")
    result = servers.check()
    assert (result.answer, found(result)) == ("servfail", {"dns.servfail": "error"})


def test_a_referral_upwards_leads_nowhere(servers: Servers) -> None:
    servers.fail(Behaviour(rcode="servfail"))
    servers.above.replace(";! * aa\n. NS root.test.\ntest. NS ns.test.\nns.test. A 127.0.0.1\n")
    result = servers.check()
    assert (result.answer, result.facts["zone"], result.facts["name_servers"]) == ("servfail", "", [])


def test_a_resolver_without_a_network_makes_no_domain_lame(servers: Servers) -> None:
    servers.recursive.behave("*", Behaviour(rcode="servfail", ede=22))
    servers.fail(Behaviour(rcode="servfail", ede=22))
    result = servers.check()
    assert (result.answer, found(result)) == ("servfail", {"dns.servfail": "error"})


def test_a_network_that_lets_no_questions_through_makes_no_server_lame(servers: Servers) -> None:
    for server in (servers.first, servers.second):
        servers.lame(server, Behaviour(silent=True))
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {})
    assert "could not be asked one by one" in result.detail
    assert len(result.facts["not_looked_at"]) == 2  # type: ignore[arg-type]


def test_a_resolver_that_answers_in_place_of_the_servers_makes_none_lame(servers: Servers) -> None:
    for server in (servers.first, servers.second):
        servers.lame(server, Behaviour())
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {})
    assert set(states(result).values()) == {"not-asked"}


def test_servers_that_may_not_be_connected_to_are_not_asked(servers: Servers) -> None:
    servers.recursive.add("ns1.example.test. A 10.0.0.1\nns2.example.test. A 169.254.169.254\n")
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {})
    assert set(states(result).values()) == {"not-asked"}
    assert "10.0.0.1 is none that this program connects to" in result.detail


def test_different_mx_records_are_inconsistent(servers: Servers) -> None:
    servers.second.add("example.test. MX 10 other.example.test.\n")
    result = servers.check()
    assert (result.answer, found(result)) == ("inconsistent", {"ns.inconsistent": "warning"})
    assert "ns1.example.test says 10 mx.example.test; ns2.example.test says 10 other.example.test" in result.detail


def test_a_server_without_any_mx_differs_from_one_with(servers: Servers) -> None:
    servers.second.remove("example.test", "MX")
    result = servers.check()
    assert found(result) == {"ns.inconsistent": "warning"}
    assert "says that there are none" in result.detail


def test_another_serial_alone_is_a_fact_and_no_finding(servers: Servers) -> None:
    servers.second.add("example.test. SOA ns1.example.test. h.example.test. 8 3600 600 86400 60\n")
    result = servers.check()
    assert (result.answer, found(result), result.facts["serials_differ"]) == ("ok", {}, True)


def test_the_order_and_the_letter_case_of_mx_records_do_not_matter(servers: Servers) -> None:
    servers.first.add("example.test. MX 10 mx.example.test.\nexample.test. MX 20 mx2.example.test.\n")
    servers.second.add("example.test. MX 20 MX2.example.test.\nexample.test. MX 10 mx.Example.test.\n")
    assert found(servers.check()) == {}


def test_six_servers_are_asked_and_no_more(servers: Servers) -> None:
    hosts = "".join(f"example.test. NS n{i}.example.test.\nn{i}.example.test. A {FIRST}\n" for i in range(9))
    servers.recursive.add(hosts)
    result = servers.check()
    assert (result.answer, len(states(result)), result.facts["name_server_count"]) == ("ok", 6, 9)


def test_fewer_are_asked_where_queries_run_short(servers: Servers) -> None:
    servers.recursive.add("".join(f"example.test. NS n{i}.example.test.\nn{i}.example.test. A {FIRST}\n" for i in range(9)))

    async def run() -> CheckResult:
        resolver = Resolver([servers.recursive.address], max_queries=60, allow_networks=parse_networks(["127.0.0.0/8"]))
        async with Tools(resolver, Reach(dns_port=servers.first.port)) as tools:
            return await delegation.run(Subject(domain="example.test"), tools)

    result = asyncio.run(run())
    assert (result.answer, 2 <= len(states(result)) < 6) == ("ok", True)


def test_a_slow_answer_through_the_resolver(servers: Servers) -> None:
    servers.recursive.behave("example.test", Behaviour(delay=1.0, rdtype="MX"))
    result = servers.check(seconds=5)
    assert (result.answer, found(result)) == ("slow", {"dns.slow": "info"})


def test_a_slow_name_server_behind_a_quick_resolver(servers: Servers) -> None:
    servers.lame(servers.second, Behaviour(delay=1.0, aa=True))
    result = servers.check(seconds=5)
    assert (result.answer, found(result)) == ("slow", {"dns.slow": "info"})
    assert result.findings[0].data["server"] == "ns2.example.test"


def test_a_huge_answer_is_pointed_out(servers: Servers) -> None:
    servers.recursive.add(txt("example.test.", "x" * 60_000))
    result = servers.check()
    assert (result.answer, found(result)) == ("ok", {"dns.huge_answer": "info"})
    assert result.findings[0].data["octets"] > 60_000  # type: ignore[operator]


def test_a_domain_that_does_not_exist_has_no_servers_to_ask(servers: Servers) -> None:
    result = servers.check("exmaple.test")
    assert (result.answer, found(result)) == ("nxdomain", {"dns.nxdomain": "error"})
    assert servers.check("nobody.example.test").answer == "nxdomain"
    assert servers.first.count() + servers.second.count() + servers.above.count() == 0


def test_an_alias_is_looked_at_where_it_leads(servers: Servers) -> None:
    servers.recursive.add("alias.test. CNAME lists.example.test.\n")
    for server in (servers.recursive, servers.first, servers.second):
        server.add("lists.example.test. MX 10 mx.example.test.\n")
    result = servers.check("alias.test")
    assert (result.answer, found(result)) == ("ok", {"dns.domain_is_cname": "info"})
    assert result.facts["zone"] == "example.test"
    assert {query.name for query in servers.first.queries if query.rdtype == "MX"} == {"lists.example.test"}
    servers.recursive.add("nowhere.test. CNAME gone.test.\n")
    result = servers.check("nowhere.test")
    assert (result.answer, found(result)) == ("nxdomain", {"dns.nxdomain": "error", "dns.domain_is_cname": "info"})


@pytest.mark.parametrize(
    ("behaviour", "answer", "findings"),
    [
        (Behaviour(rcode="servfail"), "servfail", {"dns.servfail": "error"}),
        (Behaviour(silent=True), "timeout", {"dns.timeout": "error"}),
        (Behaviour(garbage=True), "timeout", {"dns.timeout": "error"}),
        (Behaviour(rcode="refused"), "unknown", {"dns.servfail": "unknown"}),
        (Behaviour(rcode="formerr"), "unknown", {"dns.servfail": "unknown"}),
        (Behaviour(no_tcp=True), "unknown", {"dns.servfail": "unknown"}),
    ],
    ids=str,
)
def test_a_resolver_that_fails_says_nothing_of_the_domain(servers: Servers, behaviour: Behaviour, answer: str, findings: dict[str, str]) -> None:
    servers.recursive.behave("*", behaviour)
    servers.recursive.remove("ns.test")
    result = servers.check(seconds=0.4)
    assert (result.answer, found(result)) == (answer, findings)


def test_without_a_recipient_it_looks_at_the_senders_domain(servers: Servers) -> None:
    result = servers.check("", mail_from="anna@example.test")
    assert result.facts["domain"] == "example.test"
    assert delegation.needs(Subject(sending_ip="192.0.2.1")) != ""
    assert servers.check("localhost").answer == "unknown"


def test_the_limit_of_queries_is_kept_and_ends_in_no_verdict(servers: Servers) -> None:
    async def run() -> CheckResult:
        resolver = Resolver([servers.recursive.address], max_queries=6, allow_networks=parse_networks(["127.0.0.0/8"]))
        async with Tools(resolver, Reach(dns_port=servers.first.port)) as tools:
            return await delegation.run(Subject(domain="example.test"), tools)

    result = asyncio.run(run())
    assert result.answer in {"ok", "unknown"}
    assert found(result) == {}


def test_names_of_strangers_are_shown_without_control_characters(servers: Servers) -> None:
    servers.recursive.add("example.test. NS evil\\027\\010.example.test.\nexample.test. MX 10 evil\\027.example.test.\n")
    result = servers.check()
    text = json.dumps([result.detail, result.facts, [finding.data for finding in result.findings]])
    assert "\\u001b" not in text
    assert "\\n" not in text
