"""`manage.py load_knowledge`: loads or upgrades the shipped knowledge, and publishes it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.loading import SHIPPED, LoadReport, load
from knowledge.models import KnowledgeRevision
from knowledge.publishing import CannotPublish
from whybounce.yaml_knowledge import KnowledgeError

_SAY = {"new": "new", "changed": "changed", "kept": "changed by a curator and here: the curator's stay", "gone": "no longer shipped: withdrawn"}


class Command(BaseCommand):
    help = "Loads or upgrades the shipped knowledge and publishes it. Rows that curators changed are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only report what would change")
        parser.add_argument("--from", dest="folder", type=Path, default=SHIPPED, help="a folder of YAML files (default: the shipped one)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.", returncode=2)
        try:
            report = load(folder, only_report=options["check"])
        except KnowledgeError as error:
            raise CommandError("The knowledge files have mistakes; nothing was changed.\n" + "\n".join(error.problems), returncode=2) from error
        except CannotPublish as error:
            raise CommandError(f"The rows contradict each other; nothing was changed.\n{error}", returncode=2) from error
        for line in _lines(report):
            self.stdout.write(line)
        if not options["check"]:
            for line in _cases(report.revision):
                self.stdout.write(line)
            self.stdout.write(f"Revision {report.revision} serves.")


def _cases(revision: int) -> list[str]:
    """The example cases that do not end at their cause: said, and no reason to stop an upgrade."""
    found = KnowledgeRevision.objects.only("report").get(pk=revision).report.get("cases", {}).get("wrong", [])
    return [f"The case {line['name']} should be “{line['expected']}” and ends at “{line['after']['title']}”." for line in found]


def _lines(report: LoadReport) -> list[str]:
    if report.unchanged:
        return ["The shipped knowledge is loaded already."]
    lines = [f"{sum(counts.values())} rows {_SAY[state]}: {_counted(counts)}" for state, counts in report.counts.items() if counts]
    lines += [f"  kept: {row.kind} {row.name}" for row in report.kept]
    return [*lines, f"{report.same} rows as they were."]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
