from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.flags
import dns.message
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.servers.bad_smtp import BadSmtp, Manners, closed_port
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks import dane, smtp
from whybounce.checks.conversation_record import Limits
from whybounce.checks.dane_tlsa import Tlsa, mismatch, public_key_info
from whybounce.checks.guard import parse_networks
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Finding, State, Subject
from whybounce.checks.tools import Reach, SmtpMode, Tools

MX = "$ORIGIN example.test.\n@ MX 10 mx\nmx A 127.0.0.1\n"
QUICK = Limits(connect_seconds=0.3, seconds=0.7, whole_seconds=2.0, slow_seconds=0.2)


class Validating(DnsServer):
    """A DNS server that vouches for its answers as a validating resolver does (AD), but for those about names in `unsigned`."""

    unsigned: frozenset[str] = frozenset()

    def _answer(self, query: dns.message.Message, behaviour: Behaviour) -> dns.message.Message:
        response = super()._answer(query, behaviour)
        if query.question[0].name.to_text(omit_final_dot=True) not in self.unsigned:
            response.flags |= dns.flags.AD
        return response


@pytest.fixture
def validating() -> Iterator[Validating]:
    with Validating() as server:
        yield server


def check(server: DnsServer, zone: str, port: int = 1, mode: SmtpMode = SmtpMode.CONNECT, with_smtp: bool = False) -> CheckResult:
    server.add(MX + zone + "\n")
    tools = Tools(Resolver([server.address], allow_networks=parse_networks(["127.0.0.0/8"])), Reach(smtp=mode, smtp_port=port, helo="checker.test"))
    subject = Subject(domain="example.test")

    async def look() -> CheckResult:
        async with tools:
            if with_smtp:
                both = await asyncio.gather(smtp.run(subject, tools, QUICK), dane.run(subject, tools, QUICK))
                return both[1]
            return await dane.run(subject, tools, QUICK)

    result = asyncio.run(look())
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    assert result.state == {answer.slug: answer.state for answer in dane.ANSWERS}[result.answer]
    return result


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def finding(result: CheckResult, name: str) -> Finding:
    return next(item for item in result.findings if item.finding == name)


def host(result: CheckResult, number: int = 0) -> dict[str, Any]:
    return result.facts["hosts"][number]  # type: ignore[index,call-overload,return-value]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


class Serving:
    """A certificate, and a mail server's manners with it."""

    def __init__(self, leaf: trustme.LeafCert, authority: x509.Certificate, send_authority: bool = True) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        if send_authority:
            context.load_verify_locations(cadata=authority.public_bytes(Encoding.PEM).decode())
        self.manners = Manners(tls=context)
        self.certificate = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        self.authority = authority


def authority_of(ca: trustme.CA) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ca.cert_pem.bytes())


@pytest.fixture(scope="module")
def serving(ca: trustme.CA) -> Serving:
    return Serving(ca.issue_cert("mx.example.test"), authority_of(ca))


def key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(certificate: x509.Certificate, usage: int, selector: int, matching: int) -> str:
    selected = key(certificate) if selector else certificate.public_bytes(Encoding.DER)
    data = selected if matching == 0 else (hashlib.sha256 if matching == 1 else hashlib.sha512)(selected).digest()
    return f"{usage} {selector} {matching} {data.hex()}"


def tlsa(*records: str, name: str = "_25._tcp.mx") -> str:
    return "".join(f"{name} TLSA {each}\n" for each in records)


OTHER = "3 1 1 " + "ab" * 32


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("usage", [2, 3])
def test_a_record_that_matches_is_ok(validating: Validating, serving: Serving, usage: int, selector: int, matching: int) -> None:
    named = serving.certificate if usage == 3 else serving.authority
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(record(named, usage, selector, matching)), mail.port)
    assert (result.answer, found(result)) == ("ok", {"dane.tlsa": "ok"})
    assert result.detail == "The TLSA records match the certificate of mx.example.test."
    assert host(result)["authenticated"] is True
    assert mail.connections == 1


def test_one_of_two_records_is_enough(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(OTHER, record(serving.certificate, 3, 1, 1)), mail.port)
    assert (result.answer, found(result)) == ("ok", {"dane.tlsa": "ok"})


def test_a_record_of_another_certificate_is_a_mismatch_and_the_right_one_is_told(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(OTHER), mail.port)
    assert (result.answer, found(result)) == ("mismatch", {"dane.mismatch": "error"})
    assert finding(result, "dane.mismatch").data["would_match"] == record(serving.certificate, 3, 1, 1)
    assert finding(result, "dane.mismatch").data["records"] == [OTHER]


def test_dates_and_names_do_not_count_for_the_servers_own_key(validating: Validating, ca: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    old = Serving(ca.issue_cert("www.example.test", not_before=yesterday - timedelta(days=90), not_after=yesterday), authority_of(ca))
    with BadSmtp(old.manners) as mail:
        assert check(validating, tlsa(record(old.certificate, 3, 1, 1)), mail.port).answer == "ok"
    validating.remove("_25._tcp.mx.example.test")
    with BadSmtp(old.manners) as mail:
        result = check(validating, tlsa(record(old.authority, 2, 0, 1)), mail.port)
    assert (result.answer, found(result)) == ("mismatch", {"dane.mismatch": "error"})


def test_an_authority_must_stand_behind_a_certificate_for_this_host(validating: Validating, ca: trustme.CA, serving: Serving) -> None:
    elsewhere = Serving(ca.issue_cert("www.elsewhere.test"), authority_of(ca))
    with BadSmtp(elsewhere.manners) as mail:
        result = check(validating, tlsa(record(elsewhere.authority, 2, 0, 1)), mail.port)
    assert finding(result, "dane.mismatch").data["reason"] == "the certificate is for another name"
    stranger = authority_of(trustme.CA())
    assert mismatch(Tlsa.parse(record(stranger, 2, 0, 0)), [serving.certificate.public_bytes(Encoding.DER)], ["mx.example.test"]) != ""
    with_domain = Serving(ca.issue_cert("example.test"), authority_of(ca))
    with BadSmtp(with_domain.manners) as mail:
        assert check(validating, tlsa(record(with_domain.authority, 2, 0, 1)), mail.port).answer == "ok"


def test_records_in_an_unsigned_zone_are_not_used(validating: Validating, serving: Serving) -> None:
    validating.unsigned = frozenset({"_25._tcp.mx.example.test"})
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(OTHER), mail.port)
    assert (result.answer, found(result), mail.connections) == ("not-dnssec", {"dane.not_dnssec": "warning"}, 0)


def test_a_resolver_that_does_not_validate_vouches_for_nothing(dns_server: DnsServer) -> None:
    result = check(dns_server, tlsa(OTHER))
    assert (result.answer, result.findings) == ("unknown", ())
    soa = "@ SOA ns hostmaster 1 3600 600 86400 60\n"
    assert check(dns_server, soa + "@ DNSKEY 257 3 13 " + "A" * 86 + "==\n" + tlsa(OTHER)).answer == "unknown"
    dns_server.remove("example.test", "DNSKEY")
    result = check(dns_server, soa + tlsa(OTHER))
    assert (result.answer, found(result)) == ("not-dnssec", {"dane.not_dnssec": "warning"})


@pytest.mark.parametrize("record_text", ["1 1 1 " + "ab" * 32, "0 0 1 " + "ab" * 32, "3 2 1 " + "ab" * 32, "3 1 9 " + "ab" * 32])
def test_records_that_mail_servers_cannot_use(validating: Validating, record_text: str) -> None:
    result = check(validating, tlsa(record_text))
    assert (result.answer, found(result)) == ("usage", {"dane.usage": "warning"})


def test_an_unusable_record_beside_one_that_matches(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa("1 1 1 " + "ab" * 32, record(serving.certificate, 3, 1, 1)), mail.port)
    assert (result.answer, found(result)) == ("ok", {"dane.tlsa": "ok", "dane.usage": "warning"})


def test_no_records_is_no_fault_and_nobody_is_contacted(validating: Validating) -> None:
    with BadSmtp() as mail:
        result = check(validating, "", mail.port)
    assert (result.answer, result.state, result.findings, mail.connections) == ("none", State.INFO, (), 0)


@pytest.mark.parametrize(
    "manners", [Manners(greeting=b"421 4.3.2 Not now\r\n"), Manners(close_at="accept"), Manners(greeting=b""), Manners(drip=0.1)]
)
def test_a_server_that_cannot_be_spoken_with_is_unknown(validating: Validating, manners: Manners) -> None:
    with BadSmtp(manners) as mail:
        result = check(validating, tlsa(OTHER), mail.port)
    assert (result.answer, result.state, result.findings) == ("unknown", State.UNKNOWN, ())


def test_a_closed_port_or_a_failed_handshake_is_unknown(validating: Validating, serving: Serving) -> None:
    assert check(validating, tlsa(OTHER), closed_port()).answer == "unknown"
    with BadSmtp(Manners(tls=serving.manners.tls, handshake="close")) as mail:
        assert check(validating, tlsa(OTHER), mail.port).answer == "unknown"
    with BadSmtp(Manners(keywords=("STARTTLS",), replies={"STARTTLS": b"454 4.7.0 Not now\r\n"})) as mail:
        assert check(validating, tlsa(OTHER), mail.port).answer == "unknown"


def test_switched_off_nothing_is_contacted_and_nothing_known(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(OTHER), mail.port, mode=SmtpMode.OFF)
    assert (result.answer, mail.connections) == ("unknown", 0)


def test_a_server_without_starttls_breaks_its_own_promise(validating: Validating) -> None:
    with BadSmtp() as mail:
        result = check(validating, tlsa(OTHER), mail.port)
    assert (result.answer, finding(result, "dane.mismatch").data["reason"]) == ("mismatch", "the server offers no STARTTLS")


@pytest.mark.parametrize("line", ["servfail", "refused", "silent"])
def test_records_that_cannot_be_looked_up_are_unknown(validating: Validating, line: str) -> None:
    validating.add(MX)
    validating.behave("_25._tcp.mx.example.test", Behaviour(silent=True) if line == "silent" else Behaviour(rcode=line))
    tools = Tools(Resolver([validating.address], question_seconds=0.3))
    result = asyncio.run(dane.run(Subject(domain="example.test"), tools, QUICK))
    assert (result.answer, result.findings) == ("unknown", ())


@pytest.mark.parametrize("zone", ["other.test. TXT x", "example.test. MX 0 .", ";! example.test servfail"])
def test_without_a_mail_server_nothing_is_known(validating: Validating, zone: str) -> None:
    validating.add(zone)
    result = asyncio.run(dane.run(Subject(domain="example.test"), Tools(Resolver([validating.address])), QUICK))
    assert (result.answer, result.findings) == ("unknown", ())


def test_an_alias_leads_to_the_records_of_its_target(validating: Validating, serving: Serving) -> None:
    zone = "@ MX 10 alias\nalias CNAME mx\n" + tlsa(record(serving.certificate, 3, 1, 1))
    with BadSmtp(serving.manners) as mail:
        validating.add(MX + zone)
        validating.remove("example.test", "MX")
        result = check(validating, "@ MX 10 alias\n", mail.port)
    verdicts = {each["host"]: (each["asked"], each["verdict"]) for each in result.facts["hosts"]}  # type: ignore[index,call-overload,union-attr]
    assert verdicts["alias.example.test"] == ("_25._tcp.mx.example.test", "ok")


def test_the_conversation_is_shared_with_the_smtp_check(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail:
        result = check(validating, tlsa(record(serving.certificate, 3, 1, 1)), mail.port, with_smtp=True)
    assert (result.answer, mail.connections) == ("ok", 1)
    assert validating.asked_twice() == []


def test_the_worst_host_decides(validating: Validating, serving: Serving) -> None:
    with BadSmtp(serving.manners) as mail, BadSmtp(serving.manners, "127.0.0.2", mail.port):
        zone = "@ MX 20 second\nsecond A 127.0.0.2\n" + tlsa(record(serving.certificate, 3, 1, 1)) + tlsa(OTHER, name="_25._tcp.second")
        result = check(validating, "@ MX 10 mx\n" + zone, mail.port)
    assert (result.answer, found(result)) == ("mismatch", {"dane.tlsa": "ok", "dane.mismatch": "error"})


def test_the_key_is_taken_as_it_stands_in_the_certificate(serving: Serving) -> None:
    for certificate in (serving.certificate, serving.authority):
        assert public_key_info(certificate) == key(certificate)


def test_a_digest_of_the_wrong_length_is_unusable() -> None:
    assert Tlsa.parse("3 1 1 abcd").unusable == "it holds 2 octets where a digest has 32"
    with pytest.raises(ValueError, match="not enough values"):
        Tlsa.parse("3 1")


def test_it_needs_a_domain() -> None:
    assert dane.needs(Subject()) == "the recipient's domain"
    assert dane.needs(Subject(recipient="anna@example.test")) == ""
