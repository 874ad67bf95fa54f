"""`manage.py read_logs`: reads what was uploaded at /logs/ and waits. The server starts it by itself."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand

from logs.erasing import end_abandoned
from logs.reading import read_waiting


class Command(BaseCommand):
    help = "Reads the uploaded logs that wait, one after the other, and ends when none does. The server starts it by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(10)  # pages come first
        end_abandoned()
        taken = read_waiting()
        if options["verbosity"] > 1:
            self.stdout.write(f"{taken} read.")
