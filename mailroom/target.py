"""Where a webhook may lead: the form of its address. Reads no table."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from whybounce.checks.guard import DomainError, is_address, is_connectable, parse_domain


class BadTarget(ValueError):
    """Nothing is sent there; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """`host`: A-labels, or an address literal without brackets; `path` with its query."""

    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """RFC 9110 section 7.2: with the port where that is not the usual one."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == 443 else f"{shown}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of an https address; BadTarget for any other, and for an address literal that is private."""
    if any(char.isspace() or not char.isprintable() for char in url):
        raise BadTarget(_("The address holds a space or a character that nobody sees."))
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        raise BadTarget(_("This is no web address.")) from None
    if parts.scheme != "https" or not parts.hostname:
        raise BadTarget(_("The address must begin with https://."))
    if parts.username is not None or parts.password is not None:
        raise BadTarget(_("The address must hold no user name and no password: the signature shows who sends."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise BadTarget(_("The path must be written in ASCII (percent-encoded)."))
    return Target(_host(parts.hostname), port, path)


def _host(name: str) -> str:
    if is_address(name):
        if not is_allowed(name):
            raise BadTarget(_("%(address)s is a private address, or this machine itself; nothing is sent there.") % {"address": name})
        return str(ipaddress.ip_address(name))
    try:
        return parse_domain(name)
    except DomainError as error:
        raise BadTarget(str(error)) from error


def is_allowed(address: str) -> bool:
    """Whether something may be sent to this address literal: what checks may connect to (whybounce.checks.guard)."""
    return is_connectable(address, settings.WHYBOUNCE_ALLOW_NETWORKS, settings.WHYBOUNCE_REACH.own_addresses)
