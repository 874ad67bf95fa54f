"""A mail server on loopback that misbehaves as told: raw octets, no library between.

with BadSmtp(Manners(greeting=b"421 4.3.2 Not now\\r\\n")) as server:
    smtplib.SMTP(*server.address)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

KEYWORDS = ("PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES")


@dataclass(slots=True)
class Manners:
    """
    greeting       octets; b"": none ever
    delay          seconds before the greeting
    drip           the greeting octet by octet, with so many seconds between, for ever
    flood          octets sent over and over instead of a greeting
    keywords       what EHLO lists; STARTTLS is added where there is a `tls`
    replies        by verb ("MAIL"), or by verb and argument ("RCPT TO:<a@b>"): whole replies as octets
    tls            what STARTTLS turns to
    handshake      "": as it should be; "close", "garbage", "hang", "inject": what comes after the reply to STARTTLS
    close_at       the verb at which the connection is closed without a reply; "accept": at once
    close_after    the verb after whose reply it is closed
    busy_from      the number of the connection (1, 2 ...) from which on all are greeted with 421; 0: none
    """

    greeting: bytes = b"220 mx.example.test ESMTP\r\n"
    delay: float = 0.0
    drip: float = 0.0
    flood: bytes = b""
    keywords: tuple[str, ...] = KEYWORDS
    replies: dict[str, bytes] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    handshake: str = ""
    close_at: str = ""
    close_after: str = ""
    busy_from: int = 0


class BadSmtp:
    """Serves in a thread of its own. `lines` are the commands that came, `connections` how many connections."""

    def __init__(self, manners: Manners | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.manners = manners or Manners()
        self.lines: list[str] = []
        self.connections = 0
        self.open_at_once = 0
        self.most_at_once = 0
        self.host, self.port = host, port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the SMTP server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)
        server = self._loop.run_until_complete(asyncio.start_server(self._client, self.host, self.port))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_at_once += 1
        self.most_at_once = max(self.most_at_once, self.open_at_once)
        try:
            await _Session(self, reader, writer, self.connections).run()
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            self.open_at_once -= 1
            writer.transport.abort()


class _Session:
    """One connection."""

    def __init__(self, server: BadSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.server, self.manners, self.number = server, server.manners, number
        self.reader, self.writer = reader, writer
        self.in_tls = False

    async def run(self) -> None:
        manners = self.manners
        if manners.close_at == "accept":
            return
        await asyncio.sleep(manners.delay)
        if manners.busy_from and self.number >= manners.busy_from:
            await self._write(b"421 Come back later\r\n")
            return
        while manners.flood:
            await self._write(manners.flood)
        while manners.drip:
            for octet in manners.greeting.rstrip() or b"2":
                await self._write(bytes((octet,)))
                await asyncio.sleep(manners.drip)
        await self._write(manners.greeting)
        while line := await self.reader.readline():
            if not await self._command(line.decode("utf-8", errors="replace").rstrip("\r\n")):
                return

    async def _command(self, line: str) -> bool:
        self.server.lines.append(line)
        verb = line.split(" ", 1)[0].upper()
        if verb == self.manners.close_at:
            return False
        await self._write(self.manners.replies.get(line) or self.manners.replies.get(verb) or self._usual(verb))
        if verb == "STARTTLS" and "STARTTLS" not in self.manners.replies:
            return await self._handshake()
        return verb not in ("QUIT", self.manners.close_after)

    def _usual(self, verb: str) -> bytes:
        if verb == "EHLO":
            keywords = [*self.manners.keywords, *(["STARTTLS"] if self.manners.tls and not self.in_tls else [])]
            lines = ["mx.example.test", *keywords]
            return "".join(f"250{'-' if i < len(lines) else ' '}{line}\r\n" for i, line in enumerate(lines, 1)).encode()
        if verb == "STARTTLS" and self.manners.handshake == "inject":
            return b"220 Go ahead\r\n250 said before TLS\r\n"
        usual = {"STARTTLS": b"220 Go ahead\r\n", "QUIT": b"221 Bye\r\n", "VRFY": b"252 2.0.0 Try it\r\n"}
        return usual.get(verb, b"250 2.0.0 Ok\r\n")

    async def _handshake(self) -> bool:
        match self.manners.handshake:
            case "close":
                return False
            case "garbage":
                await asyncio.sleep(0.05)
                await self._write(b"500 What is this?\r\n" * 10)
                return False
            case "hang":
                await asyncio.sleep(3600)
        assert self.manners.tls is not None
        await self.writer.start_tls(self.manners.tls)
        self.in_tls = True
        return True

    async def _write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@contextlib.contextmanager
def deaf_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that answers no SYN: a listening socket whose queue is full, as behind a firewall that drops."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((host, 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        yield listening.getsockname()[1]


def closed_port(host: str = "127.0.0.1") -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])
