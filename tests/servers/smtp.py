"""An SMTP server on loopback that refuses at the stage it is told to.

    with SmtpServer(refuse={"rcpt": "550 5.1.1 No such user"}) as server:
        smtplib.SMTP(*server.address)

Stages: connect, ehlo, mail, rcpt, data, message; a recipient of its own ("anna@example.test") refuses only that one.
As a program: `python -m tests.servers.smtp --port 2525 --refuse rcpt="550 5.1.1 No such user"` prints the port.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import threading
from dataclasses import dataclass
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Command:
    """A command that came in: its verb and what followed."""

    verb: str
    argument: str


class _Smtp(SMTP):
    """aiosmtpd's server with a greeting that may refuse (RFC 5321 section 3.1) and a list of the commands seen."""

    server: SmtpServer

    async def push(self, status: Any) -> Any:
        text = status.decode() if isinstance(status, bytes) else status
        if text.startswith("220 ") and not self.__dict__.setdefault("_greeted", False):
            self.__dict__["_greeted"] = True
            text = self.server.refuse.get("connect") or text
        return await super().push(text)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 (aiosmtpd's name)
        if "ehlo" in self.server.refuse:
            await self.push(self.server.refuse["ehlo"])
            return
        await super().smtp_EHLO(hostname)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 (aiosmtpd's name)
        if "data" in self.server.refuse:
            await self.push(self.server.refuse["data"])
            return
        await super().smtp_DATA(arg)


class SmtpServer:
    """Serves in a thread of its own; `refuse` (stage or recipient -> reply) may be changed while it runs."""

    def __init__(self, refuse: dict[str, str] | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.refuse = dict(refuse or {})
        self.commands: list[Command] = []
        self.messages: list[bytes] = []
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

    async def handle_MAIL(self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        self.commands.append(Command("MAIL", address))
        if "mail" in self.refuse:
            return self.refuse["mail"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        self.commands.append(Command("RCPT", address))
        reply = self.refuse.get(address) or self.refuse.get("rcpt")
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        self.messages.append(content.encode() if isinstance(content, str) else content)
        return self.refuse.get("message", "250 2.0.0 Message accepted")

    def _session(self) -> _Smtp:
        smtp = _Smtp(self, hostname="mx.example.test", ident="ESMTP", enable_SMTPUTF8=True, loop=self._loop)
        smtp.server = self
        return smtp

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        server = self._loop.run_until_complete(self._loop.create_server(self._session, self.host, self.port, family=family))
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve SMTP on loopback, refusing where told to.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--refuse", action="append", default=[], metavar="STAGE=REPLY")
    options = parser.parse_args()
    refuse = dict(item.split("=", 1) for item in options.refuse)
    with SmtpServer(refuse, options.host, options.port) as server:
        print(server.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
