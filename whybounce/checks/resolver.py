"""Questions to DNS: each asked once, kept, and answered with what happened instead of an exception.

dnspython's messages are used rather than its Resolver, which hides SERVFAIL and extended errors (RFC 8914).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import dns.exception
import dns.name
import dns.rdatatype

from whybounce.checks.dns_message import CIRCLE, MAX_CHAIN, TOO_LONG, Lookup, Status, read_response, unknown
from whybounce.checks.dns_transport import NameServer, Outcome, exchange
from whybounce.checks.guard import Network

TRY_SECONDS = 1.0
QUESTION_SECONDS = 5.0
MAX_TRIES = 4
MAX_QUERIES = 100
MAX_AT_ONCE = 24

# Which of several failures says most about the domain; the others mean only that somebody did not answer.
_TELLING = {Status.SERVFAIL: 0, Status.REFUSED: 1, Status.ERROR: 2, Status.TIMEOUT: 3}

__all__ = ["Health", "Lookup", "NameServer", "Resolver", "Status", "parse_nameserver", "system_nameservers"]


@dataclass(slots=True)
class Health:
    """Which name servers lately let a question wait. Several resolvers may share one, so that each need not learn it anew."""

    slow: set[NameServer] = field(default_factory=set)

    def order(self, servers: Sequence[NameServer]) -> list[NameServer]:
        """The servers in the given order, the slow ones last."""
        return sorted(servers, key=lambda server: server in self.slow)


@dataclass(slots=True)
class _Asked:
    """A question under way or answered, and how many wait for it: when the last gives up, so does the question."""

    task: asyncio.Task[Lookup]
    waiting: int = 0


class Resolver:
    """Asks the given name servers (or those of /etc/resolv.conf) and remembers. One a case, used within one event loop.

    nameservers       (address, port) of recursive name servers; None: those of the system
    allow_networks    private networks that checks may reach; the resolver only carries them for the checks (guard.is_connectable)
    try_seconds       after this long without an answer the next server is asked too; a late answer still counts
    question_seconds  when a question is given up
    max_queries       messages this resolver sends in all; what is asked beyond them is answered with Status.UNKNOWN
    """

    def __init__(
        self,
        nameservers: Sequence[tuple[str, int]] | None = None,
        *,
        allow_networks: Collection[Network] = (),
        try_seconds: float = TRY_SECONDS,
        question_seconds: float = QUESTION_SECONDS,
        max_queries: int = MAX_QUERIES,
        health: Health | None = None,
    ) -> None:
        self.nameservers: tuple[NameServer, ...] = tuple(
            NameServer(*server) for server in (system_nameservers() if nameservers is None else nameservers)
        )
        self.allow_networks = tuple(allow_networks)
        self.queries = 0
        self.try_seconds = try_seconds
        self.question_seconds = question_seconds
        self.max_queries = max_queries
        self.health = health or Health()
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._absent: dict[str, Lookup] = {}
        self._places = asyncio.Semaphore(MAX_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the questions that are still under way."""
        tasks = [asked.task for asked in self._asked.values() if not asked.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, name: str, rdtype: str) -> Lookup:
        """All records of `rdtype` ("MX", "TXT" ...) at `name`, an absolute name in presentation format (RFC 1035 section 5.1)
        with or without the trailing dot. Never raises for what DNS does; a name that DNS cannot hold gives Status.ERROR."""
        shown_name = name.removesuffix(".").lower() or "."
        key = (shown_name, rdtype)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(asyncio.create_task(self._follow(shown_name, rdtype)))
        asked.waiting += 1
        try:
            return await asyncio.shield(asked.task)
        finally:
            asked.waiting -= 1
            if not asked.waiting and not asked.task.done():
                asked.task.cancel()
                self._asked.pop(key, None)

    async def addresses(self, name: str) -> tuple[Lookup, Lookup]:
        """The A and the AAAA records of a host."""
        a, aaaa = await asyncio.gather(self.ask(name, "A"), self.ask(name, "AAAA"))
        return a, aaaa

    async def _follow(self, name: str, rdtype: str) -> Lookup:
        """Ask, and ask on where the answer ends in an alias whose target it does not tell about."""
        lookup = await self._question(name, rdtype)
        while lookup.open_target:
            step = await self._question(lookup.open_target.lower(), rdtype)
            chain = lookup.chain + step.chain
            ttls = [ttl for ttl in (lookup.ttl, step.ttl) if ttl is not None]
            elapsed = lookup.elapsed_ms + step.elapsed_ms
            lookup = replace(step, name=name, chain=chain, ttl=min(ttls, default=None), elapsed_ms=elapsed)
            if len({name, *(alias.lower() for alias in chain)}) <= len(chain):
                return replace(lookup, status=Status.ERROR, records=(), texts=(), open_target="", detail=CIRCLE)
            if len(chain) > MAX_CHAIN:
                return replace(lookup, status=Status.ERROR, records=(), texts=(), open_target="", detail=TOO_LONG)
        return lookup

    async def _question(self, name: str, rdtype: str) -> Lookup:
        """One question to the name servers, within its deadline."""
        if name in self._absent:
            # RFC 8020: a name that does not exist has no records of any type.
            return replace(self._absent[name], rdtype=rdtype)
        try:
            qname = dns.name.from_text(name)
            qtype = dns.rdatatype.from_text(rdtype)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return unknown(name, rdtype, "DNS cannot hold such a name", Status.ERROR)
        if not self.nameservers:
            return unknown(name, rdtype, "no name server is configured")
        async with self._places:
            outcome = await _Race(self, qname, qtype).run()
        if outcome.response is None:
            return replace(unknown(name, rdtype, outcome.detail, outcome.status), server=str(outcome.server))
        asked = Lookup(name, rdtype, outcome.status, server=str(outcome.server), elapsed_ms=outcome.elapsed_ms, size=outcome.size)
        lookup = read_response(asked, outcome.response)
        if lookup.status is Status.NXDOMAIN and not lookup.chain:
            self._absent[name] = lookup
        return lookup

    def take_query(self) -> bool:
        """Count one more message to a name server; False where no more may be sent."""
        if self.queries >= self.max_queries:
            return False
        self.queries += 1
        return True


class _Race:
    """One question put to the name servers in turn. One that keeps silent is joined by the next, and a late answer still counts;
    one that fails outright (SERVFAIL, REFUSED, nobody there) is followed by the next at once."""

    def __init__(self, resolver: Resolver, qname: dns.name.Name, qtype: dns.rdatatype.RdataType) -> None:
        self._resolver = resolver
        self._question = (qname, qtype)
        self._health = resolver.health
        self._plan = _plan(self._health.order(resolver.nameservers))
        self._under_way: dict[asyncio.Task[Outcome], NameServer] = {}
        self._failures: list[Outcome] = []
        self._asked_at: dict[NameServer, float] = {}
        self._deadline = asyncio.get_running_loop().time() + resolver.question_seconds

    async def run(self) -> Outcome:
        try:
            while (answer := await self._step()) is None:
                pass
            return answer
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _step(self) -> Outcome | None:
        """Ask the next server, if there is one, and wait for whoever answers first; an Outcome ends the race."""
        asked = self._ask_next()
        if not self._under_way:
            return self._best_failure()
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            return self._best_failure()
        patience = min(left, self._resolver.try_seconds) if asked or self._plan or self._failures else left
        done, _ = await asyncio.wait(self._under_way, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self._health.slow.update(self._under_way.values())
            return self._best_failure() if self._failures and not self._plan else None
        for task in done:
            del self._under_way[task]
            outcome = task.result()
            if outcome.status is Status.ANSWERED:
                return self._note_speed(outcome)
            if outcome.response is None:
                self._health.slow.add(outcome.server)
            self._failures.append(outcome)
        return None

    def _ask_next(self) -> bool:
        """Start the next try: not with a server that has failed outright, none once the queries are used up."""
        failed = {outcome.server for outcome in self._failures}
        self._plan = [server for server in self._plan if server not in failed]
        if not self._plan or not self._resolver.take_query():
            self._plan = []
            return False
        server = self._plan.pop(0)
        self._asked_at.setdefault(server, asyncio.get_running_loop().time())
        self._under_way[asyncio.create_task(exchange(*self._question, server, self._deadline))] = server
        return True

    def _note_speed(self, outcome: Outcome) -> Outcome:
        """The time since the server was first asked: a try that is answered at once may owe that to an earlier one."""
        elapsed_ms = round((asyncio.get_running_loop().time() - self._asked_at[outcome.server]) * 1000)
        if elapsed_ms < self._resolver.try_seconds * 1000:
            self._health.slow.discard(outcome.server)
        return replace(outcome, elapsed_ms=elapsed_ms)

    def _best_failure(self) -> Outcome:
        """The failure that says most; a time-out where nobody said anything."""
        if self._failures:
            return min(self._failures, key=lambda outcome: _TELLING[outcome.status])
        server = next(iter(self._under_way.values()), self._resolver.nameservers[0])
        if not self._under_way:
            return Outcome(server, Status.UNKNOWN, detail=f"the limit of {self._resolver.max_queries} DNS queries was reached")
        return Outcome(server, Status.TIMEOUT, detail=f"no answer within {self._resolver.question_seconds:g} s")


def _plan(servers: Sequence[NameServer]) -> list[NameServer]:
    """Whom to ask in which order: every server at least once, then the first ones again."""
    rounds = list(servers)
    while len(rounds) < MAX_TRIES - 1:
        rounds += servers
    return rounds[: max(MAX_TRIES, len(servers))]


def parse_nameserver(text: str) -> NameServer:
    """`"192.0.2.1"`, `"192.0.2.1:5300"`, `"2001:db8::1"`, `"[2001:db8::1]:5300"` -> NameServer; ValueError with a sentence."""
    return NameServer.parse(text)


def system_nameservers(path: Path = Path("/etc/resolv.conf")) -> list[NameServer]:
    """The `nameserver` lines of resolv.conf(5); 127.0.0.1 where there are none, as the C library does."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    found = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(NameServer.parse(words[1]))
            except ValueError:
                continue
    return found or [NameServer("127.0.0.1", 53)]
