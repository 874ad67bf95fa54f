"""A DNS server on loopback, UDP and TCP on one port, that answers from zone text and misbehaves as told.

    with DnsServer("example.test. MX 10 mx.example.test.") as server:
        Resolver([server.address])

As a program, for a test in another process: `python -m tests.servers.dns --port 5353 --zone file` prints the port and reads
the file again whenever it changes.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from tests.servers.zones import RCODES, Behaviour, Zones


@dataclass(frozen=True, slots=True)
class Query:
    """A question that came in."""

    name: str
    rdtype: str
    transport: str
    at: float
    flags: int = 0


class DnsServer:
    """Serves in a thread of its own; everything may be changed while it runs."""

    def __init__(self, text: str = "", host: str = "127.0.0.1", port: int = 0) -> None:
        self.zones = Zones()
        self.zones.read(text)
        self.queries: list[Query] = []
        self.host, self.port = host, port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def add(self, text: str) -> None:
        """Add or replace records and behaviours from zone text."""
        self._call(lambda: self.zones.read(text))

    def replace(self, text: str) -> None:
        """Serve this zone text and nothing else."""
        zones = Zones()
        zones.read(text)
        self._call(lambda: setattr(self, "zones", zones))

    def remove(self, name: str, rdtype: str = "") -> None:
        self._call(lambda: self.zones.remove(name, rdtype))

    def behave(self, name: str, behaviour: Behaviour | None) -> None:
        """Misbehave for `name` ("*": for all, "*.sub.test": for all below); None: no longer."""
        if behaviour is None:
            self._call(lambda: self.zones.behaviours.pop(name, None))
        else:
            self._call(lambda: self.zones.behaviours.update({name: behaviour}))

    def count(self, name: str = "", rdtype: str = "") -> int:
        """How many queries came, of all or of a name, of a type."""
        return sum((not name or query.name == name) and (not rdtype or query.rdtype == rdtype) for query in self.queries)

    def asked_twice(self) -> list[tuple[str, str]]:
        """Questions that came more than once (a second time over TCP does not count)."""
        seen = [(query.name, query.rdtype) for query in self.queries if query.transport == "udp"]
        return sorted({question for question in seen if seen.count(question) > 1})

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the DNS server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _call(self, change: Callable[[], object]) -> None:
        """Run a change in the server's thread, so that no query sees half of it; what it raises is raised here."""
        if not self._thread.is_alive():
            change()
            return
        done: concurrent.futures.Future[object] = concurrent.futures.Future()

        def run() -> None:
            try:
                done.set_result(change())
            except Exception as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        done.result(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        udp, tcp = self._bind()
        transport, _ = self._loop.run_until_complete(self._loop.create_datagram_endpoint(lambda: _Udp(self), sock=udp))
        server = self._loop.run_until_complete(asyncio.start_server(self._tcp, sock=tcp))
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            transport.close()
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def _bind(self) -> tuple[socket.socket, socket.socket]:
        """UDP and TCP sockets on one port; another is tried where the free UDP port is taken for TCP."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        for attempt in range(20):
            udp = socket.socket(family, socket.SOCK_DGRAM)
            tcp = socket.socket(family, socket.SOCK_STREAM)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((self.host, self.port))
                tcp.bind((self.host, udp.getsockname()[1]))
            except OSError:
                udp.close()
                tcp.close()
                if self.port or attempt == 19:
                    raise
                continue
            self.port = udp.getsockname()[1]
            return udp, tcp
        raise OSError("no free port")

    async def respond(self, wire: bytes, transport: str) -> bytes | None:
        """The bytes to send back, None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        self.queries.append(
            Query(
                question.name.to_text(omit_final_dot=True).lower(),
                dns.rdatatype.to_text(question.rdtype),
                transport,
                time.monotonic(),
                int(query.flags),
            )
        )
        behaviour = self.zones.behaviour(question.name, question.rdtype)
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        if behaviour.silent or (behaviour.no_tcp and transport == "tcp"):
            return None
        if behaviour.garbage:
            return b"\xff\x00 this is no DNS message"
        return self._encode(self._answer(query, behaviour), query, behaviour, transport)

    def _answer(self, query: dns.message.Message, behaviour: Behaviour) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        if behaviour.ede >= 0 and query.edns >= 0:
            response.use_edns(0, options=[dns.edns.EDEOption(behaviour.ede)])
        if behaviour.rcode:
            response.set_rcode(RCODES[behaviour.rcode])
            return response
        question = query.question[0]
        if behaviour.ad:
            response.flags |= dns.flags.AD
        if behaviour.aa:
            response.flags &= ~dns.flags.RA
            referral = self.zones.referral(question.name)
            if referral is not None:
                response.authority, response.additional = [referral[0]], referral[1]
                return response
            response.flags |= dns.flags.AA
        response.answer, exists = self.zones.find(question.name, question.rdtype, behaviour.chase)
        if not exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        complete = bool(response.answer) and response.answer[-1].rdtype == question.rdtype
        soa = self.zones.soa(response.answer[-1][0].target if response.answer and not complete else question.name)
        if soa is not None and not complete and behaviour.chase:
            response.authority.append(soa)
        return response

    def _encode(self, response: dns.message.Message, query: dns.message.Message, behaviour: Behaviour, transport: str) -> bytes:
        limit = 65535 if transport == "tcp" else max(512, query.payload)
        wire = response.to_wire(max_size=65535)
        if transport == "udp" and (behaviour.truncate or behaviour.no_tcp or len(wire) > limit):
            response.answer, response.authority = [], []
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                while True:
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    reply = await self.respond(await reader.readexactly(length), "tcp")
                    if reply is None:
                        break
                    writer.write(struct.pack("!H", len(reply)) + reply)
                    await writer.drain()
        finally:
            writer.close()


def free_port(*hosts: str) -> int:
    """A port that is free on all these addresses, over UDP and TCP. It lies below those that the system gives out, so that nobody else
    takes it meanwhile."""
    for port in random.sample(range(20_000, 32_000), 200):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for host in hosts:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    stack.enter_context(socket.socket(family, kind)).bind((host, port))
            return port
    raise OSError(f"no port is free on all of {', '.join(hosts)}")


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        task = asyncio.ensure_future(self._reply(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = await self._server.respond(data, "udp")
        if reply is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve DNS on loopback from a zone file (see tests/servers/zones.py).")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--zone", type=Path, required=True)
    options = parser.parse_args()
    with DnsServer(options.zone.read_text(), options.host, options.port) as server:
        print(server.port, flush=True)
        read_at = options.zone.stat().st_mtime_ns
        while True:
            time.sleep(0.1)
            changed_at = options.zone.stat().st_mtime_ns
            if changed_at != read_at:
                read_at = changed_at
                try:
                    server.replace(options.zone.read_text())
                except dns.exception.DNSException as error:
                    print(error, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
