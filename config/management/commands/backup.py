"""`manage.py backup FILE`: the whole database to a file, while the site is used."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.backup_error import BackupError
from config.backups import back_up


class Command(BaseCommand):
    help = "Writes the whole database to FILE, consistent while others write. FILE holds what people pasted: keep it as safe as the database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="must not be there yet")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            size = back_up(connection.settings_dict, file)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{file}: {size:,} bytes.")
