"""One DNS message to one name server, and its response: UDP, then TCP where it was cut short (RFC 7766). Never raises."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from dataclasses import dataclass
from typing import NamedTuple, Self

import dns.asyncquery
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from whybounce.checks.dns_message import Status

# What fits in one packet nearly everywhere (RFC 9715 section 3.2).
UDP_PAYLOAD = 1232
MAX_MESSAGE = 65535

_FAILURES = {dns.rcode.SERVFAIL: Status.SERVFAIL, dns.rcode.REFUSED: Status.REFUSED}
_GOOD = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)

# How a question is put. To a recursive name server: with AD, so that it tells whether it validated the answer (RFC 6840 section 5.7);
# CD asks it to answer without validation (RFC 4035 section 3.2.2). To an authoritative one: neither.
RECURSIVE = dns.flags.RD | dns.flags.AD
UNCHECKED = RECURSIVE | dns.flags.CD
DIRECT = dns.flags.Flag(0)

# Nothing could be sent from here, so nothing is known of the server.
_NO_WAY = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))


class NameServer(NamedTuple):
    """A recursive name server: an address literal and a port."""

    host: str
    port: int = 53

    @classmethod
    def parse(cls, text: str) -> Self:
        """`"192.0.2.1:5300"`, `"[2001:db8::1]:5300"`, either without the port. ValueError with a sentence."""
        host, port = text.strip(), "53"
        if host.startswith("["):
            host, _, rest = host[1:].partition("]")
            port = rest.removeprefix(":") or port
        elif host.count(":") == 1:
            host, port = host.split(":")
        try:
            ipaddress.ip_address(host)
            number = int(port)
        except ValueError:
            raise ValueError(f"{text!r} is no name server: an IP address is needed, with a port where it is not 53, such as 192.0.2.1:5300") from None
        if not 0 < number < 65536:
            raise ValueError(f"{text!r} has a port that does not exist: it must lie between 1 and 65535")
        return cls(host, number)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one server did with one message.

    status       ANSWERED for NOERROR and NXDOMAIN; a failing rcode keeps its response, so that its extended errors can be read
    elapsed_ms   set by whoever asked several times
    no_way       nothing could be sent from here
    closed       nobody listens there, or a firewall on the way says so
    """

    server: NameServer
    status: Status
    response: dns.message.Message | None = None
    detail: str = ""
    elapsed_ms: int = 0
    size: int = 0
    no_way: bool = False
    closed: bool = False


async def exchange(
    qname: dns.name.Name, qtype: dns.rdatatype.RdataType, server: NameServer, deadline: float, flags: dns.flags.Flag = RECURSIVE
) -> Outcome:
    """Ask `server`, waiting until `deadline` (event loop time) at most. Packets that are no answer to the question are passed over.

    flags    RECURSIVE, UNCHECKED or DIRECT
    """
    query = dns.message.make_query(qname, qtype, use_edns=0, payload=UDP_PAYLOAD, flags=int(flags))
    try:
        response = await _udp_then_tcp(query, server, deadline)
    except (dns.exception.Timeout, TimeoutError):
        return Outcome(server, Status.TIMEOUT, detail=f"{server} did not answer")
    except _TcpFailed as error:
        return Outcome(server, Status.ERROR, detail=f"{server} cut its answer short over UDP and did not give it over TCP ({error})")
    except (OSError, EOFError) as error:
        reason, number = getattr(error, "strerror", None) or type(error).__name__, getattr(error, "errno", None)
        detail = f"{server} cannot be reached ({reason})"
        return Outcome(server, Status.ERROR, detail=detail, no_way=number in _NO_WAY, closed=number == errno.ECONNREFUSED)
    except (dns.exception.DNSException, ValueError) as error:
        return Outcome(server, Status.ERROR, detail=f"{server} sent an answer that cannot be read ({type(error).__name__})")
    rcode = response.rcode()
    status = Status.ANSWERED if rcode in _GOOD else _FAILURES.get(rcode, Status.ERROR)
    return Outcome(server, status, response, size=len(response.wire or b""))


class _TcpFailed(Exception):
    pass


async def _udp_then_tcp(query: dns.message.Message, server: NameServer, deadline: float) -> dns.message.Message:
    try:
        async with asyncio.timeout_at(deadline):
            return await _udp(query, server)
    except dns.message.Truncated:
        pass
    try:
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        return await dns.asyncquery.tcp(query, server.host, timeout=left, port=server.port)
    except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
        raise _TcpFailed(type(error).__name__) from error


async def _udp(query: dns.message.Message, server: NameServer) -> dns.message.Message:
    """The response, however long it takes; dns.message.Truncated where it was cut short. A socket of its own for each question, so that
    whoever forges an answer must guess the port, too (RFC 5452 section 9.2); connected, so that a port where nobody listens is noticed
    at once. dnspython's own way through asyncio's streams of datagrams takes twice the time."""
    loop = asyncio.get_running_loop()
    with socket.socket(dns.inet.af_for_address(server.host), socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((server.host, server.port))
        sock.send(query.to_wire())
        while True:
            response, truncated = _read(await loop.sock_recv(sock, MAX_MESSAGE))
            if response is not None and query.is_response(response):
                if truncated:
                    raise dns.message.Truncated(message=response)  # type: ignore[no-untyped-call]
                return response


def _read(data: bytes) -> tuple[dns.message.Message | None, bool]:
    """The message in a packet, and whether it was cut short; None for what is none."""
    try:
        return dns.message.from_wire(data, raise_on_truncation=True), False
    except dns.message.Truncated as error:
        return error.message(), True  # type: ignore[no-untyped-call]
    except (dns.exception.DNSException, ValueError):
        return None, False
