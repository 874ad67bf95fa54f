"""The versions of a row: each entry of its history keeps the row whole (models.base.RowHistory), so that two can be compared
with their steps, answers, examples and evidence, and an old one can be put in force again."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from knowledge.models import Example, Row
from knowledge.rows import VALUES, Writer, querysets
from whybounce.document import row_document
from whybounce.yaml_knowledge import from_document, identity

KIND_OF: dict[type[Any], str] = {queryset.model: kind for kind, queryset in querysets().items()}
"""A row's model -> its kind, as the knowledge files name it."""

Document = dict[str, Any]
_NAMES = ("slug", "cause", "text", "title", "claim", "answer")
_MARKED = re.compile(r"\[(draft|withdrawn)\] (.*)", re.DOTALL)


class CannotRevert(Exception):
    """A version cannot be put in force again; the message is a sentence that says why."""


def value_of(row: Row) -> Any:
    """The row as stored now, with everything that belongs to it, as the engine's value."""
    kind = KIND_OF[type(row)]
    queryset = querysets()[kind]
    stored = queryset.filter(pk=row.pk).first() if kind != "examples" else Example.objects.select_related("cause", "provider").get(pk=row.pk)
    return VALUES[kind](stored)


def document_of(row: Row) -> Document:
    """The same as a mapping, with its status."""
    return {**row_document(value_of(row)), "status": str(row.status)}


def keep_present(row: Any) -> None:
    """To be called before a row is changed: makes sure that its history holds it as it is. Loading files writes rows without."""
    newest = row.history.first()
    if newest is None or newest.updated_at != row.updated_at:
        manager = type(row).history
        manager.bulk_history_create([row], update=newest is not None, default_date=row.updated_at, default_change_reason=_("as it was"))
        newest = row.history.order_by("-history_id").first()
        row.history.filter(history_id=newest.history_id).update(history_user=None)
    if newest.document is None:
        row.history.filter(history_id=newest.history_id).update(document=document_of(row))


def keep_new(row: Any) -> None:
    """To be called after a row and all that belongs to it was saved."""
    newest = row.history.order_by("-history_id").first()
    if newest is not None:
        row.history.filter(history_id=newest.history_id).update(document=document_of(row))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text that changed: `how` is "same", "old" (only before) or "new" (only after)."""

    how: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that differs: where ("steps › compare-address › text"), before and after ("" where it was not there)."""

    where: str
    old: str
    new: str

    @property
    def pieces(self) -> list[Piece]:
        """The change word by word; what is long and did not change is left out."""
        old, new = (re.findall(r"\s+|\S+\s*", text) for text in (self.old, self.new))
        out: list[Piece] = []
        for how, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if how == "equal":
                out.append(Piece("same", _shortened(old[a:b])))
                continue
            out += [Piece(name, text) for name, text in (("old", "".join(old[a:b])), ("new", "".join(new[c:d]))) if text]
        return out


def _shortened(words: Sequence[str], keep: int = 16) -> str:
    text = words if len(words) <= 2 * keep + 6 else [*words[:keep], " … ", *words[-keep:]]
    return "".join(text)


def changes(old: Document, new: Document) -> list[FieldChange]:
    """What differs between two versions of a row, field by field, in the order of the newer one's fields."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        FieldChange(where, before.get(where, ""), after.get(where, ""))
        for where in [*after, *(where for where in before if where not in after)]
        if before.get(where, "") != after.get(where, "")
    ]


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """A document as (path, text), records named by what names them rather than by their number."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{where} › {key}" if where else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value, 1):
            name = next((str(item[key]) for key in _NAMES if item.get(key)), str(number)) if isinstance(item, dict) else str(item)
            yield from _flat(item, f"{where} › {name[:60]}")
        if len(value) > 1 and all(isinstance(item, dict) and "slug" in item for item in value):
            yield f"{where} › {_('order')}", ", ".join(item["slug"] for item in value)
    elif isinstance(value, list):
        yield where, "\n".join(str(item) for item in value)
    else:
        yield where, _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)


@transaction.atomic
def revert(row: Any, document: Document, reason: str) -> None:
    """Makes the row say again what `document` says. Its status and its place stay. CannotRevert where it names what is gone, where its own
    name is another row's by now, and where another version of the program kept it otherwise."""
    kind = KIND_OF[type(row)]
    try:
        value = getattr(from_document({kind: [{key: item for key, item in document.items() if key != "status"}]}), kind)[0]
    except ValueError as error:
        raise CannotRevert(_("An older version of the program kept that version otherwise: %(error)s.") % {"error": error}) from error
    keep_present(row)
    last = row.history.order_by("-history_id").first().history_id
    kept = {"status": row.status, "position": row.position, "shipped_digest": row.shipped_digest}
    names = {"slug": getattr(value, "slug", None), "code": getattr(value, "code", None), "text": value.text if kind == "examples" else None}
    renamed = {name: text for name, text in names.items() if text is not None and hasattr(row, name) and getattr(row, name) != text}
    try:
        if renamed:
            type(row)._default_manager.filter(pk=row.pk).update(**renamed)
        writer = Writer()
        writer.write(kind, value, row.position, row.shipped_digest)
        writer.flush()
    except KeyError as error:
        raise CannotRevert(_("That version names “%(name)s”, which is no longer there.") % {"name": error.args[0]}) from error
    except IntegrityError as error:
        raise CannotRevert(_("That version is named “%(name)s”, and another row is called so now.") % {"name": identity(value)}) from error
    row.refresh_from_db()
    for name, old in kept.items():
        setattr(row, name, old)
    if kind == "patterns":
        _unmark(row)
    row._change_reason = reason
    row.save()
    row.history.filter(history_id__gt=last).exclude(history_id=row.history.order_by("-history_id").first().history_id).delete()
    keep_new(row)


def _unmark(pattern: Any) -> None:
    """A version marks the examples that are not published; here they get that status back."""
    for example in pattern.examples.all():
        if marked := _MARKED.fullmatch(example.text):
            example.status, example.text = marked.groups()
            example.save()
