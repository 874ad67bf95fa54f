"""`manage.py knowledge_report`: what the knowledge lacks."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.loading import SHIPPED
from knowledge.report import KnowledgeReport, report_on
from whybounce.yaml_knowledge import KnowledgeError, read_folder

_MOST = 30


class Command(BaseCommand):
    help = "Says what the knowledge lacks: sources, steps, rows that nothing leads to, causes with few examples."
    requires_system_checks: list[str] = []  # --files needs no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, whole")
        parser.add_argument("--files", action="store_true", help="of the shipped files, without a database (default: the published rows)")

    def handle(self, *args: Any, **options: Any) -> None:
        report = _of_files() if options["files"] else _of_rows()
        if options["json"]:
            self.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False, indent=1))
            return
        for line in _lines(report):
            self.stdout.write(line)


def _of_files() -> KnowledgeReport:
    try:
        return report_on(read_folder(SHIPPED))
    except KnowledgeError as error:
        raise CommandError("The knowledge files have mistakes.\n" + "\n".join(error.problems), returncode=2) from error


def _of_rows() -> KnowledgeReport:
    from knowledge.models import PatternUse
    from knowledge.rows import to_snapshot

    return report_on(to_snapshot(), set(PatternUse.objects.values_list("pattern", flat=True)))


def _lines(report: KnowledgeReport) -> Iterator[str]:
    yield "Rows: " + ", ".join(f"{count} {kind}" for kind, count in report.rows.items())
    for kind, names in report.without_source.items():
        yield from _listed(f"{kind} without a source", names)
    yield from _listed("causes without steps", report.without_steps)
    yield from _listed("causes that nothing speaks for", report.unreachable_causes)
    yield from _listed("questions that no cause needs", report.needless_questions)
    yield from _listed("answers that are evidence of nothing", report.mute_answers)
    if report.never_matched is not None:
        yield from _listed("patterns that never matched a case", report.never_matched)
    yield "\nOldest sources:"
    yield from (f"  {day or 'no day':<12}{name}" for day, name in report.oldest_sources[:10])
    yield "\nFewest example texts and cases:"
    yield from (f"  {count:>5} texts {report.cases[slug]:>4} cases   {slug}" for slug, count in list(report.examples.items())[:_MOST])


def _listed(what: str, names: list[str]) -> Iterator[str]:
    yield f"\n{len(names)} {what}" + (":" if names else ".")
    yield from (f"  {name[:120]}" for name in names[:_MOST])
    if len(names) > _MOST:
        yield f"  … and {len(names) - _MOST} more (--json lists all)"
