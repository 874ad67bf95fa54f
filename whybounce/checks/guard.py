"""What a check may connect to, which names it may ask for, and how text from strangers is shown."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Collection

import idna

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What `is_global` lets through and no public mail server has: multicast and NAT64 are told apart by their own rules below.
_NEVER_V4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NEVER_V6 = tuple(ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

# RFC 1035 section 2.3.4: 63 octets a label; 255 octets on the wire are 253 characters without the final dot.
MAX_LABEL = 63
MAX_NAME = 253
_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


class DomainError(ValueError):
    """A text that is no domain to look at. The message is a sentence that says why and what to type instead."""


def parse_networks(texts: Collection[str]) -> tuple[Network, ...]:
    """`["10.0.0.0/8", "::1"]` as networks. ValueError names the one that is none."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts if text.strip())


def parse_addresses(texts: Collection[str]) -> frozenset[str]:
    """`["192.0.2.1", "2001:DB8::1", "[::ffff:192.0.2.2]"]` in the form in which `is_connectable` compares them: mapped IPv4 as IPv4,
    without brackets or zone. ValueError names the one that is no address."""
    return frozenset(str(_unmapped(ipaddress.ip_address(text.strip().strip("[]").partition("%")[0]))) for text in texts if text.strip())


def _unmapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def is_connectable(address: str, allow_networks: Collection[Network] = (), own_addresses: Collection[str] = ()) -> bool:
    """True where a public tool may open a connection to this address literal.

    allow_networks    private networks that the operator lets checks reach
    own_addresses     addresses of this machine (`parse_addresses`), never connected to unless allowed
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return False
    ip = _unmapped(ip)
    if any(ip in network for network in allow_networks):
        return True
    if str(ip) in own_addresses or ip.is_multicast or ip.is_reserved or not ip.is_global:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NEVER_V4)
    return ip in _UNICAST_V6 and not any(ip in network for network in _NEVER_V6)


def is_address(text: str) -> bool:
    """True for an IPv4 or IPv6 address, bare, in brackets or as `[IPv6:...]` (RFC 5321 section 4.1.3)."""
    literal = text.strip()
    if literal.startswith("[") and literal.endswith("]"):
        literal = literal[1:-1]
        if literal.lower().startswith("ipv6:"):
            literal = literal[5:]
    try:
        ipaddress.ip_address(literal)
    except ValueError:
        return False
    return True


def parse_domain(text: str) -> str:
    """A domain as a person gives it -> lower-case A-labels without the trailing dot; DomainError says what is wrong with it."""
    domain = text.strip()
    if not domain:
        raise DomainError("No domain was given. Type the part of the address after the @, such as example.com.")
    _refuse_other_things(domain)
    ascii_domain = domain.lower() if domain.isascii() else _to_a_labels(domain)
    ascii_domain = ascii_domain.removesuffix(".")
    _refuse_bad_labels(ascii_domain, domain)
    if ascii_domain == "localhost" or ascii_domain.endswith(".localhost"):
        raise DomainError(
            "localhost is this machine itself, and no mail from elsewhere can reach it. Type a domain of the public DNS, such as example.com."
        )
    if "." not in ascii_domain:
        raise DomainError(f"{shown(domain)} has no dot. Type the whole domain, such as {ascii_domain}.com or {ascii_domain}.example.org.")
    if ascii_domain.rpartition(".")[2].isdigit():
        raise DomainError(f"{shown(domain)} ends in a number, as no domain does. If it is an IP address, a domain name is needed instead.")
    return ascii_domain


def _refuse_other_things(domain: str) -> None:
    """Raise where the text is an address, a link, or holds what no name may hold."""
    for char in domain:
        if char in "\r\n\0":
            raise DomainError("The domain holds a line break or a NUL character. Type one domain on one line.")
        if char.isspace():
            raise DomainError("The domain holds a space. Type one domain without spaces, such as example.com.")
        if unicodedata.category(char) in ("Cc", "Cf"):
            name = unicodedata.name(char, "a control character").lower()
            raise DomainError(f"The domain holds an invisible character (U+{ord(char):04X}, {name}), often copied from a web page. Type it by hand.")
    if "://" in domain or "/" in domain:
        raise DomainError(f"{shown(domain)} looks like a web address. Type only the domain, without http:// and without a path.")
    if is_address(domain):
        raise DomainError(f"{shown(domain)} is an IP address, and this looks at domain names. Type a domain, such as example.com.")
    if "@" in domain:
        raise DomainError(f"{shown(domain)} holds an @. Type only the part after it, such as example.com.")


def _to_a_labels(domain: str) -> str:
    """U-labels to A-labels: RFC 5891, after the mapping of UTS 46 (upper case, full-width forms, other dots)."""
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise DomainError(f"{shown(domain)} is no valid internationalised domain name: {shown(str(error))}.") from error


def _refuse_bad_labels(ascii_domain: str, typed: str) -> None:
    if len(ascii_domain) > MAX_NAME:
        raise DomainError(f"The domain has {len(ascii_domain)} characters, and a name in DNS has at most {MAX_NAME}.")
    for label in ascii_domain.split("."):
        if not label:
            raise DomainError(f"{shown(typed)} has a dot too many: two together, or one at the start.")
        if len(label) > MAX_LABEL:
            raise DomainError(f"The part {label[:20]}... has {len(label)} characters, and a part between two dots has at most {MAX_LABEL}.")
        bad = next((char for char in label if char not in _LDH), "")
        if bad:
            raise DomainError(f"{shown(typed)} holds the character {shown(bad)}. A domain has only letters, digits, hyphens and dots.")
        if label[0] == "-" or label[-1] == "-":
            raise DomainError(f"{shown(typed)} has a part that begins or ends with a hyphen, which no domain may.")


def shown(text: str | bytes, limit: int = 4096) -> str:
    """Text from a stranger as text for a person: control, format and bidi characters and bytes that are no ASCII text
    become \\x1b or \\u202e, and what is longer than `limit` is cut."""
    if isinstance(text, bytes):
        text = text[: limit + 1].decode("ascii", errors="backslashreplace")
    kept = text[:limit]
    if not kept.isprintable():
        kept = "".join(char if char.isprintable() else _code_point(char) for char in kept)
    return kept + "..." if len(text) > limit else kept


def _code_point(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
