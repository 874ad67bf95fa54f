"""Knowledge as YAML, out and in: export of the whole or of chosen rows, import with a plan that is looked at before it is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from knowledge import models
from knowledge.rows import VALUES, Writer, querysets, to_snapshot
from knowledge.versions import Document, FieldChange, changes
from knowledge.written import keep_present, keep_written
from whybounce.document import KINDS, digest, row_document, to_document
from whybounce.snapshot import KnowledgeSnapshot, ReplyPattern
from whybounce.validate import validate
from whybounce.yaml_knowledge import KnowledgeError, Rows, identity, read_files

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Status = models.Row.Status
MODELS: Mapping[str, type[models.Row]] = {kind: queryset.model for kind, queryset in querysets().items()}
"""kind -> model of its rows."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes texts of several lines as they are."""


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: Mapping[str, list[Document]]) -> str:
    """A document (docs/knowledge-format.md) as YAML in block style, always the same for the same rows. Kinds without rows are left out."""
    rows = {kind: document[kind] for kind in KINDS if document.get(kind)}
    said = ", ".join(f"{len(items)} {kind}" for kind, items in rows.items()) or "nothing"
    body = yaml.dump(rows, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120) if rows else ""
    return f"# Whybounce knowledge: {said}\n{body}"


def export_all(kinds: Iterable[str] = KINDS, *, drafts: bool = False) -> dict[str, list[Document]]:
    """The published rows of these kinds as a document; with `drafts` also the drafts. Withdrawn rows are never part of it."""
    wanted = set(kinds)
    if not drafts:
        return {kind: rows for kind, rows in to_document(to_snapshot()).items() if kind in wanted}
    there = {kind: rows.exclude(status=Status.WITHDRAWN) for kind, rows in querysets().items() if kind in wanted}
    return {kind: [row_document(value_of(kind, row)) for row in rows] for kind, rows in there.items()}


def export_rows(model: type[models.Row], chosen: QuerySet[Any]) -> dict[str, list[Document]]:
    """Chosen rows of one model, whatever their status. An example text that belongs to a pattern stands for its pattern."""
    kind = next(kind for kind, of in MODELS.items() if of is model)
    numbers = list(chosen.values_list("pk", flat=True))
    document = {kind: [row_document(value_of(kind, row)) for row in querysets()[kind].filter(pk__in=numbers)]}
    if kind == "examples":
        patterns = querysets()["patterns"].filter(examples__in=numbers).distinct()
        document["patterns"] = [row_document(value_of("patterns", row)) for row in patterns]
    return document


def value_of(kind: str, row: Any) -> Any:
    """A row as a file has it. Of a pattern that serves only the examples that serve too; of a draft those that are drafts as well."""
    value = VALUES[kind](row)
    if isinstance(value, ReplyPattern):
        serves = row.status == Status.PUBLISHED
        examples = (item for item in row.examples.all() if item.status == Status.PUBLISHED or (not serves and item.status == Status.DRAFT))
        return replace(value, examples=tuple(item.text for item in examples))
    return value


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What an import would do to one row. pk, status: of the row that there is (0 and "": none). `differences`: field by field."""

    kind: str
    name: str
    value: Any
    differences: tuple[FieldChange, ...] = ()
    pk: int = 0
    status: str = ""
    position: int = 0
    digest: str = ""

    @property
    def taken_out(self) -> bool:
        """True where a row that serves would become a draft."""
        return any(change.where == "status" and change.new == Status.DRAFT for change in self.differences)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do. `fingerprint` names it together with the rows as they are now: it changes when either does."""

    status: str
    new: tuple[PlannedRow, ...] = ()
    changed: tuple[PlannedRow, ...] = ()
    same: int = 0
    fingerprint: str = field(default="", compare=False)

    @property
    def rows(self) -> tuple[PlannedRow, ...]:
        return (*self.new, *self.changed)

    @property
    def taken_out(self) -> int:
        return sum(row.taken_out for row in self.changed)


def plan_import(files: Iterable[tuple[str, bytes]], *, publish: bool) -> ImportPlan:
    """Reads files given as (name, content) and compares them with the rows. Changes nothing.

    `publish`: the rows become published ones, else drafts. KnowledgeError names every mistake with file, line and row: in a row, and
    between the rows as they would then be.
    """
    rows = read_files(files)
    if rows.problems:
        raise KnowledgeError(rows.problems)
    if not any(rows.by_kind.values()):
        raise KnowledgeError([_("There is no row in it.")])
    present = {kind: {identity(value): (row, value) for row, value in _present(kind)} for kind in KINDS}
    _check(rows, present)
    return _planned(rows, present, Status.PUBLISHED if publish else Status.DRAFT)


def _present(kind: str) -> Iterator[tuple[Any, Any]]:
    return ((row, value_of(kind, row)) for row in querysets()[kind])


_Present = Mapping[str, Mapping[str, tuple[Any, Any]]]


def _check(rows: Rows, present: _Present) -> None:
    """KnowledgeError where a rule between rows would be broken that is not broken now."""
    there = {kind: {name: value for name, (row, value) in named.items() if row.status != Status.WITHDRAWN} for kind, named in present.items()}
    new = {kind: {identity(value) for value in values} for kind, values in rows.by_kind.items()}
    kept = {kind: [value for name, value in named.items() if name not in new[kind]] for kind, named in there.items()}
    problems = validate(_snapshot({kind: [*kept[kind], *rows.by_kind[kind]] for kind in KINDS}))
    if problems:
        before = {(problem.kind, problem.row, problem.message) for problem in validate(_snapshot({k: list(v.values()) for k, v in there.items()}))}
        problems = [problem for problem in problems if (problem.kind, problem.row, problem.message) not in before]
    if problems:
        raise KnowledgeError(rows.located(problem) for problem in problems)


def _snapshot(values: Mapping[str, list[Any]]) -> KnowledgeSnapshot:
    ready: dict[str, Any] = {kind: tuple(rows) for kind, rows in values.items()}
    return KnowledgeSnapshot(**ready)


def _planned(rows: Rows, present: _Present, status: str) -> ImportPlan:
    new: list[PlannedRow] = []
    changed: list[PlannedRow] = []
    same = 0
    seen = []
    for kind in KINDS:
        after = 1 + max((row.position for row, _value in present[kind].values()), default=-1)
        for value in rows.by_kind[kind]:
            name = identity(value)
            row, old = present[kind].get(name, (None, None))
            document = compared(row_document(value))
            if row is None:
                new.append(PlannedRow(kind, name, value, position=after + len(new)))
                seen.append([kind, name, document, None])
                continue
            was = compared(row_document(old))
            seen.append([kind, name, document, [was, row.status]])
            becomes = row.status if was == document and status != Status.PUBLISHED else status
            differences = changes({**was, "status": row.status}, {**document, "status": becomes})
            if differences:
                changed.append(PlannedRow(kind, name, value, tuple(differences), row.pk, row.status, row.position, row.shipped_digest))
            else:
                same += 1
    return ImportPlan(status, tuple(new), tuple(changed), same, digest([status, seen]))


def compared(value: Any) -> Any:
    """A document as it is compared: without blanks around texts (no file keeps them), `see_also` in one order."""
    if isinstance(value, dict):
        return {key: sorted(set(item)) if key == "see_also" else compared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [compared(item) for item in value]
    return value.strip() if isinstance(value, str) else value


@transaction.atomic
def carry_out(plan: ImportPlan, *, by: AbstractBaseUser | None, why: str) -> None:
    """Writes the rows of a plan in one transaction. Each row's history gets one entry: who, when, why, and the row whole; what was there
    before is in it too."""
    old: dict[str, list[int]] = {}
    for item in plan.changed:
        old.setdefault(item.kind, []).append(item.pk)
    for kind, numbers in old.items():
        keep_present(kind, numbers)
    last = {kind: model.history.aggregate(last=Max("history_id"))["last"] or 0 for kind, model in MODELS.items()}  # type: ignore[attr-defined]
    writer = Writer(plan.status)
    for kind in KINDS:
        for item in plan.rows:
            if item.kind == kind:
                writer.write(kind, item.value, item.position, item.digest)
    writer.flush()
    for kind in KINDS:
        written = [item.name for item in plan.rows if item.kind == kind]
        if written:
            keep_written(kind, written, set(old.get(kind, ())), by=by, why=why, after=last[kind])
