from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour, txt
from whybounce.checks import spf
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Severity, Subject
from whybounce.checks.spf_record import SyntaxProblem, parse_record, select_records
from whybounce.checks.tools import Tools

IP = "192.0.2.1"


def check(
    server: DnsServer,
    zone: str,
    sending_ip: str = IP,
    mail_from: str = "anna@example.test",
    helo: str = "",
    question_seconds: float = 5,
    **more: str,
) -> CheckResult:
    server.add("$ORIGIN example.test.\n" + zone + "\n")
    subject = Subject(sending_ip=sending_ip, mail_from=mail_from, helo=helo, **more)
    return asyncio.run(spf.run(subject, Tools(Resolver([server.address], question_seconds=question_seconds))))


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def lookups(count: int) -> tuple[str, str]:
    """As many a: terms, and the records of the hosts they name."""
    return " ".join(f"a:a{i}.example.test" for i in range(count)), "".join(f"a{i} A 203.0.113.{i}\n" for i in range(count))


ELEVEN, ELEVEN_ZONE = lookups(11)
SIX, SIX_ZONE = lookups(6)

SCENARIOS = [
    ('@ TXT "v=spf1 ip4:192.0.2.0/24 -all"', "pass", {"spf.pass": "ok"}),
    ('@ TXT "v=spf1 mx -all"\n@ MX 10 mx\nmx A 192.0.2.1', "pass", {"spf.pass": "ok"}),
    ('@ TXT "v=spf1 include:spf.host -all"\nspf.host TXT "v=spf1 ip4:192.0.2.1 ?all"', "permerror", {"spf.include_none": "error"}),
    ('@ TXT "v=spf1 include:spf.example.test -all"\nspf TXT "v=spf1 ip4:192.0.2.1 ?all"', "pass", {"spf.pass": "ok"}),
    ('@ TXT "v=spf1 ip4:203.0.113.1 -all"', "fail", {"spf.fail": "error"}),
    ('@ TXT "v=spf1 exists:%{ir}.%{l}._spf.%{d} -all"', "fail", {"spf.fail": "error"}),
    ('@ TXT "v=spf1 exists:%{ir}.%{l}._spf.%{d} -all"\n1.2.0.192.anna._spf A 127.0.0.2', "pass", {"spf.pass": "ok"}),
    ('@ TXT "v=spf1 ~all"', "softfail", {"spf.softfail": "warning"}),
    ('@ TXT "v=spf1 ip4:203.0.113.1"', "neutral", {"spf.neutral": "warning"}),
    ("@ A 192.0.2.1", "none", {"spf.none": "warning"}),
    ('@ SPF "v=spf1 -all"', "none", {"spf.none": "warning", "spf.type99": "info"}),
    ("elsewhere.test. A 192.0.2.1", "none", {"spf.none": "warning", "dns.nxdomain": "error"}),
    ('@ TXT "v=spf1 +all"', "pass", {"spf.pass": "ok", "spf.plus_all": "warning"}),
    ('@ TXT "v=spf1 -all"\n@ TXT "v=spf1 ~all"', "permerror", {"spf.multiple": "error"}),
    ('@ TXT "v=spf1 foo:example.test -all"', "permerror", {"spf.syntax": "error"}),
    ('@ TXT "v=spf1 ip4:203.0.113.1-all"', "permerror", {"spf.syntax": "error"}),
    ('@ TXT "v=spf1 include:none.example.test -all"\nnone A 192.0.2.9', "permerror", {"spf.include_none": "error"}),
    ('@ TXT "v=spf1 redirect=gone.example.test"', "permerror", {"spf.redirect_none": "error"}),
    ('@ TXT "v=spf1 redirect=mail.example.test"\nmail A 192.0.2.9', "permerror", {"spf.redirect_none": "error"}),
    ('@ TXT "v=spf1 redirect=example.test"', "permerror", {"spf.loop": "error"}),
    ('@ TXT "v=spf1 include:b.example.test -all"\nb TXT "v=spf1 include:example.test -all"', "permerror", {"spf.loop": "error"}),
    (f'@ TXT "v=spf1 {ELEVEN} -all"\n{ELEVEN_ZONE}', "permerror", {"spf.too_many_lookups": "error"}),
    (f'@ TXT "v=spf1 {SIX} include:b.example.test -all"\nb TXT "v=spf1 {SIX} -all"\n{SIX_ZONE}', "permerror", {"spf.too_many_lookups": "error"}),
    (
        f'@ TXT "v=spf1 ip4:192.0.2.1 {SIX} include:b.example.test -all"\nb TXT "v=spf1 {SIX} -all"\n{SIX_ZONE}',
        "pass",
        {"spf.pass": "ok", "spf.too_many_lookups": "warning"},
    ),
    ('@ TXT "v=spf1 a:x.example.test a:y.example.test a:z.example.test -all"', "permerror", {"spf.too_many_void": "error"}),
    ('@ TXT "v=spf1 a:x.example.test a:y.example.test -all"', "fail", {"spf.fail": "error"}),
    ('@ TXT "v=spf1 mx -all"\n' + "".join(f"@ MX {i} h{i}\nh{i} A 192.0.2.{i + 9}\n" for i in range(11)), "permerror", {"spf.too_many_mx": "error"}),
    ('@ TXT "v=spf1 ptr -all"\n1.2.0.192.in-addr.arpa. PTR mail.example.test.\nmail A 192.0.2.1', "pass", {"spf.pass": "ok", "spf.ptr": "warning"}),
    (
        '@ TXT "v=spf1 ptr -all"\n1.2.0.192.in-addr.arpa. PTR mail.example.test.\nmail A 192.0.2.77',
        "fail",
        {"spf.fail": "error", "spf.ptr": "warning"},
    ),
]


@pytest.mark.parametrize(("zone", "answer", "findings"), SCENARIOS, ids=[zone[:60].replace("\n", "; ") for zone, _, _ in SCENARIOS])
def test_it_judges_what_a_domain_publishes(dns_server: DnsServer, zone: str, answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, zone)
    assert (result.answer, found(result)) == (answer, findings)
    assert result.state is {declared.slug: declared.state for declared in spf.ANSWERS}[answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    assert dns_server.asked_twice() == []


def test_the_facts_hold_the_record_the_count_and_who_answered(dns_server: DnsServer) -> None:
    zone = '@ 120 TXT "v=spf1 a:web.example.test include:spf.example.test -all"\nweb A 192.0.2.7\nspf TXT "v=spf1 ip4:192.0.2.1 -all"'
    facts = check(dns_server, zone).facts
    assert facts["record"] == "v=spf1 a:web.example.test include:spf.example.test -all"
    assert (facts["ttl"], facts["server"]) == (120, f"127.0.0.1:{dns_server.port}")
    assert (facts["lookups"], facts["voids"], facts["lookups_in_all"], facts["matched"]) == (2, 0, 2, "include:spf.example.test")
    terms = facts["tree"]["terms"]  # type: ignore[index,call-overload]
    assert [(term["term"], term["outcome"]) for term in terms] == [
        ("a:web.example.test", "no match"),
        ("include:spf.example.test", "match"),
        ("-all", "not reached"),
    ]
    assert terms[0]["found"] == ["192.0.2.7"]
    assert terms[1]["record"]["result"] == "pass"


def test_the_tree_is_kept_where_the_evaluation_fails(dns_server: DnsServer) -> None:
    zone = '@ TXT "v=spf1 a:web.example.test include:bad.example.test -all"\nweb A 192.0.2.7\nbad TXT "v=spf1 foo -all"'
    result = check(dns_server, zone)
    assert result.answer == "permerror"
    terms = result.facts["tree"]["terms"]  # type: ignore[index,call-overload]
    assert [term["outcome"] for term in terms] == ["no match", "error", "not reached"]
    assert terms[1]["record"]["record"] == "v=spf1 foo -all"
    assert "foo: there is no such mechanism" in result.detail


@pytest.mark.parametrize("behaviour", [Behaviour(silent=True), Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(no_tcp=True)])
@pytest.mark.parametrize("where", ["example.test", "inc.example.test", "a.example.test"])
def test_what_dns_does_not_answer_is_temperror_and_never_none_or_permerror(dns_server: DnsServer, behaviour: Behaviour, where: str) -> None:
    dns_server.behave(where, behaviour)
    zone = '@ TXT "v=spf1 include:inc.example.test a:a.example.test -all"\ninc TXT "v=spf1 ip4:203.0.113.1 -all"\na A 203.0.113.2'
    result = check(dns_server, zone, question_seconds=0.8)
    assert (result.answer, found(result)) == ("temperror", {"spf.temperror": "unknown"})
    assert str(result.state) == "unknown"


def test_a_dead_include_after_the_match_does_not_hold_up_a_pass(dns_server: DnsServer) -> None:
    dns_server.behave("dead.example.test", Behaviour(silent=True))
    result = check(dns_server, '@ TXT "v=spf1 ip4:192.0.2.1 include:dead.example.test -all"')
    assert (result.answer, found(result)) == ("pass", {"spf.pass": "ok"})


def test_it_waits_for_the_longest_chain_and_not_for_each_term(dns_server: DnsServer) -> None:
    """TXT, TXT of the include, its MX, their addresses: four round trips, although ten questions are asked."""
    dns_server.behave("*", Behaviour(delay=0.3))
    zone = (
        '@ TXT "v=spf1 a:a.example.test a:b.example.test mx:mx.example.test include:inc.example.test -all"\na A 203.0.113.1\nb A 203.0.113.2\n'
        "mx MX 10 a\nmx MX 20 c\nc A 203.0.113.3\n"
        'inc TXT "v=spf1 mx:mx2.example.test a:d.example.test -all"\nmx2 MX 10 e\ne A 203.0.113.4\nd A 203.0.113.5'
    )
    result = check(dns_server, zone)
    assert result.answer == "fail"
    times = [query.at for query in dns_server.queries]
    assert 0.9 <= max(times) - min(times) < 1.6
    assert dns_server.asked_twice() == []


def test_mx_hosts_without_an_ipv6_address_are_no_void_look_ups_but_some_receivers_count_them(dns_server: DnsServer) -> None:
    zone = '@ TXT "v=spf1 mx -all"\n' + "".join(f"@ MX {i} h{i}\nh{i} A 192.0.2.{i}\n" for i in range(1, 5))
    result = check(dns_server, zone, sending_ip="2001:db8::1")
    assert (result.answer, found(result)) == ("fail", {"spf.fail": "error", "spf.fail_or_void": "warning"})
    assert result.facts["voids"] == 0


def test_the_null_sender_is_judged_by_its_ehlo_name(dns_server: DnsServer) -> None:
    result = check(dns_server, 'mail TXT "v=spf1 -all"', mail_from="<>", helo="mail.example.test", domain="example.test")
    assert (result.answer, found(result)) == ("fail", {"spf.helo_fail": "error"})
    assert result.facts["identity"] == "helo"


@pytest.mark.parametrize(
    ("zone", "answer", "findings"),
    [
        ('mail TXT "v=spf1 ip4:192.0.2.1 -all"', "pass", {"spf.pass": "ok"}),
        ('mail TXT "v=spf1 -all"', "fail", {"spf.helo_fail": "error"}),
        ("mail A 192.0.2.1", "none", {"spf.none": "warning"}),
    ],
)
def test_a_sending_address_alone_is_judged_by_the_ehlo_name(dns_server: DnsServer, zone: str, answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, zone, mail_from="", helo="mail.example.test")
    assert spf.needs(Subject(sending_ip=IP, helo="mail.example.test")) == ""
    assert (result.answer, found(result), result.facts["identity"]) == (answer, findings, "helo")


def test_the_ehlo_name_is_judged_beside_mail_from(dns_server: DnsServer) -> None:
    zone = '@ TXT "v=spf1 ip4:192.0.2.1 -all"\nmail TXT "v=spf1 -all"'
    result = check(dns_server, zone, helo="mail.example.test")
    assert (result.answer, found(result)) == ("pass", {"spf.pass": "ok", "spf.helo_fail": "error"})


def test_without_the_sending_address_it_looks_at_the_record_only(dns_server: DnsServer) -> None:
    result = check(dns_server, '@ TXT "v=spf1 include:gone.example.test -all"', sending_ip="")
    assert (result.answer, found(result)) == ("permerror", {"spf.include_none": "error"})
    dns_server.add('example.test. TXT "v=spf1 mx -all"')
    result = check(dns_server, "", sending_ip="")
    assert (result.answer, found(result)) == ("unknown", {})
    assert "only for a sending IP address" in result.detail
    dns_server.add('example.test. TXT "v=spf1 mx"')
    assert found(check(dns_server, "", sending_ip="")) == {"spf.neutral": "warning"}


@pytest.mark.parametrize(
    ("record", "answer", "findings"),
    [
        ("v=spf1 a:x.gone.test a:y.gone.test mx:z.gone.test -all", "permerror", {"spf.too_many_void": "error"}),
        ("v=spf1 a:x.gone.test a:y.gone.test -all", "unknown", {}),
        ("v=spf1 a:mail.example.test mx:mail.example.test a:w.example.test mx:w.example.test -all", "unknown", {}),
        ("v=spf1 mx:many.example.test -all", "permerror", {"spf.too_many_mx": "error"}),
        (f"v=spf1 {ELEVEN} -all", "permerror", {"spf.too_many_lookups": "error"}),
        ("v=spf1 include:dead.example.test -all", "temperror", {"spf.temperror": "unknown"}),
        ("v=spf1 +all", "unknown", {"spf.plus_all": "warning"}),
        ("v=spf1 ptr ~all", "unknown", {"spf.ptr": "warning"}),
    ],
)
def test_what_is_wrong_for_every_sender_is_seen_without_one(dns_server: DnsServer, record: str, answer: str, findings: dict[str, str]) -> None:
    dns_server.behave("dead.example.test", Behaviour(rcode="servfail"))
    zone = "mail AAAA 2001:db8::1\nw AAAA 2001:db8::2\n" + "".join(f"many MX {i} h{i}\n" for i in range(11)) + ELEVEN_ZONE
    result = check(dns_server, zone + txt("@", record), sending_ip="")
    assert (result.answer, found(result)) == (answer, findings)
    assert dns_server.asked_twice() == []


def test_what_is_wrong_beyond_the_match_is_an_error_of_the_record_and_no_answer(dns_server: DnsServer) -> None:
    zone = '@ TXT "v=spf1 ip4:192.0.2.1 include:gone.example.test include:bad.example.test -all"\nbad TXT "v=spf1 foo -all"'
    result = check(dns_server, zone)
    assert (result.answer, found(result)) == ("pass", {"spf.pass": "ok", "spf.include_none": "error", "spf.syntax": "error"})


@pytest.mark.parametrize(
    ("subject", "lacking"),
    [
        (Subject(domain="example.test"), ""),
        (Subject(domain="example.test", recipient="bo@example.test"), "the envelope sender"),
        (Subject(recipient="bo@example.test", mail_from="anna@example.org"), ""),
        (Subject(recipient="bo@example.test", helo="mail.example.org"), ""),
        (Subject(sending_ip=IP, header_from="anna@example.org"), "the envelope sender"),
    ],
)
def test_the_recipients_domain_is_never_judged_as_the_senders(subject: Subject, lacking: str) -> None:
    assert spf.needs(subject).startswith(lacking)
    assert bool(spf.needs(subject)) == bool(lacking)


def test_an_ipv4_mapped_address_is_judged_as_ipv4(dns_server: DnsServer) -> None:
    assert check(dns_server, '@ TXT "v=spf1 ip4:192.0.2.1 -all"', sending_ip="::ffff:192.0.2.1").answer == "pass"


def test_what_is_no_address_is_unknown_with_a_sentence(dns_server: DnsServer) -> None:
    result = check(dns_server, "", sending_ip="192.0.2.300")
    assert (result.answer, result.detail) == ("unknown", "192.0.2.300 is no IP address, so SPF cannot be evaluated.")


def test_an_internationalised_sender_domain_is_asked_for_as_a_labels(dns_server: DnsServer) -> None:
    result = check(dns_server, 'xn--bcher-kva.test. TXT "v=spf1 ip4:192.0.2.1 -all"', mail_from="anna@bücher.test")
    assert result.answer == "pass"


def test_a_huge_answer_is_read_and_pointed_out(dns_server: DnsServer) -> None:
    dns_server.add(txt("example.test.", "x" * 20_000))
    dns_server.add(txt("example.test.", "v=spf1 " + "ip4:203.0.113.1 " * 3500 + "-all"))
    result = check(dns_server, "")
    assert (result.answer, found(result)) == ("fail", {"spf.fail": "error", "dns.huge_answer": "info"})
    assert len(str(result.facts["record"])) < 5000


def test_a_hostile_record_is_shown_without_control_characters(dns_server: DnsServer) -> None:
    dns_server.add(txt("example.test.", b"v=spf1 \x1b[31m\xff -all"))
    result = check(dns_server, "")
    assert (result.answer, found(result)) == ("permerror", {"spf.syntax": "error"})
    assert "\x1b" not in result.detail + str(result.facts["record"])


def test_the_query_limit_of_a_case_is_unknown_and_no_verdict(dns_server: DnsServer) -> None:
    dns_server.add('example.test. TXT "v=spf1 a:a.example.test -all"')
    resolver = Resolver([dns_server.address], max_queries=1)
    result = asyncio.run(spf.run(Subject(sending_ip=IP, mail_from="anna@example.test"), Tools(resolver)))
    assert (result.answer, found(result)) == ("unknown", {"spf.temperror": "unknown"})


def test_an_include_bomb_is_bounded(dns_server: DnsServer) -> None:
    for i in range(120):
        includes = " ".join(f"include:n{10 * i + j}.example.test" for j in range(1, 11))
        dns_server.add(txt(f"n{i}.example.test.", f"v=spf1 {includes} -all"))
    result = check(dns_server, '@ TXT "v=spf1 ip4:192.0.2.1 include:n0.example.test -all"')
    assert (result.answer, found(result)["spf.too_many_lookups"]) == ("pass", "warning")
    assert dns_server.count() < 40


def test_every_answer_it_declares_is_one_of_these() -> None:
    assert [answer.slug for answer in spf.ANSWERS] == ["pass", "fail", "softfail", "neutral", "none", "permerror", "temperror", "unknown"]
    assert [answer.slug for answer in spf.ANSWERS if not answer.informative] == ["temperror", "unknown"]


def test_severities_are_those_of_the_contract() -> None:
    assert {severity.value for severity in Severity} == {"error", "warning", "info", "ok", "unknown"}


@given(st.one_of(st.binary(max_size=120), st.text("v=spf1 +-~?aimxcludersthpn:46/.%{}0123456789_=", max_size=120).map(str.encode)))
def test_no_bytes_make_the_parser_raise_anything_but_a_syntax_problem(data: bytes) -> None:
    select_records((data, b"v=spf1 " + data))
    with contextlib.suppress(SyntaxProblem):
        parse_record(b"v=spf1 " + data)
