"""No check connects to an address that is not public, whatever DNS says: every connect of this process is watched while they run."""

from __future__ import annotations

import asyncio
import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dns.message
import pytest

from tests.engine.test_guard import TRAPS
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks.guard import parse_addresses, parse_networks
from whybounce.checks.registry import CHECKS
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.runner import possible, run
from whybounce.checks.tools import Reach, SmtpMode, Tools

OWN = ("9.9.9.9", "2620:fe::9")
"""Public addresses that are this machine's own in these tests."""
PUBLIC = "9.9.9.10"
SMTP, HTTPS, DNS = 2599, 4499, 5399


def is_in_dns(text: str) -> bool:
    """An address that a record can hold: one without a zone."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


ADDRESSES = (*(trap for trap in TRAPS if is_in_dns(trap)), *OWN)


@dataclass(slots=True)
class Watch:
    """Where this process connected or sent to, but for the name server of the test and what that sends. Nothing gets out: each
    attempt fails."""

    allowed: tuple[str, int] = ("", 0)
    server: threading.Thread | None = None
    on: bool = False
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event not in ("socket.connect", "socket.sendto", "socket.sendmsg") or threading.current_thread() is self.server:
            return
        address = arguments[1]
        if isinstance(address, tuple) and tuple(address[:2]) != self.allowed:
            self.seen.append((str(address[0]), int(address[1])))
            raise ConnectionRefusedError(111, "watched by a test")


WATCH = Watch()
sys.addaudithook(WATCH)  # it cannot be taken away again, only switched off


@contextmanager
def watched(server: DnsServer) -> Iterator[list[tuple[str, int]]]:
    WATCH.allowed, WATCH.server, WATCH.seen, WATCH.on = server.address, server._thread, [], True
    try:
        yield WATCH.seen
    finally:
        WATCH.on = False


def look(server: DnsServer, subject: Subject, allow: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> list[CheckResult]:
    """Every check that can look at the subject."""
    reach = Reach(SmtpMode.RCPT, SMTP, "checker.test", "probe@checker.test", HTTPS, "", DNS, parse_addresses(OWN))

    async def all_of_them() -> list[CheckResult]:
        async with Tools(Resolver([server.address], allow_networks=parse_networks(allow)), reach) as tools:
            return [result async for result in run(names or possible(subject), subject, tools, check_seconds=5)]

    return asyncio.run(all_of_them())


def zone(name: str, address: str) -> str:
    """A domain all of whose servers have this address: of mail, of the policy, of names."""
    rdtype = "AAAA" if ":" in address else "A"
    hosts = "".join(f"{host}.{name}. {rdtype} {address}\n" for host in ("mx1", "mx2", "mta-sts", "ns1", "ns2"))
    return f"""{hosts}
{name}. {rdtype} {address}
{name}. SOA ns1.{name}. a.{name}. 1 60 60 60 60
{name}. NS ns1.{name}.
{name}. MX 10 mx1.{name}.
{name}. TXT "v=spf1 mx a include:{name} -all"
_mta-sts.{name}. TXT "v=STSv1; id=1"
_smtp._tls.{name}. TXT "v=TLSRPTv1; rua=https://mta-sts.{name}/r"
_dmarc.{name}. TXT "v=DMARC1; p=reject; rua=mailto:a@{name}"
"""


def subject_of(name: str, address: str) -> Subject:
    mailbox = f"anna@{name}"
    return Subject(name, mailbox, address, mailbox, mailbox, f"mx1.{name}", (f"s@{name}",), 1000, "550 blocked using trap.test")


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_check_connects_to_an_address_that_is_not_public(dns_server: DnsServer, address: str) -> None:
    dns_server.add(zone("trap.test", address))
    subject = subject_of("trap.test", address)
    with watched(dns_server) as seen:
        results = look(dns_server, subject)
    assert not seen
    assert {result.check for result in results} == set(CHECKS)
    assert all("fault in this program" not in result.detail for result in results)


def test_the_watch_sees_the_connections_that_an_operator_allows(dns_server: DnsServer) -> None:
    """Without this the test above would pass where nothing connects at all."""
    dns_server.add(zone("trap.test", "127.0.0.1"))
    with watched(dns_server) as seen:
        look(dns_server, subject_of("trap.test", "127.0.0.1"), allow=("127.0.0.0/8",))
    assert ("127.0.0.1", SMTP) in seen
    assert ("127.0.0.1", HTTPS) in seen


@dataclass(frozen=True, slots=True)
class _Change:
    first: str
    then: str


class Rebinding(DnsServer):
    """Tells a public address once, and a private one ever after."""

    change = _Change(PUBLIC, "127.0.0.1")

    def _answer(self, query: dns.message.Message, behaviour: Behaviour) -> dns.message.Message:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        told = self.count(name, "A")
        response = super()._answer(query, behaviour)
        if told <= 1:
            return response
        text = response.to_text().replace(self.change.first, self.change.then)
        changed = dns.message.from_text(text)
        changed.id = query.id
        return changed


def test_a_name_server_that_turns_to_a_private_address_leads_nobody_there() -> None:
    with Rebinding() as server:
        server.add(zone("rebind.test", PUBLIC))
        subject = subject_of("rebind.test", PUBLIC)
        with watched(server) as seen:
            look(server, subject)
            first = list(seen)
            again = look(server, subject)
    assert (PUBLIC, SMTP) in first
    assert (PUBLIC, HTTPS) in first
    assert {host for host, _port in seen} <= {PUBLIC}
    assert {port for _host, port in seen} <= {SMTP, HTTPS, DNS}
    private = next(result for result in again if result.check == "mx")
    assert private.answer == "private"


@pytest.mark.parametrize("target", ["127.0.0.1.", "localhost.", "[127.0.0.1].", "2130706433."])
def test_an_mx_that_names_an_address_instead_of_a_host_leads_nowhere(dns_server: DnsServer, target: str) -> None:
    dns_server.add(f"trap.test. MX 10 {target}\nlocalhost. A 127.0.0.1\n2130706433. A 127.0.0.1\n")
    with watched(dns_server) as seen:
        look(dns_server, Subject(domain="trap.test"))
    assert not seen


def test_an_alias_into_a_private_network_is_not_followed_to_its_end(dns_server: DnsServer) -> None:
    dns_server.add(zone("inner.test", "10.0.0.1") + "outer.test. MX 10 mx.outer.test.\nmx.outer.test. CNAME mx1.inner.test.\n")
    with watched(dns_server) as seen:
        look(dns_server, Subject(domain="outer.test"))
    assert not seen
