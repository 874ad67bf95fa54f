"""`manage.py deliver_webhooks`: sends what waits in the queue (docs/webhooks.md)."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from mailroom.delivering import deliver_due, forget_old, seconds_until_due

_LONGEST_SLEEP = 2.0


class Command(BaseCommand):
    help = "Sends the webhooks that are due, and goes on until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"Attempts: {deliver_due()}")
            forget_old()
            return
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_signal: stop.set())
        self.stdout.write("Sends webhooks (stop with Ctrl-C)")
        self.stdout.flush()
        while not stop.is_set():
            deliver_due()
            forget_old()
            wait = seconds_until_due()
            connection.close()
            stop.wait(_LONGEST_SLEEP if wait is None else min(max(wait, 0.2), _LONGEST_SLEEP))
