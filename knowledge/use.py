"""How often reply patterns are met: counted when a case is opened, read by curators who look for patterns that never match."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils import timezone

from knowledge.current import knowledge
from knowledge.models import PatternUse
from whybounce.failure import DeliveryFailure

_MOST = 25  # failures of one paste that are looked at: a mailing to thousands must not cost seconds


def count_in(failures: Iterable[DeliveryFailure]) -> None:
    """Counts the patterns that stand in the replies of one case, each once."""
    texts = {failure.text for failure in list(failures)[:_MOST] if failure.text}
    count({match.pattern.slug for text in texts for match in knowledge().matcher.find(text)})


def count(patterns: Iterable[str]) -> None:
    """Adds one to each of these patterns, in one statement. Sorted, so that two cases at once do not wait for each other in a ring."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [(slug, 1, now) for slug in sorted(set(patterns))]
    if not rows:
        return
    table = connection.ops.quote_name(PatternUse._meta.db_table)
    values = ", ".join(["(%s, %s, %s)"] * len(rows))
    statement = (
        f"INSERT INTO {table} (pattern, count, last_matched) VALUES {values} "  # noqa: S608 (a table's own name; values are parameters)
        f"ON CONFLICT (pattern) DO UPDATE SET count = {table}.count + 1, last_matched = excluded.last_matched"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
