"""Which causes proved true in closed cases: counted for the ranking to learn from, and shown to curators.

Whoever closes, reopens or merges cases says so here (`count`, `uncount`); nothing here knows of cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from knowledge.models import Confirmation


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Of how many closed cases, and in how many of them it was this cause."""

    cases: int
    of: int


def count(cause: str, patterns: Iterable[str], *, by_visitor: bool) -> None:
    """A case was closed with this cause ("" where it was none that is known); these patterns stood in its reply. One statement; sorted, so
    that two cases at once do not wait for each other in a ring."""
    column, other = ("visitors", "count") if by_visitor else ("count", "visitors")
    table = connection.ops.quote_name(Confirmation._meta.db_table)
    names = sorted({"", *patterns})
    values = ", ".join(["(%s, %s, 1, 0)"] * len(names))
    quoted, also = connection.ops.quote_name(column), connection.ops.quote_name(other)
    statement = (
        f"INSERT INTO {table} (pattern, cause, {quoted}, {also}) VALUES {values} "  # noqa: S608 (names of the table's own; values are parameters)
        f"ON CONFLICT (pattern, cause) DO UPDATE SET {quoted} = {table}.{quoted} + 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for name in names for value in (name, cause)])


def uncount(cause: str, patterns: Iterable[str], *, by_visitor: bool) -> None:
    """Takes back what `count` counted: the case was reopened, or merged into another."""
    column = "visitors" if by_visitor else "count"
    lowered = Case(When(**{f"{column}__gt": 0}, then=F(column) - 1), default=Value(0))
    Confirmation.objects.filter(pattern__in={"", *patterns}, cause=cause).update(**{column: lowered})


@transaction.atomic
def replace_all(counts: Mapping[tuple[str, str, bool], int]) -> None:
    """Counts anew: (pattern, cause, by a visitor) -> cases."""
    rows: dict[tuple[str, str], Confirmation] = {}
    for (pattern, cause, by_visitor), number in counts.items():
        row = rows.setdefault((pattern, cause), Confirmation(pattern=pattern, cause=cause))
        setattr(row, "visitors" if by_visitor else "count", number)
    Confirmation.objects.all().delete()
    Confirmation.objects.bulk_create(rows.values(), batch_size=500)


def learned_counts() -> dict[str, int]:
    """The cases by cause that the ranking learns from; none where learning is switched off. One query."""
    if not settings.WHYBOUNCE_LEARN:
        return {}
    return dict(Confirmation.objects.filter(pattern="", count__gt=0).exclude(cause="").values_list("cause", "count"))


def of_cause(slug: str) -> Confirmed:
    """How often this cause proved true, of all closed cases, whoever closed them."""
    rows = {cause: number for cause, number in Confirmation.objects.filter(pattern="").values_list("cause", F("count") + F("visitors"))}
    return Confirmed(rows.get(slug, 0), sum(rows.values()))
