"""Whom a mail server refuses, read from the structure of its reply: the command it answers, its codes (RFC 5321 section 4.2, the IANA registry of
enhanced status codes, RFC 7372) and the addresses and lists that it names. What its words mean is knowledge, and not looked at here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from whybounce.checks.conversation_record import Conversation
from whybounce.checks.conversation_reply import Reply
from whybounce.snapshot import Blocklist

# Replies about the command itself (RFC 5321 section 4.2.2; 530 and 538 of RFC 4954 want AUTH or TLS first): nobody was judged.
_ABOUT_THE_COMMAND = frozenset((500, 502, 503, 504, 530, 538, 555))
# IANA: X.1.7 and X.1.8 bad sender address; X.7.23 and X.7.24 SPF, X.7.27 null MX of the sender.
_SENDER = frozenset(((1, 7), (1, 8), (7, 23), (7, 24), (7, 27)))
_NO_REVERSE_DNS = (7, 25)
_MAILBOX_FULL = (2, 2)
_LITERAL = re.compile(r"[0-9A-Fa-f:.]*[0-9A-Fa-f]")


class Refused(StrEnum):
    """What a reply to MAIL or RCPT says. NOBODY: it accepts. COMMAND: it speaks of the command, so of nobody."""

    NOBODY = "nobody"
    LATER = "later"
    TOO_MUCH = "too-much"
    MAILBOX_FULL = "mailbox-full"
    SENDER = "sender"
    CLIENT = "client"
    RECIPIENT = "recipient"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Known:
    """What of this machine and of blocklists may be named in a reply: address literals, domains."""

    addresses: frozenset[str]
    lists: frozenset[str]

    @classmethod
    def of(cls, own_addresses: Collection[str], blocklists: Iterable[Blocklist]) -> Known:
        zones = {item.zone.lower().strip(".") for item in blocklists if item.zone}
        return cls(frozenset(own_addresses), frozenset(zones | {".".join(zone.split(".")[-2:]) for zone in zones if zone.count(".") > 1}))


def refused_at_mail(reply: Reply, conversation: Conversation, known: Known) -> Refused:
    if reply.kind == 2:
        return Refused.NOBODY
    return _common(reply, conversation, known) or (Refused.SENDER if reply.kind == 5 else Refused.LATER)


def refused_at_rcpt(reply: Reply, conversation: Conversation, known: Known) -> Refused:
    """A 4yz means "not now", whatever its reason; only a full mailbox is told from it."""
    if reply.kind == 2:
        return Refused.NOBODY
    detail = _detail(reply)
    if detail == _MAILBOX_FULL or (reply.code == 552 and detail is None):
        return Refused.MAILBOX_FULL
    common = _common(reply, conversation, known)
    if common:
        return common
    if reply.kind != 5:
        return Refused.LATER
    return Refused.SENDER if detail in _SENDER else Refused.RECIPIENT


def _common(reply: Reply, conversation: Conversation, known: Known) -> Refused | None:
    if reply.code == 421:
        return Refused.TOO_MUCH
    if reply.code in _ABOUT_THE_COMMAND or reply.kind == 3:
        return Refused.COMMAND
    return Refused.CLIENT if reply.kind == 5 and _is_of_client(reply, conversation, known) else None


def _is_of_client(reply: Reply, conversation: Conversation, known: Known) -> bool:
    """The reply refuses this machine: it says so by its code, or it names our address or a blocklist and no code that speaks of somebody else."""
    detail = _detail(reply)
    if detail == _NO_REVERSE_DNS:
        return True
    if detail is not None and (detail[0] != 7 or detail in _SENDER):
        return False
    text = b" ".join(reply.lines).decode("ascii", errors="replace").lower()
    named = set(_addresses(text))
    ours = {_plain(address) for address in {conversation.local_address, *known.addresses} if address}
    if named & ours or _names_list(text, known.lists):
        return True
    # Behind address translation we do not know our public address: in a policy refusal it is the one that is not the server's.
    return detail is not None and bool(named - {_plain(conversation.server.address)})


def names_client(reply: Reply, conversation: Conversation, known: Known) -> bool:
    """The reply names our address."""
    text = b" ".join(reply.lines).decode("ascii", errors="replace")
    return bool(set(_addresses(text)) & {_plain(address) for address in {conversation.local_address, *known.addresses} if address})


def _detail(reply: Reply) -> tuple[int, int] | None:
    enhanced = reply.enhanced
    return (enhanced.subject, enhanced.detail) if enhanced else None


def _addresses(text: str) -> Iterable[str]:
    for match in _LITERAL.finditer(text):
        if "." in match[0] or ":" in match[0]:
            plain = _plain(match[0].strip("."))
            if plain:
                yield plain


def _plain(text: str) -> str:
    """An address literal in its one form, "" for what is none."""
    try:
        ip = ip_address(text)
    except ValueError:
        return ""
    return str(ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else str(ip)


def _names_list(text: str, lists: Collection[str]) -> bool:
    """A host name in the text is that of a list or lies below it."""
    hosts = re.findall(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", text)
    return any(host == name or host.endswith("." + name) for host in hosts if "." in host for name in lists)
