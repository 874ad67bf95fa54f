"""The mail server of mail in, running on a free port in a thread, and one that takes what is sent to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller

from mailroom.smtp import Handler, Receive, serve
from tests.browser.site import free_port


@contextmanager
def running(receive: Receive, *, lmtp: bool = False) -> Iterator[int]:
    """The port of a server that hands what it takes to `receive`."""
    started = threading.Event()
    held: dict[str, Any] = {}

    async def work() -> None:
        held["loop"], held["stop"] = asyncio.get_running_loop(), asyncio.Event()

        def ready(port: int) -> None:
            held["port"] = port
            started.set()

        await serve("127.0.0.1", 0, lmtp=lmtp, handler=Handler(lmtp=lmtp, receive=receive), stop=held["stop"], ready=ready)

    thread = threading.Thread(target=asyncio.run, args=(work(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield held["port"]
    finally:
        held["loop"].call_soon_threadsafe(held["stop"].set)
        thread.join(20)


@dataclass
class Sink:
    """Takes every mail; `taken` holds (envelope sender, recipients, content)."""

    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refusing: str = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if self.refusing:
            return self.refusing
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def sink(refusing: str = "") -> Iterator[tuple[Sink, int]]:
    """A mail server on loopback, and its port."""
    handler = Sink(refusing=refusing)
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), data_size_limit=None)
    controller.start()
    try:
        yield handler, controller.port
    finally:
        controller.stop()
