"""Questions to DNS: each asked once, kept, and answered with what happened instead of an exception.

dnspython's messages are used rather than its Resolver, which hides SERVFAIL and extended errors (RFC 8914).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import dns.exception
import dns.flags
import dns.name
import dns.rdatatype

from whybounce.checks.dns_message import CIRCLE, MAX_CHAIN, TOO_LONG, Lookup, Status, read_response, unknown
from whybounce.checks.dns_race import Health, Question, Race, plan
from whybounce.checks.dns_transport import DIRECT, RECURSIVE, UNCHECKED, NameServer
from whybounce.checks.guard import Network

TRY_SECONDS = 1.0
QUESTION_SECONDS = 5.0
# One authoritative server has others beside it, so it is given up sooner, and asked twice: a packet may be lost.
DIRECT_SECONDS = 2.5
DIRECT_TRIES = 2
MAX_QUERIES = 100
MAX_AT_ONCE = 64
# Of all resolvers of an event loop together: what one core can send and read before the answers wait for it, and are asked for again.
MAX_UNDER_WAY = 96

__all__ = ["Health", "Lookup", "NameServer", "Resolver", "Status", "parse_nameserver", "system_nameservers"]


# Name, type, without validation, and the authoritative server where it was asked itself.
_Key = tuple[str, str, bool, NameServer | None]


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
        self._asked: dict[_Key, _Asked] = {}
        self._absent: dict[tuple[str, bool], Lookup] = {}
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

    async def ask(self, name: str, rdtype: str, *, checking_disabled: bool = False) -> Lookup:
        """All records of `rdtype` ("MX", "TXT" ...) at `name`, an absolute name in presentation format (RFC 1035 section 5.1)
        with or without the trailing dot. Never raises for what DNS does; a name that DNS cannot hold gives Status.ERROR.

        checking_disabled    ask the resolver for the answer whether or not it is valid by DNSSEC (CD, RFC 4035 section 3.2.2)
        """
        plain = _plain(name)
        return await self._once((plain, rdtype, checking_disabled, None), lambda: self._follow(plain, rdtype, checking_disabled))

    async def ask_server(self, name: str, rdtype: str, server: NameServer) -> Lookup:
        """What one authoritative server says of `name` itself, without asking others and without following aliases; the caller has made
        sure that it may be connected to. `authoritative` and `referral` tell whether it is in charge of the name."""
        plain = _plain(name)
        return await self._once((plain, rdtype, False, server), lambda: self._directly(plain, rdtype, server))

    async def _once(self, key: _Key, work: Callable[[], Coroutine[Any, Any, Lookup]]) -> Lookup:
        """What `work` gives for this key, begun by whoever asks first."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(asyncio.create_task(work()))
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

    async def _follow(self, name: str, rdtype: str, unchecked: bool) -> Lookup:
        """Ask, and ask on where the answer ends in an alias whose target it does not tell about."""
        lookup = await self._question(name, rdtype, unchecked)
        while lookup.open_target:
            step = await self._question(lookup.open_target.lower(), rdtype, unchecked)
            chain = lookup.chain + step.chain
            ttls = [ttl for ttl in (lookup.ttl, step.ttl) if ttl is not None]
            elapsed = lookup.elapsed_ms + step.elapsed_ms
            secure = lookup.authenticated and step.authenticated
            lookup = replace(step, name=name, chain=chain, ttl=min(ttls, default=None), elapsed_ms=elapsed, authenticated=secure)
            if len({name, *(alias.lower() for alias in chain)}) <= len(chain):
                return replace(lookup, status=Status.ERROR, records=(), texts=(), open_target="", detail=CIRCLE)
            if len(chain) > MAX_CHAIN:
                return replace(lookup, status=Status.ERROR, records=(), texts=(), open_target="", detail=TOO_LONG)
        return lookup

    async def _question(self, name: str, rdtype: str, unchecked: bool) -> Lookup:
        """One question to the recursive name servers, within its deadline."""
        if (name, unchecked) in self._absent:
            # RFC 8020: a name that does not exist has no records of any type.
            return replace(self._absent[name, unchecked], rdtype=rdtype)
        if not self.nameservers:
            return unknown(name, rdtype, "no name server is configured")
        servers = plan(self.health.order(self.nameservers))
        lookup = await self._race(name, rdtype, servers, UNCHECKED if unchecked else RECURSIVE, self.health, self.question_seconds)
        if lookup.status is Status.NXDOMAIN and not lookup.chain:
            self._absent[name, unchecked] = lookup
        return lookup

    async def _directly(self, name: str, rdtype: str, server: NameServer) -> Lookup:
        return await self._race(name, rdtype, [server] * DIRECT_TRIES, DIRECT, Health(), min(DIRECT_SECONDS, self.question_seconds))

    async def _race(self, name: str, rdtype: str, servers: list[NameServer], flags: dns.flags.Flag, health: Health, seconds: float) -> Lookup:
        try:
            question = Question(dns.name.from_text(name), dns.rdatatype.from_text(rdtype), flags)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return unknown(name, rdtype, "DNS cannot hold such a name", Status.ERROR)
        async with self._places, _room():
            outcome = await Race(question, servers, health, self, seconds).run()
        if outcome.response is None:
            lookup = unknown(name, rdtype, outcome.detail, outcome.status)
            return replace(lookup, server=str(outcome.server), no_way=outcome.no_way, closed=outcome.closed)
        asked = Lookup(name, rdtype, outcome.status, server=str(outcome.server), elapsed_ms=outcome.elapsed_ms, size=outcome.size)
        return read_response(asked, outcome.response)

    def take_query(self) -> bool:
        """Count one more message to a name server; False where no more may be sent."""
        if self.queries >= self.max_queries:
            return False
        self.queries += 1
        return True


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _room() -> asyncio.Semaphore:
    return _rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MAX_UNDER_WAY))


def _plain(name: str) -> str:
    return name.removesuffix(".").lower() or "."


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
