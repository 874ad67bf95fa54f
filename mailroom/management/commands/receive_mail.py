"""`manage.py receive_mail`: mail in (docs/mail-in.md)."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mailroom.answering import own_address
from mailroom.smtp import Handler, serve


class Command(BaseCommand):
    help = "Takes forwarded bounces from the site's own mail server, opens a case for each and answers with the verdict."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument("--port", type=int, default=2525, help="port to listen on (default: 2525; 0: any free one)")
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP instead of SMTP")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_settings()
        if not _is_loopback(options["host"]):
            self.stderr.write(f"Anybody who reaches {options['host']} can hand mail over: there is no login. Let only your mail server reach it.")
        try:
            asyncio.run(self._serve(options["host"], options["port"], lmtp=options["lmtp"]))
        except OSError as error:
            raise CommandError(f"Cannot listen on {options['host']} port {options['port']}: {error.strerror or error}", returncode=2) from error

    async def _serve(self, host: str, port: int, *, lmtp: bool) -> None:
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)

        def ready(port: int) -> None:
            self.stdout.write(f"Takes mail by {'LMTP' if lmtp else 'SMTP'} on {host} port {port} (stop with Ctrl-C)")
            self.stdout.flush()

        await serve(host, port, lmtp=lmtp, handler=Handler(lmtp=lmtp), stop=stop, ready=ready)


def _check_settings() -> None:
    """CommandError for what is missing, before the first mail is refused for it."""
    if "@" not in own_address():
        raise CommandError("Set WHYBOUNCE_MAIL_FROM to the address that answers come from.", returncode=2)
    if not settings.WHYBOUNCE_MAIL_SENDERS:
        raise CommandError("Set WHYBOUNCE_MAIL_SENDERS to the addresses and domains whose mail is taken.", returncode=2)
    if not settings.WHYBOUNCE_SITE_URL:
        raise CommandError("Set WHYBOUNCE_SITE_URL to this site's address, such as https://bounce.example.org.", returncode=2)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
