"""`manage.py restore FILE`: what a backup holds in the place of what the database holds."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.backup_error import BackupError
from config.backups import restore


class Command(BaseCommand):
    help = "Puts what a backup holds into the database. Refuses where the database is in use already, unless --overwrite is given."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="replace all that the database holds")

    def handle(self, *, file: Path, overwrite: bool, **options: Any) -> None:
        try:
            rows = restore(connection.settings_dict, file, overwrite=overwrite)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Restored ({', '.join(f'{table}: {count}' for table, count in rows.items())}).")
        self.stdout.write("Now run `manage.py migrate`, and restart all processes: they may hold knowledge that is no longer in the database.")
