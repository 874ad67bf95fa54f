"""The whole of an SPF record with all it includes, whoever sends: what a single evaluation, which ends at the first match, does not see.

All branches are looked at at once, so the audit also fetches ahead what the evaluation will ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_eval import MAX_LOOKUPS, MAX_MX, MAX_VOIDS, escaped, is_askable, read_node
from whybounce.checks.spf_macros import MacroString, letters
from whybounce.checks.spf_record import RESULTS, Mechanism, Record
from whybounce.checks.spf_tree import Node, Reason, SpfStop, Step

# Terms counted before a record is given up as endless, and questions asked ahead for a and mx terms.
MAX_TERMS = 24
MAX_AHEAD = 24


@dataclass(slots=True)
class Audit:
    """
    address_type  "A" or "AAAA" of the sender, to ask ahead for; "": do not
    lookups       terms of the record and its includes that ask DNS; `capped` where counting ended before the end
    ptr, plus_all domains whose records use ptr or %{p}, or let everybody send
    voids         names of a and mx terms that do not exist
    problems      what would end an evaluation that came so far
    ending        the result for a sender that no other term matches: that of all, "neutral" where there is none
    """

    resolver: Resolver
    address_type: str = ""
    lookups: int = 0
    capped: bool = False
    ptr: list[str] = field(default_factory=list)
    plus_all: list[str] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    problems: list[SpfStop] = field(default_factory=list)
    ending: str = ""
    _ahead: int = 0
    _deciding: set[str] = field(default_factory=set)

    async def run(self, domain: str) -> Node:
        """Look at `domain` and all that it names; the tree of it."""
        root = Node(domain)
        await self._visit(root, ())
        return root

    def too_many(self, domain: str) -> SpfStop | None:
        """More look-ups in all than one evaluation may make, although one that ends early may never notice."""
        if self.lookups <= MAX_LOOKUPS:
            return None
        count = f"{'at least ' if self.capped else ''}{self.lookups}"
        detail = f"the record of {shown(domain)} needs {count} DNS look-ups with all it includes, and {MAX_LOOKUPS} are allowed"
        return SpfStop("permerror", Reason.TOO_MANY_LOOKUPS, domain, detail)

    def too_many_void(self, domain: str) -> SpfStop | None:
        """More names that do not exist than one evaluation may come upon, although one that ends early may never notice."""
        names = sorted(set(self.voids))
        if len(self.voids) <= MAX_VOIDS:
            return None
        detail = f"the record of {shown(domain)} names {len(self.voids)} hosts or domains that do not exist ({', '.join(map(shown, names[:5]))})"
        return SpfStop("permerror", Reason.TOO_MANY_VOID, domain, detail)

    async def _visit(self, node: Node, above: tuple[str, ...], missing: SpfStop | None = None) -> None:
        """Read one domain's record and go on to what it names. `missing`: what it means where there is none, None for the first."""
        name = node.domain.lower()
        if name in above:
            self._problem(node, SpfStop("permerror", Reason.LOOP, name, f"the record of {shown(name)} leads back to itself"))
            return
        if not is_askable(name):
            return
        try:
            record = read_node(node, await self.resolver.ask(escaped(name), "TXT"))
        except SpfStop as stop:
            self._problem(node, stop)
            return
        if record is None:
            node.result = "none"
            if missing is not None:
                self.problems.append(missing)
            return
        if missing is None or (missing.reason is Reason.REDIRECT_NONE and above[-1] in self._deciding):
            self._note_ending(record)
            self._deciding.add(name)
        await self._terms(record, node, (*above, name))

    def _note_ending(self, record: Record) -> None:
        alls = [mechanism for mechanism in record.mechanisms if mechanism.name == "all"]
        self.ending = RESULTS[alls[0].qualifier] if alls else "neutral"

    def _problem(self, node: Node, stop: SpfStop) -> None:
        node.result = stop.result
        self.problems.append(stop)

    async def _terms(self, record: Record, node: Node, above: tuple[str, ...]) -> None:
        further: list[Coroutine[Any, Any, None]] = []
        for mechanism in record.mechanisms:
            node.steps.append(Step(mechanism.text, outcome="not evaluated"))
            if mechanism.name == "all":
                if mechanism.qualifier == "+":
                    self.plus_all.append(node.domain)
                break
            further += self._mechanism(mechanism, node, above)
        if record.redirect is not None and not record.has_all:
            node.steps.append(Step(record.redirect.text, outcome="not evaluated"))
            further += self._into(record.redirect.target, record.redirect.text, Reason.REDIRECT_NONE, node, above)
        await asyncio.gather(*further)

    def _mechanism(self, mechanism: Mechanism, node: Node, above: tuple[str, ...]) -> list[Coroutine[Any, Any, None]]:
        if "p" in letters(mechanism.target) or mechanism.name == "ptr":
            self.ptr.append(node.domain)
        if mechanism.network is not None:
            return []
        if mechanism.name == "include":
            return self._into(mechanism.target, mechanism.text, Reason.INCLUDE_NONE, node, above)
        self._count()
        target = literal(mechanism.target) or ("" if mechanism.target else node.domain)
        if not target or not self.address_type or mechanism.name not in ("a", "mx") or not is_askable(target):
            return []
        return [self._look_ahead(target, mechanism)]

    def _into(self, target: MacroString, term: str, reason: Reason, node: Node, above: tuple[str, ...]) -> list[Coroutine[Any, Any, None]]:
        """The record that include or redirect names; one named by a macro depends on the sender, and is only counted."""
        name = literal(target)
        if not self._count() or not name:
            return []
        step = node.steps[-1]
        step.target, step.below = name, Node(name)
        what = "which is included," if reason is Reason.INCLUDE_NONE else "to which redirect leads,"
        return [self._visit(step.below, above, SpfStop("permerror", reason, name, f"{shown(name)}, {what} has no SPF record", term))]

    def _count(self) -> bool:
        """One more term that asks DNS; False where the record is too large to go on."""
        if self.lookups >= MAX_TERMS:
            self.capped = True
            return False
        self.lookups += 1
        return True

    async def _look_ahead(self, name: str, mechanism: Mechanism) -> None:
        """Ask what an a or mx term will ask for; names that do not exist are void for every sender."""
        lookup = await self._ask_ahead(name, "MX" if mechanism.name == "mx" else self.address_type)
        if lookup is None:
            return
        if lookup.status is Status.NXDOMAIN:
            self.voids.append(name)
        if mechanism.name != "mx":
            return
        if len(lookup.mx) > MAX_MX:
            detail = f"{shown(name)} has {len(lookup.mx)} MX hosts, and an mx term may name {MAX_MX} at most"
            self.problems.append(SpfStop("permerror", Reason.TOO_MANY_MX, name, detail, mechanism.text))
        else:
            await asyncio.gather(*(self._ask_ahead(mx.host, self.address_type) for mx in lookup.mx if mx.host != "."))

    async def _ask_ahead(self, name: str, rdtype: str) -> Lookup | None:
        if self._ahead >= MAX_AHEAD:
            return None
        self._ahead += 1
        return await self.resolver.ask(escaped(name), rdtype)


def literal(target: MacroString) -> str:
    """A target without macros as a name, "" where it has some."""
    return "" if letters(target) else "".join(str(part) for part in target).removesuffix(".")
