from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.servers.bad_smtp import KEYWORDS, BadSmtp, Manners, closed_port, deaf_port
from tests.servers.dns import DnsServer, free_port
from tests.servers.smtp import SmtpServer
from whybounce.checks import smtp
from whybounce.checks.conversation_record import Limits
from whybounce.checks.guard import parse_networks
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Finding, Severity, State, Subject
from whybounce.checks.tools import Reach, SmtpMode, Tools
from whybounce.snapshot import Blocklist

ZONE = "$ORIGIN example.test.\n@ MX 10 mx\nmx A 127.0.0.1\n"
LOOPBACK = ("127.0.0.0/8", "::1")
QUICK = Limits(connect_seconds=0.3, seconds=0.7, whole_seconds=2.0, slow_seconds=0.2)
RECIPIENT = "anna@example.test"
DOMAIN = Subject(domain="example.test")


def check(
    server: DnsServer,
    port: int,
    zone: str = ZONE,
    subject: Subject = DOMAIN,
    mode: SmtpMode = SmtpMode.CONNECT,
    limits: Limits = QUICK,
    allow: tuple[str, ...] = LOOPBACK,
    blocklists: tuple[Blocklist, ...] = (),
    **reach: Any,
) -> CheckResult:
    server.add(zone)
    resolver = Resolver([server.address], allow_networks=parse_networks(allow))
    reach.setdefault("probe_sender", "probe@checker.test")
    tools = Tools(resolver, Reach(smtp=mode, smtp_port=port, helo="checker.test", **reach), blocklists)

    async def look() -> CheckResult:
        async with tools:
            return await smtp.run(subject, tools, limits)

    result = asyncio.run(look())
    json.dumps([result.facts, [finding.data for finding in result.findings]])
    assert result.state == {answer.slug: answer.state for answer in smtp.ANSWERS}[result.answer]
    return result


def probe(server: DnsServer, manners: Manners, **more: Any) -> CheckResult:
    """The check with a recipient, against a server with such manners."""
    with BadSmtp(manners) as mail:
        return check(server, mail.port, subject=Subject(domain="example.test", recipient=RECIPIENT), mode=SmtpMode.RCPT, **more)


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


def finding(result: CheckResult, name: str) -> Finding:
    return next(item for item in result.findings if item.finding == name)


def seen(result: CheckResult, number: int = 0) -> dict[str, Any]:
    return result.facts["servers"][number]  # type: ignore[index,call-overload,return-value]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def good_tls(ca: trustme.CA) -> ssl.SSLContext:
    return serving(ca.issue_cert("mx.example.test"))


# --- a server that does as it should


def test_a_good_server_is_ok_and_shows_what_it_said(dns_server: DnsServer, good_tls: ssl.SSLContext, ca_file: str) -> None:
    with BadSmtp(Manners(tls=good_tls)) as mail:
        result = check(dns_server, mail.port, ca_file=ca_file)
    assert (result.answer, result.state) == ("ok", State.GOOD)
    assert found(result) == {"smtp.ok": "ok", "smtp.tls_ok": "ok"}
    assert mail.lines == ["EHLO checker.test", "STARTTLS", "EHLO checker.test", "QUIT"]
    server = seen(result)
    assert (server["host"], server["address"], server["banner"]) == ("mx.example.test", "127.0.0.1", "220 mx.example.test ESMTP")
    assert server["tls"]["version"] == "TLSv1.3"
    assert server["certificate"]["names"] == ["mx.example.test"]
    assert (server["certificate"]["trusted"], server["certificate"]["matches"], server["certificate"]["valid_now"]) == (True, True, True)
    assert [step["step"] for step in server["steps"]] == ["connect", "greeting", "ehlo", "starttls", "tls", "ehlo-tls", "quit"]
    assert [line["line"] for line in server["transcript"] if line["who"] == "C"] == mail.lines
    assert result.detail == "mx.example.test (127.0.0.1) answers as it should (TLSv1.3)."


def test_a_recipient_is_accepted_and_nothing_is_delivered(dns_server: DnsServer, good_tls: ssl.SSLContext, ca_file: str) -> None:
    manners = Manners(tls=good_tls, replies={"MAIL": b"250 2.1.0 Ok\r\n", "RCPT": b"550 5.1.1 No such user\r\n"})
    manners.replies[f"RCPT TO:<{RECIPIENT}>"] = b"250 2.1.5 Ok\r\n"
    with BadSmtp(manners) as mail:
        subject = Subject(recipient=RECIPIENT)
        result = check(dns_server, mail.port, subject=subject, mode=SmtpMode.RCPT, ca_file=ca_file)
    assert result.answer == "rcpt-accepted"
    assert found(result) == {"smtp.ok": "ok", "smtp.tls_ok": "ok", "smtp.rcpt_accepted": "ok"}
    verbs = [line.split(" ")[0] for line in mail.lines]
    assert verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "RCPT", "VRFY", "RSET", "MAIL", "RCPT", "RSET", "QUIT"]
    assert mail.lines[3] == "MAIL FROM:<probe@checker.test>"
    assert mail.lines[4] == f"RCPT TO:<{RECIPIENT}>"
    assert "DATA" not in verbs


def test_a_server_of_a_real_library_is_understood(dns_server: DnsServer) -> None:
    with SmtpServer({"rcpt": "550 5.1.1 No such user"}) as mail:
        result = check(dns_server, mail.port, subject=Subject(recipient=RECIPIENT), mode=SmtpMode.RCPT)
    assert result.answer == "rcpt-rejected"
    assert found(result) == {"smtp.rcpt_rejected": "error", "smtp.no_starttls": "warning", "smtp.smtputf8": "info"}
    assert finding(result, "smtp.rcpt_rejected").data["reply"] == "550 5.1.1 No such user"
    assert mail.messages == []


def test_without_pipelining_one_command_at_a_time_and_none_after_a_refusal(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(keywords=(), replies={"RCPT": b"550 5.1.1 Unknown\r\n"})) as mail:
        result = check(dns_server, mail.port, subject=Subject(recipient=RECIPIENT), mode=SmtpMode.RCPT, allow=LOOPBACK)
    assert result.answer == "rcpt-rejected"
    assert [line.split(" ")[0] for line in mail.lines[:4]] == ["EHLO", "MAIL", "RCPT", "RSET"]


# --- what may not be done


def test_switched_off_nobody_is_contacted(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, mode=SmtpMode.OFF)
    assert (result.answer, result.state, result.findings, mail.connections) == ("off", State.UNKNOWN, (), 0)
    assert dns_server.count() == 0


def test_an_address_that_is_not_public_is_not_connected_to(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, allow=())
    assert (result.answer, mail.connections) == ("unknown", 0)
    assert found(result) == {"mx.non_public_address": "error"}
    assert finding(result, "mx.non_public_address").data == {"host": "mx.example.test", "addresses": ["127.0.0.1"]}


def test_the_address_that_was_looked_up_is_the_one_connected_to(dns_server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: asked.append(host) or real(host, *rest, **more))
    with BadSmtp() as mail:
        assert check(dns_server, mail.port).answer == "no-starttls"
        assert mail.connections == 1
    assert set(asked) <= {"127.0.0.1", None}


TRAPS = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.8"),
    *(
        "::1",
        "::",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:a00:1::",
        "2001:db8::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
    ),
]


def test_no_trap_address_is_connected_to(dns_server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = "$ORIGIN example.test.\n@ MX 10 mx\n" + "".join(f"mx {'AAAA' if ':' in trap else 'A'} {trap}\n" for trap in TRAPS)
    connected: list[object] = []
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connected.append(address) or real(self, address))
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, zone, allow=())
        assert (result.answer, mail.connections) == ("unknown", 0)
        assert [address for address in connected if address != dns_server.address] == []
        dns_server.remove("mx.example.test")
        check(dns_server, mail.port, ZONE)
        assert ("127.0.0.1", mail.port) in connected, "the hook sees connections"


@pytest.mark.parametrize(
    "recipient", ["anna@example.test\r\nDATA", "anna>\0@example.test", "an na@example.test", "<a><b>@example.test", "x" * 70 + "@example.test"]
)
def test_a_recipient_that_would_break_out_of_its_command_is_not_named(dns_server: DnsServer, recipient: str) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, subject=Subject(domain="example.test", recipient=recipient), mode=SmtpMode.RCPT)
    assert mail.lines == ["EHLO checker.test", "QUIT"]
    assert str(result.facts["not_probed"]).startswith("the address cannot be probed")


def test_a_recipient_elsewhere_is_not_asked_for(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, subject=Subject(domain="example.test", recipient="bo@elsewhere.test"), mode=SmtpMode.RCPT)
    assert mail.lines == ["EHLO checker.test", "QUIT"]
    assert result.facts["not_probed"] == "the address cannot be probed: it is not at example.test"


def test_relaying_is_tried_only_in_the_operators_own_networks() -> None:
    from whybounce.checks.conversation_path import foreign_mailbox

    assert foreign_mailbox("8.8.8.8", parse_networks(["127.0.0.0/8"])) == ""
    assert foreign_mailbox("127.0.0.1", parse_networks(["127.0.0.0/8"])).endswith("@example.net")


# --- the connection


def test_a_closed_port_is_refused(dns_server: DnsServer) -> None:
    result = check(dns_server, closed_port())
    assert (result.answer, found(result)) == ("refused", {"smtp.refused": "error"})


def test_a_syn_without_answer_is_unknown_and_ends_soon(dns_server: DnsServer) -> None:
    with deaf_port() as port:
        began = time.monotonic()
        result = check(dns_server, port)
    assert (result.answer, result.state, found(result)) == ("timeout", State.UNKNOWN, {"smtp.connect_timeout": "unknown"})
    assert time.monotonic() - began < 2


def test_a_silent_server_is_slow_and_nothing_is_known(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(greeting=b"")) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("timeout", {"smtp.slow_banner": "info"})
    assert finding(result, "smtp.slow_banner").data["greeted"] is False


def test_a_late_greeting_is_told_and_the_conversation_goes_on(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(delay=0.3)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("no-starttls", {"smtp.slow_banner": "info", "smtp.no_starttls": "warning"})
    assert finding(result, "smtp.slow_banner").data["greeted"] is True


def test_a_dripping_server_is_left_at_the_deadline(dns_server: DnsServer) -> None:
    began = time.monotonic()
    with BadSmtp(Manners(drip=0.1)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("timeout", {"smtp.timeout": "unknown"})
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("flood", [b"220-more to come\r\n" * 4000, b"2" * 65536, b"220 one\n" * 4000])
def test_an_endless_greeting_is_cut_off(dns_server: DnsServer, flood: bytes) -> None:
    began = time.monotonic()
    with BadSmtp(Manners(flood=flood)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("unknown", {"smtp.protocol_error": "unknown"})
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "reply",
    [
        b"250-mx.example.test\r\n220 SIZE\r\n",
        b"250-mx.example.test\r\nSIZE 1000\r\n250 OK\r\n",
        b"250-mx.example.test\r\n2500 OK\r\n",
        b"Hello\r\n",
        b"250-mx.example.test\n250 OK\n",
        b"250 mx.example.test\r\n250 and once more\r\n",
    ],
)
def test_a_malformed_reply_is_a_protocol_error(dns_server: DnsServer, reply: bytes) -> None:
    with BadSmtp(Manners(replies={"EHLO": reply})) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, result.state, found(result)) == ("unknown", State.UNKNOWN, {"smtp.protocol_error": "unknown"})


@pytest.mark.parametrize(("close_at", "stage"), [("accept", "greeting"), ("EHLO", "ehlo"), ("STARTTLS", "starttls")])
def test_a_connection_closed_early_is_unknown(dns_server: DnsServer, good_tls: ssl.SSLContext, close_at: str, stage: str) -> None:
    with BadSmtp(Manners(close_at=close_at, tls=good_tls)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("unknown", {"smtp.closed_early": "unknown"})
    assert finding(result, "smtp.closed_early").data["stage"] == stage


def test_closing_after_the_reply_to_ehlo_is_early_too(dns_server: DnsServer, good_tls: ssl.SSLContext) -> None:
    with BadSmtp(Manners(close_after="EHLO", tls=good_tls)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("unknown", {"smtp.closed_early": "unknown"})


def test_421_at_connect_says_nothing_of_starttls(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(greeting=b"421 4.3.2 Not now\r\n")) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, result.state, found(result)) == ("tempfail", State.UNKNOWN, {"smtp.banner_tempfail": "unknown"})
    assert mail.lines == ["QUIT"]


def test_554_at_connect_is_a_refusal(dns_server: DnsServer) -> None:
    with SmtpServer({"connect": "554 5.7.1 No service for you"}) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("banner-reject", {"smtp.banner_reject": "error"})


def test_421_from_the_second_connection_on_is_a_rate_limit(dns_server: DnsServer) -> None:
    zone = ZONE + "@ MX 20 twin\ntwin A 127.0.0.1\n"
    with BadSmtp(Manners(busy_from=2)) as mail:
        result = check(dns_server, mail.port, zone)
    assert found(result) == {"smtp.no_starttls": "warning", "smtp.rate_limited": "unknown"}
    assert (result.answer, mail.connections, mail.most_at_once) == ("no-starttls", 2, 1)


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        (b"421 4.7.0 Too many connections from you\r\n", "smtp.rate_limited"),
        (b"421 Too many connections from 127.0.0.1\r\n", "smtp.rate_limited"),
        (b"421 4.3.2 [127.0.0.1] Shutting down\r\n", "smtp.banner_tempfail"),
        (b"421 Shutting down\r\n", "smtp.banner_tempfail"),
    ],
)
def test_421_that_speaks_of_a_policy_or_of_us_is_a_rate_limit(dns_server: DnsServer, greeting: bytes, name: str) -> None:
    with BadSmtp(Manners(greeting=greeting)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("tempfail", {name: "unknown"})


def test_a_421_to_mail_is_no_answer(dns_server: DnsServer) -> None:
    result = probe(dns_server, Manners(replies={"MAIL": b"421 4.7.28 Slow down\r\n"}, close_after="MAIL"))
    assert found(result) == {"smtp.rate_limited": "unknown", "smtp.no_starttls": "warning", "smtp.closed_early": "unknown"}
    assert result.state is State.UNKNOWN


def test_without_esmtp_helo_is_said(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(replies={"EHLO": b"502 5.5.1 What?\r\n"})) as mail:
        result = check(dns_server, mail.port)
    assert mail.lines == ["EHLO checker.test", "HELO checker.test", "QUIT"]
    assert found(result) == {"smtp.no_esmtp": "info", "smtp.no_starttls": "warning"}
    assert result.answer == "no-starttls"


def test_a_name_of_ours_is_always_given(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        dns_server.add(ZONE)
        tools = Tools(Resolver([dns_server.address], allow_networks=parse_networks(LOOPBACK)), Reach(smtp_port=mail.port))
        asyncio.run(smtp.run(Subject(domain="example.test"), tools, QUICK))
    assert mail.lines[0] == "EHLO [127.0.0.1]"


# --- what strangers write


def test_a_banner_cannot_fake_a_reply_nor_reach_the_page_raw(dns_server: DnsServer, good_tls: ssl.SSLContext) -> None:
    banner = b"220 mx \x1b[31m<script>alert(1)</script>\xe2\x80\xae\n250 SIZE 5\n221 Bye\r\n"
    with BadSmtp(Manners(greeting=banner, tls=good_tls)) as mail:
        result = check(dns_server, mail.port)
    assert {"smtp.ok": "ok", "smtp.tls_ok": "ok"}.items() <= found(result).items()
    text = json.dumps(result.facts, ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"220 mx \x1b[31m<script>alert(1)</script>\xe2\x80\xae\x0a250 SIZE 5\x0a221 Bye" in seen(result)["banner"]


# --- TLS


def test_no_starttls(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("no-starttls", {"smtp.no_starttls": "warning"})


def test_starttls_answered_with_454(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(keywords=("STARTTLS",), replies={"STARTTLS": b"454 4.7.0 TLS not available\r\n"})) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("tls-broken", {"smtp.starttls_fails": "warning"})


@pytest.mark.parametrize("handshake", ["close", "garbage"])
def test_a_handshake_that_fails(dns_server: DnsServer, good_tls: ssl.SSLContext, handshake: str) -> None:
    with BadSmtp(Manners(tls=good_tls, handshake=handshake)) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("tls-broken", {"smtp.starttls_fails": "warning"})
    assert mail.connections == 1


def test_after_a_failed_handshake_the_recipient_is_asked_for_in_the_clear(dns_server: DnsServer, good_tls: ssl.SSLContext) -> None:
    result = probe(dns_server, Manners(tls=good_tls, handshake="close", replies={"RCPT": b"550 5.1.1 No\r\n"}))
    assert (result.answer, found(result)) == ("rcpt-rejected", {"smtp.starttls_fails": "warning", "smtp.rcpt_rejected": "error"})
    result = probe(dns_server, Manners(tls=good_tls, handshake="close", busy_from=2))
    assert found(result) == {"smtp.starttls_fails": "warning", "smtp.rate_limited": "unknown"}


def test_a_handshake_that_hangs_is_unknown(dns_server: DnsServer, good_tls: ssl.SSLContext) -> None:
    with BadSmtp(Manners(tls=good_tls, handshake="hang")) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("timeout", {"smtp.timeout": "unknown"})


def test_what_is_said_before_tls_does_not_count_within(dns_server: DnsServer, good_tls: ssl.SSLContext) -> None:
    with BadSmtp(Manners(tls=good_tls, handshake="inject")) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("unknown", {"smtp.protocol_error": "unknown"})
    assert seen(result)["tls"] is None


def test_an_expired_certificate(dns_server: DnsServer, ca: trustme.CA, ca_file: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    leaf = ca.issue_cert("mx.example.test", not_before=yesterday - timedelta(days=90), not_after=yesterday)
    with BadSmtp(Manners(tls=serving(leaf))) as mail:
        result = check(dns_server, mail.port, ca_file=ca_file)
    assert (result.answer, found(result)) == ("tls-broken", {"smtp.cert_expired": "warning"})
    assert f"its certificate expired on {yesterday:%Y-%m-%d}" in result.detail


def test_a_certificate_for_another_name(dns_server: DnsServer, ca: trustme.CA, ca_file: str) -> None:
    with BadSmtp(Manners(tls=serving(ca.issue_cert("www.example.test")))) as mail:
        result = check(dns_server, mail.port, ca_file=ca_file)
    assert (result.answer, found(result)) == ("tls-broken", {"smtp.cert_name": "warning"})


def test_a_certificate_of_an_unknown_authority_is_mentioned(dns_server: DnsServer, ca_file: str) -> None:
    with BadSmtp(Manners(tls=serving(trustme.CA().issue_cert("mx.example.test")))) as mail:
        result = check(dns_server, mail.port, ca_file=ca_file)
    assert (result.answer, found(result)) == ("ok", {"smtp.ok": "ok", "smtp.tls_ok": "ok", "smtp.cert_untrusted": "info"})


def test_an_old_version_of_tls_is_spoken_as_mail_servers_do(dns_server: DnsServer, ca: trustme.CA, ca_file: str) -> None:
    context = serving(ca.issue_cert("mx.example.test"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with BadSmtp(Manners(tls=context)) as mail:
        result = check(dns_server, mail.port, ca_file=ca_file)
    assert (result.answer, seen(result)["tls"]["version"]) == ("ok", "TLSv1.2")


# --- what it offers


def test_smtputf8_is_told(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(keywords=(*KEYWORDS, "SMTPUTF8", "REQUIRETLS"))) as mail:
        result = check(dns_server, mail.port)
    assert finding(result, "smtp.smtputf8").data["requiretls"] is True
    assert finding(result, "smtp.smtputf8").severity is Severity.INFO


@pytest.mark.parametrize(
    ("size", "message_size", "limited"),
    [
        ("1000", None, True),
        ("1000", 900, False),
        ("1000", 1001, True),
        ("50000000", None, False),
        ("50000000", 60_000_000, True),
        ("0", 10**9, False),
    ],
)
def test_the_size_limit_is_held_against_the_message(dns_server: DnsServer, size: str, message_size: int | None, limited: bool) -> None:
    with BadSmtp(Manners(keywords=(f"SIZE {size}",))) as mail:
        result = check(dns_server, mail.port, subject=Subject(domain="example.test", message_size=message_size))
    assert found(result).get("smtp.size_limit") == ("warning" if limited else None)
    assert (result.answer == "size-limit") is limited


def test_vrfy_is_told_where_offered(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(keywords=("VRFY",))) as mail:
        assert found(check(dns_server, mail.port))["smtp.vrfy"] == "info"
    assert "VRFY postmaster" not in mail.lines


@pytest.mark.parametrize(("reply", "told"), [(b"250 Anna <anna@example.test>\r\n", True), (b"252 Try it\r\n", False), (b"502 No\r\n", False)])
def test_vrfy_is_told_where_it_tells(dns_server: DnsServer, reply: bytes, told: bool) -> None:
    assert ("smtp.vrfy" in found(probe(dns_server, Manners(replies={"VRFY": reply})))) is told


# --- the recipient

BLOCKLIST = Blocklist("spamhaus-zen", "Spamhaus ZEN", "ip", "", zone="zen.spamhaus.org")
REFUSALS = [
    (b"550 5.1.1 No such user\r\n", "rcpt-rejected", "smtp.rcpt_rejected", "error"),
    (b"550 No such user here\r\n", "rcpt-rejected", "smtp.rcpt_rejected", "error"),
    (b"571 Not here\r\n", "rcpt-rejected", "smtp.rcpt_rejected", "error"),
    (b"554 5.7.1 <anna@example.test>: Relay access denied\r\n", "rcpt-rejected", "smtp.rcpt_rejected", "error"),
    (b"550 5.1.1 Not known, says 127.0.0.1\r\n", "rcpt-rejected", "smtp.rcpt_rejected", "error"),
    (b"552 5.2.2 Mailbox full\r\n", "mailbox-full", "smtp.mailbox_full", "error"),
    (b"552 Mailbox full\r\n", "mailbox-full", "smtp.mailbox_full", "error"),
    (b"452 4.2.2 Over quota\r\n", "mailbox-full", "smtp.mailbox_full", "error"),
    (b"451 4.7.1 Greylisted\r\n", "greylisting", "smtp.greylisting", "info"),
    (b"450 4.2.0 Come back\r\n", "greylisting", "smtp.greylisting", "info"),
    (b"554 5.7.1 Client host [127.0.0.1] blocked\r\n", "client-blocked", "smtp.client_blocked", "error"),
    (b"554 Your address 127.0.0.1 is listed\r\n", "client-blocked", "smtp.client_blocked", "error"),
    (b"550 5.7.1 Blocked, see https://www.spamhaus.org/query\r\n", "client-blocked", "smtp.client_blocked", "error"),
    (b"550 5.7.1 Service refused to [203.0.113.9]\r\n", "client-blocked", "smtp.client_blocked", "error"),
    (b"550 5.7.25 No PTR\r\n", "client-blocked", "smtp.client_blocked", "error"),
    (b"550 5.1.8 Bad sender\r\n", "sender-rejected", "smtp.sender_rejected", "error"),
    (b"550 5.7.23 SPF\r\n", "sender-rejected", "smtp.sender_rejected", "error"),
    (b"530 5.7.0 Must issue a STARTTLS command first\r\n", "unknown", "smtp.protocol_error", "unknown"),
]


@pytest.mark.parametrize(("reply", "answer", "name", "severity"), REFUSALS, ids=[reply.decode().strip() for reply, *_ in REFUSALS])
def test_a_refusal_is_told_by_its_structure(dns_server: DnsServer, reply: bytes, answer: str, name: str, severity: str) -> None:
    result = probe(dns_server, Manners(replies={"RCPT": reply}), blocklists=(BLOCKLIST,))
    assert (result.answer, found(result)[name]) == (answer, severity)
    assert set(found(result)) == {name, "smtp.no_starttls"}
    assert reply.decode().strip() in result.detail
    assert finding(result, name).data["same_for_a_made_up_mailbox"] is True


def test_a_refused_sender(dns_server: DnsServer) -> None:
    result = probe(dns_server, Manners(replies={"MAIL": b"550 5.1.8 Domain not found\r\n", "RCPT": b"503 5.5.1 Need MAIL\r\n"}))
    assert (result.answer, found(result)) == ("sender-rejected", {"smtp.sender_rejected": "error", "smtp.no_starttls": "warning"})


def test_a_client_refused_at_mail(dns_server: DnsServer) -> None:
    result = probe(dns_server, Manners(replies={"MAIL": b"554 5.7.1 [127.0.0.1] no\r\n", "RCPT": b"503 5.5.1 Need MAIL\r\n"}))
    assert (result.answer, found(result)["smtp.client_blocked"]) == ("client-blocked", "error")


def test_a_client_refused_at_ehlo(dns_server: DnsServer) -> None:
    with SmtpServer({"ehlo": "550 5.7.1 Go away"}) as mail:
        assert check(dns_server, mail.port).answer == "no-starttls"  # HELO is taken
    with BadSmtp(Manners(replies={"EHLO": b"550 5.7.1 Go away\r\n", "HELO": b"550 5.7.1 Go away\r\n"})) as mail:
        result = check(dns_server, mail.port)
    assert (result.answer, found(result)) == ("client-blocked", {"smtp.client_blocked": "error"})


def test_one_that_takes_every_name_is_a_catch_all(dns_server: DnsServer) -> None:
    result = probe(dns_server, Manners(replies={"RCPT": b"250 2.1.5 Ok\r\n"}), allow=("127.0.0.0/8",))
    assert {"smtp.catch_all": "info", "smtp.rcpt_accepted": "ok"}.items() <= found(result).items()


def test_an_open_relay(dns_server: DnsServer) -> None:
    result = probe(dns_server, Manners())
    assert (result.answer, found(result)["smtp.open_relay"]) == ("open-relay", "error")


def test_a_recipient_that_needs_smtputf8(dns_server: DnsServer) -> None:
    subject = Subject(recipient="jürgen@example.test")
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, subject=subject, mode=SmtpMode.RCPT)
    assert mail.lines == ["EHLO checker.test", "QUIT"]
    assert "needs SMTPUTF8" in seen(result)["not_probed"]
    with BadSmtp(Manners(keywords=("SMTPUTF8",))) as mail:
        check(dns_server, mail.port, subject=subject, mode=SmtpMode.RCPT)
    assert mail.lines[1:3] == ["MAIL FROM:<probe@checker.test> SMTPUTF8", "RCPT TO:<jürgen@example.test>"]


# --- several servers


@pytest.fixture
def two_servers() -> Iterator[tuple[BadSmtp, BadSmtp]]:
    port = free_port("127.0.0.1", "127.0.0.2")
    with BadSmtp(port=port) as first, BadSmtp(host="127.0.0.2", port=port) as second:
        yield first, second


def test_two_of_three_servers_are_spoken_with(dns_server: DnsServer, two_servers: tuple[BadSmtp, BadSmtp]) -> None:
    zone = ZONE + "@ MX 20 second\n@ MX 30 third\nsecond A 127.0.0.2\nthird A 127.0.0.2\n"
    result = check(dns_server, two_servers[0].port, zone)
    assert [server.connections for server in two_servers] == [1, 1]
    assert [server["host"] for server in result.facts["servers"]] == ["mx.example.test", "second.example.test"]  # type: ignore[index,call-overload,union-attr]
    assert result.facts["not_contacted"] == [{"host": "third.example.test", "reason": "better servers were reached"}]


def test_the_third_is_spoken_with_where_the_first_two_cannot_be_reached(dns_server: DnsServer) -> None:
    zone = "$ORIGIN example.test.\n@ MX 10 a\n@ MX 20 b\n@ MX 30 c\na A 127.0.0.5\nb A 127.0.0.6\nc A 127.0.0.1\n"
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, zone)
    assert result.answer == "no-starttls"
    assert [finding.finding for finding in result.findings] == ["smtp.refused", "smtp.refused", "smtp.no_starttls"]
    assert "a.example.test (127.0.0.5) refuses connections" in result.detail


def test_one_unknown_and_one_closed_are_not_bad(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(greeting=b"421 4.3.2 Not now\r\n")) as mail:
        result = check(dns_server, mail.port, ZONE + "@ MX 20 second\nsecond A 127.0.0.9\n")
    assert (result.answer, result.state) == ("tempfail", State.UNKNOWN)


def test_one_closed_and_one_unknown_are_not_bad(dns_server: DnsServer) -> None:
    with BadSmtp(Manners(greeting=b"421 4.3.2 Not now\r\n")) as mail:
        result = check(dns_server, mail.port, ZONE + "@ MX 5 first\nfirst A 127.0.0.9\n")
    assert (result.answer, result.state) == ("tempfail", State.UNKNOWN)


def test_another_address_is_tried_where_the_first_cannot_be_reached(dns_server: DnsServer) -> None:
    with BadSmtp(host="::1") as mail:
        result = check(dns_server, mail.port, ZONE + "mx AAAA ::1\n")
    assert [server["address"] for server in result.facts["servers"]] == ["127.0.0.1", "::1"]  # type: ignore[index,call-overload,union-attr]
    assert result.answer == "no-starttls"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("$ORIGIN example.test.\n@ MX 0 .\n", "accepts no mail (null MX)"),
        ("$ORIGIN example.test.\n@ MX 10 gone\n", "gone.example.test: it does not exist"),
        ("$ORIGIN example.test.\n@ TXT x\n", "it has no address"),
        ("other.test. TXT x\n", "does not exist in DNS"),
        (";! example.test servfail\n", "could not be looked up (servfail)"),
    ],
)
def test_without_a_server_nothing_is_known_of_it(dns_server: DnsServer, zone: str, words: str) -> None:
    result = check(dns_server, 1, zone)
    assert (result.answer, result.state, result.findings) == ("unknown", State.UNKNOWN, ())
    assert words in result.detail


def test_a_domain_without_mx_is_its_own_server(dns_server: DnsServer) -> None:
    with BadSmtp() as mail:
        result = check(dns_server, mail.port, "example.test. A 127.0.0.1\n")
    assert (seen(result)["host"], result.answer) == ("example.test", "no-starttls")


def test_it_needs_a_domain() -> None:
    assert smtp.needs(Subject(sending_ip="192.0.2.1")) == "the recipient's domain"
    assert smtp.needs(Subject(recipient=RECIPIENT)) == ""


def test_all_of_it_ends_before_the_checks_deadline(dns_server: DnsServer) -> None:
    """Ten servers that answer no SYN: none is waited for beyond the time of the whole."""
    zone = "$ORIGIN example.test.\n" + "".join(f"@ MX {i} h{i}\nh{i} A 127.0.0.1\n" for i in range(10, 20))
    with deaf_port() as port:
        began = time.monotonic()
        result = check(dns_server, port, zone, limits=replace(QUICK, whole_seconds=1.0))
    assert result.answer == "timeout"
    assert time.monotonic() - began < 2
