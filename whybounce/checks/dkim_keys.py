"""What DNS holds at the DKIM selectors of a mail, and whether its signatures verify: looked at once for all checks that want to know."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from whybounce.checks.dkim_record import KeyRecord, is_key_record, parse_key
from whybounce.checks.dkim_signature import Pasted, Selector, parse_selector, read_message
from whybounce.checks.dkim_verify import Outcome, Verified, verify_all
from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import DomainError, parse_domain, shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Fact, Subject
from whybounce.checks.tools import Tools

MAX_SELECTORS = 8
MAX_RECORDS = 5


class Place(StrEnum):
    """What there is at a selector. KEY: one key record. TEMPERROR: DNS failed. NOT_ASKED: nobody was asked."""

    KEY = "key"
    SEVERAL = "several keys"
    NO_KEY = "no key"
    DANGLING = "alias to nothing"
    TEMPERROR = "temperror"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class SelectorKeys:
    """One selector, what DNS answered, and the key records there."""

    selector: Selector
    place: Place
    lookup: Lookup
    keys: tuple[KeyRecord, ...] = ()
    record: bytes = b""

    @property
    def usable(self) -> bool | None:
        """Whether a signature can verify with it; None: not known."""
        if self.place in (Place.TEMPERROR, Place.NOT_ASKED):
            return None
        return any(key.state.usable for key in self.keys)

    def fact(self) -> dict[str, Fact]:
        keys: list[Fact] = [
            {"record": key.text, "type": key.algorithm, "bits": key.bits, "state": key.state.value, "reason": key.reason}
            for key in self.keys[:MAX_RECORDS]
        ]
        return {
            "selector": str(self.selector),
            "name": self.selector.place,
            "found": self.place.value,
            "alias": [shown(target, 300) for target in self.lookup.chain],
            "ttl": self.lookup.ttl,
            "server": self.lookup.server,
            "keys": keys,
        }


@dataclass(frozen=True, slots=True)
class Dkim:
    """
    keys        by selector, those named first
    signatures  of the pasted message, each verified or with why it was not
    pasted      the message
    wrong       texts given as selectors that are none
    """

    keys: tuple[SelectorKeys, ...] = ()
    signatures: tuple[Verified, ...] = ()
    pasted: Pasted = field(default_factory=Pasted)
    wrong: tuple[str, ...] = ()

    def at(self, selector: Selector | None) -> SelectorKeys | None:
        return next((keys for keys in self.keys if keys.selector == selector), None)


def sender_domain(subject: Subject) -> str:
    """The domain that signs where a selector is given without one: that of the From header, else of MAIL FROM, else the subject's own where
    it has no recipient. "" where none of them is a domain."""
    own = "" if subject.recipient else subject.domain
    for text in (subject.header_from, subject.mail_from, own):
        domain = text.strip().rpartition("@")[2].strip("<> .")
        if not domain:
            continue
        try:
            return parse_domain(domain)
        except DomainError:
            continue
    return ""


def selectors_of(subject: Subject, message: bytes) -> list[Selector]:
    """Those that are named and those of the message's signatures, as far as they can be looked up."""
    named = [parse_selector(text, sender_domain(subject)) for text in subject.selectors]
    signing = [signature.selector for signature in read_message(message).signatures] if message else []
    return list(dict.fromkeys(selector for selector in named + signing if selector))[:MAX_SELECTORS]


async def look(subject: Subject, tools: Tools) -> Dkim:
    """The keys and signatures of the subject and of the pasted message; asked once a run."""
    return await tools.once(("dkim", subject.selectors, sender_domain(subject)), lambda: _look(subject, tools))


async def _look(subject: Subject, tools: Tools) -> Dkim:
    pasted = read_message(tools.message) if tools.message else Pasted()
    selectors = selectors_of(subject, tools.message)
    wrong = tuple(shown(text, 100) for text in subject.selectors if parse_selector(text, sender_domain(subject)) is None)
    keys = tuple(await asyncio.gather(*(_keys_at(selector, tools.resolver) for selector in selectors)))
    usable = {entry.selector.place: entry.record for entry in keys if entry.place is Place.KEY and entry.usable}
    verified = await verify_all(tools.message, pasted, usable) if pasted.signatures else ()
    return Dkim(keys, verified, pasted, wrong)


async def _keys_at(selector: Selector, resolver: Resolver) -> SelectorKeys:
    """RFC 6376 section 3.6.2.2: the TXT records at the selector; others than keys are passed over."""
    lookup = await resolver.ask(selector.place, "TXT")
    if lookup.absent:
        return SelectorKeys(selector, Place.DANGLING if lookup.chain else Place.NO_KEY, lookup)
    if not lookup.found:
        return SelectorKeys(selector, Place.NOT_ASKED if lookup.status is Status.UNKNOWN else Place.TEMPERROR, lookup)
    records = [text for text in lookup.texts if is_key_record(text)]
    if not records:
        return SelectorKeys(selector, Place.NO_KEY, lookup)
    keys = tuple(parse_key(text) for text in records[:MAX_RECORDS])
    return SelectorKeys(selector, Place.KEY if len(records) == 1 else Place.SEVERAL, lookup, keys, records[0])


def is_certain_failure(signature: Verified, keys: SelectorKeys | None) -> bool:
    """Whether this signature failed for certain: a header field differs, or no key can verify it. A body that differs is not, as reports
    often return a mail cut short."""
    if signature.outcome is Outcome.UNKNOWN:
        return keys is not None and keys.usable is False
    return signature.outcome in (Outcome.HEADER, Outcome.MALFORMED) or (signature.outcome is Outcome.BODY and signature.header_intact is False)
