"""A connection to one mail server: lines out, strictly read replies in, STARTTLS in between. Every wait ends at one deadline.

An own reader on an asyncio protocol, not aiosmtplib: that one takes a bare LF for a line end (so a banner can fake a reply), keeps neither the
octets of a reply nor the certificate chain of a handshake that it did not verify, and sends one command at a time.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from whybounce.checks.conversation_reply import MAX_REPLY_OCTETS, Reply, ReplyError, take_reply
from whybounce.checks.guard import shown

# RFC 5321 section 4.5.3.1.4: 512 octets with CRLF; SMTPUTF8 (RFC 6531 section 3.4) adds to some of them.
MAX_COMMAND_OCTETS = 1024


class Ending(StrEnum):
    """How a conversation ended. COMPLETE: at its end, with whatever was said."""

    COMPLETE = "complete"
    NOT_ALLOWED = "not-allowed"
    CONNECT_TIMEOUT = "connect-timeout"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    SILENT = "silent"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"


class Ended(Exception):
    """The conversation cannot go on. `reason` ends a sentence, or is ""."""

    def __init__(self, ending: Ending, reason: str = "") -> None:
        super().__init__(ending.value, reason)
        self.ending, self.reason = ending, reason


class CommandError(ValueError):
    """A command that may not be sent: a line break in it, or too long."""


class TlsFailed(Exception):
    """The handshake came to nothing; the connection is gone. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TlsSession:
    """version ("TLSv1.3"), cipher, and the certificates as the server sent them, DER, its own first."""

    version: str
    cipher: str
    chain: tuple[bytes, ...]


class _Protocol(asyncio.Protocol):
    """Keeps what came; stops reading where more has come than a reply may hold."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.transport: asyncio.Transport | None = None
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MAX_REPLY_OCTETS and self.transport is not None:
            self.transport.pause_reading()
        self._news.set()

    def eof_received(self) -> None:
        self.ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._news.set()

    async def more(self) -> None:
        """Wait for octets or the end."""
        self._news.clear()
        if not self.ended:
            await self._news.wait()


class Wire:
    """One connection. `deadline` is in the loop's time; nothing here waits longer."""

    def __init__(self, protocol: _Protocol, transport: asyncio.Transport, deadline: float) -> None:
        self._protocol, self._transport, self._deadline = protocol, transport, deadline
        self.local_address = str(transport.get_extra_info("sockname")[0])
        self.tls = False

    @classmethod
    async def open(cls, address: str, port: int, connect_seconds: float, deadline: float) -> Wire:
        """Connect to an address literal. Ended says what came instead of a connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + connect_seconds)):
                transport, protocol = await loop.create_connection(_Protocol, address, port)
        except TimeoutError as error:
            raise Ended(Ending.CONNECT_TIMEOUT, "no answer to the connection") from error
        except ConnectionRefusedError as error:
            raise Ended(Ending.REFUSED, "the port is closed") from error
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                raise Ended(Ending.CONNECT_TIMEOUT, "no answer to the connection") from error
            why = os.strerror(error.errno).lower() if error.errno else "no connection could be made"
            raise Ended(Ending.UNREACHABLE, why) from error
        return cls(protocol, transport, deadline)

    def check_turn(self) -> None:
        """Ended where it is not our turn: the server has said more than it was asked, or is gone."""
        if self._protocol.buffer:
            raise Ended(Ending.PROTOCOL, "the server sent a reply to which there was no command")
        if self._protocol.ended or self._transport.is_closing():
            raise Ended(Ending.CLOSED, "the server closed the connection")

    async def reply(self) -> Reply:
        """The next reply. Ended where none comes."""
        protocol = self._protocol
        try:
            async with asyncio.timeout_at(self._deadline):
                while (reply := self._take()) is None:
                    if protocol.ended:
                        raise Ended(Ending.CLOSED, "the server closed the connection")
                    await protocol.more()
        except TimeoutError as error:
            if b"\n" in protocol.buffer:
                raise Ended(Ending.PROTOCOL, "the server sent lines that do not end by CR LF") from error
            raise Ended(Ending.TIMEOUT if protocol.buffer else Ending.SILENT, "no whole reply came in time") from error
        return reply

    def _take(self) -> Reply | None:
        try:
            return take_reply(self._protocol.buffer)
        except ReplyError as error:
            raise Ended(Ending.PROTOCOL, f"the server sent {error}") from error

    def send(self, *commands: str) -> None:
        """Send commands, all in one write. Ended where the server has spoken out of turn or is gone; CommandError for what may not be sent."""
        data = b"".join(_line(command) for command in commands)
        self.check_turn()
        self._transport.write(data)

    async def start_tls(self, server_name: str) -> TlsSession:
        """Turn to TLS without verifying whom we speak with: the certificate is looked at afterwards. TlsFailed where it comes to nothing."""
        if self._protocol.buffer:
            # RFC 3207 section 4.2: what was sent in the clear after the reply must not count as said within TLS.
            raise Ended(Ending.PROTOCOL, "the server sent more in the clear after its reply to STARTTLS")
        loop = asyncio.get_running_loop()
        left = max(0.1, self._deadline - loop.time())
        try:
            transport = await loop.start_tls(
                self._transport,
                self._protocol,
                _context(),
                server_hostname=_indication(server_name),
                ssl_handshake_timeout=left,
                ssl_shutdown_timeout=1.0,
            )
        except ssl.SSLError as error:
            raise TlsFailed(shown(error.reason or str(error), 200).replace("_", " ").lower()) from error
        except (OSError, ValueError) as error:
            if loop.time() >= self._deadline:
                raise Ended(Ending.TIMEOUT, "the TLS handshake did not end in time") from error
            raise TlsFailed("the server closed the connection during the handshake") from error
        if transport is None:
            raise TlsFailed("the server closed the connection during the handshake")
        self._transport = self._protocol.transport = transport
        self.tls = True
        return _session(transport.get_extra_info("ssl_object"))

    def shorten(self, seconds: float) -> None:
        """From now on wait no longer than this."""
        self._deadline = min(self._deadline, asyncio.get_running_loop().time() + seconds)

    def close(self) -> None:
        """Let go at once."""
        self._transport.abort()


def _line(command: str) -> bytes:
    if any(char in command for char in "\r\n\0"):
        raise CommandError("a command holds a line break or a NUL character")
    data = command.encode() + b"\r\n"
    if len(data) > MAX_COMMAND_OCTETS:
        raise CommandError("a command is too long")
    return data


def _indication(host: str) -> str | None:
    """The name to ask for (SNI, RFC 6066 section 3); None for one that TLS cannot carry."""
    try:
        host.encode("idna")
    except UnicodeError:
        return None
    return host


def _context() -> ssl.SSLContext:
    """Takes any version, cipher and certificate: mail servers do, rather than send in the clear (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _session(ssl_object: ssl.SSLObject) -> TlsSession:
    cipher = ssl_object.cipher()
    return TlsSession(ssl_object.version() or "", cipher[0] if cipher else "", _chain(ssl_object))


def _chain(ssl_object: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the server sent. The way to them is public from Python 3.13 on; before, it is the private one beneath it."""
    inner: Any = ssl_object if hasattr(ssl_object, "get_unverified_chain") else getattr(ssl_object, "_sslobj", None)
    if hasattr(inner, "get_unverified_chain"):
        found = inner.get_unverified_chain() or ()
        return tuple(item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in found)
    own = ssl_object.getpeercert(binary_form=True)
    return (own,) if own else ()
