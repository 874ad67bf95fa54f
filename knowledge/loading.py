"""Loads or upgrades the shipped knowledge. Rows that a curator changed are kept; what the upgrade wanted is reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.db import transaction

from knowledge import models, upgrades
from knowledge.publishing import publish, publishable
from knowledge.rows import VALUES, Writer, querysets
from knowledge.upgrades import digest_of
from whybounce.document import KINDS
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.yaml_knowledge import folder_digest, identity, read_folder

SHIPPED = Path(__file__).resolve().parent / "data"
GONE = "gone"
"""`shipped_digest` of a row that an upgrade withdrew: shipped again, it comes back. One that a curator withdrew does not."""


_UNPUBLISHED = "unpublished"


@dataclass(frozen=True, slots=True)
class Row:
    """Names a row: its kind ("causes") and its slug, code or text."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """`kept`: rows that a curator changed and the files changed too; the curator's stay. `gone`: shipped once, no longer;
    withdrawn. `unchanged`: these very files were loaded last time, nothing was compared."""

    new: tuple[Row, ...] = ()
    changed: tuple[Row, ...] = ()
    kept: tuple[Row, ...] = ()
    gone: tuple[Row, ...] = ()
    same: int = 0
    unchanged: bool = False
    revision: int = field(default=0, compare=False)

    @property
    def counts(self) -> dict[str, Counter[str]]:
        return {name: Counter(row.kind for row in getattr(self, name)) for name in ("new", "changed", "kept", "gone")}


_MODELS: dict[str, type[models.Row]] = {
    "providers": models.Provider,
    "causes": models.Cause,
    "questions": models.Question,
    "patterns": models.ReplyPattern,
    "codes": models.StatusCode,
    "examples": models.Example,
    "blocklists": models.Blocklist,
    "articles": models.Article,
    "cases": models.ExampleCase,
    "findings": models.FindingNote,
    "letters": models.Letter,
}


def load(folder: Path = SHIPPED, *, only_report: bool = False) -> LoadReport:
    """Brings the rows of `folder` into the database, in one transaction, and publishes them as a revision. What it wanted and did not do,
    because a curator had changed the row, is noted (knowledge/upgrades.py).

    KnowledgeError where a file has a mistake, CannotPublish where the files contradict rows that curators changed: nothing is
    changed then. `only_report` changes nothing. Files already loaded are not read again. The text model is fitted after the
    transaction, so that nobody else's write waits for it; interrupted there, the old revision serves and loading again ends it.
    """
    files = folder_digest(folder)
    newest = models.KnowledgeRevision.objects.only("pk", "shipped_files").first()
    if newest and newest.shipped_files == files and not only_report:
        return LoadReport(unchanged=True, revision=newest.pk)
    wanted = read_folder(folder)
    with transaction.atomic():
        plan = _Plan(wanted)
        if only_report:
            return plan.report
        plan.carry_out()
        publishable()
        upgrades.note(plan.disputed)
    revision = publish(by=None, reason="Shipped knowledge loaded", shipped_files=files)
    return replace(plan.report, revision=revision.pk)


class _Plan:
    """What loading would do: compares each shipped row with the present one and with what was shipped before."""

    def __init__(self, wanted: KnowledgeSnapshot) -> None:
        self._writes: list[tuple[str, Any, int, str]] = []
        self._withdraw: list[tuple[str, int]] = []
        found: dict[str, list[Row]] = {"new": [], "changed": [], "kept": [], "gone": []}
        self.disputed: list[upgrades.Disputed] = []
        same = 0
        for kind in KINDS:
            present = self._present(kind)
            for position, value in enumerate(getattr(wanted, kind)):
                name, wants = identity(value), digest_of(value)
                _pk, shipped, now = present.pop(name, (0, "", ""))
                if shipped == wants:
                    same += 1
                    continue
                state = "new" if not now else "changed" if now in (shipped, wants) else "kept"
                found[state].append(Row(kind, name))
                if state == "kept":
                    self.disputed.append(upgrades.Disputed(kind, name, value, position, wants))
                else:
                    self._writes.append((kind, value, position, wants))
            for name, (pk, shipped, now) in present.items():
                if shipped and shipped == now:
                    found["gone"].append(Row(kind, name))
                    self._withdraw.append((kind, pk))
        new, changed, kept, gone = (tuple(found[name]) for name in ("new", "changed", "kept", "gone"))
        self.report = LoadReport(new, changed, kept, gone, same)

    def _present(self, kind: str) -> dict[str, tuple[int, str, str]]:
        """name -> (primary key, digest as shipped, digest now), but of those that an upgrade withdrew. A row that is not published
        has no digest now: it was shipped published, so a curator changed it."""
        rows = querysets()[kind].exclude(status=models.Row.Status.WITHDRAWN, shipped_digest=GONE)
        values = ((row, VALUES[kind](row)) for row in rows)
        return {
            identity(value): (row.pk, row.shipped_digest, digest_of(value) if row.status == models.Row.Status.PUBLISHED else _UNPUBLISHED)
            for row, value in values
        }

    def carry_out(self) -> None:
        writer = Writer()
        for kind, value, position, wants in self._writes:
            writer.write(kind, value, position, wants)
        writer.flush()
        for kind, pk in self._withdraw:
            _MODELS[kind]._default_manager.filter(pk=pk).update(status=models.Row.Status.WITHDRAWN, shipped_digest=GONE)
