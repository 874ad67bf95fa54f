"""Rows that a curator changed and an upgrade of the shipped knowledge wanted otherwise: noted side by side, decided by a curator."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.exchange import MODELS, ImportPlan, PlannedRow, carry_out, compared
from knowledge.models import Row, UpgradeConflict
from knowledge.rows import VALUES
from knowledge.versions import FieldChange, changes
from knowledge.written import rows_named
from whybounce.document import digest, row_document
from whybounce.yaml_knowledge import from_document, identity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State = UpgradeConflict.State
Status = Row.Status


class CannotTake(Exception):
    """The shipped row cannot be put in the place of ours; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """A row that stays a curator's: kind, name, the value as shipped, its place and digest."""

    kind: str
    name: str
    value: Any
    position: int
    wants: str


def digest_of(value: Any) -> str:
    """Digest of a row. The rows of `see_also` have no order in the database."""
    document = row_document(value)
    if "see_also" in document:
        document["see_also"] = sorted(set(document["see_also"]))
    return digest(document)


def key_of(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}\0{name}".encode("utf-8", "replace")).hexdigest()


def note(disputed: Sequence[Disputed]) -> None:
    """Keeps what an upgrade wanted and did not do. A dispute that was decided is open again only where the shipped row is another one
    than was decided about; an open one that the newest upgrade no longer has is dropped."""
    keys = {key_of(item.kind, item.name) for item in disputed}
    known = {conflict.key: conflict for conflict in UpgradeConflict.objects.all()}
    UpgradeConflict.objects.filter(pk__in=[it.pk for it in known.values() if it.state == State.OPEN and it.key not in keys]).delete()
    now = timezone.now()
    for item in disputed:
        key = key_of(item.kind, item.name)
        if key in known and known[key].wants == item.wants:
            continue
        row = _row(item.kind, item.name)
        values: dict[str, Any] = {
            "kind": item.kind,
            "name": item.name,
            "shipped": {**row_document(item.value), "status": Status.PUBLISHED.value},
            "ours": _document(item.kind, row),
            "wants": item.wants,
            "position": item.position,
            "state": State.OPEN,
            "created_at": now,
            "decided_by": None,
            "decided_at": None,
        }
        UpgradeConflict.objects.update_or_create(key=key, defaults=values)


def settle() -> int:
    """Drops the open conflicts whose row is by now as shipped, or is gone. How many there were."""
    by_kind: dict[str, dict[str, UpgradeConflict]] = {}
    for conflict in UpgradeConflict.objects.filter(state=State.OPEN):
        by_kind.setdefault(conflict.kind, {})[conflict.name] = conflict
    over = []
    for kind, conflicts in by_kind.items():
        values = {identity(value): (row, value) for row in rows_named(kind, list(conflicts)) for value in (VALUES[kind](row),)}
        for name, conflict in conflicts.items():
            row, value = values.get(name, (None, None))
            if row is not None and row.status == Status.PUBLISHED and digest_of(value) == conflict.wants:
                MODELS[kind]._default_manager.filter(pk=row.pk).update(shipped_digest=conflict.wants)
            elif row is not None:
                continue
            over.append(conflict.pk)
    UpgradeConflict.objects.filter(pk__in=over).delete()
    return len(over)


def differences(conflict: UpgradeConflict) -> list[FieldChange]:
    """Field by field: `old` is ours as it is now, `new` the shipped one."""
    row = _row(conflict.kind, conflict.name)
    ours = _document(conflict.kind, row) if row is not None else conflict.ours
    return changes(compared(ours), compared(conflict.shipped))


@transaction.atomic
def keep_ours(conflict: UpgradeConflict, by: AbstractBaseUser) -> None:
    """Ours stays, and counts as a change of the row that is shipped now: the next upgrade asks only if it ships another one."""
    row = _row(conflict.kind, conflict.name)
    if row is not None:
        MODELS[conflict.kind]._default_manager.filter(pk=row.pk).update(shipped_digest=conflict.wants)
    _decide(conflict, State.KEPT, by)


@transaction.atomic
def take_shipped(conflict: UpgradeConflict, by: AbstractBaseUser) -> None:
    """The shipped row in the place of ours, published; ours stays in its history. CannotTake where it names what is no longer there,
    or has fields that this version of the program does not know."""
    row = _row(conflict.kind, conflict.name)
    document = {key: item for key, item in conflict.shipped.items() if key != "status"}
    try:
        value = getattr(from_document({conflict.kind: [document]}), conflict.kind)[0]
    except ValueError as error:
        raise CannotTake(_("Another version of the program shipped it: %(error)s. Load the knowledge again.") % {"error": error}) from error
    planned = PlannedRow(conflict.kind, conflict.name, value, (), row.pk if row else 0, "", conflict.position, conflict.wants)
    plan = ImportPlan(Status.PUBLISHED, *((), (planned,)) if row else ((planned,), ()))
    try:
        with transaction.atomic():
            carry_out(plan, by=by, why=_("The shipped row was taken"))
    except KeyError as error:
        raise CannotTake(_("The shipped row names “%(name)s”, which is not here.") % {"name": error.args[0]}) from error
    _decide(conflict, State.TAKEN, by)


def _decide(conflict: UpgradeConflict, state: str, by: AbstractBaseUser) -> None:
    conflict.state, conflict.decided_by_id, conflict.decided_at = state, by.pk, timezone.now()
    conflict.save(update_fields=["state", "decided_by", "decided_at"])


def _row(kind: str, name: str) -> Any:
    """The row of this name with everything that its value needs, or None."""
    return next(iter(rows_named(kind, [name])), None)


def _document(kind: str, row: Any) -> dict[str, Any]:
    return {**row_document(VALUES[kind](row)), "status": str(row.status)} if row is not None else {}
