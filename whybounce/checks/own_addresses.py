"""The addresses of this machine, to which no check connects: a public address may be its own, and services on it may trust it."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path

from whybounce.checks.guard import parse_addresses

_FIB_TRIE = Path("/proc/net/fib_trie")
_IF_INET6 = Path("/proc/net/if_inet6")
# Never spoken to: connecting a UDP socket sends nothing, but tells which address the machine would send from.
_FAR_AWAY = ((socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "2001:4860:4860::8888"))


def own_addresses(fib_trie: Path = _FIB_TRIE, if_inet6: Path = _IF_INET6) -> frozenset[str]:
    """The addresses of all interfaces as far as the system tells, in the form of `guard.parse_addresses`. An address that a router
    translates to this machine (NAT) cannot be seen from here. The files: proc_net(5), where the system is Linux."""
    # Where the system keeps such files they are complete; looking up the host's name may ask DNS, and take long.
    return _of_fib_trie(_text(fib_trie)) | _of_if_inet6(_text(if_inet6)) or _of_host_name() | _sent_from()


def _of_fib_trie(text: str) -> frozenset[str]:
    """`|-- 192.0.2.1` followed by `/32 host LOCAL` is an address of this machine."""
    return parse_addresses(re.findall(r"\|-- ([\d.]+)\n\s*/32 host LOCAL", text))


def _of_if_inet6(text: str) -> frozenset[str]:
    """A line an address: 32 hexadecimal digits, then numbers and the interface."""
    words = (line.split()[0] for line in text.splitlines() if line.strip())
    return frozenset(str(ipaddress.IPv6Address(bytes.fromhex(word))) for word in words if re.fullmatch(r"[0-9a-f]{32}", word))


def _of_host_name() -> frozenset[str]:
    try:
        return parse_addresses({str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)})
    except (OSError, UnicodeError):
        return frozenset()


def _sent_from() -> frozenset[str]:
    found = set()
    for family, address in _FAR_AWAY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 53))
                found.add(str(probe.getsockname()[0]))
        except OSError:
            continue  # no such family, or no way out
    return parse_addresses(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
