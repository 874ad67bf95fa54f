from __future__ import annotations

import asyncio
import json
from ipaddress import ip_address

import pytest

from tests.servers.dns import DnsServer
from whybounce.checks import ptr
from whybounce.checks.ptr import generic_reason
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.tools import Tools

IP = "203.0.113.25"
REVERSE = "25.113.0.203.in-addr.arpa. PTR"
HOSTS = "mail.example.test. A 203.0.113.25\nother.example.test. A 203.0.113.99\n"


def check(server: DnsServer, zone: str, sending_ip: str = IP, question_seconds: float = 5) -> CheckResult:
    server.add(HOSTS + zone + "\n")
    result = asyncio.run(ptr.run(Subject(sending_ip=sending_ip), Tools(Resolver([server.address], question_seconds=question_seconds))))
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    assert result.state == {answer.slug: answer.state for answer in ptr.ANSWERS}[result.answer]
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


SCENARIOS = [
    (f"{REVERSE} mail.example.test.", "ok", {"ptr.fcrdns_ok": "ok"}),
    (f"{REVERSE} MAIL.Example.TEST.", "ok", {"ptr.fcrdns_ok": "ok"}),
    ("113.0.203.in-addr.arpa. TXT x", "none", {"ptr.none": "error"}),
    ("25.113.0.203.in-addr.arpa. TXT x", "none", {"ptr.none": "error"}),
    (f"{REVERSE} gone.example.test.", "no-forward", {"ptr.no_forward": "error"}),
    (f"{REVERSE} other.example.test.", "mismatch", {"ptr.mismatch": "error"}),
    (
        f"{REVERSE} dyn-203-0-113-25.pool.isp.test.\ndyn-203-0-113-25.pool.isp.test. A {IP}",
        "generic",
        {"ptr.fcrdns_ok": "ok", "ptr.generic": "warning"},
    ),
    (f"{REVERSE} 25.dsl.isp.test.", "no-forward", {"ptr.no_forward": "error", "ptr.generic": "warning"}),
    (
        f"{REVERSE} mail.example.test.\n{REVERSE} mail2.example.test.\nmail2.example.test. A {IP}",
        "ok",
        {"ptr.fcrdns_ok": "ok", "ptr.multiple": "info"},
    ),
    (f"{REVERSE} other.example.test.\n{REVERSE} mail.example.test.", "ok", {"ptr.fcrdns_ok": "ok", "ptr.multiple": "info"}),
    (";! 25.113.0.203.in-addr.arpa refused", "temperror", {"ptr.temperror": "unknown"}),
    (";! 25.113.0.203.in-addr.arpa servfail", "temperror", {"ptr.temperror": "unknown"}),
    (f"{REVERSE} mail.example.test.\n;! mail.example.test servfail", "temperror", {"ptr.temperror": "unknown"}),
    # RFC 2317: the reverse zone of a small network is reached by an alias.
    (
        "25.113.0.203.in-addr.arpa. CNAME 25.24-31.113.0.203.in-addr.arpa.\n25.24-31.113.0.203.in-addr.arpa. PTR mail.example.test.",
        "ok",
        {"ptr.fcrdns_ok": "ok"},
    ),
]


@pytest.mark.parametrize(("zone", "answer", "findings"), SCENARIOS, ids=[zone for zone, *_ in SCENARIOS])
def test_each_state_of_reverse_dns_is_told(dns_server: DnsServer, zone: str, answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, zone)
    assert (result.answer, found(result)) == (answer, findings)
    assert dns_server.asked_twice() == []


def test_a_name_server_that_keeps_silent_is_unknown(dns_server: DnsServer) -> None:
    result = check(dns_server, ";! 25.113.0.203.in-addr.arpa silent", question_seconds=0.3)
    assert (result.answer, result.state, found(result)) == ("temperror", State.UNKNOWN, {"ptr.temperror": "unknown"})


def test_what_was_seen_is_told(dns_server: DnsServer) -> None:
    result = check(dns_server, "25.113.0.203.in-addr.arpa. 600 PTR mail.example.test.")
    assert result.detail == "203.0.113.25 has the name mail.example.test, which leads back to it."
    assert result.facts["asked"] == "25.113.0.203.in-addr.arpa"
    assert result.facts["names"] == [{"name": "mail.example.test", "addresses": [IP], "confirms": True, "generic": ""}]
    assert (result.facts["ttl"], result.facts["server"]) == (600, f"127.0.0.1:{dns_server.port}")


@pytest.mark.parametrize("sending_ip", ["2001:db8::25", "2001:0DB8:0:0::0025"])
def test_ipv6_is_looked_up_by_nibbles(dns_server: DnsServer, sending_ip: str) -> None:
    nibbles = "5.2.0.0." + "0.0.0.0." * 5 + "8.b.d.0.1.0.0.2.ip6.arpa."
    result = check(dns_server, f"{nibbles} PTR six.example.test.\nsix.example.test. AAAA 2001:db8::25\nsix.example.test. A {IP}", sending_ip)
    assert result.answer == "ok"


def test_a_mapped_address_is_looked_up_as_ipv4(dns_server: DnsServer) -> None:
    assert check(dns_server, f"{REVERSE} mail.example.test.", f"::ffff:{IP}").answer == "ok"


def test_an_inside_address_has_no_public_name_and_that_is_no_fault(dns_server: DnsServer) -> None:
    result = check(dns_server, "10.in-addr.arpa. TXT x", "10.0.0.5")
    assert (result.answer, result.state, result.findings) == ("unknown", State.UNKNOWN, ())
    assert check(dns_server, "5.0.0.10.in-addr.arpa. PTR in.example.test.\nin.example.test. A 10.0.0.5", "10.0.0.5").answer == "ok"


def test_hostile_names_are_bounded_and_escaped(dns_server: DnsServer) -> None:
    zone = "".join(f"{REVERSE} h{i}.example.test.\n" for i in range(40)) + f"{REVERSE} \\027[31m\\226\\128\\174.example.test.\n"
    result = check(dns_server, zone)
    assert result.answer == "no-forward"
    assert dns_server.count() == 11
    text = json.dumps(result.facts, ensure_ascii=False) + result.detail
    assert all(char.isprintable() for char in text)


GENERIC = [
    ("203-0-113-25.isp.test", True),
    ("203.0.113.25.isp.test", True),
    ("25.113.0.203.isp.test", True),
    ("host203000113025.isp.test", True),
    ("cb007119.isp.test", True),
    ("p-cb-007119.dip0.isp.test", True),
    ("dhcp17.isp.test", True),
    ("adsl-25.isp.co.uk", True),
    ("mail.example.test", False),
    ("mail-203-0-113-25.example.test", False),
    ("static.example.test", False),
    ("mx25.dynamic.test", False),
    ("server1.cable.co.uk", False),
    ("1203-0-113-25.isp.test", False),
    ("203-0-113.isp.test", False),
    ("poolside.example.test", False),
    ("example.test", False),
]


@pytest.mark.parametrize(("name", "generic"), GENERIC)
def test_a_generic_name_is_told_by_its_shape(name: str, generic: bool) -> None:
    assert bool(generic_reason(name, ip_address(IP))) is generic


@pytest.mark.parametrize(
    ("name", "generic"),
    [
        ("2001-db8--25.isp.test", True),
        ("2001-db8-0-0-0-0-0-25.isp.test", True),
        ("20010db8000000000000000000000025.isp.test", True),
        ("mail.isp.test", False),
    ],
)
def test_a_generic_name_of_an_ipv6_address(name: str, generic: bool) -> None:
    assert bool(generic_reason(name, ip_address("2001:db8::25"))) is generic


def test_it_needs_an_address() -> None:
    assert ptr.needs(Subject(domain="example.test")) == "the address that sent the message"
    assert ptr.needs(Subject(sending_ip="not an address")) != ""
    assert ptr.needs(Subject(sending_ip=IP)) == ""
