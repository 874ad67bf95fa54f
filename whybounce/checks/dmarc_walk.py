"""The DNS tree walk of DMARC: which record holds for a domain, and what its organisational domain is. RFC 9989 section 4.10."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from whybounce.checks.dmarc_record import DmarcRecord, is_begun, is_record, parse_record
from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import Fact
from whybounce.checks.spf_eval import is_askable

MAX_LABELS = 7


@dataclass(frozen=True, slots=True)
class Step:
    """One name of the walk.

    record  the one valid record there
    count   how many there are, all discarded where there are several
    begun   a record that is discarded as no semicolon follows v=DMARC1, shown; "" where there is none
    """

    domain: str
    lookup: Lookup
    record: DmarcRecord | None = None
    count: int = 0
    begun: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was not found out if there is one. At a top-level domain that is passed over: hardly one has a record, and receivers of
        before RFC 9989 do not look there."""
        return not self.lookup.found and not self.lookup.absent and "." in self.domain

    def fact(self) -> dict[str, Fact]:
        text = self.record.text if self.record else ""
        return {"name": f"_dmarc.{self.domain}", "status": self.lookup.status.value, "records": self.count, "record": text}


@dataclass(frozen=True, slots=True)
class Walk:
    """The names from `domain` upwards, as far as the walk goes."""

    domain: str
    steps: tuple[Step, ...]

    @property
    def own(self) -> Step:
        return self.steps[0]

    @property
    def failed(self) -> bool:
        return any(step.failed for step in self.steps)

    @property
    def own_is_broken(self) -> bool:
        """The domain published a record that receivers discard."""
        return self.own.count > 1 or (bool(self.own.begun) and self.own.record is None)

    @property
    def organisation(self) -> str:
        """The organisational domain (section 4.10.2), as far as the walk shows it."""
        last = next((step for step in reversed(self.steps) if step.record), None)
        if last is None or last.record is None:
            return self.domain
        # The walk ends at psd=, so that the last record decides: n names the organisation itself, y the suffix below which it is.
        return _one_below(last.domain, self.domain) if last.record.psd == "y" else last.domain

    @property
    def holding(self) -> Step | None:
        """The name whose record holds for `domain` (section 4.10.1): its own, else the organisational domain's, else the public suffix's."""
        if self.own.record:
            return self.own
        organisation = self.organisation
        suffix = next((step for step in self.steps if step.record and step.record.psd == "y"), None)
        return next((step for step in self.steps if step.record and step.domain == organisation), suffix)


def walk_names(domain: str) -> list[str]:
    """The domain, then the names above it: at most seven labels long, so that there are eight at most."""
    labels = domain.split(".")
    above = [".".join(labels[start:]) for start in range(max(1, len(labels) - MAX_LABELS), len(labels))]
    return [domain, *above]


async def walk(domain: str, resolver: Resolver) -> Walk:
    """Ask all names at once, and read the answers in their order until a record says by psd= that the walk ends."""
    steps = []
    for step in await asyncio.gather(*(_step(name, resolver) for name in walk_names(domain))):
        steps.append(step)
        if step.record and step.record.psd in ("y", "n"):
            break
    return Walk(domain, tuple(steps))


def aligned(one: Walk, other: Walk, *, strict: bool) -> bool | None:
    """Whether two domains are aligned (section 4.10.2); None where DNS did not tell enough."""
    if one.domain == other.domain:
        return True
    if strict:
        return False
    return None if one.failed or other.failed else one.organisation == other.organisation


async def _step(domain: str, resolver: Resolver) -> Step:
    name = f"_dmarc.{domain}"
    if not is_askable(name):
        # DNS cannot hold the name, so there is no record.
        return Step(domain, Lookup(name, "TXT", Status.NXDOMAIN))
    lookup = await resolver.ask(name, "TXT")
    records = [text for text in lookup.texts if is_record(text)]
    begun = next((shown(text, 500) for text in lookup.texts if is_begun(text)), "")
    return Step(domain, lookup, parse_record(records[0]) if len(records) == 1 else None, len(records), begun)


def _one_below(suffix: str, domain: str) -> str:
    """The part of `domain` that is one label longer than `suffix`; `domain` where it is the suffix itself."""
    return ".".join(domain.split(".")[-(suffix.count(".") + 2) :])
