"""check_host() of RFC 7208 section 4, over the memoising resolver."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass, field

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.guard import shown
from whybounce.checks.resolver import Resolver
from whybounce.checks.spf_macros import MacroError, MacroString, dotted, expand, expand_domain, letters, parse_macros
from whybounce.checks.spf_record import RESULTS, Mechanism, Network, Record, SyntaxProblem, parse_record, select_records
from whybounce.checks.spf_tree import Node, Reason, SpfStop, Step

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 7208 section 4.6.4.
MAX_LOOKUPS = 10
MAX_VOIDS = 2
MAX_MX = 10
MAX_PTR = 10
# Records of one domain that are kept to be shown, where there are several by mistake.
MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail is judged: the connecting address (an IPv4-mapped one as IPv4), the two parts of MAIL FROM (postmaster and the
    EHLO name for the null sender), the EHLO name."""

    ip: Address
    local: str
    domain: str
    helo: str = ""

    @property
    def address_type(self) -> str:
        return "A" if self.ip.version == 4 else "AAAA"


@dataclass(slots=True)
class Evaluation:
    """One run of check_host.

    lookups        terms that asked DNS, of which RFC 7208 section 4.6.4 allows 10
    voids          of these, the ones that found nothing
    voids_by_name  the same where each MX host without an address counts too, as some receivers do
    explanation    the text of exp=, expanded, where the result is fail
    """

    sender: Sender
    resolver: Resolver
    lookups: int = 0
    voids: int = 0
    voids_by_name: int = 0
    matched: str = ""
    explanation: str = ""
    _stack: list[str] = field(default_factory=list)

    async def run(self, domain: str) -> tuple[str, Node, SpfStop | None]:
        """The result for `domain` (pass, fail, softfail, neutral, none, permerror, temperror, unknown), the tree of what was looked
        at, and what ended the evaluation before its time."""
        root = Node(domain)
        try:
            result = await self._check_host(domain, root, included=False)
        except SpfStop as stop:
            root.result = stop.result
            return stop.result, root, stop
        return result, root, None

    async def _check_host(self, domain: str, node: Node, included: bool) -> str:
        if not is_checkable(domain):
            node.result = "none"
            return node.result
        if domain.lower() in self._stack:
            raise SpfStop("permerror", Reason.LOOP, domain, f"the record of {shown(domain)} leads back to itself")
        lookup = await self.resolver.ask(escaped(domain), "TXT")
        if self._stack and lookup.absent:
            self.voids += 1
            self.voids_by_name += 1
        record = read_node(node, lookup)
        if record is None:
            node.result = "none"
            return node.result
        self._stack.append(domain.lower())
        node.result = await self._evaluate(record, domain, node, included)
        self._stack.pop()
        return node.result

    async def _evaluate(self, record: Record, domain: str, node: Node, included: bool) -> str:
        """The first directive that matches, else redirect, else neutral (RFC 7208 sections 4.6.2 and 4.7)."""
        steps = [Step(mechanism.text) for mechanism in record.mechanisms]
        node.steps += steps
        for mechanism, step in zip(record.mechanisms, steps, strict=True):
            step.outcome = "error"
            matched = await self._matches(mechanism, domain, step)
            step.outcome = "match" if matched else "no match"
            if matched:
                return await self._decided(RESULTS[mechanism.qualifier], mechanism, record, domain, included)
        if record.redirect is None or record.has_all:
            return "neutral"
        return await self._redirect(record.redirect.target, record.redirect.text, domain, node, included)

    async def _decided(self, result: str, mechanism: Mechanism, record: Record, domain: str, included: bool) -> str:
        """Only the record that decides explains; an included one never does (RFC 7208 section 6.2)."""
        if not included:
            self.matched = mechanism.text
            if result == "fail" and record.exp is not None:
                self.explanation = await self._explain(record.exp.target, domain)
        return result

    async def _redirect(self, target: MacroString, text: str, domain: str, node: Node, included: bool) -> str:
        """RFC 7208 section 6.1: the other record's result is this one's."""
        step = Step(text, "error", target=await self._name(target, domain))
        node.steps.append(step)
        self._count_lookup(domain, text)
        step.below = Node(step.target)
        result = await self._check_host(step.target, step.below, included)
        if result == "none":
            raise SpfStop("permerror", Reason.REDIRECT_NONE, step.target, f"redirect leads to {shown(step.target)}, which has no SPF record", text)
        step.outcome = result
        return result

    async def _matches(self, mechanism: Mechanism, domain: str, step: Step) -> bool:
        if mechanism.network is not None:
            return self._in(mechanism.network)
        if mechanism.name == "all":
            return True
        self._count_lookup(domain, mechanism.text)
        step.target = await self._name(mechanism.target, domain)
        match mechanism.name:
            case "include":
                return await self._include(mechanism, step)
            case "a":
                lookup = await self._ask(step.target, self.sender.address_type, domain, mechanism.text)
                step.found = lookup.records
                return self._any_in(lookup, mechanism)
            case "mx":
                return await self._mx(mechanism, domain, step)
            case "ptr":
                return await self._ptr(step)
            case _:
                lookup = await self._ask(step.target, "A", domain, mechanism.text)
                step.found = lookup.records
                return lookup.found

    async def _include(self, mechanism: Mechanism, step: Step) -> bool:
        """RFC 7208 section 5.2: matches where the other record passes; it must exist."""
        step.below = Node(step.target)
        result = await self._check_host(step.target, step.below, included=True)
        if result == "none":
            detail = f"{shown(step.target)}, which is included, has no SPF record"
            raise SpfStop("permerror", Reason.INCLUDE_NONE, step.target, detail, mechanism.text)
        return result == "pass"

    async def _mx(self, mechanism: Mechanism, domain: str, step: Step) -> bool:
        """RFC 7208 section 5.4. The addresses are asked for all at once, and judged in order."""
        lookup = await self._ask(step.target, "MX", domain, mechanism.text)
        step.found = lookup.records
        if len(lookup.records) > MAX_MX:
            detail = f"{shown(step.target)} has {len(lookup.records)} MX hosts, and an mx term may name {MAX_MX} at most"
            raise SpfStop("permerror", Reason.TOO_MANY_MX, step.target, detail, mechanism.text)
        hosts = [mx.host for mx in lookup.mx if mx.host != "."]
        answers = await asyncio.gather(*(self.resolver.ask(host, self.sender.address_type) for host in hosts))
        for answer in answers:
            require_answer(answer, domain, mechanism.text)
            self.voids_by_name += answer.absent
            if self._any_in(answer, mechanism):
                return True
        return False

    async def _ptr(self, step: Step) -> bool:
        """RFC 7208 section 5.5: a name of the address that leads back to it, at or below the target."""
        pointer = await self._pointer()
        self._count_void(pointer, step.target, step.term)
        step.found = await self._validated_names()
        return any(is_at_or_below(name, step.target) for name in step.found)

    async def _pointer(self) -> Lookup:
        return await self.resolver.ask(self.sender.ip.reverse_pointer, "PTR")

    async def _validated_names(self) -> tuple[str, ...]:
        """The first ten names of the address that have this address. Errors count as no such name."""
        names = (await self._pointer()).records[:MAX_PTR]
        answers = await asyncio.gather(*(self.resolver.ask(name, self.sender.address_type) for name in names))
        ip = str(self.sender.ip)
        return tuple(name.lower() for name, answer in zip(names, answers, strict=True) if ip in answer.records)

    def _any_in(self, lookup: Lookup, mechanism: Mechanism) -> bool:
        length = mechanism.cidr4 if self.sender.ip.version == 4 else mechanism.cidr6
        return any(self._in(ipaddress.ip_network((address, length), strict=False)) for address in lookup.records)

    def _in(self, network: Network) -> bool:
        return self.sender.ip.version == network.version and self.sender.ip in network

    async def _ask(self, name: str, rdtype: str, domain: str, term: str) -> Lookup:
        """A term's own question: temperror where DNS fails, and nothing found counts as void."""
        if not is_askable(name):
            # What macros make of a sender may be no name that DNS can hold: it then has no records.
            return Lookup(name, rdtype, Status.NXDOMAIN)
        lookup = await self.resolver.ask(escaped(name), rdtype)
        require_answer(lookup, domain, term)
        self._count_void(lookup, domain, term)
        return lookup

    def _count_lookup(self, domain: str, term: str) -> None:
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            detail = f"the record needs more than {MAX_LOOKUPS} DNS look-ups"
            raise SpfStop("permerror", Reason.TOO_MANY_LOOKUPS, domain, detail, term)

    def _count_void(self, lookup: Lookup, domain: str, term: str) -> None:
        if not lookup.absent:
            return
        self.voids += 1
        self.voids_by_name += 1
        if self.voids > MAX_VOIDS:
            detail = f"more than {MAX_VOIDS} look-ups of the record find nothing"
            raise SpfStop("permerror", Reason.TOO_MANY_VOID, domain, detail, term)

    async def _name(self, target: MacroString, domain: str) -> str:
        """The target of a term, macros expanded; the current domain where it has none."""
        return expand_domain(target, await self.values(target, domain)) if target else domain

    async def values(self, text: MacroString, domain: str) -> dict[str, str]:
        """What the macros stand for (RFC 7208 section 7.2). The name of the address is looked up only where it is wanted."""
        sender = self.sender
        return {
            "s": f"{sender.local}@{sender.domain}",
            "l": sender.local,
            "o": sender.domain,
            "d": domain,
            "i": dotted(sender.ip),
            "p": await self._best_name(domain) if "p" in letters(text) else "",
            "v": "in-addr" if sender.ip.version == 4 else "ip6",
            "h": sender.helo,
            "c": str(sender.ip),
            "r": "unknown",
            "t": str(int(time.time())),
        }

    async def _best_name(self, domain: str) -> str:
        """The value of %{p}: the domain itself, else a name below it, else any, of those that lead back to the address."""
        names = await self._validated_names()
        for wanted in (lambda name: name == domain.lower(), lambda name: is_at_or_below(name, domain), bool):
            found = next((name for name in names if wanted(name)), "")
            if found:
                return found
        return "unknown"

    async def _explain(self, target: MacroString, domain: str) -> str:
        """RFC 7208 section 6.2: whatever goes wrong, there is then no explanation."""
        name = await self._name(target, domain)
        if not is_askable(name):
            return ""
        lookup = await self.resolver.ask(escaped(name), "TXT")
        if len(lookup.texts) != 1:
            return ""
        try:
            text = parse_macros(lookup.texts[0].decode("ascii"), explanation=True)
        except (MacroError, UnicodeDecodeError):
            return ""
        return expand(text, await self.values(text, domain))


def read_node(node: Node, lookup: Lookup) -> Record | None:
    """The one SPF record among the TXT records of a domain, noted in `node`; None where it has none. SpfStop for several, for one
    that is wrong, and where DNS failed (RFC 7208 sections 4.4 to 4.6)."""
    require_answer(lookup, node.domain, "")
    node.ttl, node.server, node.octets = lookup.ttl, lookup.server, lookup.size
    records = select_records(lookup.texts)
    if len(records) > 1:
        node.records = tuple(shown(record) for record in records[:MAX_SHOWN])
        raise SpfStop("permerror", Reason.MULTIPLE, node.domain, f"{shown(node.domain)} has {len(records)} SPF records, and only one may be there")
    if not records:
        return None
    node.record = shown(records[0])
    try:
        return parse_record(records[0])
    except SyntaxProblem as problem:
        detail = f"the record of {shown(node.domain)} is wrong at {shown(problem.term, 300)}: {shown(problem.reason, 300)}"
        raise SpfStop("permerror", Reason.SYNTAX, node.domain, detail, problem.term) from None


def require_answer(lookup: Lookup, domain: str, term: str) -> None:
    """SpfStop where DNS neither found nor denied: temperror, or unknown where we did not ask."""
    if lookup.found or lookup.absent:
        return
    if lookup.status is Status.UNKNOWN:
        raise SpfStop("unknown", Reason.NOT_ASKED, domain, lookup.detail, term)
    why = {Status.TIMEOUT: "was not answered in time", Status.SERVFAIL: "ends in SERVFAIL", Status.REFUSED: "was refused"}.get(
        lookup.status, "failed"
    )
    raise SpfStop("temperror", Reason.TEMPERROR, domain, f"the {lookup.rdtype} look-up of {shown(lookup.name)} {why}", term)


def is_at_or_below(name: str, domain: str) -> bool:
    return name == domain.lower() or name.endswith("." + domain.lower())


def is_askable(name: str) -> bool:
    """DNS can hold it: labels of 1 to 63 octets, 253 in all."""
    labels = name.removesuffix(".").split(".")
    return len(name) <= 253 and all(0 < len(label) <= 63 for label in labels)


def is_checkable(domain: str) -> bool:
    """RFC 7208 section 4.3: a domain of several labels that DNS can hold, and no address literal."""
    return is_askable(domain) and "." in domain.removesuffix(".") and not domain.startswith("[")


def escaped(name: str) -> str:
    """A name made of a sender's own characters in presentation format (RFC 1035 section 5.1)."""
    return name.replace("\\", "\\\\")
