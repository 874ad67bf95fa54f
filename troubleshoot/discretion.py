"""What of a case may be shown to others: everything, or nothing that names a person.

What is left out: the local part of every address, also where it stands without its domain, the subject, and in the server's reply
whatever whybounce.masking takes for a name. Domains, servers and IP addresses stay: without them a report says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from knowledge.unrecognised import is_known_word
from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure, domain_of
from whybounce.masking import MASK, Known, mask
from whybounce.visible import visible

BLANK = "…"
_MOST_OF_A_REPLY = 1500
# A word is looked at from its beginning alone, so that a long one is read once.
_LOCAL = re.compile(r"(?:\"[^\"\r\n]{1,64}\"|(?<![^\s<>()\[\],;:\"@])[^\s<>()\[\],;:\"@…]+)@(?=[^\s@])")
_IN_BRACKETS = re.compile(r"\[(\{\w+\})\]")
_ADDRESSES = ("recipient", "original_recipient", "envelope_sender", "header_from")
_TOLD = (*_ADDRESSES, "message_id", "helo", "remote_mta", "reporting_mta")
_WORD = re.compile(r"[^\W\d_]{3,}")
_SHORTEST = 3
_SHORTEST_NUMBER = 6
# RFC 2142 and what is as common: they name no person, and as words they stand in many sentences.
_ROLES = {
    "abuse", "admin", "bounce", "bounces", "contact", "hello", "help", "info", "list", "mail", "mailer-daemon", "marketing", "news", "newsletter",
    "no-reply", "noreply", "noc", "office", "postmaster", "root", "sales", "security", "service", "support", "webmaster", "www",
}  # fmt: skip


class Discretion:
    """Texts of one case as others may see them; where `masks` is False as they are, but for what cannot be seen."""

    def __init__(self, known: Knowledge, failure: DeliveryFailure, *, masks: bool, supplied: Mapping[str, Any] | None = None) -> None:
        self.masks = masks
        self._known = known
        self._failure = failure
        names = sorted(set(_names(failure, supplied or {}, self._is_known)), key=lambda name: -len(name))
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE) if names else None

    def text(self, text: str) -> str:
        """Any text: no local part of an address is left, nor a name that one of the case's addresses holds."""
        if self.masks:
            text = _LOCAL.sub(f"{BLANK}@", text)
            text = self._names.sub(BLANK, text) if self._names else text
        return visible(text)

    def reply(self, text: str) -> str:
        """What a server said: what may be a name is left out too, `"550 [address] unknown"`."""
        if not self.masks or not text:
            return visible(text)
        masked = mask(replace(self._failure, text=text), self._is_known, _MOST_OF_A_REPLY)
        return self.text(MASK.sub(r"[\1]", _IN_BRACKETS.sub(r"\1", masked)))

    def _is_known(self, word: str) -> bool:
        return is_known_word(self._known, word)

    def failure(self) -> DeliveryFailure:
        """The facts of the failure, for showing."""
        if not self.masks:
            return self._failure
        told: dict[str, Any] = {
            name: self.text(getattr(self._failure, name)) for name in (*_ADDRESSES, "message_id", "helo", "remote_mta", "reporting_mta")
        }
        return replace(self._failure, text=self.reply(self._failure.text), subject="", spans={}, **told)

    def json(self, value: Any) -> Any:
        """JSON with every text in it as `text` gives it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.json(item) for key, item in value.items()}
        return [self.json(item) for item in value] if isinstance(value, (list, tuple)) else value


def _names(failure: DeliveryFailure, supplied: Mapping[str, Any], is_known: Known) -> Iterator[str]:
    """What names somebody in the local parts of the case's addresses: `"bounce+anna.miller"` gives that, `"anna.miller"`, `"anna miller"`
    and each word that servers do not use; and whole addresses as links and return paths write them."""
    addresses = [getattr(failure, name) for name in _ADDRESSES] + [str(supplied.get(name, "")) for name in ("mail_from", "header_from")]
    domains = {domain_of(address) for address in addresses}
    domains |= {label for domain in domains for label in domain.split(".")}  # domains stay: what they give away is no secret
    for address in addresses:
        local, at, domain = address.strip("<> ").rpartition("@")
        if not at or not local:
            continue
        yield from (f"{local}{sign}{domain}" for sign in ("%40", "=40", "=", " at "))
        pieces = {local, local.strip('"'), local.replace(".", " "), *re.split(r"[+=#]", local)}
        pieces |= {word for piece in pieces for word in _WORD.findall(piece) if not is_known(word)}
        yield from (piece for piece in pieces if _names_somebody(piece.lower()) and piece.lower() not in domains)


def _names_somebody(piece: str) -> bool:
    return len(piece) >= (_SHORTEST_NUMBER if piece.isdigit() else _SHORTEST) and piece not in _ROLES
