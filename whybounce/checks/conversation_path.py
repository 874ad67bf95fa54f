"""What may stand between the angle brackets of MAIL and RCPT: RFC 5321 section 4.1.2, with RFC 6531 for addresses that are not ASCII."""

from __future__ import annotations

import re
import secrets
from ipaddress import ip_address

from whybounce.checks.conversation_record import Envelope
from whybounce.checks.guard import DomainError, Network, parse_domain

# RFC 5321 section 4.5.3.1: a local part of 64 octets, a path of 256 with its brackets.
MAX_LOCAL = 64
MAX_PATH = 254
_LOCAL = re.compile(r"""[^\s<>()\[\]\\,;:"@\x00-\x1f\x7f]+|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])+\"""")
# RFC 2606 section 3: nobody's domain, so nothing can come of it that a server takes a recipient there.
_FOREIGN = "example.net"


class PathError(ValueError):
    """The address cannot be said to a server. The message ends a sentence."""


def mailbox(address: str) -> tuple[str, str]:
    """`"Anna@Bücher.example"` -> `("Anna", "xn--bcher-kva.example")`. PathError where it is no address."""
    local, at, domain = address.strip().strip("<>").rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise PathError("it is no valid address")
    try:
        domain = parse_domain(domain)
    except DomainError as error:
        raise PathError("its domain is not valid") from error
    if len(local.encode()) > MAX_LOCAL or len(f"{local}@{domain}".encode()) > MAX_PATH:
        raise PathError("it is longer than SMTP allows")
    return local, domain


def envelope_for(recipient: str, domain: str, sender: str) -> Envelope:
    """What to say for this recipient to the mail servers of `domain`. PathError: nothing, and why.

    A recipient elsewhere is not asked for: that would be to try whether the server relays.
    """
    local, at_domain = mailbox(recipient)
    if at_domain != domain:
        raise PathError(f"it is not at {domain}")
    from_path = ""
    if sender.strip("<> "):
        from_local, from_domain = mailbox(sender)
        from_path = f"{from_local}@{from_domain}"
    utf8 = not (local.isascii() and from_path.isascii())
    return Envelope(from_path, f"{local}@{domain}", made_up_mailbox(domain), utf8=utf8)


def foreign_mailbox(address: str, networks: tuple[Network, ...]) -> str:
    """The recipient elsewhere with which to try whether a server relays, "" for every server but those in the operator's own networks:
    with other people's servers that would be an attack, and get this machine listed."""
    ip = ip_address(address)
    return made_up_mailbox(_FOREIGN) if any(ip in network for network in networks) else ""


def made_up_mailbox(domain: str) -> str:
    """A mailbox that nobody has."""
    return f"no-such-user-{secrets.token_hex(6)}@{domain}"
