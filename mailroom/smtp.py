"""The SMTP or LMTP server (RFC 5321, RFC 2033) to which the site's own mail server hands mails over."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import close_old_connections
from django.utils.encoding import force_str

from mailroom.answering import CannotSendYet
from mailroom.receiving import TooManyHops, receive
from troubleshoot.limits import Limited
from whybounce.checks.guard import shown

MAX_BYTES = 25_000_000
"""The largest mail that is taken: what intake reads."""
_LINE = 1_000_000
"""RFC 5321 section 4.5.3.1.6 allows 1,000 bytes a line; real mails have longer ones."""
_TOO_LARGE = f"552 5.3.4 The mail is larger than the {MAX_BYTES // 1_000_000} MB that are taken here"
_SIZE = re.compile(r"\sSIZE=(\d{1,20})(?:\s|$)", re.IGNORECASE | re.ASCII)
_WORKERS = 4
_log = logging.getLogger(__name__)
Receive = Callable[[bytes, str], object]


class Handler:
    """What is said to MAIL, RCPT and the end of the mail. `receive`: takes (the mail, its envelope sender), raises where it could not."""

    def __init__(self, *, lmtp: bool, receive: Receive = receive) -> None:
        self._lmtp = lmtp
        self._receive = receive
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="mail-in")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        sender = envelope.mail_from or ""
        if not settings.WHYBOUNCE_MAIL_SENDERS.takes(sender) and not settings.WHYBOUNCE_MAIL_DROP:
            return f"550 5.7.1 {shown(sender, 320)} may not send mail to this address"
        if self._lmtp and envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"  # RFC 2033 section 4.2 wants a reply for each, and all go to the same place
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        sender = (envelope.mail_from or "").strip("<>")
        if not settings.WHYBOUNCE_MAIL_SENDERS.takes(sender):
            _log.info("a mail of a stranger was dropped")
            return "250 2.0.0 Dropped"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._work, content, sender)

    def _work(self, content: bytes, sender: str) -> str:
        close_old_connections()
        try:
            self._receive(content, sender)
        except TooManyHops:
            return "554 5.4.6 The mail goes round in circles"
        except Limited as error:
            return f"451 4.7.1 {_line(error)}"
        except CannotSendYet as error:
            _log.warning("An answer waits: %s", error)
            return f"451 4.3.0 {_line(error)}"
        except Exception:  # noqa: BLE001 (whatever fails: a mail must not be lost)
            _log.exception("A mail could not be taken in; the mail server will hand it over again")
            return "451 4.3.0 The mail could not be taken in; try again later"
        else:
            return "250 2.0.0 Taken in"
        finally:
            close_old_connections()

    async def handle_exception(self, error: Exception) -> str:
        _log.error("Fault in a mail server's session", exc_info=error)
        return "451 4.3.0 Fault; try again later"

    def close(self) -> None:
        """Waits for the mails that are being worked on."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _line(error: Exception) -> str:
    return shown(force_str(error), 200).encode("ascii", "replace").decode()


class _Bounded:
    """What both servers do otherwise than aiosmtpd: sizes are refused with enhanced codes, and no line takes more memory than it may."""

    line_length_limit = _LINE

    async def smtp_MAIL(self: Any, arg: str | None) -> None:  # noqa: N802
        match = _SIZE.search(arg or "")
        if match and int(match[1]) > MAX_BYTES and not self.envelope.mail_from:
            await self.push(_TOO_LARGE)
            return
        await super().smtp_MAIL(arg)  # type: ignore[misc]

    async def smtp_DATA(self: Any, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed():
            return
        if not self.envelope.rcpt_tos or arg:
            await self.push("501 5.5.4 DATA takes no argument" if arg else "503 5.5.1 RCPT first")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._mail()
        if content is None:
            await self.push(_TOO_LARGE)
        else:
            self.envelope.content = content
            await self.push(await self._call_handler_hook("DATA"))
        self._set_post_data_state()

    async def _mail(self: Any) -> bytes | None:
        """Reads to the dot, also what is too large: a client hears nothing before (RFC 5321 section 4.2.5). None where it was."""
        kept: bytearray | None = bytearray()
        begins = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
                ends = True
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.read(error.consumed)
                ends = False
            except asyncio.CancelledError:
                self._writer.close()  # the connection was lost
                raise
            if begins and piece == b".\r\n":
                return bytes(kept) if kept is not None else None
            if kept is not None:
                kept += piece[1:] if begins and piece.startswith(b".") else piece
                if len(kept) > MAX_BYTES:
                    kept = None
            self._reset_timeout()
            begins = ends


class _Smtp(_Bounded, SMTP):
    pass


class _Lmtp(_Bounded, LMTP):
    pass


async def serve(host: str, port: int, *, lmtp: bool, handler: Handler, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Serves until `stop`; `ready` is told the port. Mails that are being worked on then are finished. OSError where it cannot listen."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd writes addresses there
    loop = asyncio.get_running_loop()
    protocol = _Lmtp if lmtp else _Smtp
    options: dict[str, Any] = {"data_size_limit": MAX_BYTES, "enable_SMTPUTF8": True, "hostname": settings.WHYBOUNCE_REACH.helo, "ident": "Whybounce"}
    server = await loop.create_server(lambda: protocol(handler, loop=loop, **options), host, port)
    ready(server.sockets[0].getsockname()[1])
    try:
        await stop.wait()
    finally:
        server.close()
        await asyncio.to_thread(handler.close)
        await asyncio.sleep(0.1)  # for the last replies
