"""What a text must hold for an expression to match: plain pieces of text, found without searching for the expression itself.

A thousand expressions cannot be searched together: their states multiply, above all where they have counted gaps
("quota.{0,40}exceeded"). Thousands of plain pieces can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

# Python's own parser of expressions, without types; sre_parse until Python 3.10.
parser: Any = import_module("re._parser")
op: Any = import_module("re._constants")

_LEAST = 3  # bytes; shorter pieces stand in every text
# Read otherwise by RE2 than by Python, or not at all.
_FOREIGN = ("[:", "\\Q", "\\C", "\\p", "\\P", "\\z", "(?")

Clause = frozenset[str]
"""Pieces of which at least one stands in the text."""


def required(expression: str) -> tuple[tuple[Clause, ...], ...]:
    """The ways in which the RE2 expression can match: of each what the text then holds, all its clauses, in any case. () where
    nothing is certain."""
    if any(mark in expression.replace("(?:", "(") for mark in _FOREIGN):
        return ()
    try:
        parsed = parser.parse(expression)
    except (parser.error, RecursionError, OverflowError):
        return ()
    ways = tuple(tuple(dict.fromkeys(way)) for way in _ways(list(parsed)))
    return ways if all(ways) else ()


def _ways(sequence: Sequence[Any]) -> list[list[Clause]]:
    """One list of clauses for each alternative of the whole expression, as of a group around it."""
    core = [item for item in sequence if item[0] is not op.AT]
    if len(core) == 1 and core[0][0] is op.SUBPATTERN:
        return _ways(list(core[0][1][3]))
    if len(core) == 1 and core[0][0] is op.BRANCH:
        return [way for branch in core[0][1][1] for way in _ways(list(branch))]
    return [_clauses(sequence)]


def _clauses(sequence: Iterable[Any]) -> list[Clause]:
    """What a sequence of parsed items demands: its runs of letters, and what its parts demand."""
    found: list[Clause] = []
    run = ""
    for kind, value in (*sequence, (op.ANY, None)):
        if kind is op.LITERAL:
            run += chr(value)
            continue
        if kind is op.AT:  # a word border or an end stands between letters without taking room
            continue
        if len(run.encode()) >= _LEAST:
            found.append(frozenset([run]))
        run = ""
        if kind is op.SUBPATTERN:
            found += _clauses(value[3])
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] > 0:
            found += _clauses(value[2])
        elif kind is op.BRANCH:
            found += _either([_clauses(branch) for branch in value[1]])
    return found


def _either(branches: list[list[Clause]]) -> list[Clause]:
    """One clause for a choice: the most telling piece of each branch. None where a branch demands nothing."""
    if not all(branches):
        return []
    return [frozenset().union(*(max(clauses, key=lambda clause: (min(map(len, clause)), -len(clause), sorted(clause))) for clauses in branches))]
