"""What closed cases say of a pattern: columns for its list."""

from __future__ import annotations

from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from knowledge import models
from whybounce.snapshot import Strength

_FOR = [Strength.PROVES.value, Strength.STRONGLY_FOR.value, Strength.FOR.value, Strength.SLIGHTLY_FOR.value]


def closed_with_pattern() -> dict[str, Subquery]:
    """Annotations of patterns: `closed`, the closed cases in whose reply it stood; `right`, those of a cause that it speaks for."""
    speaks_for = models.Evidence.objects.filter(pattern=OuterRef(OuterRef("pk")), strength__in=_FOR).values("cause__slug")
    stood = models.Confirmation.objects.filter(pattern=OuterRef("slug")).exclude(pattern="").order_by()
    return {"closed": Subquery(_sum(stood)), "right": Subquery(_sum(stood.filter(cause__in=speaks_for)))}


def _sum(rows: QuerySet[models.Confirmation]) -> QuerySet[Any, Any]:
    return rows.values("pattern").annotate(n=Sum(F("count") + F("visitors"))).values("n")
