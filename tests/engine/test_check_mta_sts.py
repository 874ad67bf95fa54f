from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from tests.servers.dns import DnsServer
from tests.servers.https import PolicyServer
from tests.servers.zones import Behaviour
from whybounce.checks import mta_sts
from whybounce.checks.guard import parse_networks
from whybounce.checks.https_fetch import Outcome, fetch
from whybounce.checks.mta_sts_policy import matches, parse_policy, parse_txt
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Reach, Tools

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.test\r\nmx: *.mail.example.test\r\nmax_age: 604800\r\n"
RECORD = '_mta-sts 600 TXT "v=STSv1; id=20261125T120000;"\n'
ZONE = "$ORIGIN example.test.\n@ MX 10 mx1\n@ MX 20 a.mail\nmta-sts A 127.0.0.1\n"


@pytest.fixture(scope="module")
def policy_server() -> Iterator[PolicyServer]:
    with PolicyServer("mta-sts.example.test", POLICY) as server:
        yield server


@pytest.fixture(autouse=True)
def clean(policy_server: PolicyServer) -> None:
    policy_server.policy, policy_server.response = POLICY, b""
    policy_server.requests.clear()


def check(
    server: DnsServer, https: PolicyServer | None, zone: str, *, allow: str = "127.0.0.0/8", ca_file: str = "", question_seconds: float = 5
) -> CheckResult:
    server.add(ZONE + zone)
    reach = Reach(https_port=https.port if https else 1, ca_file=ca_file or (https.ca_file if https else ""))
    resolver = Resolver([server.address], allow_networks=parse_networks([allow]), question_seconds=question_seconds)

    async def run() -> CheckResult:
        async with Tools(resolver, reach) as tools:
            return await mta_sts.run(Subject(recipient="anna@example.test"), tools)

    result = asyncio.run(run())
    assert result.state is {declared.slug: declared.state for declared in mta_sts.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def test_a_policy_that_names_all_mx_hosts_is_ok(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == ("ok", {"mtasts.record": "ok"})
    assert result.facts["mode"] == "enforce"
    assert result.facts["id"] == "20261125T120000"
    assert result.facts["policy_mx"] == ["mx1.example.test", "*.mail.example.test"]
    assert (result.facts["ttl"], result.facts["address"]) == (600, "127.0.0.1")
    request = policy_server.requests[0]
    assert (request.line, request.host, request.sni) == ("GET /.well-known/mta-sts.txt HTTP/1.1", "mta-sts.example.test", "mta-sts.example.test")
    assert dns_server.asked_twice() == []
    assert dns_server.count() == 4


def test_no_record_is_none_and_nothing_is_fetched(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    result = check(dns_server, policy_server, '_mta-sts TXT "v=spf1 -all"\n')
    assert (result.answer, found(result)) == ("none", {})
    assert policy_server.requests == []


MISMATCHES = [
    ("enforce", "mx: other.example.test", "mismatch-enforce", "error"),
    ("testing", "mx: other.example.test", "mismatch-testing", "warning"),
    # Mail still gets through by the other host.
    ("enforce", "mx: mx1.example.test", "mismatch-enforce", "warning"),
    # A wildcard stands for one label only.
    ("enforce", "mx: *.example.test", "mismatch-enforce", "warning"),
]


@pytest.mark.parametrize(("mode", "line", "answer", "severity"), MISMATCHES)
def test_an_mx_host_that_the_policy_does_not_name(
    dns_server: DnsServer, policy_server: PolicyServer, mode: str, line: str, answer: str, severity: str
) -> None:
    policy_server.policy = f"version: STSv1\nmode: {mode}\n{line}\nmax_age: 86400\n"
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == (answer, {"mtasts.mx_mismatch": severity})
    assert "a.mail.example.test" in result.detail


def test_mode_none_asks_for_nothing(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    policy_server.policy = "version: STSv1\nmode: none\nmax_age: 86400\n"
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == ("none", {"mtasts.record": "ok"})


@pytest.mark.parametrize(
    ("record", "finding"),
    [
        ('_mta-sts TXT "v=STSv1; id=2026-11-25;"', "mtasts.syntax"),
        ('_mta-sts TXT "v=STSv1;"', "mtasts.syntax"),
        ('_mta-sts TXT "v=STSv1 id=1"', "mtasts.syntax"),
        ('_mta-sts TXT "v=STSv1; id=1;"\n_mta-sts TXT "v=STSv1; id=2;"', "mtasts.multiple"),
    ],
)
def test_a_record_that_cannot_be_used(dns_server: DnsServer, policy_server: PolicyServer, record: str, finding: str) -> None:
    result = check(dns_server, policy_server, record + "\n")
    assert (result.answer, found(result)) == ("invalid", {finding: "warning"})
    assert result.facts["policy"], "the policy is shown all the same"


@pytest.mark.parametrize(
    "policy",
    [
        "version: STSv1\nmode: enforced\nmx: mx1.example.test\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: mx1.example.test\n",
        "mode: enforce\nmx: mx1.example.test\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: mx1.example.test\nmax_age: 99999999\n",
        "version: STSv1\nmode: enforce\nmx: mx1.*.test\nmax_age: 1\n",
        "<html>Welcome</html>",
    ],
)
def test_a_policy_that_cannot_be_used(dns_server: DnsServer, policy_server: PolicyServer, policy: str) -> None:
    policy_server.policy = policy
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == ("invalid", {"mtasts.syntax": "warning"})


def test_a_redirect_is_not_followed(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    policy_server.response = b"HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.example.test:%d/x\r\nContent-Length: 0\r\n\r\n" % policy_server.port
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_redirect": "warning"})
    assert len(policy_server.requests) == 1


def test_a_missing_policy_file(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    policy_server.policy = ""
    result = check(dns_server, policy_server, RECORD)
    assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_unreachable": "warning"})
    assert "404" in result.detail


@pytest.mark.parametrize("zone", ["mta-sts TXT x\n", ""], ids=["no address", "no name"])
def test_a_policy_host_without_an_address(dns_server: DnsServer, zone: str) -> None:
    dns_server.add("$ORIGIN example.test.\n@ MX 10 mx1\n" + RECORD + zone)
    result = asyncio.run(mta_sts.run(Subject(domain="example.test"), Tools(Resolver([dns_server.address]))))
    assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_unreachable": "warning"})


def test_a_port_where_nobody_listens(dns_server: DnsServer) -> None:
    result = check(dns_server, None, RECORD)
    assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_unreachable": "warning"})


def test_a_certificate_for_another_name(dns_server: DnsServer) -> None:
    with PolicyServer("www.example.test", POLICY) as other:
        result = check(dns_server, other, RECORD)
        assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_cert": "warning"})
        assert "mta-sts.example.test" in str(result.findings[0].data["reason"])
        assert other.requests == []


def test_a_certificate_of_an_unknown_authority(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    with PolicyServer("mta-sts.example.test", POLICY) as other:
        result = check(dns_server, policy_server, RECORD, ca_file=other.ca_file)
    assert found(result) == {"mtasts.policy_cert": "warning"}


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"])
def test_an_endless_body_is_read_to_the_cap_only(dns_server: DnsServer, head: bytes) -> None:
    with PolicyServer("mta-sts.example.test", response=head, endless=True) as endless:
        result = check(dns_server, endless, RECORD)
        assert (result.answer, found(result)) == ("unreachable", {"mtasts.policy_too_large": "warning"})
        assert endless.sent < 20_000_000


def test_a_private_address_is_never_connected_to(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    result = check(dns_server, policy_server, RECORD, allow="192.0.2.0/24")
    assert (result.answer, found(result)) == ("unreachable", {"mtasts.non_public_address": "warning"})
    assert policy_server.requests == []


def test_silence_is_unknown(dns_server: DnsServer) -> None:
    with PolicyServer("mta-sts.example.test", silent=True) as silent:

        async def run() -> tuple[Outcome, float]:
            began = time.monotonic()
            fetched = await fetch("https://mta-sts.example.test/x", ["127.0.0.1"], port=silent.port, ca_file=silent.ca_file, seconds=0.4)
            return fetched.outcome, time.monotonic() - began

        outcome, seconds = asyncio.run(run())
        assert outcome is Outcome.UNKNOWN
        assert seconds < 2


def test_a_drip_ends_at_the_deadline() -> None:
    with PolicyServer("mta-sts.example.test", POLICY, drip=0.02) as drip:
        began = time.monotonic()
        fetched = asyncio.run(fetch("https://mta-sts.example.test/x", ["127.0.0.1"], port=drip.port, ca_file=drip.ca_file, seconds=0.5))
        assert fetched.outcome is Outcome.UNKNOWN
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("name", ["_mta-sts.example.test", "mta-sts.example.test", "example.test"])
@pytest.mark.parametrize("behaviour", [Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(silent=True)], ids=str)
def test_what_dns_does_not_answer_is_unknown(dns_server: DnsServer, policy_server: PolicyServer, name: str, behaviour: Behaviour) -> None:
    dns_server.behave(name, behaviour)
    result = check(dns_server, policy_server, RECORD, question_seconds=0.4)
    assert (result.answer, found(result)) == ("unknown", {})


def test_a_reply_that_is_no_http(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    policy_server.response = b"220 mx.example.test ESMTP\r\n"
    result = check(dns_server, policy_server, RECORD)
    assert found(result) == {"mtasts.policy_unreachable": "warning"}


def test_what_strangers_write_is_shown_escaped(dns_server: DnsServer, policy_server: PolicyServer) -> None:
    policy_server.policy = "version: STSv1\nmode: \x1b[31m\u202eenforce\nmx: mx1.example.test\nmax_age: 1\n"
    result = check(dns_server, policy_server, RECORD)
    assert "\x1b" not in json.dumps([result.facts, result.detail], ensure_ascii=False)
    assert "\\x1b" in result.detail


def test_proxies_of_the_environment_are_not_used(dns_server: DnsServer, policy_server: PolicyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert check(dns_server, policy_server, RECORD).answer == "ok"


def test_it_needs_a_domain() -> None:
    assert mta_sts.needs(Subject(sending_ip="192.0.2.1")) == "the recipient's domain"
    assert mta_sts.needs(Subject(recipient="anna@example.test")) == ""


def test_wildcards_stand_for_the_leftmost_label() -> None:
    assert matches("MX1.example.com.", ["*.example.com"])
    assert not matches("a.b.example.com", ["*.example.com"])
    assert not matches("example.com", ["*.example.com"])
    assert not matches("com", ["*."])


@pytest.mark.parametrize("text", ["v=STSv1; id=1;", "v=STSv1;id=1", "v=STSv1 ; id = 1 ; other=x;", "v=STSv1; id=1; a=b"])
def test_records_that_the_grammar_allows(text: str) -> None:
    assert parse_txt(text).problem == ""
    assert parse_txt(text).id == "1"


def test_empty_lines_and_further_fields_do_no_harm() -> None:
    policy = parse_policy("version: STSv1\n\nmode:testing\nmx:MX.Example.com\nmax_age: 1\nfuture: x\n\n")
    assert (policy.problems, policy.mx, policy.max_age) == ((), ("mx.example.com",), 1)
