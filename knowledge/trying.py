"""Trying a row before it is saved: what a pattern matches, and what evidence would change. Writes nothing.

The text model stays as it is fitted: what new example texts would teach it shows only when they are published.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import re2

from knowledge.current import knowledge
from knowledge.models import Cause, Evidence, Example
from knowledge.moved import Report, example_texts, first_failure, judged, sample_of, verdict_of
from whybounce.compiled import NATS, Knowledge
from whybounce.intake import read_line
from whybounce.matcher import PatternMatch, ReplyMatcher
from whybounce.problem import re2_error
from whybounce.snapshot import AskedOf, ReplyPattern, Strength
from whybounce.yaml_knowledge import identity

MOST_SHOWN = 30
MOST_RANKED = 300
_Touches = Callable[[str, Mapping[str, str]], bool]
_INFLUENTIAL = ("patterns", "codes", "questions", "causes")


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored text that the tried pattern matches: its cause's title, and the slug of the pattern it belongs to ("" for none)."""

    text: str
    cause: str
    pattern: str


@dataclass(frozen=True, slots=True)
class PatternTrial:
    """What a pattern does with the stored example texts.

    error       why RE2 cannot use it, or ""; then nothing else is filled in
    own         its own examples that it matches; missed: those that it does not
    wrong       hits that are labelled with a cause which the pattern does not speak for; right: with one that it does
    others      published patterns that stand in the same texts, with how many of them
    """

    error: str = ""
    own: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    looked_at: int = 0
    right: tuple[Hit, ...] = ()
    wrong: tuple[Hit, ...] = ()
    right_count: int = 0
    wrong_count: int = 0
    others: tuple[tuple[str, int], ...] = ()


def try_pattern(pattern: str, *, slug: str, examples: Sequence[str], causes: Iterable[str]) -> PatternTrial:
    """`slug` is the stored pattern's own ("" for a new one), `examples` its own texts, `causes` the slugs that it speaks for."""
    if error := re2_error(pattern):
        return PatternTrial(error=error)
    options = re2.Options()
    options.case_sensitive = False
    search = re2.compile(pattern, options).search
    own = tuple(text for text in examples if search(text))
    stored = [hit for hit in _stored_texts() if hit.pattern != slug or not slug]
    hits = [hit for hit in stored if search(hit.text)]
    titles = dict(Cause.objects.filter(slug__in={hit.cause for hit in hits}).values_list("slug", "title"))
    spoken = set(causes)
    right = [replace(hit, cause=titles.get(hit.cause, "")) for hit in hits if hit.cause in spoken]
    wrong = [replace(hit, cause=titles.get(hit.cause, "")) for hit in hits if hit.cause not in spoken]
    return PatternTrial(
        own=own,
        missed=tuple(text for text in examples if not search(text)),
        looked_at=len(stored),
        right=tuple(right[:MOST_SHOWN]),
        wrong=tuple(wrong[:MOST_SHOWN]),
        right_count=len(right),
        wrong_count=len(wrong),
        others=_others([*own, *(hit.text for hit in hits[:MOST_RANKED])], slug),
    )


def _stored_texts() -> list[Hit]:
    """All example texts, drafts too, each labelled with a cause's slug: its own, or the one that its pattern speaks for most."""
    labels: dict[int, tuple[float, str]] = {}
    for pk, cause, strength in Evidence.objects.filter(pattern__isnull=False).values_list("pattern_id", "cause__slug", "strength"):
        labels[pk] = max(labels.get(pk, (0.0, "")), (NATS[Strength(strength)], cause))
    rows = Example.objects.order_by("pk").values_list("text", "cause__slug", "pattern_id", "pattern__slug")
    return [Hit(text, cause or labels.get(pk, (0.0, ""))[1], slug or "") for text, cause, pk, slug in rows]


def _others(texts: Sequence[str], slug: str) -> tuple[tuple[str, int], ...]:
    matcher = knowledge().matcher
    found = Counter(name for text in texts for name in {match.pattern.slug for match in matcher.find(text)})
    found.pop(slug, None)
    return tuple(found.most_common(MOST_SHOWN))


@dataclass(frozen=True, slots=True)
class Change:
    """What a row would change if it were published as it stands in the form: lines as in knowledge/moved.py.

    texts       how many example texts were worked through; sampled: True where not all that the row may touch
    """

    cases: tuple[Report, ...]
    cases_looked_at: int
    texts: tuple[Report, ...]
    moved: int
    better: int
    worse: int
    looked_at: int
    sampled: bool


def what_would_change(kind: str, value: Any, name: str) -> Change | None:
    """`value`: the row as it would be; `name`: what names it in the knowledge in force ("" for a new one). None for a kind that
    ranks nothing."""
    if kind not in _INFLUENTIAL:
        return None
    before = knowledge()
    rows = getattr(before.snapshot, kind)
    old = next((row for row in rows if identity(row) == name), None)
    known = set(before.index) | ({value.slug} if kind == "causes" else set())
    new = _only_known(value, known)
    after = _with(before, kind, old, new)
    touches = _touching(kind, [row for row in (old, new) if row])
    labelled = [pair for pair in example_texts(before.snapshot) if touches(pair[0], {})]
    chosen = sample_of(labelled, MOST_RANKED)
    touched = [case for case in after.snapshot.cases if touches(case.text, _answers(case))]
    cases = [line for case in touched if (line := _moved(before, after, case.slug, case.text, case.cause, _answers(case)))]
    texts = [line for text, cause in chosen if (line := _moved(before, after, text, None, cause, {}))]
    texts.sort(key=lambda line: line["right"] != "worse")
    return Change(
        cases=tuple(cases[:MOST_SHOWN]),
        cases_looked_at=len(touched),
        texts=tuple(texts[:MOST_SHOWN]),
        moved=len(texts),
        better=sum(line["right"] == "better" for line in texts),
        worse=sum(line["right"] == "worse" for line in texts),
        looked_at=len(chosen),
        sampled=len(chosen) < len(labelled),
    )


def _with(before: Knowledge, kind: str, old: Any, new: Any) -> Knowledge:
    """The knowledge in force with one row changed. The compiled patterns are taken over: a fresh set of them costs milliseconds a
    text until RE2 has seen some hundred."""
    rows = getattr(before.snapshot, kind)
    anew: dict[str, Any] = {kind: tuple(new if row is old else row for row in rows) if old else (*rows, new)}
    snapshot = replace(before.snapshot, **anew)
    if kind == "patterns":
        after = copy.copy(before)
        after.snapshot, after.matcher = snapshot, _OneChanged(before.matcher, old, new)
        return after
    after = Knowledge(snapshot, before.model)
    after.matcher = before.matcher
    return after


class _OneChanged(ReplyMatcher):
    """Finds the patterns that another matcher finds, with one changed or added."""

    def __init__(self, others: ReplyMatcher, old: ReplyPattern | None, new: ReplyPattern) -> None:
        super().__init__([new])
        self._others, self._old = others, old

    def find(self, text: str) -> list[PatternMatch]:
        found = [match for match in self._others.find(text) if match.pattern is not self._old] + super().find(text)
        return sorted(found, key=lambda item: item.span.start - item.span.end)


def _answers(case: Any) -> dict[str, str]:
    return {given.question: given.answer for given in case.answers}


def _moved(before: Knowledge, after: Knowledge, name: str, pasted: str | None, cause: str, answers: dict[str, str]) -> Report | None:
    """One case (`pasted`) or example text (`name` alone) before and after; None where nothing moved."""
    if pasted is None:
        failures = read_line(name).failures
        if not failures:
            return None
        failure = failures[0]
    else:
        failure = first_failure(pasted)
    was, now = verdict_of(before, failure, answers), verdict_of(after, failure, answers)
    if (was["cause"], was["certainty"]) == (now["cause"], now["certainty"]):
        return None
    expected = after.causes[after.index[cause]].title if cause in after.index else cause
    return {"name": name, "expected": expected, "before": was, "after": now, "right": judged(was, now, cause)}


def _only_known(value: Any, known: set[str]) -> Any:
    """The row without evidence for causes that are not published: those are no part of a revision either."""
    if hasattr(value, "answers"):
        return replace(value, answers=tuple(_only_known(answer, known) for answer in value.answers))
    if hasattr(value, "evidence"):
        return replace(value, evidence=tuple(item for item in value.evidence if item.cause in known))
    return replace(value, see_also=()) if hasattr(value, "see_also") else value


def _touching(kind: str, rows: Sequence[Any]) -> _Touches:
    """Tells of a text and answers whether these rows can have a part in their ranking."""
    if kind == "patterns":
        options = re2.Options()
        options.case_sensitive = False
        searches = [re2.compile(row.pattern, options).search for row in rows if not re2_error(row.pattern)]
        return lambda text, _answers: any(search(text) for search in searches)
    if kind == "codes":
        found = re.compile("|".join(rf"(?<![\d.]){re.escape(row.code).replace('X', '[245]')}(?![\d])" for row in rows))
        return lambda text, _answers: bool(found.search(text))
    if kind == "questions" and all(row.asked_of is not AskedOf.REPLY for row in rows):
        return lambda _text, answers: any(row.slug in answers for row in rows)
    return lambda _text, _answers: True
