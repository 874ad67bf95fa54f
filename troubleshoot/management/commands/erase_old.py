"""`manage.py erase_old`: erases what is older than WHYBOUNCE_KEEP_DAYS says."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from troubleshoot.retention import count_old, erase_old


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:
        raise ArgumentTypeError("a number of days from 1 to 36500")
    return int(text)


class Command(BaseCommand):
    help = "Erases texts, addresses and all else that may name a person from cases that are too old; the tally stays. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many cases it would be")
        parser.add_argument("--days", type=_days, help="older than so many days, instead of what WHYBOUNCE_KEEP_DAYS says")

    def handle(self, *args: Any, **options: Any) -> None:
        days: int = options["days"] or settings.WHYBOUNCE_KEEP_DAYS
        if not days:
            self.stdout.write("Everything is kept for ever: WHYBOUNCE_KEEP_DAYS is 0.")
        elif options["dry_run"]:
            found = count_old(days)
            self.stdout.write(f"Older than {days} days: {found.cases} cases would be erased, {found.runs} checks of domains deleted.")
        else:
            done = erase_old(days)
            self.stdout.write(f"Older than {days} days: {done.cases} cases erased, {done.runs} checks of domains deleted.")
