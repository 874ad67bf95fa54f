"""Counters of bounded size."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

FAILED, DEFERRED, DELIVERED = 0, 1, 2
"""What is counted: the places of a row."""


@dataclass(slots=True)
class Table:
    """Key -> how often [failed, deferred, delivered]. A new key over `most` goes to `under_cap`, so that the sums stay right.

    Tables are added by `merged`; where no table is full, order and grouping make no difference.
    """

    most: int
    rows: dict[Any, list[int]] = field(default_factory=dict)
    under_cap: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, key: Hashable, what: int, number: int = 1) -> None:
        row = self.rows.get(key)
        if row is None:
            if len(self.rows) >= self.most:
                self.under_cap[what] += number
                return
            row = self.rows[key] = [0, 0, 0]
        row[what] += number

    def merged(self, other: Table) -> Table:
        rows = {key: list(row) for key, row in self.rows.items()}
        for key, row in other.rows.items():
            mine = rows.get(key)
            rows[key] = list(row) if mine is None else [a + b for a, b in zip(mine, row, strict=True)]
        under = [a + b for a, b in zip(self.under_cap, other.under_cap, strict=True)]
        most = max(self.most, other.most)
        if len(rows) > most:
            ranked = sorted(rows, key=lambda key: (-rows[key][FAILED], -rows[key][DEFERRED], -rows[key][DELIVERED], repr(key)))
            for key in ranked[most:]:
                under = [a + b for a, b in zip(under, rows.pop(key), strict=True)]
        return Table(most, rows, under)

    def by_first(self) -> Mapping[Any, list[int]]:
        """The rows of keys that begin alike, added: (value, cause) -> value."""
        sums: dict[Any, list[int]] = {}
        for (value, _cause), row in self.rows.items():
            mine = sums.setdefault(value, [0, 0, 0])
            for place, number in enumerate(row):
                mine[place] += number
        return sums
