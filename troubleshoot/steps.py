"""The remedy steps of a cause for one case: what to do, with commands and records set apart from sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from whybounce.remedies import Part, fill
from whybounce.snapshot import Actor, Cause, Link, RemedyStep

# A line that ends or begins a sentence is prose; in a text of several lines the others are commands, settings or records.
_PROSE = re.compile(r"[.:;!?…”]\s*$|[a-z0-9)]\. [A-Z]")


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a step: sentences, or where `code` is True something to type or to publish."""

    parts: tuple[Part, ...]
    code: bool


@dataclass(frozen=True, slots=True)
class Step:
    """`wording`: what to write to whoever must act. `verify`: the check that would prove it done, "" where none can look."""

    number: int
    actor: Actor
    text: tuple[Passage, ...]
    wording: tuple[Part, ...]
    links: tuple[Link, ...]
    verify: str


def steps_of(cause: Cause, values: Mapping[str, str], able: Iterable[str]) -> tuple[Step, ...]:
    """The steps of `cause` filled in with `values` (remedies.values_of); `able`: names of the checks that can look."""
    return tuple(_step(number, step, values, set(able)) for number, step in enumerate(cause.steps, 1))


def _step(number: int, step: RemedyStep, values: Mapping[str, str], able: set[str]) -> Step:
    verify = step.check if step.check in able else ""
    return Step(number, step.who, passages(step.text, values), fill(step.wording, values), step.links, verify)


def passages(text: str, values: Mapping[str, str]) -> tuple[Passage, ...]:
    """`text` filled in and cut where sentences and lines of code meet; the first line is always a sentence."""
    lines = text.strip().splitlines()
    marked = [(number > 0 and bool(line.strip()) and not _PROSE.search(line), line) for number, line in enumerate(lines)]
    return tuple(Passage(fill("\n".join(line for _code, line in run), values, code), code) for code, run in groupby(marked, key=lambda item: item[0]))
