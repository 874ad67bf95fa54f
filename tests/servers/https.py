"""An HTTPS server on loopback with a certificate of a test authority: the host of an MTA-STS policy, which misbehaves as told.

with PolicyServer("mta-sts.example.test", policy="version: STSv1\\n...") as server:
    Reach(https_port=server.port, ca_file=server.ca_file)
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import trustme

PATH = "/.well-known/mta-sts.txt"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came in, and the name that the client asked for in TLS (SNI). `headers`: by lower-case name."""

    line: str
    host: str
    sni: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class PolicyServer:
    """Serves in a thread of its own; `response` may be changed while it runs.

    name        of the certificate
    policy      the text that is served at PATH with status 200; everything else is 404
    response    the raw bytes of every response instead
    endless     bytes without end after the head of the response
    drip        one byte each so many seconds
    silent      no response
    """

    def __init__(self, name: str, policy: str = "", *, response: bytes = b"", endless: bool = False, drip: float = 0.0, silent: bool = False) -> None:
        self.policy, self.response = policy, response
        self.endless, self.drip, self.silent = endless, drip, silent
        self.requests: list[Request] = []
        self.sent = 0
        self.host, self.port = "127.0.0.1", 0
        self._sni = ""
        authority = trustme.CA()
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self._tls)
        self._tls.sni_callback = self._note_sni
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the HTTPS server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._folder.cleanup()

    def _note_sni(self, _: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        self._sni = name or ""

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)  # clients that do not trust the certificate hang up
        server = self._loop.run_until_complete(asyncio.start_server(self._talk, self.host, 0, ssl=self._tls))
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
            self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = head.strip().split("\r\n")
            headers = {key.lower(): value.strip() for key, _, value in (item.partition(":") for item in fields)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Request(line, headers.get("host", ""), self._sni, headers, body))
            await self._respond(line, writer)
        writer.close()

    async def _respond(self, line: str, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await asyncio.sleep(60)
        response = self.response or self._answer(line)
        if self.drip:
            for byte in response:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self.drip)
            return
        writer.write(response)
        await writer.drain()
        while self.endless and not writer.is_closing():
            writer.write(b"mx: mx.example.test\n" * 200)
            self.sent += 4000
            await writer.drain()
            await asyncio.sleep(0)  # so that a client that hangs up is noticed

    def _answer(self, line: str) -> bytes:
        if self.policy and line.split()[1] == PATH:
            body = self.policy.encode()
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
