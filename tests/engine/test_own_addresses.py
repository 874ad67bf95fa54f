"""The machine's own addresses are found, and in the form in which the guard compares them."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

from whybounce.checks.guard import is_connectable, parse_addresses
from whybounce.checks.own_addresses import own_addresses

# As Linux prints it: local addresses, a network, a broadcast address.
FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 198.51.100.0/24 2 0 2
        |-- 198.51.100.0
           /24 link UNICAST
        |-- 198.51.100.7
           /32 host LOCAL
        |-- 198.51.100.255
           /32 link BROADCAST
Local:
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
"""
IF_INET6 = """\
20010db8000100000000000000000025 02 40 00 80     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
"""


def test_the_files_of_linux_are_read(tmp_path: Path) -> None:
    (tmp_path / "trie").write_text(FIB_TRIE)
    (tmp_path / "six").write_text(IF_INET6)
    found = own_addresses(tmp_path / "trie", tmp_path / "six")
    assert found == {"198.51.100.7", "127.0.0.1", "2001:db8:1::25", "fe80::1"}


def test_elsewhere_it_is_asked_which_address_would_be_used(tmp_path: Path) -> None:
    found = own_addresses(tmp_path / "none", tmp_path / "none either")
    assert all(ipaddress.ip_address(address) for address in found)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_an_address_that_a_socket_of_this_machine_is_bound_to_is_among_them(family: socket.AddressFamily) -> None:
    try:
        with socket.socket(family) as listener:
            listener.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
            address = str(listener.getsockname()[0])
    except OSError:
        pytest.skip("this machine does not have the family")
    assert address in own_addresses()


def test_however_an_operator_writes_an_address_the_guard_knows_it() -> None:
    own = parse_addresses(["2606:4700::1111", "[2A00:1450:4001:0830::200E]", "::ffff:8.8.8.8", " 9.9.9.9 ", ""])
    for address in ("2606:4700:0:0::1111", "2a00:1450:4001:830::200e", "8.8.8.8", "::ffff:8.8.8.8", "9.9.9.9"):
        assert not is_connectable(address, (), own)
    assert is_connectable("8.8.4.4", (), own)
    with pytest.raises(ValueError, match="one of mine"):
        parse_addresses(["one of mine"])
