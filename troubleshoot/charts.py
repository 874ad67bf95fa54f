"""Bar charts, drawn on the server: numbers to places in a viewBox. What a chart shows stands in its table, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from troubleshoot.wording import clipped

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 12, 30
_MOST_LABELS = 8
_LONGEST_LABEL = 13
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in units of the viewBox. `series`: the number of its series, from 1."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on an axis: at x, or for a line across at y."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`slug` names it in the page; `series` are the names of what is counted; `rows` its table, one for each place on the x axis."""

    slug: str
    title: str
    description: str
    series: tuple[str, ...]
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    floor: int = HEIGHT - _BOTTOM

    @property
    def total(self) -> int:
        return sum(sum(row.values) for row in self.rows)


def chart(slug: str, title: str, description: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], *, stacked: bool) -> Chart:
    """A chart of series over the same places. `series`: each its name and as many numbers as there are labels.

    stacked     the bars of one place stand upon each other (parts of a whole), else side by side
    """
    rows = tuple(Row(label, tuple(values[at] for _name, values in series)) for at, label in enumerate(labels))
    highest = max([sum(row.values) if stacked else max(row.values, default=0) for row in rows], default=0)
    top, step = scale(highest)
    slot = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    unit = (HEIGHT - _TOP - _BOTTOM) / top
    floor = HEIGHT - _BOTTOM
    bars: list[Bar] = []
    for at, row in enumerate(rows):
        bars += _stack(row.values, _LEFT + at * slot, slot, floor, unit) if stacked else _side(row.values, _LEFT + at * slot, slot, floor, unit)
    lines = tuple(Mark(floor - value * unit, str(value)) for value in range(0, top + 1, step))
    every = max(1, -(-len(labels) // _MOST_LABELS))
    marks = tuple(Mark(_LEFT + (at + 0.5) * slot, clipped(label, _LONGEST_LABEL)) for at, label in enumerate(labels) if at % every == 0)
    return Chart(slug, title, description, tuple(name for name, _values in series), rows, tuple(bars), lines, marks)


def _stack(values: Sequence[int], x: float, slot: float, floor: float, unit: float) -> list[Bar]:
    width = min(40.0, slot * 0.7)
    bars, below = [], 0
    for number, value in enumerate(values, 1):
        if value:
            bars.append(Bar(x + (slot - width) / 2, floor - (below + value) * unit, width, value * unit, number))
        below += value
    return bars


def _side(values: Sequence[int], x: float, slot: float, floor: float, unit: float) -> list[Bar]:
    width = min(20.0, slot * 0.8 / max(1, len(values)))
    start = x + (slot - width * len(values)) / 2
    return [Bar(start + at * width, floor - value * unit, width, value * unit, at + 1) for at, value in enumerate(values) if value]


def scale(highest: int) -> tuple[int, int]:
    """The top of an axis and the step of its lines: 1, 2 or 5 times a power of ten, at most five lines."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in steps if step * _TICKS >= highest)
    return max(step, -(-highest // step) * step), step
