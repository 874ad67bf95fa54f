from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks import provider
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Tools
from whybounce.snapshot import Provider

PROVIDERS = (
    Provider("microsoft365", "Microsoft 365", "mailbox", mx_suffixes=(".mail.protection.outlook.com",)),
    Provider("outlook-consumer", "Outlook.com", "mailbox", mx_suffixes=(".olc.protection.outlook.com",), domains=("outlook.com",)),
    Provider("google", "Google", "mailbox", mx_suffixes=(".google.com", ".googlemail.com"), domains=("gmail.com",)),
    Provider("proofpoint", "Proofpoint", "gateway", mx_suffixes=(".pphosted.com",)),
    Provider("forward", "Forward", "forwarder", mx_suffixes=("mx.forward.test",)),
    Provider("mails", "Mails", "esp", mx_suffixes=(".mails.test",)),
    Provider("deep", "Deep", "gateway", mx_suffixes=(".gate.google.com",)),
    Provider("broad", "Broad", "mailbox", mx_suffixes=(".gate.test",)),
    Provider("narrow", "Narrow", "gateway", mx_suffixes=(".eu.gate.test",)),
    Provider("late", "Late", "mailbox", mx_suffixes=("gate.test",)),
)


def check(server: DnsServer, zone: str, domain: str = "example.test", question_seconds: float = 5) -> CheckResult:
    server.add("$ORIGIN example.test.\n" + zone)
    result = asyncio.run(
        provider.run(Subject(domain=domain), Tools(Resolver([server.address], question_seconds=question_seconds), providers=PROVIDERS))
    )
    assert result.state is {declared.slug: declared.state for declared in provider.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    assert result.findings == ()
    json.dumps(result.facts)
    return result


MAILBOXES = [
    ("@ MX 10 example-test.mail.protection.outlook.com.", "microsoft365"),
    ("@ MX 10 smtp.google.com.", "google"),
    ("@ MX 5 ALT1.ASPMX.L.GOOGLE.com.\n@ MX 10 mx.example.test.", "google"),
    ("@ MX 10 in.mails.test.", "mails"),
    ("@ MX 10 mx\nmx CNAME smtp.google.com.\nsmtp.google.com. A 8.8.8.8", "google"),
]


@pytest.mark.parametrize(("zone", "slug"), MAILBOXES)
def test_a_mailbox_provider_is_known_by_its_hosts(dns_server: DnsServer, zone: str, slug: str) -> None:
    result = check(dns_server, zone + "\n")
    assert (result.answer, result.facts["provider"], result.facts["gateway"]) == ("mailbox", slug, "")
    assert str(result.facts["name"]) in result.detail


OWN = [
    ("@ MX 10 mx\nmx A 8.8.8.8", "of its own: mx.example.test"),
    ("@ MX 10 mail.host.invalid.", "none of the providers that are known"),
    ("@ MX 10 notgoogle.com.", "none of the providers that are known"),
    ("@ MX 10 mx\n@ MX 20 smtp.google.com.", "of its own: mx.example.test"),
    ("@ A 8.8.8.8", "its own host"),
    ("@ MX 10 192.0.2.1.", "none of the providers"),
]


@pytest.mark.parametrize(("zone", "words"), OWN)
def test_other_hosts_are_own(dns_server: DnsServer, zone: str, words: str) -> None:
    result = check(dns_server, zone + "\n")
    assert (result.answer, result.facts["provider"]) == ("own", "")
    assert words in result.detail


def test_a_sub_domain_whose_mx_lies_at_the_domain_above_has_its_own(dns_server: DnsServer) -> None:
    result = check(dns_server, "lists MX 10 mx\nmx A 8.8.8.8\n", "lists.example.test")
    assert "of its own" in result.detail


GATE = "@ MX 10 mx0a.pphosted.com.\n"
BEHIND = [
    ('@ TXT "v=spf1 include:spf.protection.outlook.com -all"', "microsoft365", "probably at Microsoft 365 (SPF names spf.protection.outlook.com)"),
    ('@ TXT "v=spf1 ip4:192.0.2.1 ?include:_spf.google.com ~all"', "google", "probably at Google"),
    ('@ TXT "v=spf1 redirect=_spf.google.com"', "google", "probably at Google"),
    ("autodiscover CNAME autodiscover.outlook.com.", "microsoft365", "probably at Microsoft 365 (autodiscover is an alias of"),
    ('@ TXT "MS=ms12345678"', "microsoft365", "probably at Microsoft 365 (TXT MS=ms12345678)"),
    ('@ TXT "google-site-verification=abc"', "google", "perhaps at Google"),
    ('@ TXT "google-site-verification=abc"\n@ TXT "MS=ms1"', "microsoft365", "probably at Microsoft 365 ("),
    (
        '@ TXT "v=spf1 include:_spf.google.com include:spf.protection.outlook.com -all"\n@ TXT "MS=ms1"',
        "microsoft365",
        "probably at Microsoft 365 or Google",
    ),
    ('@ TXT "v=spf1 include:spf.sender.invalid -all"', "", "where the mailboxes are, DNS does not tell"),
    ('@ TXT "v=spf1 include:%{d}.outlook.com -all"', "", "DNS does not tell"),
    ("x TXT y", "", "DNS does not tell"),
]


@pytest.mark.parametrize(("zone", "slug", "words"), BEHIND)
def test_behind_a_gateway_the_rest_of_dns_tells_where_the_mailboxes_probably_are(dns_server: DnsServer, zone: str, slug: str, words: str) -> None:
    result = check(dns_server, f"{GATE}{zone}\n")
    assert (result.answer, result.facts["gateway"], result.facts["provider"]) == ("gateway", "proofpoint", slug)
    assert "goes through Proofpoint" in result.detail
    assert words in result.detail


def test_a_forwarder_stands_in_front_as_well(dns_server: DnsServer) -> None:
    assert check(dns_server, "@ MX 10 mx.forward.test.\n").answer == "gateway"


def test_the_longest_suffix_wins(dns_server: DnsServer) -> None:
    result = check(dns_server, "@ MX 10 a.gate.google.com.\n")
    assert (result.answer, result.facts["gateway"]) == ("gateway", "deep")
    assert check(dns_server, "@ MX 10 a.eu.gate.test.\n").facts["gateway"] == "narrow"


@pytest.mark.parametrize(("zone", "words"), [("@ MX 0 .", "accepts no mail"), ("@ TXT x", "neither"), ("x TXT y", "could not|neither|not exist")])
def test_where_nobody_receives_mail_nobody_is_named(dns_server: DnsServer, zone: str, words: str) -> None:
    result = check(dns_server, zone + "\n")
    assert result.answer == "unknown"
    assert any(part in result.detail for part in words.split("|"))


def test_a_domain_that_does_not_exist(dns_server: DnsServer) -> None:
    assert "does not exist" in check(dns_server, "@ MX 10 mx\n", "nowhere.test").detail


@pytest.mark.parametrize("behaviour", [Behaviour(rcode="servfail"), Behaviour(silent=True), Behaviour(rcode="refused")], ids=str)
def test_what_dns_does_not_answer_is_unknown(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("example.test", behaviour)
    assert check(dns_server, "@ MX 10 smtp.google.com.\n", question_seconds=0.4).answer == "unknown"


def test_a_gateway_is_named_although_the_rest_cannot_be_looked_up(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(rcode="servfail", rdtype="TXT"))
    result = check(dns_server, GATE)
    assert (result.answer, result.facts["gateway"]) == ("gateway", "proofpoint")
    assert "could not be looked up" in result.detail


def test_it_asks_little(dns_server: DnsServer) -> None:
    check(dns_server, GATE)
    assert sorted((query.name, query.rdtype) for query in dns_server.queries) == [
        ("autodiscover.example.test", "CNAME"),
        ("example.test", "MX"),
        ("example.test", "TXT"),
    ]


def test_names_of_strangers_are_shown_without_control_characters(dns_server: DnsServer) -> None:
    for zone in ("@ MX 10 evil\\027\\010.example.test.\n", GATE + "autodiscover CNAME a\\027.outlook.com.\n"):
        result = check(dns_server, zone)
        assert "\x1b" not in json.dumps([result.detail, result.facts], ensure_ascii=False)


def test_it_says_what_it_lacks(dns_server: DnsServer) -> None:
    assert provider.needs(Subject(sending_ip="192.0.2.1")) == "the recipient's domain"
    assert provider.needs(Subject(recipient="anna@example.test")) == ""
    assert check(dns_server, "", "localhost").answer == "unknown"


SHIPPED = [
    ("example-com.mail.protection.outlook.com", "microsoft365"),
    ("outlook-com.olc.protection.outlook.com", "outlook-consumer"),
    ("aspmx.l.google.com", "google"),
    ("us-smtp-inbound-1.mimecast.com", "mimecast"),
    ("mx1-us1.ppe-hosted.com", "proofpoint-essentials"),
    ("mx01.mail.icloud.com", "apple"),
    ("mx.example.com", ""),
]


@pytest.mark.parametrize(("host", "slug"), SHIPPED)
def test_the_shipped_providers_are_told_by_their_hosts(host: str, slug: str) -> None:
    rows = yaml.safe_load((Path(__file__).parents[2] / "knowledge" / "data" / "providers.yaml").read_text())["providers"]
    shipped = [Provider(row["slug"], row["name"], row["kind"], tuple(row.get("mx_suffixes", ()))) for row in rows]
    found = provider.by_host(host, shipped)
    assert (found.slug if found else "") == slug
