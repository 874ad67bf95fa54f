"""`manage.py import_knowledge`: rows from YAML files."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from knowledge.exchange import ImportPlan, PlannedRow, carry_out, plan_import
from knowledge.publishing import CannotPublish, publish, publishable
from whybounce.yaml_knowledge import MAX_BYTES, KnowledgeError


class Command(BaseCommand):
    help = "Brings rows from YAML files in: as drafts, or published. On any mistake nothing is changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--publish", action="store_true", help="the rows become published ones, and a new revision is published")
        parser.add_argument("--check", action="store_true", help="only report what would change")
        parser.add_argument("--why", default="", help="kept in the history of each row")

    def handle(self, *args: Any, **options: Any) -> None:
        files = [(str(file), _content(file)) for file in options["files"]]
        why = options["why"] or f"Imported from {', '.join(file.name for file in options['files'])}"
        try:
            with transaction.atomic():
                plan = plan_import(files, publish=options["publish"])
                if not options["check"]:
                    carry_out(plan, by=None, why=why)
                    if options["publish"]:
                        publishable()
        except KnowledgeError as error:
            raise CommandError("The files have mistakes; nothing was changed.\n" + "\n".join(error.problems), returncode=2) from error
        except CannotPublish as error:
            raise CommandError(f"The rows contradict each other; nothing was changed.\n{error}", returncode=2) from error
        for line in _lines(plan):
            self.stdout.write(line)
        if options["publish"] and not options["check"]:
            self.stdout.write(f"Revision {publish(by=None, reason=why[:240]).pk} serves.")


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", returncode=2) from error


def _lines(plan: ImportPlan) -> list[str]:
    lines = [f"{len(rows)} rows {state}: {_counted(rows)}" for state, rows in (("new", plan.new), ("changed", plan.changed)) if rows]
    if plan.taken_out:
        lines.append(f"{plan.taken_out} rows that serve become drafts.")
    return [*lines, f"{plan.same} rows as they were."]


def _counted(rows: tuple[PlannedRow, ...]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in Counter(row.kind for row in rows).items())
