from __future__ import annotations

import asyncio
import base64
import json
import socket
import time

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour, txt
from whybounce.checks import dkim
from whybounce.checks.dkim_record import KeyState, is_key_record, parse_key
from whybounce.checks.dkim_signature import MAX_MESSAGE, parse_selector, read_message
from whybounce.checks.dkim_verify import verify_all
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Tools

# Published, so of no worth: keys of 512 bits can no longer be made here.
RSA_512 = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAOfKkx4p8LjD5QLXwgZOoon+gFIhPTGmgT69RTbC3pM6YEwNG+30CittMgAg4EY8yEG9h1j+3E2HDN3N3kXZjtcCAwEAAQ=="


def public(key: rsa.RSAPrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


KEY_2048, KEY_1024 = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
RSA_2048, RSA_1024 = public(KEY_2048), public(KEY_1024)
KEY_ED = ed25519.Ed25519PrivateKey.generate()
ED25519 = base64.b64encode(KEY_ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
EC = base64.b64encode(ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
PLACE = "s1._domainkey.example.test."
GOOD = f"v=DKIM1; k=rsa; p={RSA_2048}"
MAIL = (
    b"From: Anna <anna@example.test>\r\nTo: bo@example.org\r\nSubject: Minutes\r\nDate: Wed, 25 Nov 2026 07:00:00 +0000\r\n"
    b"Message-ID: <1@example.test>\r\n\r\nDear Bo,\r\n\r\nhere they  are. \r\n"
)


def check(server: DnsServer, *selectors: str, message: bytes = b"", question_seconds: float = 5, max_queries: int = 100, **more: str) -> CheckResult:
    subject = Subject(selectors=selectors, **({"header_from": "anna@example.test"} | more))

    async def run() -> CheckResult:
        resolver = Resolver([server.address], question_seconds=question_seconds, max_queries=max_queries)
        async with Tools(resolver, message=message) as tools:
            return await dkim.run(subject, tools)

    result = asyncio.run(run())
    assert result.state is {declared.slug: declared.state for declared in dkim.ANSWERS}[result.answer]
    assert result.detail.endswith(".")
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def sign(message: bytes = MAIL, selector: bytes = b"s1", domain: bytes = b"example.test", **more: object) -> bytes:
    options = {"canonicalize": (b"relaxed", b"relaxed")} | more
    return bytes(dkimpy.sign(message, selector, domain, pem(KEY_2048), **options)) + message


RECORDS = [
    (GOOD, "ok", {"dkim.key_ok": "ok"}),
    (f"p={RSA_2048}", "ok", {"dkim.key_ok": "ok"}),
    (f"v=DKIM1; k=rsa; h=sha1:sha256; s=email; t=s; n=a note; p={RSA_2048[:100]} {RSA_2048[100:]};", "ok", {"dkim.key_ok": "ok"}),
    (f"v=DKIM1; p={RSA_1024}", "weak", {"dkim.key_weak": "warning"}),
    (f"v=DKIM1; p={RSA_512}", "bad-key", {"dkim.key_short": "error"}),
    ("v=DKIM1; p=", "revoked", {"dkim.revoked": "error"}),
    ("v=DKIM1; k=rsa; p=not*base64", "bad-key", {"dkim.key_syntax": "error"}),
    (f"v=DKIM1; k=rsa; p={RSA_2048[:200]}", "bad-key", {"dkim.key_syntax": "error"}),
    (GOOD[:255], "bad-key", {"dkim.key_syntax": "error"}),
    ("v=DKIM1; k=rsa; p=QUJDRA==", "bad-key", {"dkim.key_syntax": "error"}),
    (f"v=DKIM1; k=rsa; p={EC}", "bad-key", {"dkim.key_syntax": "error"}),
    ("v=DKIM1; k=rsa", "bad-key", {"dkim.key_syntax": "error"}),
    (f"v=DKIM2; p={RSA_2048}", "bad-key", {"dkim.key_syntax": "error"}),
    (f"k=rsa; v=DKIM1; p={RSA_2048}", "bad-key", {"dkim.key_syntax": "error"}),
    (f"v=DKIM1; k=dsa; p={RSA_2048}", "bad-key", {"dkim.key_syntax": "error"}),
    (f"v=DKIM1; h=sha1; p={RSA_2048}", "bad-key", {"dkim.sha1_only": "error"}),
    (f"v=DKIM1; s=tlsrpt; p={RSA_2048}", "bad-key", {"dkim.wrong_service": "error"}),
    (f"v=DKIM1; t=y; p={RSA_2048}", "ok", {"dkim.key_ok": "ok", "dkim.testing": "info"}),
    (f"v=DKIM1; k=ed25519; p={ED25519}", "ok", {"dkim.key_ok": "ok", "dkim.ed25519_only": "info"}),
    (f"v=DKIM1; k=ed25519; p={RSA_2048}", "bad-key", {"dkim.key_syntax": "error"}),
]


@pytest.mark.parametrize(("record", "answer", "findings"), RECORDS, ids=[record[:50] for record, _, _ in RECORDS])
def test_it_judges_the_key_at_a_selector(dns_server: DnsServer, record: str, answer: str, findings: dict[str, str]) -> None:
    dns_server.add(txt(PLACE, record))
    result = check(dns_server, "s1")
    assert (result.answer, found(result)) == (answer, findings)
    assert dns_server.count() == 1


def test_a_key_cut_at_255_characters_is_told_as_cut(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD[:255]))
    assert "ends after 255 characters, so it was probably cut there" in check(dns_server, "s1").detail


def test_a_key_in_two_strings_is_whole(dns_server: DnsServer) -> None:
    dns_server.add(f'{PLACE} TXT "{GOOD[:255]}" "{GOOD[255:]}"')
    assert check(dns_server, "s1").answer == "ok"


@pytest.mark.parametrize("zone", ["", "example.test. A 192.0.2.1\ns1._domainkey.example.test. A 192.0.2.1", '*.example.test. TXT "v=spf1 -all"'])
def test_no_key_also_where_a_wildcard_answers_with_something_else(dns_server: DnsServer, zone: str) -> None:
    dns_server.add(zone)
    result = check(dns_server, "s1")
    assert (result.answer, found(result)) == ("no-key", {"dkim.no_key": "error"})
    assert ("only another TXT record" in result.detail) == ("*" in zone)


def test_an_alias_is_followed(dns_server: DnsServer) -> None:
    dns_server.add(f"{PLACE} CNAME s1.dkim.host.test.\n" + txt("s1.dkim.host.test.", GOOD))
    result = check(dns_server, "s1")
    assert (result.answer, found(result)) == ("ok", {"dkim.key_ok": "ok"})
    assert result.facts["selectors"][0]["alias"] == ["s1.dkim.host.test"]  # type: ignore[index,call-overload]


@pytest.mark.parametrize("more", ["", "s1.dkim.host.test. A 192.0.2.1\n"])
def test_an_alias_to_nothing(dns_server: DnsServer, more: str) -> None:
    dns_server.add(f"{PLACE} CNAME s1.dkim.host.test.\n{more}")
    result = check(dns_server, "s1")
    assert (result.answer, found(result)) == ("no-key", {"dkim.cname_dangling": "error"})
    assert "s1.dkim.host.test" in result.detail


def test_two_keys_at_one_selector(dns_server: DnsServer) -> None:
    dns_server.add(f'{PLACE} TXT "v=DKIM1; p={RSA_1024}"\n{PLACE} TXT "v=DKIM1; k=ed25519; p={ED25519}"\n{PLACE} TXT "v=spf1 -all"')
    result = check(dns_server, "s1")
    assert (result.answer, found(result)["dkim.multiple_keys"]) == ("weak", "warning")
    assert "There are 2 DKIM keys" in result.detail


@pytest.mark.parametrize("behaviour", [Behaviour(silent=True), Behaviour(rcode="servfail"), Behaviour(rcode="refused"), Behaviour(garbage=True)])
def test_what_dns_does_not_answer_is_never_a_missing_key(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave(PLACE.rstrip("."), behaviour)
    result = check(dns_server, "s1", question_seconds=0.5)
    assert (result.answer, found(result)) == ("temperror", {})


def test_what_was_not_asked_is_unknown(dns_server: DnsServer) -> None:
    result = check(dns_server, "s1", max_queries=0)
    assert (result.answer, found(result)) == ("unknown", {})


def test_the_gravest_of_several_selectors_is_the_answer_and_all_are_asked_at_once(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD) + txt("s2._domainkey.other.test.", f"v=DKIM1; p={RSA_1024}"))
    dns_server.behave("*", Behaviour(delay=0.3))
    began = time.monotonic()
    result = check(dns_server, "s1", "s2@other.test", "gone@example.test", "S1@Example.Test.")
    assert time.monotonic() - began < 0.8
    assert (result.answer, found(result)) == ("no-key", {"dkim.key_ok": "ok", "dkim.key_weak": "warning", "dkim.no_key": "error"})
    assert dns_server.count() == 3
    assert dns_server.asked_twice() == []


def test_ed25519_beside_rsa_is_not_ed25519_only(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD) + txt("s2._domainkey.example.test.", f"v=DKIM1; k=ed25519; p={ED25519}"))
    assert found(check(dns_server, "s1", "s2")) == {"dkim.key_ok": "ok"}
    dns_server.behave(PLACE.rstrip("."), Behaviour(rcode="servfail"))
    assert found(check(dns_server, "s1", "s2")) == {"dkim.key_ok": "ok"}


@pytest.mark.parametrize(
    ("more", "domain"),
    [
        ({"header_from": "Anna <anna@example.test>", "mail_from": "b@bounce.test"}, "example.test"),
        ({"header_from": "", "mail_from": "<b@bounce.test>"}, "bounce.test"),
        ({"header_from": "", "domain": "example.org"}, "example.org"),
        ({"header_from": "anna@bücher.test"}, "xn--bcher-kva.test"),
    ],
)
def test_a_selector_without_a_domain_is_of_the_sender(dns_server: DnsServer, more: dict[str, str], domain: str) -> None:
    assert dkim.needs(Subject(selectors=("s1",), **more)) == ""
    check(dns_server, "s1", **more)
    assert [query.name for query in dns_server.queries] == [f"s1._domainkey.{domain}"]


def test_it_says_what_it_needs_and_guesses_nothing(dns_server: DnsServer) -> None:
    assert dkim.needs(Subject(header_from="a@example.test")).startswith("a DKIM selector")
    assert dkim.needs(Subject(domain="example.test", recipient="bo@example.test", selectors=("s1",))) == "the sender's domain"
    assert dkim.needs(Subject(domain="example.test", recipient="bo@example.test", selectors=("s1@a.test",))) == ""
    assert check(dns_server).answer == "unknown"
    assert dns_server.count() == 0


@pytest.mark.parametrize("text", ["", "@", "a b@example.test", "x" * 64 + "@example.test", "s1@localhost", "ä@example.test", "a..b@example.test"])
def test_what_is_no_selector_is_not_asked_for(dns_server: DnsServer, text: str) -> None:
    result = check(dns_server, text)
    assert (result.answer, result.findings, dns_server.count()) == ("unknown", (), 0)


def test_a_selector_may_be_given_as_it_stands_in_dns() -> None:
    assert str(parse_selector("s1._domainkey.example.test.", "")) == "s1@example.test"
    assert str(parse_selector("a.b@example.test", "")) == "a.b@example.test"
    assert str(parse_selector("s1._domainkey", "example.test")) == "s1@example.test"


@pytest.mark.parametrize("canon", [(b"relaxed", b"relaxed"), (b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_the_signature_of_a_whole_message_is_verified(dns_server: DnsServer, canon: tuple[bytes, bytes], line_end: bytes) -> None:
    dns_server.add(txt(PLACE, GOOD))
    result = check(dns_server, message=sign(canonicalize=canon).replace(b"\r\n", line_end))
    assert (result.answer, found(result)) == ("ok", {"dkim.signature_ok": "ok", "dkim.key_ok": "ok"})
    assert "The DKIM signature of example.test verifies." in result.detail
    assert dns_server.count() == 1


def test_an_ed25519_signature_is_verified(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, f"v=DKIM1; k=ed25519; p={ED25519}"))
    secret = base64.b64encode(KEY_ED.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    signed = dkimpy.sign(MAIL, b"s1", b"example.test", secret, signature_algorithm=b"ed25519-sha256", canonicalize=(b"relaxed", b"relaxed")) + MAIL
    assert found(check(dns_server, message=signed))["dkim.signature_ok"] == "ok"
    assert found(check(dns_server, message=signed.replace(b"Minutes", b"minutes")))["dkim.signature_bad"] == "error"


def test_verifying_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def verify() -> str:
        for name in ("connect", "connect_ex", "sendto", "bind"):
            monkeypatch.setattr(socket.socket, name, _forbidden)
        message = sign()
        return (await verify_all(message, read_message(message), {PLACE.rstrip("."): GOOD.encode()}))[0].outcome

    assert asyncio.run(verify()) == "pass"


def _forbidden(*_: object) -> None:
    raise AssertionError("a socket was used")


@pytest.mark.parametrize(
    ("before", "after", "part", "intact"),
    [(b"they", b"THEY", "body hash", True), (b"Subject: Minutes", b"Subject: [list] Minutes", "header", None)],
)
def test_a_message_that_was_changed(dns_server: DnsServer, before: bytes, after: bytes, part: str, intact: bool | None) -> None:
    dns_server.add(txt(PLACE, GOOD))
    result = check(dns_server, message=sign().replace(before, after, 1))
    assert (result.answer, found(result)["dkim.signature_bad"]) == ("bad-signature", "error")
    data = next(finding.data for finding in result.findings if finding.finding == "dkim.signature_bad")
    assert (data["failed"], data.get("header_intact")) == (part, intact)


def test_another_key_than_the_one_that_signed(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, f"v=DKIM1; p={public(rsa.generate_private_key(65537, 2048))}"))
    result = check(dns_server, message=sign())
    assert (result.answer, found(result)["dkim.signature_bad"]) == ("bad-signature", "error")
    assert "signed with another key" in result.detail


def test_a_header_alone_proves_nothing(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD))
    header = sign().partition(b"\r\n\r\n")[0]
    for message in (header, header + b"\r\n\r\n", header + b"\r\n\r\n\r\n"):
        result = check(dns_server, message=message)
        assert (result.answer, found(result)) == ("ok", {"dkim.key_ok": "ok"})
        assert "only the header of the message is there" in result.detail


def test_a_message_that_is_rightly_empty_is_verified(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD))
    assert found(check(dns_server, message=sign(MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")))["dkim.signature_ok"] == "ok"


def test_a_sha1_signature_does_not_count(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD))
    result = check(dns_server, message=sign(signature_algorithm=b"rsa-sha1"))
    assert result.answer == "bad-signature"
    assert "SHA-1" in result.detail


def test_an_expired_signature_is_told_and_is_bad_only_where_it_had_expired_when_sent(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD))
    now = int(time.time())
    # x= is signed too: it is put in before signing, as a signer would.
    for sent, answer, findings in (
        (now - 900_000, "ok", {"dkim.signature_ok": "ok"}),
        (now - 100, "bad-signature", {"dkim.signature_expired": "error"}),
    ):
        for field in (b"Date: ", b"Received: from a.test by b.test; "):
            date = field + time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(sent)).encode()
            mail = MAIL.replace(b"Date: Wed, 25 Nov 2026 07:00:00 +0000", date)
            result = check(dns_server, message=_sign_with(mail, (b"x", str(now - 200_000).encode())))
            assert (result.answer, found(result)) == (answer, findings | {"dkim.key_ok": "ok"})
            assert "expired" in result.detail


def _sign_with(message: bytes, tag: tuple[bytes, bytes]) -> bytes:
    class Signer(dkimpy.DKIM):  # type: ignore[misc,name-defined]
        def gen_header(self, fields: list[tuple[bytes, bytes]], *more: object, **named: object) -> bytes:
            return bytes(super().gen_header([*fields[:-1], tag, fields[-1]], *more, **named))

    return bytes(Signer(message).sign(b"s1", b"example.test", pem(KEY_2048), canonicalize=(b"relaxed", b"relaxed"))) + message


def test_the_signature_of_a_list_does_not_hide_that_the_senders_own_was_broken(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD) + txt("l1._domainkey.list.test.", GOOD))
    changed = sign().replace(b"they", b"THEY", 1)
    result = check(dns_server, message=sign(changed, b"l1", b"list.test"))
    assert (result.answer, found(result)["dkim.signature_ok"], found(result)["dkim.signature_bad"]) == ("bad-signature", "ok", "error")
    assert "example.test" in result.detail
    broken = sign(MAIL, b"l1", b"list.test").replace(b"they", b"THEY", 1)
    assert check(dns_server, message=sign(broken)).answer == "ok"


def test_one_signature_of_the_sender_that_verifies_is_enough(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD) + txt("s2._domainkey.example.test.", GOOD))
    result = check(dns_server, message=sign(sign(selector=b"s2").replace(b"they", b"THEY", 1)))
    assert (result.answer, found(result)["dkim.signature_bad"]) == ("ok", "error")


@pytest.mark.parametrize("behaviour", [Behaviour(rcode="servfail"), Behaviour(silent=True)])
def test_without_its_key_a_signature_is_not_bad(dns_server: DnsServer, behaviour: Behaviour) -> None:
    dns_server.behave(PLACE.rstrip("."), behaviour)
    result = check(dns_server, message=sign(), question_seconds=0.5)
    assert (result.answer, found(result)) == ("temperror", {})


def test_long_runs_of_spaces_and_long_headers_take_no_time(dns_server: DnsServer) -> None:
    dns_server.add(txt(PLACE, GOOD))
    spaces = MAIL + b" " * 1_500_000 + b"x\r\n"
    padded = sign().replace(b"b=", b"b=" + b"\r\n " * 2300, 1)
    headers = sign().replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 300_000 + b"\r\n", 1)
    names = ":".join(f"h{number:x}" for number in range(1500)).encode()
    many = sign().replace(b"h=", b"h=" + names + b":", 1).replace(b"\r\n\r\n", b"\r\n" + b"X:\r\n" * 45_000 + b"\r\n", 1)
    began = time.monotonic()
    assert check(dns_server, message=many).answer == "ok"
    assert check(dns_server, message=sign().partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + spaces).answer == "bad-signature"
    assert check(dns_server, message=padded).answer in ("unknown", "bad-signature")
    assert check(dns_server, message=headers).answer == "ok"
    assert check(dns_server, message=sign() + b"x" * MAX_MESSAGE).answer == "unknown"
    assert time.monotonic() - began < 3


@given(st.binary(max_size=400))
def test_no_bytes_at_a_selector_make_the_parser_raise(data: bytes) -> None:
    is_key_record(data)
    parse_key(data)
    parse_key(b"v=DKIM1; " + data)
    parse_key(b"p=" + base64.b64encode(data))
    parse_key(b"k=ed25519; p=" + base64.b64encode(data))


@given(st.integers(0, 293), st.integers(0, 255))
def test_no_changed_octet_of_a_key_makes_the_parser_raise(position: int, octet: int) -> None:
    der = bytearray(base64.b64decode(RSA_2048))
    der[position] = octet
    assert parse_key(b"p=" + base64.b64encode(bytes(der))).state in set(KeyState)


@given(st.binary(max_size=600))
def test_no_message_makes_the_reader_raise(data: bytes) -> None:
    read_message(data)
    read_message(b"DKIM-Signature: " + data)
    read_message(b"DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s1; h=from; bh=" + data + b"; b=AAAA\r\nFrom: a@b\r\n\r\nx")


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_whatever_stands_in_a_signature_ends_in_an_answer(dirt: bytes, position: int) -> None:
    signed = _SIGNED[:position] + dirt + _SIGNED[position + len(dirt) :]
    verified = asyncio.run(verify_all(signed, read_message(signed), {PLACE.rstrip("."): GOOD.encode()}))
    assert all(item.outcome for item in verified)


_SIGNED = sign()
