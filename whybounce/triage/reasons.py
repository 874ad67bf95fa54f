"""Why a line says that a message was refused: what the engine makes of it, kept by the reply with what differs from case to case taken out.

A log of millions of lines holds some hundred different replies. Two replies that share their key read the same to the engine: addresses,
IP addresses and long identifiers are masked by it, too, and whose reply it is belongs to the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, TypeVar

from whybounce.compiled import Knowledge
from whybounce.failure import DeliveryFailure
from whybounce.intake.logs import LogEvent, failure_of
from whybounce.intake.logs import postfix as postfix_log
from whybounce.intake.logs.common import Entry
from whybounce.masking import mask, names_in
from whybounce.reasoning import rank
from whybounce.remembered import Remembered
from whybounce.triage.lives import Reason
from whybounce.triage.postfix_lines import Attempt, Refusal

_MOST_TEXTS = 20_000
_MOST_KEYS = 20_000
_MOST_HOSTS = 50_000
_MOST_WORDS = 50_000
_LONGEST_WORD = 60
_LONGEST = 4000
_LONGEST_EXAMPLE = 400
T = TypeVar("T")
_NONE, _CLIENT = -1, -2
UNKNOWN = Reason("", "undetermined", "", "", "")

_IP = re.compile(rb"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w]|\.\d)|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]{1,20}(?![\w:])")
# From the start of a piece on: addresses, IP addresses, and what has eight characters and more with three digits, but for "550-5.7.26".
_VARIES = re.compile(
    rb"(?<![^\s<>()\[\]\"',;:=/?&])(?:[^\s<>()\[\]\"',;:=/?&@]{1,200}+@[^\s<>()\[\]\"',;=]{1,200}+"
    rb"|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w])"
    rb"|(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]{1,20}(?![\w:])"
    rb"|(?![245]\d\d[- ])(?=(?:[A-Za-z_.+-]{0,60}+\d){3})[\w.+-]{8,200}+)"
)
_HEAD = re.compile(
    rb"[\w-]++,? ?\(?(?:delivery temporarily suspended: )?(?:host|connect to|lost connection with|conversation with) ([^\[ ]{1,255}+)\["
)


class Reasons:
    """For one process. Remembers a bounded number of replies."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._texts = Remembered(_MOST_TEXTS)
        self._keys = Remembered(_MOST_KEYS)
        self._hosts = Remembered(_MOST_HOSTS)
        self._words = Remembered(_MOST_WORDS)
        self._by_domain = {domain.lower().encode(): p.slug for p in knowledge.snapshot.providers for domain in p.domains}
        self._names: frozenset[str] | None = None
        self.examples: dict[Reason, str] = {}

    def provider_of(self, relay: bytes, domain: bytes) -> str:
        """The provider's slug by the host that a message went to, else by the domain; "" for none."""
        if not relay or relay in (b"none", b"local"):
            return self._by_domain.get(domain, "")
        found: str | None = self._hosts.get(relay)
        if found is None:
            found = self._hosts[relay] = self._knowledge.provider_finder.by_host(relay.decode("utf-8", "replace"))
        return found

    def of_attempt(self, attempt: Attempt) -> tuple[Reason, str]:
        """The reason, and the sending address that the reply names ("" for none), of a line of Postfix."""
        _kind, _hour, _rest, recipient, relay, fields, text = attempt
        text = text.replace(recipient, b"@")
        ip = fields[1 : fields.find(b"]")] if fields[:1] == b"[" else b""
        if ip:
            text = text.replace(ip, b"#")
        head = _HEAD.match(text)
        host = head[1] if head else relay if ip else b""
        domain = recipient.rpartition(b"@")[2].lower()
        whose = self.provider_of(host, domain)
        if host and not whose:
            text = text.replace(host, b"H")
        if domain and domain not in self._by_domain:
            text = text.replace(domain, b"D")
        return self._kept(text, (fields.rpartition(b"dsn=")[2], whose), attempt, _event_of_attempt)

    def of_refusal(self, refusal: Refusal, host: bytes) -> Reason:
        """The reason of a client's refusal; `host`: of the server that wrote the log."""
        command, client_ip, text, sender, recipient = refusal
        if client_ip:
            text = text.replace(client_ip, b"#")
        if recipient:
            text = text.replace(recipient, b"@")
        if sender:
            text = text.replace(sender, b"@")
        return self._kept(text, (command, host), (refusal, host), _event_of_refusal)[0]

    def of_event(self, event: LogEvent, *, gave_up: bool = False) -> tuple[Reason, str]:
        """The same of a line that intake read."""
        text = event.text[:_LONGEST].encode("utf-8", "replace")
        recipient = event.recipient.encode("utf-8", "replace")
        if recipient:
            text = text.replace(recipient, b"@")
        whose = self.provider_of(event.remote_mta.encode("utf-8", "replace"), recipient.rpartition(b"@")[2].lower())
        refused_by = event.host if event.client_ip else ""
        key = (self._masked(text), whose, refused_by, event.event, event.code, event.enhanced, event.stage, gave_up)
        return self._read(text, key, event, gave_up=gave_up)

    def _masked(self, text: bytes) -> tuple[bytes, ...]:
        """The words of a text with "#" for what varies. Most words come again and again."""
        words = text.split()
        masked: list[Any] = list(map(self._words.get, words))
        if None in masked:
            for i, known in enumerate(masked):
                if known is None:
                    word = words[i]
                    masked[i] = _VARIES.sub(b"#", word)
                    if masked[i] == word and len(word) <= _LONGEST_WORD:
                        self._words[word] = word
        return tuple(masked)

    def _kept(self, text: bytes, more: tuple[object, ...], line: T, event_of: Callable[[T], LogEvent | None]) -> tuple[Reason, str]:
        """By the very text, else by the text with masks."""
        kept: tuple[Reason, str] | None = self._texts.get((text, more))
        if kept is None:
            text = text[:_LONGEST]
            kept = self._texts[(text, more)] = self._read(text, (self._masked(text), more), lambda: event_of(line))
        return kept

    def _read(self, text: bytes, key: Hashable, event: LogEvent | Callable[[], LogEvent | None], *, gave_up: bool = False) -> tuple[Reason, str]:
        """By the key where it is known, else by reading the event."""
        kept: tuple[Reason, int] | None = self._keys.get(key)
        if kept is not None and kept[1] == _NONE:
            return kept[0], ""
        if kept is not None and kept[1] >= 0:
            return kept[0], _ip_at(text, kept[1])
        found = event() if callable(event) else event
        if found is None:
            return UNKNOWN, ""
        if kept is not None:
            return kept[0], found.client_ip
        failure = failure_of(found, gave_up)
        reason = self._ranked(failure)
        if reason not in self.examples:
            self.examples[reason] = mask(replace(failure, text=failure.text[:_LONGEST]), self._is_known, _LONGEST_EXAMPLE)
        self._keys[key] = (reason, _place(failure.sending_ip, found, text))
        return reason, failure.sending_ip

    def _ranked(self, failure: DeliveryFailure) -> Reason:
        ranking = rank(self._knowledge, failure)
        top = ranking.top
        cause, category = (top.cause.slug, top.cause.category) if top else ("", "undetermined")
        return Reason(cause, category, failure.code or "", failure.enhanced or "", ranking.provider)

    def _is_known(self, word: str) -> bool:
        """Whether servers use this word, so that it is nobody's name."""
        if self._names is None:
            snapshot = self._knowledge.snapshot
            self._names = names_in([*(e.text for e in snapshot.examples), *(text for p in snapshot.patterns for text in p.examples)])
        return word.lower() not in self._names and self._knowledge.model.read(word.lower()).known > 0


def _event_of_attempt(attempt: Attempt) -> LogEvent | None:
    _kind, _hour, _rest, recipient, relay, fields, told = attempt
    rest = b"AAAAAA1: to=<%s>, relay=%s%s, status=%s" % (recipient.replace(b">", b""), relay or b"none", fields, told)
    return postfix_log.parse(Entry("", "", "postfix/smtp", rest.decode("utf-8", "replace").rstrip()))


def _event_of_refusal(refused: tuple[Refusal, bytes]) -> LogEvent | None:
    (command, client_ip, text, sender, recipient), host = refused
    rest = b"NOQUEUE: %s from unknown[%s]: %s; from=<%s> to=<%s> proto=ESMTP" % (command, client_ip, text, sender, recipient)
    return postfix_log.parse(Entry("", host.decode("utf-8", "replace"), "postfix/smtpd", rest.decode("utf-8", "replace")))


def _place(ip: str, event: LogEvent, text: bytes) -> int:
    """Where the sending address is found again in the next reply of this key: the number of its word."""
    if not ip:
        return _NONE
    if ip == event.client_ip:
        return _CLIENT
    return next((n for n, word in enumerate(text.split()) if (found := _IP.search(word)) and found[0].decode() == ip), _NONE)


def _ip_at(text: bytes, place: int) -> str:
    found = _IP.search(text.split()[place])
    return found[0].decode() if found else ""
