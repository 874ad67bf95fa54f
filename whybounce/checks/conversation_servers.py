"""Which mail servers of a domain to speak with, and the conversations; shared by the checks that need them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from whybounce.checks.conversation import converse
from whybounce.checks.conversation_path import PathError, envelope_for, foreign_mailbox
from whybounce.checks.conversation_record import Conversation, Envelope, Limits, Server
from whybounce.checks.conversation_wire import Ending
from whybounce.checks.dns_message import Lookup, Mx, Status
from whybounce.checks.guard import shown
from whybounce.checks.mx_hosts import MAX_HOSTS, Host, Verdict, judge, look_up_hosts
from whybounce.checks.result import Subject
from whybounce.checks.tools import SmtpMode, Tools

# Servers spoken with where the best can be reached, and addresses tried of each: what tells the story without being a burden.
SPOKEN_WITH = 2
ADDRESSES_EACH = 2


@dataclass(slots=True)
class MailServers:
    """
    lookup         the MX answer
    hosts          where mail goes, best first; the domain itself where it has no MX record
    problem        why there is nobody to speak with, a sentence; ""
    conversations  in the order of the hosts, one for each address that was tried
    not_contacted  (host, why)
    not_probed     why no recipient was named although the operator allows it
    """

    domain: str
    lookup: Lookup
    hosts: tuple[Mx, ...] = ()
    problem: str = ""
    conversations: list[Conversation] = field(default_factory=list)
    not_contacted: list[tuple[str, str]] = field(default_factory=list)
    not_probed: str = ""


async def mail_servers(domain: str, subject: Subject, tools: Tools, limits: Limits) -> MailServers:
    """Speak with the mail servers of a domain, once for all checks of this run."""
    return await tools.once(("mail servers", domain), lambda: _Round(domain, subject, tools, limits).run())


async def mail_hosts(domain: str, tools: Tools) -> MailServers:
    """Where mail for a domain goes, without a conversation (RFC 5321 section 5.1)."""
    lookup = await tools.resolver.ask(domain, "MX")
    found = MailServers(domain, lookup)
    if lookup.found:
        found.hosts = tuple(mx for mx in lookup.mx if mx.host != ".")[:MAX_HOSTS]
        found.problem = "" if found.hosts else f"{domain} accepts no mail (null MX), so there is no server to speak with."
    elif lookup.status is Status.NODATA:
        found.hosts = (Mx(0, domain),)
    elif lookup.status is Status.NXDOMAIN:
        found.problem = f"The domain {domain} does not exist in DNS, so there is no server to speak with."
    else:
        found.problem = f"The MX records of {domain} could not be looked up ({lookup.status.value}), so no server is known."
    return found


class _Round:
    """The conversations of one run."""

    def __init__(self, domain: str, subject: Subject, tools: Tools, limits: Limits) -> None:
        self.domain, self.subject, self.tools, self.limits = domain, subject, tools, limits
        self.deadline = asyncio.get_running_loop().time() + limits.whole_seconds
        self.envelope: Envelope | None = None
        self._locks: dict[str, asyncio.Lock] = {}
        self._refused: dict[str, str] = {}

    async def run(self) -> MailServers:
        found = await mail_hosts(self.domain, self.tools)
        if self.tools.reach.smtp is SmtpMode.RCPT:
            self._plan_envelope(found)
        waiting = list(found.hosts)
        while waiting and not any(conversation.reached for conversation in found.conversations):
            if found.conversations and self._late():
                break
            batch, waiting = waiting[:SPOKEN_WITH], waiting[SPOKEN_WITH:]
            await self._speak_with_all(batch, found)
        reason = "the time was used up" if not any(item.reached for item in found.conversations) else "better servers were reached"
        found.not_contacted += [(mx.host, reason) for mx in waiting]
        if found.hosts and not found.conversations and not found.problem:
            found.problem = f"No mail server of {self.domain} could be spoken with: {_reasons(found.not_contacted)}."
        return found

    def _plan_envelope(self, found: MailServers) -> None:
        if not self.subject.recipient:
            found.not_probed = "no recipient is known"
            return
        try:
            self.envelope = envelope_for(self.subject.recipient, self.domain, self.tools.reach.probe_sender)
        except PathError as error:
            found.not_probed = f"the address cannot be probed: {error}"

    async def _speak_with_all(self, batch: Sequence[Mx], found: MailServers) -> None:
        resolver = self.tools.resolver
        if found.lookup.found:
            hosts = await look_up_hosts(batch, resolver)
        else:
            hosts = (judge(batch[0], *await resolver.addresses(self.domain), resolver),)
        for host, conversations in zip(hosts, await asyncio.gather(*(self._speak_with(host) for host in hosts)), strict=True):
            found.conversations += conversations
            if not conversations:
                found.not_contacted.append((host.name, self._refused.get(host.name) or _why_not(host)))

    async def _speak_with(self, host: Host) -> list[Conversation]:
        """Its addresses in turn until one can be reached; one connection at a time to each address, also where two hosts share it."""
        v4, v6 = ([address for address in family if self.tools.may_connect(address)] for family in (host.v4, host.v6))
        conversations: list[Conversation] = []
        if not v4 and not v6 and host.addresses:
            server = Server(host.name, host.mx.preference, host.addresses[0], self.tools.reach.smtp_port)
            return [Conversation(server, Ending.NOT_ALLOWED, "connect", "it is no public address, or one of this machine")]
        for address in [*v4[:1], *v6[:1], *v4[1:], *v6[1:]][:ADDRESSES_EACH]:
            server = Server(host.name, host.mx.preference, address, self.tools.reach.smtp_port)
            seconds = await self.tools.wait_for(address)
            if seconds:
                self._refused[host.name] = f"it was spoken with very often of late; it can be again in {_minutes(seconds)}"
                break
            async with self._locks.setdefault(address, asyncio.Lock()):
                conversations.append(await converse(server, self.tools.reach.helo, self._envelope_at(address), self.limits, self.deadline))
            if conversations[-1].reached:
                break
        return conversations

    def _envelope_at(self, address: str) -> Envelope | None:
        foreign = foreign_mailbox(address, self.tools.resolver.allow_networks) if self.envelope else ""
        return replace(self.envelope, foreign=foreign) if self.envelope else None

    def _late(self) -> bool:
        return asyncio.get_running_loop().time() >= self.deadline


def _minutes(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 100 else f"{-(-seconds // 60)} minutes"


def _why_not(host: Host) -> str:
    match host.verdict:
        case Verdict.NO_ADDRESS:
            return "it has no address" if host.exists else "it does not exist"
        case Verdict.IP_LITERAL:
            return "the MX record names an address where a host name is needed"
        case Verdict.NOT_PUBLIC:
            return "it stands for this machine itself"
        case _:
            return "its address could not be looked up"


def _reasons(not_contacted: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{shown(host, 253)}: {why}" for host, why in not_contacted[:3])
