"""Fixtures of the engine's tests: a DNS server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.dns import DnsServer


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    """A DNS server without records; a test adds its zone text with `dns_server.add(...)`."""
    with DnsServer() as server:
        yield server
