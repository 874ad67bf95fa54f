"""One question put to several name servers, or to one several times: whoever answers first is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import dns.flags
import dns.name
import dns.rdatatype

from whybounce.checks.dns_message import Status
from whybounce.checks.dns_transport import NameServer, Outcome, exchange

MAX_TRIES = 4

# Which of several failures says most about the domain; the others mean only that somebody did not answer.
_TELLING = {Status.SERVFAIL: 0, Status.REFUSED: 1, Status.ERROR: 2, Status.TIMEOUT: 3}


@dataclass(slots=True)
class Health:
    """Which name servers lately let a question wait. Several resolvers may share one, so that each need not learn it anew."""

    slow: set[NameServer] = field(default_factory=set)

    def order(self, servers: Sequence[NameServer]) -> list[NameServer]:
        """The servers in the given order, the slow ones last."""
        return sorted(servers, key=lambda server: server in self.slow)


class Budget(Protocol):
    """How many messages may be sent, and when a server that keeps silent is joined by the next."""

    try_seconds: float
    max_queries: int

    def take_query(self) -> bool: ...


class Question(NamedTuple):
    """What is asked, and how: `flags` is RECURSIVE, UNCHECKED or DIRECT of dns_transport."""

    qname: dns.name.Name
    qtype: dns.rdatatype.RdataType
    flags: dns.flags.Flag


class Race:
    """One question put to the servers of a plan in turn. One that keeps silent is joined by the next, and a late answer still counts;
    one that fails outright (SERVFAIL, REFUSED, nobody there) is followed by the next at once."""

    def __init__(self, question: Question, servers: Sequence[NameServer], health: Health, budget: Budget, seconds: float) -> None:
        self._budget = budget
        self._question = question
        self._health = health
        self._first, self._plan = servers[0], list(servers)
        self._seconds = seconds
        self._under_way: dict[asyncio.Task[Outcome], NameServer] = {}
        self._failures: list[Outcome] = []
        self._asked_at: dict[NameServer, float] = {}
        self._deadline = asyncio.get_running_loop().time() + seconds

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
        patience = min(left, self._budget.try_seconds) if asked or self._plan or self._failures else left
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
        if not self._plan or not self._budget.take_query():
            self._plan = []
            return False
        server = self._plan.pop(0)
        self._asked_at.setdefault(server, asyncio.get_running_loop().time())
        question = self._question
        self._under_way[asyncio.create_task(exchange(question.qname, question.qtype, server, self._deadline, question.flags))] = server
        return True

    def _note_speed(self, outcome: Outcome) -> Outcome:
        """The time since the server was first asked: a try that is answered at once may owe that to an earlier one."""
        elapsed_ms = round((asyncio.get_running_loop().time() - self._asked_at[outcome.server]) * 1000)
        if elapsed_ms < self._budget.try_seconds * 1000:
            self._health.slow.discard(outcome.server)
        return replace(outcome, elapsed_ms=elapsed_ms)

    def _best_failure(self) -> Outcome:
        """The failure that says most; a time-out where nobody said anything."""
        if self._failures:
            return min(self._failures, key=lambda outcome: _TELLING[outcome.status])
        server = next(iter(self._under_way.values()), self._first)
        if not self._under_way:
            return Outcome(server, Status.UNKNOWN, detail=f"the limit of {self._budget.max_queries} DNS queries was reached")
        return Outcome(server, Status.TIMEOUT, detail=f"no answer within {self._seconds:g} s")


def plan(servers: Sequence[NameServer]) -> list[NameServer]:
    """Whom to ask in which order: every server at least once, then the first ones again."""
    rounds = list(servers)
    while len(rounds) < MAX_TRIES - 1:
        rounds += servers
    return rounds[: max(MAX_TRIES, len(servers))]
