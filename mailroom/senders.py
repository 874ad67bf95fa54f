"""Whose mail is taken: a value of the settings. Reads no table, so that settings can import it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

NULL_SENDER = "<>"
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>,]{1,253}")
_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Senders:
    """Envelope senders that are taken: addresses, domains, domains with all below them, the null sender, everybody."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    null: bool = False
    everybody: bool = False

    def __bool__(self) -> bool:
        return bool(self.addresses or self.domains or self.below or self.null or self.everybody)

    def takes(self, sender: str) -> bool:
        """Whether mail with this envelope sender is taken; `""` or `"<>"` is the null sender, which `*` does not stand for."""
        address = sender.strip().strip("<>").lower()
        if not address:
            return self.null
        domain = address.rpartition("@")[2].rstrip(".")
        below = any(domain == name or domain.endswith(f".{name}") for name in self.below)
        return self.everybody or address in self.addresses or domain in self.domains or below


def parse_senders(items: Iterable[str]) -> Senders:
    """`["anna@example.org", "example.com", ".example.net", "<>", "*"]` as Senders. ValueError names the item that is none of these."""
    addresses, domains, below = set(), set(), []
    words = [item.strip().lower() for item in items if item.strip()]
    for word in words:
        if word in (NULL_SENDER, "*"):
            continue
        if word.startswith(".") and _DOMAIN.fullmatch(word[1:]):
            below.append(word[1:])
        elif _ADDRESS.fullmatch(word):
            addresses.add(word)
        elif _DOMAIN.fullmatch(word):
            domains.add(word)
        else:
            raise ValueError(f"{word!r} is neither an address, a domain, a domain after a dot, <> nor *")
    return Senders(frozenset(addresses), frozenset(domains), tuple(below), NULL_SENDER in words, "*" in words)
