from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks import dnsbl, dnsbl_ask
from whybounce.checks.dnsbl_ask import reversed_address
from whybounce.checks.dnsbl_named import named_lists
from whybounce.checks.dnsbl_zones import chosen_lists
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Tools
from whybounce.snapshot import Blocklist, ListAnswer, Weight
from whybounce.yaml_knowledge import read_files

SHIPPED = Path(__file__).resolve().parents[2] / "knowledge" / "data" / "blocklists.yaml"

HEAVY = Blocklist(
    slug="heavy",
    name="Heavy List",
    kind="ip",
    meaning="",
    zone="zen.heavy.test",
    ipv6=True,
    weight=Weight.HEAVY,
    codes=(ListAnswer("127.0.0.2", "a source of spam"), ListAnswer("127.0.0.10", "a dial-up line", "ip-listed-spamhaus-pbl")),
    errors=(ListAnswer("127.255.255.254", "asked through a public resolver"), ListAnswer("127.255.255.255", "too many queries")),
    test_listed="127.0.0.2",
    test_unlisted="127.0.0.1",
    removal_page="https://heavy.test/remove",
    reply_marks=(r"zen\.heavy\.test",),
    cause="ip-listed-other-dnsbl",
)
LIGHT = Blocklist(slug="light", name="Light List", kind="ip", meaning="", zone="bl.light.test", weight=Weight.LIGHT, test_listed="127.0.0.2")
DOMAINS = Blocklist(
    slug="domains",
    name="Domain List",
    kind="domain",
    meaning="",
    zone="dbl.heavy.test",
    weight=Weight.HEAVY,
    codes=(ListAnswer("127.0.1.0/24", "a domain in spam"),),
    errors=(ListAnswer("127.0.1.255", "asked for an address"),),
    test_listed="test",
    test_unlisted="invalid",
)
ALLOW = Blocklist(
    slug="allow", name="Allow List", kind="allow", meaning="", zone="wl.allow.test", ipv6=True, codes=(ListAnswer("127.0.0.0/16", "known"),)
)
LISTS = (HEAVY, LIGHT, DOMAINS, ALLOW)

ZONES = "".join(f"{item.zone}. SOA ns.test. h.test. 1 1 1 1 60\n" for item in LISTS)
WORKING = "2.0.0.127.zen.heavy.test. A 127.0.0.2\n2.0.0.127.bl.light.test. A 127.0.0.2\ntest.dbl.heavy.test. A 127.0.1.2\n"
IP = "192.0.2.7"


@pytest.fixture(autouse=True)
def untested() -> Iterator[None]:
    dnsbl_ask._tested.clear()
    yield
    dnsbl_ask._tested.clear()


def check(
    server: DnsServer,
    zone: str = "",
    *,
    lists: tuple[Blocklist, ...] = LISTS,
    ip: str = IP,
    mail_from: str = "",
    reply: str = "",
    subject: Subject | None = None,
    question_seconds: float = 5,
    max_queries: int = 100,
) -> CheckResult:
    server.add(ZONES + WORKING + zone)
    resolver = Resolver([server.address], question_seconds=question_seconds, max_queries=max_queries)
    given = subject or Subject(sending_ip=ip, mail_from=mail_from, recipient="bob@example.test", reply=reply)
    result = asyncio.run(dnsbl.run(given, Tools(resolver, blocklists=lists)))
    assert result.state is {declared.slug: declared.state for declared in dnsbl.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def test_an_address_on_no_list(dns_server: DnsServer) -> None:
    result = check(dns_server, mail_from="anna@sender.test")
    assert (result.answer, found(result)) == ("not-listed", {"dnsbl.not_listed": "ok"})
    assert result.findings[0].data == {"subjects": [IP, "sender.test"], "lists": 3}
    assert sorted(query.name for query in dns_server.queries) == [
        "7.2.0.192.bl.light.test",
        "7.2.0.192.wl.allow.test",
        "7.2.0.192.zen.heavy.test",
        "sender.test.dbl.heavy.test",
    ]


def test_two_codes_with_text(dns_server: DnsServer) -> None:
    result = check(
        dns_server,
        "7.2.0.192.zen.heavy.test. A 127.0.0.2\n7.2.0.192.zen.heavy.test. A 127.0.0.10\n"
        '7.2.0.192.zen.heavy.test. TXT "https://heavy.test/?ip=192.0.2.7"\n',
    )
    assert (result.answer, found(result)) == ("listed", {"dnsbl.listed": "error"})
    data = result.findings[0].data
    assert sorted(answer["meaning"] for answer in data["answers"]) == ["a dial-up line", "a source of spam"]  # type: ignore[index,call-overload,union-attr]
    assert {answer["cause"] for answer in data["answers"]} == {"ip-listed-spamhaus-pbl", "ip-listed-other-dnsbl"}  # type: ignore[index,call-overload,union-attr]
    assert (data["text"], data["weight"], data["ip"]) == ("https://heavy.test/?ip=192.0.2.7", "heavy", IP)
    assert dns_server.asked_twice() == []


def test_an_ipv6_address_is_asked_by_nibbles_of_lists_that_hold_such(dns_server: DnsServer) -> None:
    name = "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.heavy.test"
    result = check(dns_server, f"{name}. A 127.0.0.2\n", ip="2001:db8::7")
    assert (result.answer, found(result)) == ("listed", {"dnsbl.listed": "error"})
    assert dns_server.count(name, "A") == 1
    assert not [query for query in dns_server.queries if query.name.endswith("light.test")]


def test_a_domain(dns_server: DnsServer) -> None:
    result = check(dns_server, "sender.test.dbl.heavy.test. A 127.0.1.2\n", mail_from="anna@sender.test")
    assert (result.answer, found(result)) == ("domain-listed", {"dnsbl.domain_listed": "error"})
    assert result.findings[0].data["domain"] == "sender.test"


def test_light_lists_alone_are_minor(dns_server: DnsServer) -> None:
    result = check(dns_server, "7.2.0.192.bl.light.test. A 127.0.0.9\n")
    assert (result.answer, found(result)) == ("listed-minor", {"dnsbl.listed": "error"})
    assert result.findings[0].data["weight"] == "light"


def test_an_allow_list_is_nothing_bad(dns_server: DnsServer) -> None:
    result = check(dns_server, "7.2.0.192.wl.allow.test. A 127.0.10.2\n")
    assert (result.answer, found(result)) == ("not-listed", {"dnsbl.not_listed": "ok", "dnsbl.allowlisted": "info"})


REFUSALS = ["127.255.255.254", "127.255.255.255", "127.255.255.9", "127.0.0.1", "203.0.113.80", "10.1.2.3"]


@pytest.mark.parametrize("answer", REFUSALS)
def test_an_answer_that_is_no_listing(dns_server: DnsServer, answer: str) -> None:
    result = check(dns_server, f"7.2.0.192.zen.heavy.test. A {answer}\n", lists=(HEAVY,))
    assert (result.answer, found(result)) == ("refused", {"dnsbl.error": "unknown"})
    assert answer in str(result.findings[0].data["reason"])
    assert "not known" in result.detail


def test_a_lists_own_error_comes_before_its_listings(dns_server: DnsServer) -> None:
    result = check(dns_server, "sender.test.dbl.heavy.test. A 127.0.1.255\n", mail_from="anna@sender.test", lists=(DOMAINS,))
    assert (result.answer, found(result)) == ("refused", {"dnsbl.error": "unknown"})
    assert "asked for an address" in str(result.findings[0].data["reason"])


def test_not_listed_is_not_said_where_the_list_that_weighs_most_refuses(dns_server: DnsServer) -> None:
    result = check(dns_server, "7.2.0.192.zen.heavy.test. A 127.255.255.254\n")
    assert result.answer == "refused"
    assert found(result) == {"dnsbl.error": "unknown", "dnsbl.not_listed": "ok"}
    assert "Heavy List could not tell" in result.detail


def test_a_light_list_that_refuses_hides_nothing(dns_server: DnsServer) -> None:
    result = check(dns_server, "7.2.0.192.bl.light.test. A 127.255.255.255\n")
    assert result.answer == "not-listed"
    assert found(result) == {"dnsbl.error": "unknown", "dnsbl.not_listed": "ok"}
    assert "Light List could not tell" in result.detail


@pytest.mark.parametrize(
    "behaviour", [Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(silent=True), Behaviour(garbage=True)], ids=str
)
def test_dns_that_fails_is_neither_listed_nor_not_listed(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("*", behaviour)
    result = check(dns_server, "7.2.0.192.zen.heavy.test. A 127.0.0.2\n", question_seconds=0.4)
    assert (result.answer, found(result)) == ("unknown", {"dnsbl.error": "unknown"})
    assert len(result.findings) == 1


def test_a_list_that_lists_the_world_is_not_believed(dns_server: DnsServer) -> None:
    result = check(dns_server, "*.zen.heavy.test. A 127.0.0.2\n1.0.0.127.zen.heavy.test. A 127.0.0.2\n", lists=(HEAVY,))
    assert (result.answer, found(result)) == ("unknown", {"dnsbl.error": "unknown"})
    assert "lists even its test entry" in str(result.findings[0].data["reason"])


def test_a_list_is_tested_once_a_day(dns_server: DnsServer) -> None:
    zone = "7.2.0.192.zen.heavy.test. A 127.0.0.2\n8.2.0.192.zen.heavy.test. A 127.0.0.2\n"
    check(dns_server, zone)
    check(dns_server, zone, ip="192.0.2.8")
    assert dns_server.count("1.0.0.127.zen.heavy.test", "A") == 1


def test_a_test_that_failed_for_the_network_is_not_kept(dns_server: DnsServer) -> None:
    dns_server.behave("1.0.0.127.zen.heavy.test", Behaviour(rcode="servfail"))
    assert check(dns_server, "7.2.0.192.zen.heavy.test. A 127.0.0.2\n").answer == "listed"
    assert dnsbl_ask._tested == {}


@pytest.mark.parametrize(
    "reply",
    ["550 5.7.1 blocked using zen.heavy.test", "550 blocked, see https://www.heavy.test/lookup?192.0.2.7"],
    ids=["its zone", "its operator's site"],
)
def test_the_list_that_the_reply_names(dns_server: DnsServer, reply: str) -> None:
    result = check(dns_server, "7.2.0.192.zen.heavy.test. A 127.0.0.2\n7.2.0.192.bl.light.test. A 127.0.0.2\n", reply=reply)
    assert result.answer == "listed-named"
    assert result.detail == "192.0.2.7 is listed by Heavy List, which the reply names."
    assert [finding.data.get("named") for finding in result.findings] == [True, None]


def test_a_named_list_that_does_not_list_is_said_plainly(dns_server: DnsServer) -> None:
    result = check(dns_server, reply="550 5.7.1 blocked using zen.heavy.test")
    assert result.answer == "not-listed"
    assert "the reply names Heavy List, which does not list 192.0.2.7 now" in result.detail
    assert result.facts["named"] == ["Heavy List"]


def test_a_named_part_of_a_zone_is_that_zone(dns_server: DnsServer) -> None:
    whole = replace(HEAVY, operator="Heavy")
    part = Blocklist(slug="part", name="Part", kind="ip", meaning="", operator="Heavy", reply_marks=("heavy PBL",))
    result = check(dns_server, "7.2.0.192.zen.heavy.test. A 127.0.0.10\n", lists=(whole, part), reply="550 listed in Heavy PBL")
    assert result.answer == "listed-named"


@pytest.mark.parametrize(("closed", "answer", "words"), [(False, "unknown", "cannot be asked from here"), (True, "not-listed", "is closed")])
def test_a_named_list_that_is_not_asked(dns_server: DnsServer, closed: bool, answer: str, words: str) -> None:
    private = Blocklist(slug="p", name="Private", kind="ip", meaning="", zone="own.test", public=False, closed=closed, reply_marks=("private list",))
    lists = chosen_lists((*LISTS, private), [])
    result = check(dns_server, lists=lists, reply="550 on our private list")
    assert (result.answer, found(result)) == (answer, {"dnsbl.not_listed": "ok"})
    assert f"the reply names Private, which {words}" in result.detail
    assert dns_server.count("7.2.0.192.own.test") == 0


def test_a_named_list_that_is_dead_says_nothing(dns_server: DnsServer) -> None:
    dns_server.add(ZONES)
    dns_server.zones.remove("2.0.0.127.zen.heavy.test")
    resolver = Resolver([dns_server.address])
    subject = Subject(sending_ip=IP, recipient="bob@example.test", reply="blocked using zen.heavy.test")
    result = asyncio.run(dnsbl.run(subject, Tools(resolver, blocklists=LISTS)))
    assert (result.answer, result.state) == ("unknown", "unknown")
    assert "test entry" in result.detail


def test_a_zone_of_which_nothing_is_known_is_asked_for_both(dns_server: DnsServer) -> None:
    lists = chosen_lists((), ["bl.own.test"])
    zone = "bl.own.test. SOA ns.test. h.test. 1 1 1 1 60\n7.2.0.192.bl.own.test. A 127.0.0.2\nsender.test.bl.own.test. A 127.0.0.4\n"
    result = check(dns_server, zone, lists=lists, mail_from="anna@sender.test")
    assert (result.answer, found(result)) == ("listed", {"dnsbl.listed": "error", "dnsbl.domain_listed": "error"})


def test_it_keeps_within_its_questions(dns_server: DnsServer) -> None:
    lists = tuple(Blocklist(slug=f"l{i}", name=f"List {i}", kind="ip", meaning="", zone=f"l{i}.test", weight=Weight.LIGHT) for i in range(80))
    zone = "".join(f"7.2.0.192.l{i}.test. A 127.0.0.2\n7.2.0.192.l{i}.test. TXT why\n" for i in range(80))
    result = check(dns_server, zone, lists=(*lists, HEAVY))
    assert dns_server.count() <= dnsbl.MAX_QUESTIONS
    assert dns_server.count("7.2.0.192.zen.heavy.test") == 1, "the list that weighs most is asked before the others"
    assert len(result.facts["left_out"]) == 31  # type: ignore[arg-type]


def test_the_shipped_lists_fit_into_the_questions_even_where_all_of_them_list(dns_server: DnsServer) -> None:
    lists = chosen_lists(read_files([("lists", SHIPPED.read_bytes())]).snapshot().blocklists, [])
    asked = [item for item in lists if item.zone]
    assert 20 < len(asked) < dnsbl.MAX_LISTS
    zone = "".join(
        f"{name}.{item.zone}. A {item.codes[0].answer.partition('/')[0].replace('.0.0.0', '.0.0.9')}\n{name}.{item.zone}. TXT why\n"
        for item in asked
        for name in ("7.2.0.192", "sender.test")
    )
    result = check(dns_server, zone, lists=lists, mail_from="anna@sender.test", reply="554 5.7.1 blocked using pbl.spamhaus.org")
    assert dns_server.count() <= dnsbl.MAX_QUESTIONS
    assert result.answer == "listed-named"
    assert {fact["standing"] for fact in result.facts["lists"]} == {"listed"}  # type: ignore[union-attr,index,call-overload]


def test_without_queries_left_nothing_is_known(dns_server: DnsServer) -> None:
    assert check(dns_server, "7.2.0.192.zen.heavy.test. A 127.0.0.2\n", max_queries=0).answer == "unknown"


def test_what_a_list_writes_is_shown_escaped(dns_server: DnsServer) -> None:
    result = check(dns_server, '7.2.0.192.zen.heavy.test. A 127.0.0.2\n7.2.0.192.zen.heavy.test. TXT "\\027[31m <b>listed</b>"\n')
    assert result.findings[0].data["text"] == "\\x1b[31m <b>listed</b>"


@pytest.mark.parametrize(
    ("subject", "lacking"),
    [
        (Subject(sending_ip=IP), ""),
        (Subject(mail_from="anna@sender.test"), ""),
        (Subject(domain="sender.test"), ""),
        (Subject(domain="example.test", recipient="bob@example.test"), "the IP address of the sending server, or the sender's domain"),
        (Subject(mail_from="<>"), "the IP address of the sending server, or the sender's domain"),
    ],
)
def test_it_says_what_it_needs(subject: Subject, lacking: str) -> None:
    assert dnsbl.needs(subject) == lacking


@pytest.mark.parametrize("ip", ["not an address", "10.0.0.4", "fe80::1%eth0"])
def test_an_address_that_no_list_is_about(dns_server: DnsServer, ip: str) -> None:
    assert check(dns_server, ip=ip).answer == "unknown"
    assert dns_server.queries == []


def test_no_list_to_ask(dns_server: DnsServer) -> None:
    assert check(dns_server, lists=()).answer == "unknown"


def test_addresses_are_reversed() -> None:
    assert reversed_address("192.0.2.99") == "99.2.0.192"
    assert reversed_address("::ffff:192.0.2.99") == "99.2.0.192"
    assert reversed_address("2001:db8::1") == "1" + ".0" * 23 + ".8.b.d.0.1.0.0.2"


def test_a_mark_outweighs_the_operators_name() -> None:
    assert named_lists((HEAVY, DOMAINS), "see zen.heavy.test") == (HEAVY,)
    assert named_lists((HEAVY, DOMAINS), "see www.heavy.test") == (HEAVY, DOMAINS)
    assert named_lists(LISTS, "550 no such user") == ()
