"""What the knowledge lacks: rows without sources or steps, rows that nothing leads to, causes with few examples.

Works on a snapshot: the published rows, or the shipped files without a database.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from knowledge.moved import example_texts
from whybounce.compiled import NATS
from whybounce.document import KINDS
from whybounce.snapshot import Evidence, KnowledgeSnapshot
from whybounce.yaml_knowledge import identity

_WITH_SOURCES = ("providers", "causes", "patterns", "codes", "blocklists", "articles", "findings")


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """Names are slugs, codes ("5.1.1 google") or, of answers, "question = answer".

    never_matched       patterns that no case was met with; None where no database counts
    oldest_sources      (day, "kind name"), the oldest first; those without a day stand first
    examples, cases     cause -> how many example texts and example cases it has, least first
    """

    rows: dict[str, int]
    without_source: dict[str, list[str]]
    without_steps: list[str]
    unreachable_causes: list[str]
    needless_questions: list[str]
    mute_answers: list[str]
    never_matched: list[str] | None
    oldest_sources: list[tuple[str, str]]
    examples: dict[str, int]
    cases: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return dataclasses.asdict(self)


def report_on(snapshot: KnowledgeSnapshot, matched: Collection[str] | None = None) -> KnowledgeReport:
    """`matched`: slugs of the patterns that were met in cases; None where nobody counted."""
    texts = Counter(cause for _text, cause in example_texts(snapshot))
    cases = Counter(case.cause for case in snapshot.cases)
    spoken = {item.cause for item in _evidence(snapshot) if NATS[item.strength] > 0} | {example.cause for example in snapshot.examples}
    return KnowledgeReport(
        rows={kind: len(getattr(snapshot, kind)) for kind in KINDS},
        without_source={kind: names for kind in _WITH_SOURCES if (names := [identity(row) for row in getattr(snapshot, kind) if not row.sources])},
        without_steps=[cause.slug for cause in snapshot.causes if not cause.steps],
        unreachable_causes=[cause.slug for cause in snapshot.causes if cause.slug not in spoken],
        needless_questions=[
            question.slug for question in snapshot.questions if not any(answer.evidence or answer.others for answer in question.answers)
        ],
        mute_answers=[
            f"{question.slug} = {answer.slug}"
            for question in snapshot.questions
            for answer in question.answers
            if answer.informative and not answer.evidence and not answer.others
        ],
        never_matched=None if matched is None else [pattern.slug for pattern in snapshot.patterns if pattern.slug not in matched],
        oldest_sources=_oldest(snapshot),
        examples=_least_first(snapshot, texts),
        cases=_least_first(snapshot, cases),
    )


def _evidence(snapshot: KnowledgeSnapshot) -> list[Evidence]:
    rows: list[Any] = [*snapshot.patterns, *snapshot.codes, *(answer for question in snapshot.questions for answer in question.answers)]
    return [item for row in rows for item in row.evidence]


def _oldest(snapshot: KnowledgeSnapshot, most: int = 20) -> list[tuple[str, str]]:
    """Of each row that has sources the oldest day."""
    days = [
        (min(source.checked for source in row.sources), f"{kind} {identity(row)}")
        for kind in _WITH_SOURCES
        for row in getattr(snapshot, kind)
        if row.sources
    ]
    return sorted(days)[:most]


def _least_first(snapshot: KnowledgeSnapshot, counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(((cause.slug, counts[cause.slug]) for cause in snapshot.causes), key=lambda item: (item[1], item[0])))
