"""DNSSEC as a validating resolver tells it: zones in NSD, Unbound before them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers.dns import DnsServer, free_port
from tests.servers.dnssec import Nsd, Unbound, needs_real_servers, sign
from tests.servers.zones import Behaviour
from whybounce.checks import delegation, mx
from whybounce.checks.dnssec import find_bogus
from whybounce.checks.guard import parse_networks
from whybounce.checks.resolver import Lookup, Resolver, Status
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.tools import Reach, Tools

ZONE = """$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
@ MX 10 mx
mx A 8.8.8.8
mx AAAA 2606:4700::1111
@ TXT "v=spf1 mx -all"
"""
TEST = """$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
lame NS ns.lame
ns.lame A 127.0.0.3
"""


@dataclass(frozen=True, slots=True)
class Network:
    unbound: Unbound
    nsd: Nsd

    def check(self, domain: str, question_seconds: float = 5) -> CheckResult:
        async def look() -> CheckResult:
            resolver = Resolver([self.unbound.address], question_seconds=question_seconds, allow_networks=parse_networks(["127.0.0.0/8"]))
            async with Tools(resolver, Reach(dns_port=self.nsd.port)) as tools:
                return await delegation.run(Subject(domain=domain), tools)

        return asyncio.run(look())

    def ask(self, name: str, rdtype: str, checking_disabled: bool = False) -> Lookup:
        return asyncio.run(Resolver([self.unbound.address]).ask(name, rdtype, checking_disabled=checking_disabled))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """good, tampered (MX), host (address of the MX), text (SPF) and expired are signed; plain is not; lame's server refuses."""
    signed = {name: sign(ZONE, f"{name}.test.", expired=name == "expired") for name in ("good", "tampered", "host", "text", "expired")}
    zones = {f"{name}.test": zone.text for name, zone in signed.items()}
    zones["tampered.test"] = _changed(zones["tampered.test"], "MX 10 mx.", "MX 10 other.")
    zones["host.test"] = _changed(_changed(zones["host.test"], "A 8.8.8.8", "A 8.8.4.4"), "2606:4700::1111", "2606:4700::1112")
    zones["text.test"] = _changed(zones["text.test"], "v=spf1 mx -all", "v=spf1 +all")
    zones |= {"plain.test": ZONE, "test": TEST}
    with contextlib.ExitStack() as stack:
        nsd = stack.enter_context(Nsd(zones, port=free_port("127.0.0.1", "127.0.0.3")))
        dead = stack.enter_context(DnsServer(";! * servfail"))
        lame = stack.enter_context(DnsServer(";! * refused", host="127.0.0.3", port=nsd.port))
        stubs = dict.fromkeys(zones, nsd.address) | {"lame.test": lame.address, "failing.test": dead.address}
        unbound = stack.enter_context(Unbound(stubs, [zone.anchor for zone in signed.values()]))
        yield Network(unbound, nsd)


def _changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def found(result: CheckResult) -> dict[str, str]:
    return {finding.finding: str(finding.severity) for finding in result.findings}


@needs_real_servers
def test_a_signed_zone_is_secure_by_the_resolvers_word(network: Network) -> None:
    result = network.check("good.test")
    assert (result.answer, found(result)) == ("ok", {"dnssec.secure": "ok"})
    assert result.facts["dnssec"] == "secure"
    assert "the resolver 127.0.0.1" in str(result.facts["dnssec_by"])
    assert result.detail.endswith("agree, and the answer is signed by DNSSEC.")


@needs_real_servers
def test_an_unsigned_zone_is_neither_secure_nor_wrong(network: Network) -> None:
    result = network.check("plain.test")
    assert (result.answer, found(result), result.facts["dnssec"]) == ("ok", {}, "not validated")


@needs_real_servers
def test_a_record_changed_after_signing_is_bogus_with_the_resolvers_reason(network: Network) -> None:
    result = network.check("tampered.test")
    assert (result.answer, found(result)) == ("bogus", {"dns.servfail": "error", "dnssec.bogus": "error"})
    assert "6 DNSSEC bogus" in result.detail
    assert "withhold its MX records" in result.detail
    assert result.facts["dnssec"] == "bogus"


@needs_real_servers
def test_signatures_that_have_expired_are_bogus(network: Network) -> None:
    result = network.check("expired.test")
    assert result.answer == "bogus"
    assert found(result)["dnssec.bogus"] == "error"
    assert "expired" in result.detail
    assert [set(finding.data["rdtypes"]) for finding in result.findings if finding.finding == "dnssec.bogus"] == [{"MX", "TXT", "SOA"}]  # type: ignore[arg-type]


@needs_real_servers
@pytest.mark.parametrize("domain", ["host.test", "text.test"])
def test_a_tampered_zone_is_never_secure_whichever_record_it_is(network: Network, domain: str) -> None:
    result = network.check(domain)
    assert (result.answer, found(result)) == ("bogus", {"dnssec.bogus": "error"})
    assert ("its TXT records" if domain == "text.test" else "mx.host.test's A and AAAA records") in result.detail


@needs_real_servers
def test_a_name_server_that_fails_is_no_matter_of_signatures(network: Network) -> None:
    result = network.check("failing.test")
    assert (result.answer, found(result)) == ("servfail", {"dns.servfail": "error"})


@needs_real_servers
def test_a_lame_delegation_is_found_through_the_zone_above(network: Network) -> None:
    result = network.check("lame.test")
    assert (result.answer, found(result)) == ("all-lame", {"dns.servfail": "error", "ns.lame": "error"})
    assert "ns.lame.test (127.0.0.3 refuses to answer)" in result.detail


@needs_real_servers
def test_a_name_that_does_not_exist_for_certain(network: Network) -> None:
    assert network.check("nobody.good.test").answer == "nxdomain"
    assert network.ask("nobody.good.test", "MX").authenticated


@needs_real_servers
def test_the_resolver_tells_ad_and_hears_cd(network: Network) -> None:
    assert network.ask("good.test", "MX").authenticated
    assert not network.ask("plain.test", "MX").authenticated
    withheld = network.ask("tampered.test", "MX")
    assert (withheld.status, withheld.authenticated) == (Status.SERVFAIL, False)
    unchecked = network.ask("tampered.test", "MX", checking_disabled=True)
    assert (unchecked.records, unchecked.authenticated) == (("10 other.tampered.test",), False)


@needs_real_servers
def test_the_mx_check_quotes_the_reason_as_well(network: Network) -> None:
    async def look() -> CheckResult:
        return await mx.run(Subject(domain="tampered.test"), Tools(Resolver([network.unbound.address])))

    result = asyncio.run(look())
    assert (result.answer, found(result)) == ("servfail", {"dns.servfail": "error"})
    assert "DNSSEC bogus" in result.detail


# A resolver that gives no reasons: told by what it answers without validation, and by whether the zone has keys at all.


def bogus(server: DnsServer) -> list[str]:
    async def look() -> list[str]:
        resolver = Resolver([server.address])
        return [rdtype for wrong in await find_bogus([await resolver.ask("example.test", "MX")], resolver) for rdtype in wrong.rdtypes]

    return asyncio.run(look())


SIGNED = "example.test. SOA ns.example.test. h.example.test. 1 2 3 4 5\nexample.test. MX 10 mx.example.test.\n"
KEY = "example.test. DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n"


@pytest.mark.parametrize(("zone", "wrong"), [(SIGNED + KEY, ["MX"]), (SIGNED, [])], ids=["with keys", "without keys"])
def test_without_a_reason_only_a_zone_with_keys_is_bogus(dns_server: DnsServer, zone: str, wrong: list[str]) -> None:
    dns_server.add(zone)
    dns_server.behave("example.test", Behaviour(rcode="servfail", rdtype="MX", times=1))
    assert bogus(dns_server) == wrong


def test_the_reason_is_enough_where_the_resolver_knows_no_cd(dns_server: DnsServer) -> None:
    dns_server.behave("example.test", Behaviour(rcode="servfail", ede=7))
    assert bogus(dns_server) == ["MX"]
    dns_server.behave("example.test", Behaviour(rcode="servfail", ede=22))
    assert bogus(dns_server) == []
