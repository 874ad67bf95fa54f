from __future__ import annotations

import asyncio
import base64
import json
import time

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour, txt
from whybounce.checks import dmarc
from whybounce.checks.dmarc_record import is_begun, is_meant, is_record, parse_record
from whybounce.checks.dmarc_walk import walk_names
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.runner import run_all
from whybounce.checks.tools import Tools

IP = "192.0.2.1"
KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
KEY_RECORD = f"v=DKIM1; p={PUBLIC}"
MAIL = b"From: Anna <anna@example.test>\r\nTo: bo@example.org\r\nSubject: Minutes\r\n\r\nDear Bo,\r\n\r\nhere they are.\r\n"
PROVIDER = 'provider.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n' + txt("sel._domainkey.provider.test.", KEY_RECORD)
OWN_SPF = 'example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n'
REJECT = '_dmarc.example.test. 120 TXT "v=DMARC1; p=reject"\n'


def check(
    server: DnsServer,
    zone: str = "",
    *selectors: str,
    header_from: str = "anna@example.test",
    message: bytes = b"",
    question_seconds: float = 5,
    max_queries: int = 100,
    **more: str,
) -> CheckResult:
    server.add(zone)
    subject = Subject(header_from=header_from, selectors=selectors, **more)

    async def run() -> CheckResult:
        resolver = Resolver([server.address], question_seconds=question_seconds, max_queries=max_queries)
        async with Tools(resolver, message=message) as tools:
            return await dmarc.run(subject, tools)

    result = asyncio.run(run())
    assert result.state is {declared.slug: declared.state for declared in dmarc.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def sign(domain: bytes, selector: bytes = b"sel", message: bytes = MAIL) -> bytes:
    secret = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return bytes(dkimpy.sign(message, selector, domain, secret, canonicalize=(b"relaxed", b"relaxed"))) + message


POLICY, NONE = {"dmarc.policy": "ok"}, {"dmarc.policy_none": "info"}
RECORDS = [
    (["v=DMARC1; p=reject"], "policy", POLICY),
    (["v=DMARC1;p=quarantine;"], "policy", POLICY),
    (["V = DMARC1 ; P = Reject"], "policy", POLICY),
    (["v=DMARC1; p=none"], "policy", NONE),
    (["v=DMARC1"], "policy", NONE),
    (["v=DMARC1; sp=reject"], "policy", NONE | {"dmarc.policy_sp": "info"}),
    (["v=DMARC1; p=reject; sp=none"], "policy", POLICY | {"dmarc.policy_sp": "info"}),
    (["v=DMARC1; p=reject", "v=spf1 -all"], "policy", POLICY),
    (["v=DMARC1; p=rejct"], "invalid", {"dmarc.syntax": "error"}),
    (["v=DMARC1; p=rejct; rua=mailto:a@example.test"], "invalid", {"dmarc.syntax": "error"}),
    (["v=DMARC1; p=reject; sp=none,"], "invalid", {"dmarc.syntax": "error"}),
    (["v=DMARC1; p=reject rua=mailto:a@example.test"], "invalid", {"dmarc.syntax": "error"}),
    (["v=DMARC1 p=reject"], "invalid", {"dmarc.syntax": "error"}),
    (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "invalid", {"dmarc.multiple": "error"}),
    (["v=DMARC1; p=reject; t=y"], "policy", POLICY | {"dmarc.testing": "info"}),
    (["v=DMARC1; p=reject; pct=50; ri=86400; rf=afrf"], "policy", POLICY | {"dmarc.tag_removed": "info"}),
    (["v=DMARC1; p=reject; adkim=strict; fo=x; unknown=1; nonsense"], "policy", POLICY),
    (["p=reject; v=DMARC1"], "none", {"dmarc.none": "warning"}),
    (["DMARC1; p=reject"], "none", {"dmarc.none": "warning"}),
    (["v=dmarc1; p=reject"], "none", {"dmarc.none": "warning"}),
    (["v=DMARC12; p=reject"], "none", {"dmarc.none": "warning"}),
    ([], "none", {"dmarc.none": "warning"}),
]
ACCEPTS = "example.test. MX 10 mx.example.test.\nmx.example.test. A 192.0.2.1\n"


@pytest.mark.parametrize(("records", "answer", "findings"), RECORDS, ids=[" + ".join(records)[:50] or "no record" for records, _, _ in RECORDS])
def test_it_judges_the_record_of_a_domain(dns_server: DnsServer, records: list[str], answer: str, findings: dict[str, str]) -> None:
    result = check(dns_server, ACCEPTS + "".join(txt("_dmarc.example.test.", record) for record in records))
    assert (result.answer, found(result)) == (answer, findings)
    assert dns_server.asked_twice() == []


def test_the_facts_hold_what_a_person_reads_and_what_a_new_record_is_made_from(dns_server: DnsServer) -> None:
    facts = check(dns_server, REJECT + '_dmarc.example.test. TXT "x"\nexample.test. A 192.0.2.1').facts
    assert facts["records"] == ["v=DMARC1; p=reject"]
    assert (facts["ttl"], facts["server"], facts["above"]) == (120, f"127.0.0.1:{dns_server.port}", "")
    assert (facts["policy"], facts["effective"], facts["tag"], facts["organisation"]) == ("reject", "reject", "p", "example.test")


def test_a_trial_asks_for_one_level_less(dns_server: DnsServer) -> None:
    facts = check(dns_server, '_dmarc.example.test. TXT "v=DMARC1; p=quarantine; t=y"').facts
    assert (facts["policy"], facts["effective"]) == ("quarantine", "none")


def test_a_policy_that_is_none_counts_as_none_only_where_reports_are_asked_for(dns_server: DnsServer) -> None:
    zone = PROVIDER + ACCEPTS
    result = verdict(dns_server, zone + '_dmarc.example.test. TXT "v=DMARC1; p=rejct"', "s@provider.test", mail_from="b@provider.test")
    assert "ignore the record" in result.detail
    assert "dmarc.fail_misaligned" not in found(result)
    record = '_dmarc.example.test. TXT "v=DMARC1; p=reject; sp=rejct; rua=mailto:a@example.test"'
    result = verdict(dns_server, zone + record, "s@provider.test", mail_from="b@provider.test")
    assert (result.answer, result.facts["effective"]) == ("invalid", "none")
    assert "take it as p=none" in result.detail
    assert "This mail fails" in result.detail


BELOW = "anna@news.example.test"
WALKS = [
    # (zone, From, answer, findings, where the record is, organisation)
    ('news.example.test. A 192.0.2.1\n_dmarc.example.test. TXT "v=DMARC1; p=reject"', BELOW, "policy", {"dmarc.policy_walk": "ok"}, "example.test"),
    (
        'news.example.test. A 192.0.2.1\n_dmarc.example.test. TXT "v=DMARC1; p=none; sp=reject"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok", "dmarc.policy_sp": "info"},
        "example.test",
    ),
    (
        'example.test. A 192.0.2.1\n_dmarc.example.test. TXT "v=DMARC1; p=none; np=reject"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok", "dmarc.policy_np": "error"},
        "example.test",
    ),
    (
        'news.example.test. A 192.0.2.1\n_dmarc.example.test. TXT "v=DMARC1; p=none; np=reject"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok", "dmarc.policy_none": "info"},
        "example.test",
    ),
    ('_dmarc.news.example.test. TXT "v=DMARC1; p=reject"', "a@x.y.news.example.test", "policy", {"dmarc.policy_walk": "ok"}, "news.example.test"),
    # The policy is that of the organisation, although a record is nearer: RFC 9989 section 4.10.1.
    (
        '_dmarc.news.example.test. TXT "v=DMARC1; p=none"\n_dmarc.example.test. TXT "v=DMARC1; p=reject"',
        "a@x.news.example.test",
        "policy",
        {"dmarc.policy_walk": "ok"},
        "example.test",
    ),
    (
        '_dmarc.news.example.test. TXT "v=DMARC1; p=quarantine; psd=n"\n_dmarc.example.test. TXT "v=DMARC1; p=reject"',
        "a@x.news.example.test",
        "policy",
        {"dmarc.policy_walk": "ok"},
        "news.example.test",
    ),
    # A name that is an alias exists, whatever becomes of the alias.
    (
        'news.example.test. CNAME gone.test.\n_dmarc.example.test. TXT "v=DMARC1; p=none; np=reject"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok", "dmarc.policy_none": "info"},
        "example.test",
    ),
    # A public suffix with a policy: the domain one below is the organisation; its own record goes first.
    (
        '_dmarc.test. TXT "v=DMARC1; p=none; np=reject; psd=y"\n_dmarc.example.test. TXT "v=DMARC1; p=quarantine"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok"},
        "example.test",
    ),
    (
        'news.example.test. A 192.0.2.1\n_dmarc.test. TXT "v=DMARC1; p=reject; psd=y"',
        BELOW,
        "policy",
        {"dmarc.policy_walk": "ok"},
        "test",
    ),
    ('_dmarc.example.test. TXT "v=DMARC1; p=reject"\n_dmarc.example.test. TXT "v=DMARC1; p=none"', BELOW, "invalid", {"dmarc.multiple": "error"}, ""),
]


@pytest.mark.parametrize(("zone", "header_from", "answer", "findings", "at"), WALKS)
def test_the_walk_finds_the_record_that_holds(
    dns_server: DnsServer, zone: str, header_from: str, answer: str, findings: dict[str, str], at: str
) -> None:
    result = check(dns_server, zone, header_from=header_from)
    assert (result.answer, found(result), result.facts.get("above", "")) == (answer, findings, at)


def test_twelve_labels_take_at_most_eight_queries_all_at_once(dns_server: DnsServer) -> None:
    dns_server.behave("*", Behaviour(delay=0.3))
    began = time.monotonic()
    result = check(dns_server, '_dmarc.i.j.example.test. TXT "v=DMARC1; p=reject"', header_from="anna@a.b.c.d.e.f.g.h.i.j.example.test")
    assert time.monotonic() - began < 0.9
    assert (result.answer, found(result)) == ("policy", {"dmarc.policy_walk": "ok"})
    asked = [query.name for query in dns_server.queries if query.name.startswith("_dmarc.")]
    assert len(asked) == 8
    assert {"_dmarc.a.b.c.d.e.f.g.h.i.j.example.test", "_dmarc.f.g.h.i.j.example.test", "_dmarc.test"} <= set(asked)
    assert "_dmarc.e.f.g.h.i.j.example.test" not in asked


@pytest.mark.parametrize("count", range(1, 14))
def test_the_names_of_the_walk(count: int) -> None:
    domain = ".".join(f"l{number}" for number in range(count, 0, -1))
    names = walk_names(domain)
    assert names[0] == domain
    assert names[1:] == [".".join(f"l{number}" for number in range(top, 0, -1)) for top in range(min(7, count - 1), 0, -1)]


def test_a_record_at_the_domain_itself(dns_server: DnsServer) -> None:
    result = check(dns_server, 'example.test. TXT "v=DMARC1; p=reject"')
    assert (result.answer, found(result)) == ("none", {"dmarc.none": "warning", "dmarc.wrong_location": "warning"})
    assert found(check(dns_server, REJECT)) == POLICY


@pytest.mark.parametrize("behaviour", [Behaviour(silent=True), Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(garbage=True)])
def test_what_dns_does_not_answer_is_temperror_and_never_none(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("_dmarc.example.test", behaviour)
    result = check(dns_server, "example.test. A 192.0.2.1", question_seconds=0.5)
    assert (result.answer, found(result)) == ("temperror", {"dmarc.temperror": "unknown"})
    assert "records" not in result.facts


def test_a_domain_above_that_dns_does_not_answer_is_temperror_only_where_it_matters(dns_server: DnsServer) -> None:
    dns_server.behave("_dmarc.example.test", Behaviour(rcode="servfail"))
    result = check(dns_server, header_from=BELOW)
    assert (result.answer, found(result)) == ("temperror", {"dmarc.temperror": "unknown"})
    assert check(dns_server, '_dmarc.news.example.test. TXT "v=DMARC1; p=reject"', header_from=BELOW).answer == "policy"


def test_a_top_level_domain_that_fails_takes_nothing_away(dns_server: DnsServer) -> None:
    dns_server.behave("_dmarc.test", Behaviour(rcode="refused"))
    assert check(dns_server).answer == "none"
    assert check(dns_server, REJECT).answer == "policy"


def test_what_was_not_asked_is_unknown(dns_server: DnsServer) -> None:
    result = check(dns_server, REJECT, max_queries=0)
    assert (result.answer, found(result)) == ("unknown", {"dmarc.temperror": "unknown"})


RUA = '_dmarc.example.test. TXT "v=DMARC1; p=reject; rua=mailto:a@{}"\n'
REPORTS = [
    (RUA.format("example.test") + ACCEPTS, {}),
    (RUA.format("reports.example.test") + "reports.example.test. A 192.0.2.1", {}),
    (RUA.format("other.test!10m") + 'other.test. MX 10 mx.other.test.\nexample.test._report._dmarc.other.test. TXT "v=DMARC1"', {}),
    (RUA.format("other.test") + 'other.test. AAAA 2001:db8::1\n*._report._dmarc.other.test. TXT "v=DMARC1;"', {}),
    (RUA.format("other.test") + "other.test. MX 10 mx.other.test.", {"dmarc.rua_unauthorised": "warning"}),
    (
        RUA.format("other.test") + 'other.test. MX 10 mx.other.test.\nexample.test._report._dmarc.other.test. TXT "v=spf1"',
        {"dmarc.rua_unauthorised": "warning"},
    ),
    (RUA.format("reports.example.test"), {"dmarc.rua_no_mx": "warning"}),
    (RUA.format("reports.example.test") + "reports.example.test. MX 0 .", {"dmarc.rua_no_mx": "warning"}),
    (RUA.format("gone.test"), {"dmarc.rua_unauthorised": "warning", "dmarc.rua_no_mx": "warning"}),
    (RUA.format("other.test") + ";! *.other.test servfail\n;! other.test servfail", {}),
    ('_dmarc.example.test. TXT "v=DMARC1; p=reject; rua=https://reports.test/x, mailto:%61@example.test"\n' + ACCEPTS, {}),
    ('_dmarc.example.test. TXT "v=DMARC1; p=reject; rua=anna@other.test"\n', {}),
]


PSD = '_dmarc.test. TXT "v=DMARC1; p=reject; psd=y; rua=mailto:a@{}"\nexample.test. A 192.0.2.1\n'


@pytest.mark.parametrize("to", ["test.invalid", "other.test", "example.test"])
def test_a_public_suffix_needs_the_agreement_of_those_below_it(dns_server: DnsServer, to: str) -> None:
    result = check(dns_server, PSD.format(to) + f"{to}. MX 10 mx.example.test.")
    assert found(result)["dmarc.rua_unauthorised"] == "warning"
    dns_server.add(f'test._report._dmarc.{to}. TXT "v=DMARC1"')
    assert "dmarc.rua_unauthorised" not in found(check(dns_server))


@pytest.mark.parametrize(("zone", "findings"), REPORTS, ids=[zone[50:130].replace("\n", "; ") for zone, _ in REPORTS])
def test_reports_can_reach_those_that_are_named(dns_server: DnsServer, zone: str, findings: dict[str, str]) -> None:
    result = check(dns_server, zone, question_seconds=0.5)
    assert (result.answer, found(result)) == ("policy", POLICY | findings)
    assert dns_server.asked_twice() == []


def test_what_is_no_address_for_reports_is_told(dns_server: DnsServer) -> None:
    zone = '_dmarc.example.test. TXT "v=DMARC1; p=reject; rua=anna@other.test; adkim=strict; oops"'
    assert check(dns_server, zone).facts["ignored"] == ["oops", "adkim=strict", "rua=anna@other.test"]


def test_a_huge_record_is_cut(dns_server: DnsServer) -> None:
    result = check(dns_server, txt("_dmarc.example.test.", "v=DMARC1; p=reject" + "; x" * 20_000))
    assert (result.answer, found(result)) == ("policy", POLICY)
    assert len(json.dumps([result.facts, [finding.data for finding in result.findings]])) < 30_000


def verdict(dns_server: DnsServer, zone: str, *selectors: str, **more: str) -> CheckResult:
    return check(dns_server, zone, *selectors, **({"sending_ip": IP} | more))  # type: ignore[arg-type]


def test_spf_and_dkim_of_the_provider_only(dns_server: DnsServer) -> None:
    result = verdict(dns_server, REJECT + PROVIDER, "sel@provider.test", mail_from="bounce@provider.test")
    assert (result.answer, found(result)) == ("fail-reject", POLICY | {"dmarc.fail_misaligned": "error"})
    finding = next(finding for finding in result.findings if finding.finding == "dmarc.fail_misaligned")
    assert finding.data["certain"] is True
    assert [(item["by"], item["domain"], item["result"], item["aligned"]) for item in result.facts["by"]] == [  # type: ignore[index,union-attr,call-overload]
        ("spf", "provider.test", "pass", False),
        ("dkim", "provider.test", "unknown", False),
    ]


def test_the_domain_of_mail_from_is_misaligned_whoever_sends(dns_server: DnsServer) -> None:
    result = verdict(dns_server, REJECT + PROVIDER, "sel@provider.test", mail_from="bounce@provider.test", sending_ip="")
    assert result.answer == "fail-reject"


STRICT = '_dmarc.example.test. TXT "v=DMARC1; p=reject; aspf=s"\nbounce.example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n'


def test_strict_alignment_and_a_sub_domain_as_mail_from(dns_server: DnsServer) -> None:
    result = verdict(dns_server, STRICT, mail_from="b@bounce.example.test")
    assert (result.answer, found(result)) == ("policy", POLICY | {"dmarc.fail_misaligned": "error"})
    assert "Whether a DKIM signature of this domain passes is not known" in result.detail
    result = verdict(dns_server, STRICT, "sel@provider.test", mail_from="b@bounce.example.test")
    assert (result.answer, found(result)["dmarc.fail_misaligned"]) == ("fail-reject", "error")


def test_a_bounce_without_its_signatures_is_not_said_to_fail(dns_server: DnsServer) -> None:
    result = verdict(dns_server, STRICT, mail_from="b@bounce.example.test", reply="550 5.7.26 unauthenticated")
    assert (result.answer, found(result)) == ("policy", POLICY)


def test_strict_alignment_of_dkim_is_another_tag(dns_server: DnsServer) -> None:
    keys = txt("sel._domainkey.mail.example.test.", KEY_RECORD)
    for tag, answer in (("adkim=s", "fail-reject"), ("aspf=s", "pass")):
        zone = f'_dmarc.example.test. TXT "v=DMARC1; p=reject; {tag}"\n' + PROVIDER + keys
        message = sign(b"mail.example.test")
        assert verdict(dns_server, zone, mail_from="b@provider.test", message=message).answer == answer  # type: ignore[arg-type]


def test_alignment_that_dns_does_not_tell_is_no_verdict(dns_server: DnsServer) -> None:
    zone = REJECT + 'bounce.example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n;! _dmarc.bounce.example.test servfail\n'
    result = verdict(dns_server, zone, "sel@x.test", mail_from="b@bounce.example.test")
    assert (result.answer, found(result)) == ("policy", POLICY)
    assert "may be aligned" in result.detail


def test_relaxed_alignment_by_a_sub_domain_passes(dns_server: DnsServer) -> None:
    zone = REJECT + 'bounce.example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n'
    result = verdict(dns_server, zone, mail_from="b@bounce.example.test")
    assert (result.answer, found(result)) == ("pass", POLICY | {"dmarc.pass": "ok"})
    # Two sub-domains of one organisation are aligned, too.
    result = verdict(dns_server, "news.example.test. A 192.0.2.1", mail_from="b@bounce.example.test", header_from=BELOW)
    assert (result.answer, found(result)) == ("pass", {"dmarc.policy_walk": "ok", "dmarc.pass": "ok"})


def test_a_sub_domain_that_is_its_own_organisation_is_not_aligned(dns_server: DnsServer) -> None:
    zone = REJECT + 'bounce.example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n_dmarc.bounce.example.test. TXT "v=DMARC1; p=none; psd=n"\n'
    assert verdict(dns_server, zone, "s@x.test", mail_from="b@bounce.example.test").answer == "fail-reject"


def test_neighbours_below_a_public_suffix_are_not_aligned(dns_server: DnsServer) -> None:
    zone = '_dmarc.test. TXT "v=DMARC1; p=reject; psd=y"\n' + PROVIDER
    assert verdict(dns_server, zone, "sel@provider.test", mail_from="b@provider.test").answer == "fail-reject"


@pytest.mark.parametrize(("policy", "answer"), [("quarantine", "fail-quarantine"), ("none", "fail-none"), ("reject; t=y", "fail-quarantine")])
def test_a_mail_that_fails_meets_the_policy(dns_server: DnsServer, policy: str, answer: str) -> None:
    zone = f'_dmarc.example.test. TXT "v=DMARC1; p={policy}"\n' + PROVIDER
    assert verdict(dns_server, zone, "sel@provider.test", mail_from="b@provider.test").answer == answer


OWN_KEY = txt("sel._domainkey.example.test.", KEY_RECORD)
SPF_FAILS = 'example.test. TXT "v=spf1 -all"\n'
CERTAINTY = [
    # (zone, selectors, answer): SPF fails for From's own domain.
    (REJECT + SPF_FAILS, (), "policy"),
    (REJECT + SPF_FAILS + OWN_KEY, ("sel",), "policy"),
    (REJECT + SPF_FAILS, ("sel",), "fail-reject"),
    (REJECT + SPF_FAILS + 'sel._domainkey.example.test. TXT "v=DKIM1; p="', ("sel",), "fail-reject"),
    (REJECT + SPF_FAILS + ";! sel._domainkey.example.test servfail", ("sel",), "policy"),
    (REJECT + SPF_FAILS + PROVIDER, ("sel@provider.test",), "fail-reject"),
    (REJECT + SPF_FAILS + PROVIDER + OWN_KEY, ("sel@provider.test", "sel"), "policy"),
    (REJECT + 'example.test. TXT "v=spf1 include:dead.test -all"\n;! dead.test servfail\n' + PROVIDER, ("sel@provider.test",), "policy"),
    (REJECT + OWN_SPF, (), "pass"),
    (REJECT + OWN_SPF + PROVIDER, ("sel@provider.test",), "pass"),
    (REJECT + PROVIDER, ("sel@provider.test",), "fail-reject"),
]


@pytest.mark.parametrize(("zone", "selectors", "answer"), CERTAINTY)
def test_it_fails_only_where_that_is_certain(dns_server: DnsServer, zone: str, selectors: tuple[str, ...], answer: str) -> None:
    result = verdict(dns_server, zone, *selectors, mail_from="anna@example.test", question_seconds=0.5)  # type: ignore[arg-type]
    assert result.answer == answer
    assert ("dmarc.fail_misaligned" in found(result)) == answer.startswith("fail")


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (sign(b"example.test"), "pass"),
        (sign(b"mail.example.test"), "pass"),
        (sign(b"provider.test"), "fail-reject"),
        (sign(b"provider.test", message=sign(b"example.test")), "pass"),
        (sign(b"example.test").replace(b"Minutes", b"minutes"), "fail-reject"),
        # A report may return the mail cut short: that its body differs proves nothing.
        (sign(b"example.test").replace(b"here they are.\r\n", b""), "policy"),
        (sign(b"example.test").partition(b"\r\n\r\n")[0] + b"\r\n\r\n", "policy"),
        (MAIL, "fail-reject"),
    ],
)
def test_a_signature_counts_only_where_it_was_verified(dns_server: DnsServer, message: bytes, answer: str) -> None:
    zone = REJECT + PROVIDER + OWN_KEY + txt("sel._domainkey.mail.example.test.", KEY_RECORD)
    assert verdict(dns_server, zone, mail_from="b@provider.test", message=message).answer == answer  # type: ignore[arg-type]


def test_the_null_sender_counts_by_its_ehlo_name(dns_server: DnsServer) -> None:
    zone = REJECT + 'mail.example.test. TXT "v=spf1 ip4:192.0.2.1 -all"\n'
    assert verdict(dns_server, zone, mail_from="<>", helo="mail.example.test").answer == "pass"
    # Of another mail the EHLO name does not count.
    assert verdict(dns_server, zone + PROVIDER, "sel@provider.test", mail_from="b@provider.test", helo="mail.example.test").answer == "fail-reject"


def test_without_mail_from_or_from_nothing_is_judged(dns_server: DnsServer) -> None:
    result = verdict(dns_server, REJECT + PROVIDER, "sel@provider.test")
    assert (result.answer, found(result)) == ("policy", POLICY)
    result = verdict(dns_server, OWN_SPF, header_from="", mail_from="anna@example.test")
    assert (result.answer, found(result)) == ("policy", POLICY)
    assert "MAIL FROM was looked at" in result.detail


@pytest.mark.parametrize(
    ("subject", "lacking"),
    [
        (Subject(header_from="Anna <anna@example.test>"), ""),
        (Subject(mail_from="anna@example.test", recipient="bo@example.org"), ""),
        (Subject(domain="example.test"), ""),
        (Subject(domain="example.test", recipient="bo@example.test"), "the address in From"),
        (Subject(mail_from="<>", sending_ip=IP), "the address in From"),
    ],
)
def test_the_recipients_domain_is_never_the_authors(subject: Subject, lacking: str) -> None:
    assert dmarc.needs(subject) == lacking


@pytest.mark.parametrize("header_from", ["anna@localhost", "anna@192.0.2.1", "anna@a..b", "anna@" + "x" * 64 + ".test", "anna@exa mple.test"])
def test_what_is_no_domain_is_unknown_with_a_sentence(dns_server: DnsServer, header_from: str) -> None:
    result = check(dns_server, header_from=header_from)
    assert (result.answer, result.findings, dns_server.count()) == ("unknown", (), 0)


def test_a_domain_too_long_for_its_record_has_none_of_its_own(dns_server: DnsServer) -> None:
    domain = ".".join(["x" * 60, "y" * 60, "z" * 60, "w" * 55, "example.test"])
    assert check(dns_server, REJECT, header_from=f"a@{domain}").facts["above"] == "example.test"


def test_spf_dkim_and_dmarc_ask_and_evaluate_once_and_wait_for_the_longest_chain(dns_server: DnsServer) -> None:
    """TXT, TXT of the include, its MX, their addresses: DMARC and DKIM are done meanwhile."""
    dns_server.behave("*", Behaviour(delay=0.3))
    dns_server.add(
        RUA.format("reports.test")
        + "reports.test. A 192.0.2.1\n"
        + txt("sel._domainkey.example.test.", KEY_RECORD)
        + 'example.test. TXT "v=spf1 include:spf.test -all"\nspf.test. TXT "v=spf1 mx -all"\nspf.test. MX 10 mx.spf.test.\nmx.spf.test. A 192.0.2.1\n'
    )
    subject = Subject(header_from="a@example.test", mail_from="b@example.test", sending_ip=IP, selectors=("sel",), helo="mail.example.test")

    async def collect() -> list[CheckResult]:
        async with Tools(Resolver([dns_server.address])) as tools:
            return await run_all(["spf", "dkim", "dmarc"], subject, tools)

    began = time.monotonic()
    answers = [result.answer for result in asyncio.run(collect())]
    assert answers == ["pass", "ok", "pass"]
    assert dns_server.asked_twice() == []
    assert time.monotonic() - began < 4 * 0.3 + 0.5


@given(st.one_of(st.binary(max_size=200), st.text("v=DMARC1;psnrua to:@,!.reject \t", max_size=200).map(str.encode)))
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    for text in (data, b"v=DMARC1;" + data, b"v=DMARC1; p=reject; rua=" + data):
        is_record(text), is_begun(text), is_meant(text)
        record = parse_record(text)
        for below in (True, False):
            record.policy(below=below, exists=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=3))
def test_no_records_make_the_check_fail(records: list[bytes]) -> None:
    with DnsServer() as server:
        server.add("".join(txt("_dmarc.example.test.", b"v=DMARC1;" + record) for record in records))
        assert "fault" not in check(server).detail
