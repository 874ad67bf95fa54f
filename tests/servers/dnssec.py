"""Real DNS servers on loopback: zones signed by DNSSEC in NSD, and a validating Unbound that is told of them.

    zone = sign(text, "secure.test.")
    with Nsd({"secure.test": zone.text}) as nsd, Unbound({"secure.test": nsd.address}, [zone.anchor]) as unbound:
        Resolver([unbound.address])

Debian: `apt install nsd unbound`. A test that needs them is marked `@needs_real_servers`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.dns import free_port

PROGRAMS = ("nsd", "unbound")
_DAY = 86400
_START_SECONDS = 10.0


def _missing() -> list[str]:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


# In CI nothing may be skipped: there a missing program fails when it is started.
needs_real_servers = pytest.mark.skipif(
    bool(_missing()) and not os.environ.get("CI"), reason=f"not installed (Debian: apt install nsd unbound): {', '.join(_missing())}"
)


@dataclass(frozen=True, slots=True)
class SignedZone:
    """`text` is the zone in master file format, `anchor` its DNSKEY as a trust anchor, `ds` what the zone above publishes."""

    text: str
    anchor: str
    ds: str


def sign(text: str, origin: str, *, expired: bool = False) -> SignedZone:
    """The zone signed with one ECDSA P-256 key (RFC 6605). `expired`: the signatures ended a week ago,
    longer than a validator that allows for wrong clocks lets pass (Unbound: a day)."""
    zone = dns.zone.from_text(text, origin, relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
    now = int(time.time())
    inception, expiration = (now - 30 * _DAY, now - 7 * _DAY) if expired else (now - 3600, now + 7 * _DAY)
    with zone.writer() as txn:
        dns.dnssec.sign_zone(zone, txn, [(private, key)], dnskey_ttl=300, inception=inception, expiration=expiration)
    name = dns.name.from_text(origin)
    ds = dns.dnssec.make_ds(name, key, "SHA256")
    return SignedZone(zone.to_text(relativize=False), f"{name} DNSKEY {key.to_text()}", f"{name} 300 IN DS {ds.to_text()}\n")


class _Program:
    """A name server with a folder and a configuration of its own, running until the `with` block ends."""

    name = ""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port or free_port(host)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def configuration(self, folder: Path) -> str:
        raise NotImplementedError

    def probe(self) -> str:
        """A name that the server answers when it is ready."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
        program = shutil.which(self.name, path=path)
        if program is None:
            raise RuntimeError(f"{self.name} is not installed (Debian: apt install {self.name})")
        conf = self._folder / "server.conf"
        conf.write_text(self.configuration(self._folder))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, "-d", "-c", str(conf)], stdout=log, stderr=log)
        try:
            _wait_until(self._answers)
        except TimeoutError:
            log_text = (self._folder / "log").read_text(errors="replace")
            self.__exit__()
            raise RuntimeError(f"{self.name} did not start:\n{log_text}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise TimeoutError
        try:
            dns.query.udp(dns.message.make_query(self.probe(), dns.rdatatype.SOA), self.host, timeout=0.2, port=self.port)
        except (dns.exception.DNSException, OSError):
            return False
        return True


class Nsd(_Program):
    """An authoritative server for zones: name without the final dot -> master file text."""

    name = "nsd"

    def __init__(self, zones: Mapping[str, str], host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self._zones = zones

    def probe(self) -> str:
        return next(iter(self._zones))

    def configuration(self, folder: Path) -> str:
        lines = [
            "server:",
            f"  ip-address: {self.host}@{self.port}",
            f'  zonesdir: "{folder}"\n  xfrdir: "{folder}"\n  pidfile: ""\n  xfrdfile: ""\n  zonelistfile: "{folder}/zone.list"',
            '  username: ""\n  server-count: 1\n  hide-version: yes\n  logfile: ""\n  rrl-ratelimit: 0',
            "remote-control:\n  control-enable: no",
        ]
        for number, (name, text) in enumerate(self._zones.items()):
            (folder / f"zone{number}").write_text(text)
            lines.append(f'zone:\n  name: "{name}"\n  zonefile: "zone{number}"')
        return "\n".join(lines) + "\n"


class Unbound(_Program):
    """A validating recursive server that knows where these zones are served, and trusts these keys.

    stubs    zone -> (address, port) of its name server
    """

    name = "unbound"

    def __init__(self, stubs: Mapping[str, tuple[str, int]], anchors: Collection[str] = (), host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self._stubs, self._anchors = stubs, anchors

    def probe(self) -> str:
        return "localhost"

    def configuration(self, folder: Path) -> str:
        lines = [
            "server:",
            f"  interface: {self.host}@{self.port}\n  access-control: 127.0.0.0/8 allow\n  do-not-query-localhost: no",
            f'  directory: "{folder}"\n  chroot: ""\n  username: ""\n  pidfile: ""\n  use-syslog: no\n  logfile: ""\n  do-daemonize: no',
            '  module-config: "validator iterator"\n  ede: yes\n  val-log-level: 2\n  trust-anchor-signaling: no\n  num-threads: 1\n  do-ip6: no',
            '  local-zone: "test." nodefault\n  qname-minimisation: no',
            *(f'  trust-anchor: "{anchor}"' for anchor in self._anchors),
            "remote-control:\n  control-enable: no",
            *(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {host}@{port}' for zone, (host, port) in self._stubs.items()),
        ]
        return "\n".join(lines) + "\n"


def _wait_until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
