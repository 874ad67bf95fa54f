"""`manage.py simulate`: how often and after how many questions the wizard comes to the true cause, in simulated cases."""

from __future__ import annotations

import dataclasses
import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.loading import SHIPPED
from whybounce.compiled import Knowledge
from whybounce.simulated import Confusion, Figures, Pair, confused, figures, nearest_pairs
from whybounce.simulation import Manners, Walk, choose_texts, simulate, without_texts
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.yaml_knowledge import KnowledgeError, read_folder

_SHOWN = 20
_CLOSEST = 10
_MOST_WALKS = 10_000


class Command(BaseCommand):
    help = "Simulates cases of every published cause and says how often the wizard comes to it, and after how many questions."
    requires_system_checks: list[str] = []  # --files needs no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        usual = Manners()
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--walks", type=_number, default=40, metavar="N", help="cases a cause, without and with a text each (default: 40)")
        parser.add_argument("--seed", type=int, default=1, help="another number draws other cases (default: 1)")
        parser.add_argument("--dont-know", type=_share, default=usual.dont_know, metavar="SHARE", help="of the questions (default: 0.1)")
        parser.add_argument("--wrong", type=_share, default=usual.wrong, metavar="SHARE", help="of the answers (default: 0.05)")
        parser.add_argument("--unable", type=_share, default=usual.unable, metavar="SHARE", help="of the checks cannot look (default: 0.1)")
        parser.add_argument("--files", action="store_true", help="of the shipped files, without a database (default: what is published)")

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot = _of_files() if options["files"] else _published()
        if not snapshot.causes:
            raise CommandError("No cause is published.", returncode=2)
        texts = choose_texts(snapshot, options["walks"], options["seed"])
        knowledge = without_texts(snapshot, texts)
        manners = Manners(options["dont_know"], options["wrong"], options["unable"])
        walks = list(simulate(knowledge, texts, options["walks"], options["seed"], manners))
        report = _Report(knowledge, walks)
        if options["json"]:
            self.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False))
            return
        for line in report.lines():
            self.stdout.write(line)


class _Report:
    def __init__(self, knowledge: Knowledge, walks: Sequence[Walk]) -> None:
        categories = {cause.slug: cause.category for cause in knowledge.causes}
        self.both = figures(walks)
        self.without = figures([walk for walk in walks if not walk.with_reply])
        replied = [walk for walk in walks if walk.with_reply]
        self.replied = figures(replied) if replied else None
        self.categories = {
            category: figures([walk for walk in walks if categories[walk.truth] == category]) for category in sorted(set(categories.values()))
        }
        self.confused: list[Confusion] = confused(walks)
        self.closest: list[Pair] = nearest_pairs(knowledge, with_reply=False)[:_CLOSEST]
        self.alike = [pair for pair in nearest_pairs(knowledge, with_reply=False) if pair.alike]
        self.alike_with_reply = [pair for pair in nearest_pairs(knowledge, with_reply=True) if pair.alike]

    def to_dict(self) -> dict[str, Any]:
        replied = self.replied
        return {
            "top1": round(self.both.top1, 4),
            "top3": round(self.both.top3, 4),
            "median_questions": self.without.median_questions,
            "median_questions_with_reply": replied.median_questions if replied else None,
            "p90_questions": self.without.p90_questions,
            "p90_questions_with_reply": replied.p90_questions if replied else None,
            "top1_without_reply": round(self.without.top1, 4),
            "top3_without_reply": round(self.without.top3, 4),
            "top1_with_reply": round(replied.top1, 4) if replied else None,
            "top3_with_reply": round(replied.top3, 4) if replied else None,
            "confused": [[item.truth, item.mistaken_for, round(item.share, 4)] for item in self.confused],
            "alike": [[pair.one, pair.other] for pair in self.alike],
            "alike_with_reply": [[pair.one, pair.other] for pair in self.alike_with_reply],
            "closest": [[pair.one, pair.other, pair.question, pair.distance] for pair in self.closest],
            "categories": {category: dataclasses.asdict(found) for category, found in self.categories.items()},
            "walks": self.both.walks,
        }

    def lines(self) -> Iterator[str]:
        yield f"{'':<24}{'cases':>7}{'first':>8}{'in 3':>8}{'sure':>8}{'questions: median':>20}{'90 %':>6}{'checks':>8}"
        yield _row("from no text at all", self.without)
        if self.replied:
            yield _row("with a reply", self.replied)
        yield _row("both", self.both)
        yield ""
        yield from (_row(category, found) for category, found in sorted(self.categories.items(), key=lambda item: item[1].top1))
        yield f"\nMost often mistaken ({len(self.confused)} pairs in one case of fifty or more):"
        yield from (f"  {item.share:6.1%}  {item.truth} for {item.mistaken_for}" for item in self.confused[:_SHOWN])
        yield from _pairs("no question or check tells apart", self.alike)
        yield from _pairs(
            "only the text, or a question asked where there is none, tells apart", [p for p in self.alike_with_reply if p not in self.alike]
        )
        yield "\nTold apart least (0: never, 1: always), and the question that does it best:"
        yield from (f"  {pair.distance:5.2f}  {pair.one}, {pair.other}: {pair.question}" for pair in self.closest)


def _row(name: str, found: Figures) -> str:
    return (
        f"{name:<24}{found.walks:>7}{found.top1:>8.1%}{found.top3:>8.1%}{found.sure:>8.1%}"
        f"{found.median_questions:>20g}{found.p90_questions:>6g}{found.checks:>8g}"
    )


def _pairs(what: str, pairs: Sequence[Pair]) -> Iterator[str]:
    yield f"\n{len(pairs)} pairs of causes that {what}" + (":" if pairs else ".")
    yield from (f"  {pair.one}, {pair.other}" for pair in pairs[:_SHOWN])
    if len(pairs) > _SHOWN:
        yield f"  … and {len(pairs) - _SHOWN} more (--json lists all)"


def _of_files() -> KnowledgeSnapshot:
    try:
        return read_folder(SHIPPED)
    except KnowledgeError as error:
        raise CommandError("The knowledge files have mistakes.\n" + "\n".join(error.problems), returncode=2) from error


def _published() -> KnowledgeSnapshot:
    from knowledge.current import NoKnowledge, snapshot

    try:
        return snapshot()
    except NoKnowledge as error:
        raise CommandError(str(error), returncode=2) from error


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_WALKS:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST_WALKS}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return share
