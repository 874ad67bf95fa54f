"""What each name server of a zone itself says of a name: who is in charge answers with AA (RFC 1034 section 6.2); who is not is lame."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from whybounce.checks.dns_message import Lookup, Status
from whybounce.checks.dns_transport import NameServer
from whybounce.checks.guard import shown
from whybounce.checks.result import Fact
from whybounce.checks.tools import Tools
from whybounce.checks.zone_cut import ZoneCut, server_address

MAX_SERVERS = 6
# Of the queries that a run may send, so many are left to the other checks; two servers are asked in any case.
LEFT_TO_OTHERS = 40
MIN_SERVERS = 2
QUERIES_A_SERVER = 3
SHOWN_RECORDS = 10


class State(StrEnum):
    """How a server behaved. NOT_ASKED: it could not be asked from here, so nothing is known of it."""

    OK = "ok"
    NOT_AUTHORITATIVE = "not-authoritative"
    REFUSED = "refused"
    SERVFAIL = "servfail"
    BROKEN = "broken"
    SILENT = "silent"
    CLOSED = "closed"
    NO_ADDRESS = "no-address"
    NOT_ASKED = "not-asked"


LAME = frozenset(State) - {State.OK, State.NOT_ASKED}
# Of these a firewall on the way may be the cause.
UNHEARD = frozenset((State.SILENT, State.CLOSED))
# Something came back, so that name servers can be asked from here.
_HEARD = frozenset((State.OK, State.NOT_AUTHORITATIVE, State.REFUSED, State.SERVFAIL, State.BROKEN))


@dataclass(frozen=True, slots=True)
class ServerReport:
    """One name server of the zone. `reason` is the end of a sentence: "ns1.example.com refuses to answer"."""

    host: str
    state: State
    reason: str = ""
    address: str = ""
    mx: Lookup | None = None
    soa: Lookup | None = None

    @property
    def heard(self) -> bool:
        return self.state in _HEARD

    @property
    def serial(self) -> int | None:
        """The zone's serial number there (RFC 1035 section 3.3.13)."""
        words = self.soa.records[0].split() if self.soa is not None and self.soa.found else []
        return int(words[2]) if len(words) > 2 and words[2].isdigit() else None

    @property
    def told(self) -> frozenset[str] | None:
        """What it says of the MX records, to compare with the others; None where it did not say."""
        if self.state is not State.OK or self.mx is None or not (self.mx.found or self.mx.absent):
            return None
        return frozenset(record.lower() for record in (*self.mx.records, *self.mx.chain))

    @property
    def milliseconds(self) -> int:
        return max((lookup.elapsed_ms for lookup in (self.mx, self.soa) if lookup is not None), default=0)

    def fact(self) -> dict[str, Fact]:
        return {
            "server": shown(self.host),
            "address": self.address,
            "state": self.state.value,
            "reason": self.reason,
            "serial": self.serial,
            "mx": [shown(record) for record in sorted(self.told or ())[:SHOWN_RECORDS]],
            "milliseconds": self.milliseconds,
        }


async def ask_servers(cut: ZoneCut, tools: Tools) -> tuple[ServerReport, ...]:
    """The first MAX_SERVERS name servers of the zone, each asked at one address for its SOA and the name's MX, all at once."""
    left = tools.resolver.max_queries - tools.resolver.queries - LEFT_TO_OTHERS
    count = min(MAX_SERVERS, max(MIN_SERVERS, left // QUERIES_A_SERVER))
    reports = await asyncio.gather(*(_ask(host, cut, tools) for host in cut.servers[:count]))
    return _without_go_between(reports)


async def _ask(host: str, cut: ZoneCut, tools: Tools) -> ServerReport:
    address, why = await server_address(host, cut.glue, tools)
    if not address:
        return ServerReport(host, State.NO_ADDRESS, "has no address") if why == "none" else ServerReport(host, State.NOT_ASKED, why)
    server = NameServer(address, tools.reach.dns_port)
    mx, soa = await asyncio.gather(tools.resolver.ask_server(cut.name, "MX", server), tools.resolver.ask_server(cut.zone, "SOA", server))
    # A packet may be lost: the other question then shows how the server is.
    state, reason = _judge(soa if mx.status is Status.TIMEOUT else mx)
    return ServerReport(host, state, reason, address, mx, soa)


def _judge(lookup: Lookup) -> tuple[State, str]:
    if lookup.no_way or lookup.status is Status.UNKNOWN:
        return State.NOT_ASKED, shown(lookup.detail)
    if lookup.closed:
        return State.CLOSED, "takes no questions: nobody listens at its DNS port"
    match lookup.status:
        case Status.ANSWERED | Status.NODATA | Status.NXDOMAIN:
            if lookup.authoritative:
                return State.OK, ""
            return State.NOT_AUTHORITATIVE, "does not know the zone" if lookup.referral else "answers, but says that the zone is not its own"
        case Status.REFUSED:
            return State.REFUSED, "refuses to answer"
        case Status.SERVFAIL:
            return State.SERVFAIL, "answers SERVFAIL"
        case Status.TIMEOUT:
            return State.SILENT, "does not answer"
        case _:
            return State.BROKEN, f"gives no usable answer: {shown(lookup.detail)}"


def _without_go_between(reports: Sequence[ServerReport]) -> tuple[ServerReport, ...]:
    """Where every answer comes from somebody who asks others and is in charge of nothing, a network between here and there answers
    in their place: nothing is known of them."""
    answers = [report for report in reports if report.heard]
    if not answers or any(report.state is not State.NOT_AUTHORITATIVE or not _recursive(report) for report in answers):
        return tuple(reports)
    reason = "another server seems to have answered in its place"
    return tuple(ServerReport(report.host, State.NOT_ASKED, reason, report.address) for report in reports)


def _recursive(report: ServerReport) -> bool:
    return report.mx is not None and report.mx.recursion_available
