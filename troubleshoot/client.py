"""Whose request it is: the address of the client, also behind proxies that the settings name."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from whybounce.checks.guard import Network

UNIX = "unix"
"""In WHYBOUNCE_TRUSTED_PROXIES: whoever connects by a Unix socket, and so has no address."""


def client_address(request: HttpRequest) -> str:
    """The address of the client: that of the connection, or where that is a trusted proxy the right-most hop of X-Forwarded-For
    that is none. What stands to the left of that anybody can have written. "" where it is not known."""
    address = str(request.META.get("REMOTE_ADDR") or "")
    if not _trusted(address):
        return _plain(address)
    for hop in reversed(str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")):
        hop = hop.strip().strip("[]")
        if not _plain(hop):
            return _plain(address)  # a proxy that is trusted writes addresses; what is none was not written by it
        address = hop
        if not _trusted(hop):
            break
    return _plain(address)


def is_behind_unknown_proxy(request: HttpRequest) -> bool:
    """Whether the request was handed on by a proxy that is not trusted: its client may be anybody."""
    handed_on = any(request.META.get(name) for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))
    return handed_on and not comes_from_trusted_proxy(request)


def comes_from_trusted_proxy(request: HttpRequest) -> bool:
    """Whether a trusted proxy made the connection, so that the headers it sets are its own."""
    return _trusted(str(request.META.get("REMOTE_ADDR") or ""))


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 address, within which a client may choose (RFC 6177)."""
    plain = _plain(address)
    if ":" not in plain:
        return plain
    return str(ipaddress.ip_network((plain, 64), strict=False))


def _trusted(address: str) -> bool:
    trusted: tuple[Network | str, ...] = settings.WHYBOUNCE_TRUSTED_PROXIES
    if not address:
        return UNIX in trusted
    plain = _plain(address)
    return bool(plain) and any(ipaddress.ip_address(plain) in network for network in trusted if not isinstance(network, str))


def _plain(text: str) -> str:
    """An address in one form, mapped IPv4 as IPv4; "" where the text is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address).partition("%")[0]
