from __future__ import annotations

import asyncio
import json

import pytest

from tests.servers.dns import DnsServer
from whybounce.checks import helo
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.tools import Tools

IP = "203.0.113.25"
ZONE = """25.113.0.203.in-addr.arpa. PTR mail.example.test.
mail.example.test. A 203.0.113.25
named.example.test. A 203.0.113.25
other.example.test. A 203.0.113.99
six.example.test. AAAA 2001:db8::25
bare.example.test. TXT x
a_b.example.test. A 203.0.113.25
;! broken.example.test servfail
;! half.example.test servfail rdtype=A
half.example.test. AAAA 2001:db8::99
"""


def check(server: DnsServer, name: str, sending_ip: str = IP, question_seconds: float = 5) -> CheckResult:
    server.add(ZONE)
    resolver = Resolver([server.address], question_seconds=question_seconds)
    result = asyncio.run(helo.run(Subject(helo=name, sending_ip=sending_ip), Tools(resolver)))
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    assert result.state == {answer.slug: answer.state for answer in helo.ANSWERS}[result.answer]
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


SCENARIOS = [
    ("mail.example.test", "ok", {"helo.ok": "ok"}),
    ("MAIL.example.test.", "ok", {"helo.ok": "ok"}),
    ("named.example.test", "ok", {"helo.ok": "ok"}),
    ("localhost", "not-fqdn", {"helo.not_fqdn": "error"}),
    ("localhost.localdomain", "not-fqdn", {"helo.not_fqdn": "error"}),
    ("DESKTOP-1", "not-fqdn", {"helo.not_fqdn": "error"}),
    ("203.0.113.25", "bare-ip", {"helo.bare_ip": "error"}),
    ("2001:db8::25", "bare-ip", {"helo.bare_ip": "error"}),
    ("[203.0.113.25]", "ok", {"helo.ok": "ok"}),
    ("[203.0.113.26]", "mismatch", {"helo.mismatch": "warning"}),
    ("[203.0.113]", "syntax", {"helo.syntax": "warning"}),
    ("[203.0.113.25", "syntax", {"helo.syntax": "warning"}),
    ("[2001:db8::25]", "syntax", {"helo.syntax": "warning"}),
    ("a_b.example.test", "syntax", {"helo.syntax": "warning"}),
    ("a_c.example.test", "unresolvable", {"helo.syntax": "warning", "helo.unresolvable": "error"}),
    ("ma il.example.test", "syntax", {"helo.syntax": "warning"}),
    ("-mail.example.test", "syntax", {"helo.syntax": "warning"}),
    ("mail..example.test", "syntax", {"helo.syntax": "warning"}),
    ("bücher.example.test", "syntax", {"helo.syntax": "warning"}),
    ("gone.example.test", "unresolvable", {"helo.unresolvable": "error"}),
    ("bare.example.test", "unresolvable", {"helo.unresolvable": "error"}),
    ("other.example.test", "mismatch", {"helo.mismatch": "warning"}),
    ("six.example.test", "mismatch", {"helo.mismatch": "warning"}),
    ("broken.example.test", "unknown", {}),
    ("half.example.test", "unknown", {}),
]


@pytest.mark.parametrize(("name", "answer", "findings"), SCENARIOS, ids=[name for name, *_ in SCENARIOS])
def test_each_kind_of_name_is_told(dns_server: DnsServer, name: str, answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, name)
    assert (result.answer, found(result)) == (answer, findings)
    assert dns_server.asked_twice() == []


def test_it_says_whether_the_name_is_that_of_reverse_dns(dns_server: DnsServer) -> None:
    first, second = check(dns_server, "mail.example.test"), check(dns_server, "named.example.test")
    assert first.findings[0].data["is_ptr"] is True
    assert first.detail == "The sending server calls itself mail.example.test, which leads back to it and is its name in reverse DNS."
    assert second.findings[0].data["is_ptr"] is False
    assert second.facts["ptr"] == ["mail.example.test"]


def test_without_the_sending_address_only_the_name_is_looked_at(dns_server: DnsServer) -> None:
    assert check(dns_server, "other.example.test", "").answer == "ok"
    assert check(dns_server, "[203.0.113.26]", "").answer == "ok"
    assert not dns_server.count(rdtype="PTR")


def test_ipv6_senders(dns_server: DnsServer) -> None:
    assert check(dns_server, "six.example.test", "2001:db8:0::25").answer == "ok"
    assert check(dns_server, "[IPv6:2001:DB8::25]", "2001:db8::25").answer == "ok"


def test_no_answer_in_time_is_unknown(dns_server: DnsServer) -> None:
    dns_server.add(";! late.example.test silent")
    result = check(dns_server, "late.example.test", question_seconds=0.3)
    assert (result.answer, result.state, result.findings) == ("unknown", State.UNKNOWN, ())


def test_control_characters_are_shown_as_code_points(dns_server: DnsServer) -> None:
    result = check(dns_server, "ma\x1b[31mil.example\u202e.test")
    text = json.dumps([result.facts, result.detail, [finding.data for finding in result.findings]], ensure_ascii=False)
    assert result.answer == "syntax"
    assert "\u202e" not in text
    assert "\\x1b" in result.detail


def test_it_needs_a_name() -> None:
    assert helo.needs(Subject(sending_ip=IP)) == "the name that the sending server gives in HELO"
    assert helo.needs(Subject(helo="localhost")) == ""
