from __future__ import annotations

import asyncio
import json

import pytest

from tests.conftest import SMALL
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks import mx
from whybounce.checks.guard import parse_networks
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Severity, Subject
from whybounce.checks.tools import Tools

HOSTS = """$ORIGIN example.test.
mx1 A 8.8.8.8
mx1 AAAA 2606:4700::1111
mx2 A 8.8.4.4
twin A 8.8.8.8
six AAAA 2606:4700::1111
bare TXT "no address"
private A 10.0.0.25
loop A 127.0.0.1
alias CNAME mx2
under_score A 8.8.8.8
"""


def check(server: DnsServer, zone: str, domain: str = "example.test", question_seconds: float = 5, allow: tuple[str, ...] = ()) -> CheckResult:
    server.add(HOSTS + zone)
    resolver = Resolver([server.address], question_seconds=question_seconds, allow_networks=parse_networks(allow))
    return asyncio.run(mx.run(Subject(domain=domain), Tools(resolver)))


def found(result: CheckResult) -> dict[str, Severity]:
    return {finding.finding: finding.severity for finding in result.findings}


def test_a_healthy_domain_is_ok_and_shows_its_records(dns_server: DnsServer) -> None:
    result = check(dns_server, "@ 600 MX 10 mx1\n@ 600 MX 20 mx2\n")
    assert result.answer == "ok"
    assert found(result) == {"mx.ok": Severity.OK}
    assert result.detail == "Mail for example.test goes to mx1.example.test and mx2.example.test."
    first = result.facts["mx"][0]  # type: ignore[index,call-overload]
    assert first["host"] == "mx1.example.test"
    assert first["addresses"] == ["8.8.8.8", "2606:4700::1111"]
    assert (result.facts["ttl"], result.facts["server"]) == (600, f"127.0.0.1:{dns_server.port}")
    json.dumps([result.facts, [finding.data for finding in result.findings]])


def test_it_takes_two_round_trips_and_asks_nothing_twice(dns_server: DnsServer) -> None:
    dns_server.behave("*", Behaviour(delay=0.3))
    result = check(dns_server, "".join(f"@ MX {i} h{i}\nh{i} A 8.8.8.{i}\n" for i in range(1, 6)))
    assert result.answer == "ok"
    assert dns_server.asked_twice() == []
    assert dns_server.count() == 11
    slowest = max(query.at for query in dns_server.queries) - min(query.at for query in dns_server.queries)
    assert 0.3 <= slowest < 0.9


SCENARIOS = [
    ("@ A 8.8.8.8", "implicit", {"mx.implicit": "info"}),
    ("@ AAAA 2606:4700::1111", "implicit", {"mx.implicit": "info", "mx.ipv6_only": "warning"}),
    ("@ TXT x", "none", {"mx.none": "error"}),
    ("@ A 192.168.0.1", "private", {"mx.non_public_address": "error"}),
    ("@ MX 0 .", "null-mx", {"mx.null": "error"}),
    ("@ MX 10 .", "null-mx", {"mx.null": "error", "mx.null_malformed": "warning"}),
    ("@ MX 0 .\n@ MX 10 mx1", "partly-dangling", {"mx.null_mixed": "error"}),
    ("@ MX 10 gone", "dangling", {"mx.unresolvable": "error"}),
    ("@ MX 10 bare", "dangling", {"mx.unresolvable": "error"}),
    ("@ MX 10 gone\n@ MX 20 mx1", "partly-dangling", {"mx.unresolvable": "warning"}),
    ("@ MX 10 alias", "cname", {"mx.cname": "warning"}),
    ("@ MX 10 192.0.2.1.", "ip-literal", {"mx.ip_literal": "error"}),
    ("@ MX 10 private", "private", {"mx.non_public_address": "error"}),
    ("@ MX 10 loop\n@ MX 20 mx1", "partly-dangling", {"mx.non_public_address": "warning"}),
    ("@ MX 10 loop", "private", {"mx.non_public_address": "error"}),
    ("@ MX 10 bare\n@ MX 20 mx1", "partly-dangling", {"mx.unresolvable": "warning"}),
    ("@ MX 10 192.0.2.1.\n@ MX 20 mx1", "partly-dangling", {"mx.ip_literal": "error"}),
    ("@ MX 10 -mx1\n-mx1 A 8.8.8.8", "ok", {"mx.ok": "ok", "mx.bad_hostname": "warning"}),
    ("@ MX 10 localhost.", "private", {"mx.localhost": "error"}),
    ("@ MX 10 six", "ok", {"mx.ok": "ok", "mx.ipv6_only": "warning"}),
    ("@ MX 10 six\n@ MX 20 mx2", "ok", {"mx.ok": "ok"}),
    ("@ MX 10 mx1\n@ MX 20 twin", "ok", {"mx.ok": "ok", "mx.same_address": "info"}),
    ("@ MX 10 under_score", "ok", {"mx.ok": "ok", "mx.bad_hostname": "warning"}),
    ("@ CNAME other\nother MX 10 mx1", "ok", {"mx.ok": "ok", "dns.domain_is_cname": "info"}),
    ("@ CNAME nowhere.invalid.", "nxdomain", {"dns.nxdomain": "error", "dns.domain_is_cname": "info"}),
]


@pytest.mark.parametrize(("zone", "answer", "findings"), SCENARIOS, ids=[zone.replace("\n", "; ") for zone, _, _ in SCENARIOS])
def test_it_judges_what_a_domain_publishes(dns_server: DnsServer, zone: str, answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, zone + "\n")
    assert (result.answer, {name: str(severity) for name, severity in found(result).items()}) == (answer, findings)
    assert result.state is {declared.slug: declared.state for declared in mx.ANSWERS}[answer]
    assert result.detail.endswith(".")


def test_every_finding_about_mx_of_the_contract_is_shown_here() -> None:
    """The two that need more than a line of zone text have tests of their own."""
    contract = [line.split() for line in (SMALL.parent / "findings.txt").read_text().splitlines() if line.startswith("mx.")]
    produced = {(name, severity) for _, _, findings in SCENARIOS for name, severity in findings.items()}
    elsewhere = {("mx.too_many", "warning"), ("mx.wildcard", "info")}
    assert {(name, severity) for name, *severities in contract for severity in severities} == {
        (name, severity) for name, severity in produced | elsewhere if name.startswith("mx.")
    }


def test_a_domain_that_does_not_exist_is_told_from_one_without_mail(dns_server: DnsServer) -> None:
    result = check(dns_server, "", domain="exmaple.test")
    assert result.answer == "nxdomain"
    assert found(result) == {"dns.nxdomain": Severity.ERROR}


FAILURES = [
    (Behaviour(rcode="servfail", ede=22), "servfail", {"dns.servfail": "error"}),
    (Behaviour(silent=True), "timeout", {"dns.timeout": "error"}),
    (Behaviour(garbage=True), "timeout", {"dns.timeout": "error"}),
    (Behaviour(rcode="refused"), "unknown", {"dns.servfail": "unknown"}),
    (Behaviour(no_tcp=True), "unknown", {"dns.servfail": "unknown"}),
]


@pytest.mark.parametrize(("behaviour", "answer", "findings"), FAILURES, ids=["servfail", "silent", "garbage", "refused", "no tcp"])
def test_what_dns_does_not_answer_is_never_taken_as_missing(
    dns_server: DnsServer, behaviour: Behaviour, answer: str, findings: dict[str, str]
) -> None:
    dns_server.behave("example.test", behaviour)
    result = check(dns_server, "@ MX 10 mx1\n", question_seconds=0.8)
    assert (result.answer, {name: str(severity) for name, severity in found(result).items()}) == (answer, findings)


def test_the_extended_error_stands_in_the_sentence(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(rcode="servfail", ede=6))
    assert "6 DNSSEC bogus" in check(dns_server, "").detail


@pytest.mark.parametrize(("behaviour", "answer"), [(Behaviour(silent=True), "timeout"), (Behaviour(rcode="servfail"), "servfail")])
def test_a_host_that_dns_does_not_tell_of_is_not_dangling(dns_server: DnsServer, behaviour: Behaviour, answer: str) -> None:
    dns_server.behave("mx1.example.test", behaviour)
    assert check(dns_server, "@ MX 10 mx1\n", question_seconds=0.8).answer == answer


def test_one_answered_address_family_is_enough(dns_server: DnsServer) -> None:
    dns_server.behave("mx1.example.test", Behaviour(silent=True, rdtype="AAAA"))
    assert check(dns_server, "@ MX 10 mx1\n", question_seconds=0.8).answer == "ok"


def test_an_mx_time_out_is_no_licence_to_use_the_domains_own_address(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(silent=True, rdtype="MX"))
    assert check(dns_server, "@ A 8.8.8.8\n", question_seconds=0.8).answer == "timeout"


def test_sixty_hosts_cost_twenty_address_queries_and_no_more(dns_server: DnsServer) -> None:
    zone = "".join(f"@ MX {i} h{i}\n" + "".join(f"h{i} A 8.8.{i}.{j}\n" for j in range(1, 5)) for i in range(1, 61))
    result = check(dns_server, zone)
    assert result.answer == "ok"
    assert found(result)["mx.too_many"] is Severity.WARNING
    assert dns_server.count(rdtype="A") + dns_server.count(rdtype="AAAA") == 20
    hosts = result.facts["mx"]
    assert len(hosts) == 10  # type: ignore[arg-type]
    assert all(len(host["addresses"]) == 2 and host["address_count"] == 4 for host in hosts)  # type: ignore[index,union-attr,call-overload]


def test_a_name_that_exists_only_by_a_wildcard_is_pointed_out(dns_server: DnsServer) -> None:
    result = check(dns_server, "* MX 10 mx1\n", domain="typo.example.test")
    assert result.answer == "ok"
    assert found(result) == {"mx.ok": Severity.OK, "mx.wildcard": Severity.INFO}


def test_an_own_mx_beside_a_wildcard_is_not_taken_for_it(dns_server: DnsServer) -> None:
    result = check(dns_server, "* MX 10 mx1\nown MX 10 mx2\n", domain="own.example.test")
    assert found(result) == {"mx.ok": Severity.OK}


def test_a_slow_name_server_is_pointed_out(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(delay=1.0))
    dns_server.add(HOSTS + "@ MX 10 mx1\n")
    result = asyncio.run(mx.run(Subject(domain="example.test"), Tools(Resolver([dns_server.address]))))
    assert (result.answer, found(result)) == ("ok", {"mx.ok": Severity.OK, "dns.slow": Severity.INFO})


def test_an_operator_may_let_checks_reach_a_private_network(dns_server: DnsServer) -> None:
    result = check(dns_server, "@ MX 10 private\n", allow=("10.0.0.0/8",))
    assert result.answer == "ok"


def test_names_from_dns_are_shown_without_control_characters(dns_server: DnsServer) -> None:
    result = check(dns_server, "@ MX 10 evil\\027\\010.example.test.\n")
    text = json.dumps([result.detail, result.facts, [finding.data for finding in result.findings]])
    assert "\\u001b" not in text
    assert "\\n" not in text


def test_a_domain_that_is_none_is_unknown_with_a_sentence(dns_server: DnsServer) -> None:
    result = check(dns_server, "", domain="localhost")
    assert result.answer == "unknown"
    assert "this machine itself" in result.detail
    assert dns_server.count() == 0


def test_it_takes_the_domain_from_the_recipient_and_says_what_it_lacks() -> None:
    assert mx.needs(Subject(recipient="anna@example.test")) == ""
    assert mx.needs(Subject(sending_ip="192.0.2.1")) == "the recipient's domain"


def test_every_answer_it_declares_is_one_of_these() -> None:
    slugs = "ok implicit null-mx none nxdomain dangling partly-dangling cname ip-literal private servfail timeout unknown"
    assert [answer.slug for answer in mx.ANSWERS] == slugs.split()
    assert [answer.slug for answer in mx.ANSWERS if not answer.informative] == ["timeout", "unknown"]
