from __future__ import annotations

import asyncio
import json

import pytest

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour, txt
from whybounce.checks import tls_rpt
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Tools


def check(server: DnsServer, *texts: str, question_seconds: float = 5) -> CheckResult:
    server.add("".join(f'example.test. TXT "x"\n{txt("_smtp._tls.example.test.", text)}' for text in texts) or 'example.test. TXT "x"\n')
    result = asyncio.run(tls_rpt.run(Subject(domain="example.test"), Tools(Resolver([server.address], question_seconds=question_seconds))))
    assert result.state is {declared.slug: declared.state for declared in tls_rpt.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1; rua=mailto:reports@example.test",
        "v=TLSRPTv1;rua=mailto:a@example.test,https://reports.example.test/v1;",
        "v=TLSRPTv1; rua=mailto:a@example.test , mailto:b@example.test; ext=1",
    ],
)
def test_a_record_by_the_grammar_is_ok(dns_server: DnsServer, text: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result)) == ("ok", {"tlsrpt.ok": "ok"})
    assert result.facts["records"] == [text]
    assert dns_server.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1;",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; rua=reports@example.test",
        "v=TLSRPTv1; rua=mailto:",
        "v=TLSRPTv1; rua=ftp://example.test/",
        "v=TLSRPTv1 rua=mailto:a@example.test",
        "v=tlsrptv1; rua=mailto:a@example.test",
        "v=TLSRPTv1; rua:mailto:a@example.test",
        "v=TLSRPTv1; rua=mailto:a@example.test,",
    ],
)
def test_a_record_that_cannot_be_used(dns_server: DnsServer, text: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result)) == ("invalid", {"tlsrpt.syntax": "warning"})


def test_two_records_count_as_none(dns_server: DnsServer) -> None:
    dns_server.add("".join(f'_smtp._tls.example.test. TXT "v=TLSRPTv1; rua=mailto:{name}@example.test"\n' for name in "ab"))
    result = check(dns_server)
    assert (result.answer, found(result)) == ("invalid", {"tlsrpt.syntax": "warning"})
    assert len(result.facts["records"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("texts", [(), ("v=spf1 -all",)], ids=["no name", "another record"])
def test_no_record_is_none_and_no_mistake(dns_server: DnsServer, texts: tuple[str, ...]) -> None:
    result = check(dns_server, *texts)
    assert (result.answer, found(result)) == ("none", {})


@pytest.mark.parametrize("behaviour", [Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(silent=True)], ids=str)
def test_what_dns_does_not_answer_is_unknown(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("*", behaviour)
    result = check(dns_server, question_seconds=0.4)
    assert (result.answer, found(result)) == ("unknown", {})


def test_control_characters_are_shown_escaped(dns_server: DnsServer) -> None:
    result = check(dns_server, "v=TLSRPTv1; rua=mailto:\x1b[31m@example.test")
    assert "\x1b" not in json.dumps([result.facts, result.detail, [finding.data for finding in result.findings]], ensure_ascii=False)
