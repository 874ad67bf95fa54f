"""`manage.py export_knowledge`: the knowledge as YAML."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.exchange import export_all, to_yaml
from whybounce.document import KINDS


class Command(BaseCommand):
    help = "Writes the published rows as YAML (docs/knowledge-format.md), to a file or to the terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to (default: the terminal)")
        parser.add_argument("--kind", action="append", choices=KINDS, help="only these rows; may be given several times")
        parser.add_argument("--drafts", action="store_true", help="drafts too")

    def handle(self, *args: Any, **options: Any) -> None:
        text = to_yaml(export_all(options["kind"] or KINDS, drafts=options["drafts"]))
        file: Path | None = options["file"]
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=2) from error
        self.stdout.write(text.partition("\n")[0].removeprefix("# "))
