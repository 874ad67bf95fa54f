"""The history of rows that are written many at once: who, when, why and the row whole, a few statements for some hundred rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.translation import gettext as _

from knowledge.rows import VALUES, querysets
from whybounce.document import row_document
from whybounce.yaml_knowledge import identity

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_BATCH = 400
_LONGEST_WHY = 100


def keep_present(kind: str, numbers: Sequence[int]) -> None:
    """Before rows are changed: makes sure that the history of each holds it whole, as it is. Loading files writes rows without."""
    for part in _parts(numbers):
        rows = {row.pk: row for row in querysets()[kind].filter(pk__in=part)}
        manager = querysets()[kind].model.history
        newest = {record.id: record for record in manager.filter(id__in=part).order_by("history_id").defer("document")}
        whole = set(manager.filter(id__in=part, document__isnull=False).values_list("history_id", flat=True))
        late = [row for row in rows.values() if row.pk not in newest or newest[row.pk].updated_at != row.updated_at]
        if late:
            made = manager.bulk_history_create(late, update=True, default_change_reason=_("as it was"))
            for record in made:
                record.history_user_id = None
                record.history_date = rows[record.id].updated_at
            manager.model.objects.bulk_update(made, ["history_user", "history_date"], batch_size=_BATCH)
            newest.update({record.id: record for record in made})
        _store_documents(kind, [(newest[pk], row) for pk, row in rows.items() if newest[pk].history_id not in whole])


def keep_written(kind: str, names: Sequence[str], old: set[int], *, by: AbstractBaseUser | None, why: str, after: int) -> None:
    """After rows were written: one entry for each instead of those that writing made (numbers above `after`). `old`: the keys of those
    that were there before."""
    manager = querysets()[kind].model.history
    for part in _parts(names):
        rows = {row.pk: row for row in rows_named(kind, part)}
        manager.filter(history_id__gt=after, id__in=rows).delete()
        for update in (False, True):
            chosen = [row for pk, row in rows.items() if (pk in old) == update]
            if not chosen:
                continue
            made = manager.bulk_history_create(chosen, update=update, default_user=by, default_change_reason=why[:_LONGEST_WHY])
            if by is None:
                manager.filter(history_id__in=[record.history_id for record in made]).update(history_user=None)
            _store_documents(kind, [(record, rows[record.id]) for record in made])


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def rows_named(kind: str, names: Collection[str]) -> list[Any]:
    """The rows of these names (yaml_knowledge.identity), with everything that their values need, in a fixed number of queries."""
    rows = querysets()[kind]
    if kind == "codes":
        wanted = set(names)
        found = rows.filter(code__in={name.partition(" ")[0] for name in names})
        return [row for row in found if identity(VALUES[kind](row)) in wanted]
    return list(rows.filter(Q(text__in=names) if kind == "examples" else Q(slug__in=names)))


def _store_documents(kind: str, records: list[tuple[Any, Any]]) -> None:
    for record, row in records:
        record.document = {**row_document(VALUES[kind](row)), "status": str(row.status)}
    if records:
        type(records[0][0]).objects.bulk_update([record for record, _row in records], ["document"], batch_size=_BATCH)
