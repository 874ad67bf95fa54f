from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks import address
from whybounce.checks.address_syntax import AddressError, invisible_characters, parse_address
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Tools
from whybounce.checks.typos import near_domains, one_slip_apart
from whybounce.snapshot import Provider

ZONE = """example.com. MX 10 mx.example.com.
gmail.test. MX 10 mx.gmail.test.
gmail.com. MX 10 mx.gmail.com.
hotmail.com. MX 10 mx.hotmail.com.
yahoo.com. MX 10 mx.yahoo.com.
yahoo.fr. MX 10 mx.yahoo.fr.
aol.com. MX 0 .
only.test. A 8.8.8.8
only.test. TXT "x"
bare.test. TXT "x"
sender.test. MX 10 mx.sender.test.
xn--bcher-kva.test. MX 10 mx.example.com.
"""
PROVIDERS = (
    Provider("g", "G", "mailbox", domains=("gmail.com",)),
    Provider("m", "M", "mailbox", domains=("hotmail.com", "aol.com", "me.com")),
    Provider("y", "Y", "mailbox", domains=("yahoo.fr", "yahoo.com")),
    Provider("relay", "Relay", "gateway", domains=("example.com",)),
)


def check(server: DnsServer, recipient: str, question_seconds: float = 5, **subject: str) -> CheckResult:
    server.add(ZONE)

    async def look() -> CheckResult:
        tools = Tools(Resolver([server.address], question_seconds=question_seconds), providers=PROVIDERS)
        return await address.run(Subject(recipient=recipient, **subject), tools)

    result = asyncio.run(look())
    assert result.state is {declared.slug: declared.state for declared in address.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


GOOD = [
    "anna@example.com",
    " <Anna@Example.COM> ",
    "o'brien+tag=x@example.com",
    '"anna @ home"@example.com',
    r'"a\"@b"@example.com',
    "x" * 64 + "@example.com",
    "a%b!c@example.com",
]


@pytest.mark.parametrize("text", GOOD)
def test_valid_addresses_are_ok(dns_server: DnsServer, text: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result), result.facts["domain"]) == ("ok", {}, "example.com")
    assert dns_server.count() == 1


BAD = [
    ("anna@home@example.com", "it has 2 @ signs"),
    ("anna@@example.com", "it has 2 @ signs"),
    ("anna.@example.com", "ends in a dot"),
    (".anna@example.com", "begins with a dot"),
    ("an..na@example.com", "two dots stand together"),
    ("x" * 65 + "@example.com", "has 65 octets"),
    ("ü" * 33 + "@example.com", "has 66 octets"),
    ("anna", "it has no @"),
    ("@example.com", "nothing stands before the @"),
    ("anna@", "nothing stands after the @"),
    ("anna smith@example.com", "SPACE"),
    ("anna,bert@example.com", "','"),
    ("anna@example.com.", "it ends in a dot"),
    ("anna@example..com", "a dot too many"),
    ("anna@exam_ple.com", "underscore"),
    ("anna@-example.com", "hyphen"),
    ("anna@example", "has no dot"),
    ("anna@" + "x" * 64 + ".com", "at most 63"),
    ("a@" + "x." * 130 + "com", "at most 253"),
    ("x" * 60 + "@" + ("y" * 60 + ".") * 4 + "com", "at most 253|an address has at most 254"),
    ("x" * 60 + "@" + ("y" * 60 + ".") * 3 + "example.com", "at most 254"),
    ("anna@☃.com", "internationalised"),
    ("anna@[300.1.1.1]", "in brackets"),
    ("anna@[2001:db8::1]", "brackets"),
    ("anna@192.0.2.1", "IP address"),
    ("anna@exa mple.com", "a space"),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_what_is_no_address_is_invalid_with_a_reason(dns_server: DnsServer, text: str, reason: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result)) == ("invalid", {"address.syntax": "error"})
    assert any(part in result.detail for part in reason.split("|")), result.detail
    assert dns_server.count() == 0


INVISIBLE = [
    ("anna\u200b@example.com", "U+200B zero width space"),
    ("anna@exam\u00adple.com", "U+00AD soft hyphen"),
    ("\u202eanna@example.com", "U+202E right-to-left override"),
    ("anna@example.com\u00a0", "U+00A0 no-break space"),
    ("\ufeffanna@example.com", "U+FEFF zero width no-break space"),
    ("anna\u2060@example.com", "U+2060 word joiner"),
    ("an\x00na@example.com", "U+0000 control character"),
    ("anna\r\n@example.com", "U+000D control character"),
    ("anna\u3164@example.com", "U+3164 hangul filler"),
    ("anna\u200d@example.com", "U+200D zero width joiner"),
    ("anna\ufe0f@example.com", "U+FE0F variation selector-16"),
]


@pytest.mark.parametrize(("text", "name"), INVISIBLE)
def test_characters_that_nobody_sees_are_named(dns_server: DnsServer, text: str, name: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result)) == ("invisible", {"address.invisible_char": "error"})
    assert name in result.detail
    assert result.findings[0].data["without"] == "anna@example.com"
    assert not invisible_characters(result.detail)


def test_a_joiner_that_the_script_needs_is_no_invisible_character() -> None:
    assert invisible_characters("क्\u200dष") == []
    assert invisible_characters("ab\u200dc") == [(2, "\u200d")]


@pytest.mark.parametrize("text", ["anna@[192.0.2.1]", "anna@[IPv6:2001:db8::1]"])
def test_a_literal_is_told(dns_server: DnsServer, text: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, found(result)) == ("literal", {"address.domain_literal": "info"})


def test_a_domain_in_unicode_is_told_and_is_no_problem(dns_server: DnsServer) -> None:
    result = check(dns_server, "anna@Bücher.test")
    assert (result.answer, found(result)) == ("ok", {"address.idn": "info"})
    assert result.findings[0].data == {"domain": "Bücher.test", "ascii": "xn--bcher-kva.test"}


def test_a_local_part_outside_ascii_needs_smtputf8(dns_server: DnsServer) -> None:
    result = check(dns_server, "jürgen@example.com")
    assert (result.answer, found(result)) == ("needs-smtputf8", {"address.eai": "warning"})
    result = check(dns_server, "用户@bücher.test")
    assert (result.answer, found(result)) == ("needs-smtputf8", {"address.eai": "warning", "address.idn": "info"})


TYPOS = [
    ("gmial.com", ["gmail.com"]),
    ("gmal.com", ["gmail.com"]),
    ("gmaill.com", ["gmail.com"]),
    ("gmail.con", ["gmail.com"]),
    ("gmail.comm", ["gmail.com"]),
    ("gmail.co.uk", ["gmail.com"]),
    ("hotnail.com", ["hotmail.com"]),
    ("yahoo.cm", ["yahoo.com"]),
    ("yahoo.ft", ["yahoo.fr"]),
    ("yahoo.org", ["yahoo.com", "yahoo.fr"]),
    ("bare.test", []),
    ("nothing-like-it.test", []),
]


@pytest.mark.parametrize(("domain", "suggestions"), TYPOS)
def test_a_mistyped_domain_without_mail(dns_server: DnsServer, domain: str, suggestions: list[str]) -> None:
    result = check(dns_server, f"anna@{domain}")
    if suggestions:
        assert (result.answer, found(result)) == ("typo", {"address.typo": "info"})
        assert result.findings[0].data["suggestions"] == suggestions
        assert " or ".join(suggestions) in result.detail
    else:
        assert (result.answer, found(result), result.facts["domain_has_mail"]) == ("ok", {}, False)
    assert dns_server.count() <= 5


def test_only_domains_where_people_have_mailboxes_are_suggested(dns_server: DnsServer) -> None:
    assert check(dns_server, "anna@exmaple.com").answer == "ok"


def test_the_senders_own_domain_is_suggested_too(dns_server: DnsServer) -> None:
    result = check(dns_server, "bert@snder.test", mail_from="anna@sender.test")
    assert result.findings[0].data["suggestions"] == ["sender.test"]
    result = check(dns_server, "bert@sender.tset", header_from="anna@sender.test")
    assert result.findings[0].data["suggestions"] == ["sender.test"]


@pytest.mark.parametrize("zone", ["gmial.com. MX 10 mx.example.com.", "gmial.com. A 8.8.8.8", "gmial.com. AAAA 2606:4700::1", "gmial.com. MX 0 ."])
def test_a_domain_that_has_mail_or_says_that_it_has_none_is_no_typing_mistake(dns_server: DnsServer, zone: str) -> None:
    dns_server.add(zone + "\n")
    result = check(dns_server, "anna@gmial.com")
    assert (result.answer, found(result)) == ("ok", {})


def test_a_near_domain_without_mail_is_not_suggested(dns_server: DnsServer) -> None:
    assert check(dns_server, "anna@aol.cmo").answer == "ok"
    dns_server.remove("gmail.com")
    assert check(dns_server, "anna@gmial.com").answer == "typo"  # the zone is read again
    dns_server.replace("hotmail.com. MX 10 mx.hotmail.com.\n")
    dns_server.behave("gmail.com", Behaviour(rcode="servfail"))
    assert check(dns_server, "anna@gmial.com").answer == "ok"


@pytest.mark.parametrize("behaviour", [Behaviour(rcode="servfail"), Behaviour(silent=True), Behaviour(rcode="refused")], ids=str)
def test_what_dns_does_not_answer_is_no_typing_mistake(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave("gmial.com", behaviour)
    result = check(dns_server, "anna@gmial.com", question_seconds=0.4)
    assert (result.answer, found(result), result.facts["domain_has_mail"]) == ("ok", {}, None)


def test_it_says_what_it_lacks() -> None:
    assert address.needs(Subject(domain="example.com")) == "the recipient's address"
    assert address.needs(Subject(recipient="anna@example.com")) == ""


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("gmail", "gmial", True),
        ("gmail", "gmai", True),
        ("gmail", "gmaill", True),
        ("gmail", "gmaol", True),
        ("gmail", "gmail", False),
        ("gmail", "amgil", False),
        ("gmail", "gmailxy", False),
        ("abcd", "badc", False),
        ("", "a", True),
    ],
)
def test_one_slip(first: str, second: str, near: bool) -> None:
    assert one_slip_apart(first, second) is near
    assert one_slip_apart(second, first) is near


def test_short_names_are_near_to_nothing() -> None:
    assert near_domains("mi.com", ["me.com"], []) == []
    assert near_domains("me.con", ["me.com"], []) == ["me.com"]


@given(st.text(alphabet="ab.", max_size=6), st.text(alphabet="ab.", max_size=6))
def test_one_slip_is_what_the_slow_way_finds(first: str, second: str) -> None:
    edits = {first[:i] + first[i + 1 :] for i in range(len(first))}
    edits |= {first[:i] + char + first[j:] for i in range(len(first) + 1) for j in (i, i + 1) for char in "ab."}
    edits |= {first[:i] + first[i + 1] + first[i] + first[i + 2 :] for i in range(len(first) - 1)}
    assert one_slip_apart(first, second) is (second in edits and second != first)


ODD = st.text(alphabet=st.one_of(st.sampled_from('a.@"\\[]<>: \u200b\u202e\ud800é'), st.characters()), max_size=80)


@given(ODD)
def test_reading_an_address_never_fails_otherwise(text: str) -> None:
    invisible_characters(text)
    with contextlib.suppress(AddressError):
        parsed = parse_address(text)
        assert parsed.local
        assert parsed.domain


@given(ODD)
def test_the_check_never_raises_and_shows_nothing_invisible(text: str) -> None:
    result = asyncio.run(address.run(Subject(recipient=text), Tools(Resolver([]))))
    assert not invisible_characters(result.detail)
    json.dumps([result.facts, [finding.data for finding in result.findings]]).encode()
