"""What checks look with: the resolver, how to speak to mail servers, what is known of blocklists and providers. One for each run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from whybounce.checks.guard import is_connectable
from whybounce.checks.resolver import Resolver
from whybounce.snapshot import Blocklist, Provider

T = TypeVar("T")

Admit = Callable[[str], Awaitable[int]]


class SmtpMode(StrEnum):
    """How far the conversation with a mail server goes. OFF: no connection. CONNECT: greeting, EHLO, STARTTLS, QUIT.
    RCPT: as well MAIL FROM and RCPT TO, never DATA."""

    OFF = "off"
    CONNECT = "connect"
    RCPT = "rcpt"


@dataclass(frozen=True, slots=True)
class Reach:
    """How checks reach servers; the operator's settings.

    smtp            how far a conversation with an MX goes
    smtp_port       25 (RFC 5321 section 4.5.4.2); another only for tests
    helo            the EHLO name that this machine gives (RFC 5321 section 4.1.4)
    probe_sender    the envelope sender of a RCPT probe; "": the null sender
    https_port      443, of a host that publishes an MTA-STS policy (RFC 8461 section 3.3); another only for tests
    ca_file         certificate authorities to trust instead of the system's; "": the system's
    dns_port        53, of an authoritative name server; another only for tests
    own_addresses   addresses of this machine, never connected to unless allowed
    """

    smtp: SmtpMode = SmtpMode.CONNECT
    smtp_port: int = 25
    helo: str = ""
    probe_sender: str = ""
    https_port: int = 443
    ca_file: str = ""
    dns_port: int = 53
    own_addresses: frozenset[str] = frozenset()


@dataclass(slots=True)
class Tools:
    """
    resolver        asks DNS; each question once
    blocklists      those that the dnsbl check may ask, with what their answers mean; one without a zone is only known by name
    providers       who is known by the names of its MX hosts
    message         the message that bounced as it was pasted, for its DKIM signature; b"" where there was none
    admit           asked before a conversation with the mail server at an address: 0, or in how many seconds it may be spoken with again,
                    because others had it asked often of late
    """

    resolver: Resolver
    reach: Reach = Reach()
    blocklists: tuple[Blocklist, ...] = ()
    providers: tuple[Provider, ...] = ()
    message: bytes = b""
    admit: Admit | None = None
    _shared: dict[object, asyncio.Task[Any]] = field(default_factory=dict)

    def may_connect(self, address: str) -> bool:
        """Whether a check may open a connection to this address literal (guard.is_connectable)."""
        return is_connectable(address, self.resolver.allow_networks, self.reach.own_addresses)

    async def wait_for(self, address: str) -> int:
        """Seconds until the mail server at this address may be spoken with; 0: now, and then it counts."""
        return await self.admit(address) if self.admit else 0

    async def once(self, key: object, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, done once for all checks of this run that name the same key: a conversation with one MX, a fetched policy.
        It goes on when one who waits gives up; `close` ends it."""
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.ensure_future(work())
        return cast("T", await asyncio.shield(task))

    async def close(self) -> None:
        """End what is still under way."""
        for task in self._shared.values():
            task.cancel()
        await asyncio.gather(*self._shared.values(), return_exceptions=True)

    async def __aenter__(self) -> Tools:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        await self.resolver.close()
