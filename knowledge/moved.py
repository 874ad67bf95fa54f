"""What publishing moves: the rows that differ, the example cases and example texts whose first cause or certainty changes.

A report is plain data, kept as JSON with the revision and the job:

    rows    kind -> {"added": [name, ...], "changed": [...], "removed": [...]}, at most MOST_NAMES of each, and the counts in "counts"
    cases   total, right, wrong: [{name, expected, before, after}], broken: those of `wrong` that must be confirmed, mended: [...]
    texts   looked_at, moved (how many), shown: [{name, expected, before, after}]

`before` and `after` are {"cause": slug, "title": ..., "certainty": ...}; `before` is null where nothing served.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from whybounce.compiled import NATS, Knowledge
from whybounce.document import KINDS
from whybounce.failure import DeliveryFailure
from whybounce.intake import read, read_line
from whybounce.reasoning import rank
from whybounce.snapshot import ExampleCase, KnowledgeSnapshot
from whybounce.yaml_knowledge import identity

Report = dict[str, Any]
MOST_NAMES = 40
SAMPLE = 800


def what_moved(before: Knowledge | None, after: Knowledge, *, with_texts: bool = False) -> Report:
    """The report of publishing `after` where `before` serves (None: nothing does). `with_texts` also works a sample of the
    example texts through, which takes seconds."""
    report: Report = {"rows": rows_moved(before.snapshot if before else KnowledgeSnapshot(), after.snapshot)}
    report["cases"] = cases_moved(before, after)
    if with_texts and before:
        sample = sample_of(example_texts(after.snapshot), SAMPLE)
        shown = list(texts_moved(before, after, sample))
        report["texts"] = {"looked_at": len(sample), "moved": len(shown), "shown": shown[:MOST_NAMES]}
    return report


def rows_moved(before: KnowledgeSnapshot, after: KnowledgeSnapshot) -> Report:
    """Which rows of each kind are new, changed or gone."""
    found: Report = {}
    for kind in KINDS:
        old = {identity(row): row for row in getattr(before, kind)}
        new = {identity(row): row for row in getattr(after, kind)}
        names = {
            "added": [name for name in new if name not in old],
            "changed": [name for name, row in new.items() if name in old and old[name] != row],
            "removed": [name for name in old if name not in new],
        }
        if any(names.values()):
            found[kind] = {what: some[:MOST_NAMES] for what, some in names.items()}
            found[kind]["counts"] = {what: len(some) for what, some in names.items()}
    return found


def first_failure(text: str) -> DeliveryFailure:
    """What intake reads in a case's text: its first failure; an empty one where there is none."""
    failures = read(text.encode("utf-8", "replace")).failures if text else ()
    return failures[0] if failures else DeliveryFailure()


def verdict_of(knowledge: Knowledge, failure: DeliveryFailure, answers: dict[str, str] | None = None) -> Report:
    """The first cause and how certain it is."""
    ranking = rank(knowledge, failure, answers)
    top = ranking.top
    return {"cause": top.cause.slug if top else "", "title": top.cause.title if top else "", "certainty": ranking.verdict.certainty.value}


def cases_moved(before: Knowledge | None, after: Knowledge) -> Report:
    """Works all example cases through. `broken`: wrong now, and right before or not there before."""
    known = {case.slug: case for case in before.snapshot.cases} if before else {}
    wrong, broken, mended = [], [], []
    for case in after.snapshot.cases:
        line, was_right = _case(before, after, case)
        is_right = line["after"]["cause"] == case.cause
        if is_right and before and not was_right and case.slug in known:
            mended.append(line)
        if not is_right:
            wrong.append(line)
            if before and (was_right or known.get(case.slug) != case):
                broken.append(line)
    total = len(after.snapshot.cases)
    return {"total": total, "right": total - len(wrong), "wrong": wrong, "broken": broken, "mended": mended}


def _case(before: Knowledge | None, after: Knowledge, case: ExampleCase) -> tuple[Report, bool]:
    failure = first_failure(case.text)
    answers = {given.question: given.answer for given in case.answers}
    was = verdict_of(before, failure, answers) if before else None
    line = {"name": case.slug, "expected": _title(after, case.cause), "before": was, "after": verdict_of(after, failure, answers)}
    return line, was is not None and was["cause"] == case.cause


def texts_moved(before: Knowledge, after: Knowledge, labelled: Iterable[tuple[str, str]]) -> Iterator[Report]:
    """Of (text, cause slug) those whose first cause or certainty is another after than before."""
    for text, cause in labelled:
        failures = read_line(text).failures
        if failures:
            was, now = verdict_of(before, failures[0]), verdict_of(after, failures[0])
            if (was["cause"], was["certainty"]) != (now["cause"], now["certainty"]):
                yield {"name": text, "expected": _title(after, cause), "before": was, "after": now, "right": judged(was, now, cause)}


def judged(was: Report, now: Report, cause: str) -> str:
    """ "better" where only now the right cause comes first, "worse" where no longer, "" where that did not change."""
    right = (was["cause"] == cause, now["cause"] == cause)
    return {(False, True): "better", (True, False): "worse"}.get(right, "")


def example_texts(snapshot: KnowledgeSnapshot) -> list[tuple[str, str]]:
    """Every example text with the slug of its cause: as labelled, or that for which its pattern speaks most."""
    pairs = [(example.text, example.cause) for example in snapshot.examples]
    for pattern in snapshot.patterns:
        best = max(pattern.evidence, key=lambda item: NATS[item.strength], default=None)
        if best and NATS[best.strength] > 0:
            pairs += [(text, best.cause) for text in pattern.examples]
    return pairs


def sample_of(labelled: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """At most `most` of the texts, the same ones each time."""
    if len(labelled) <= most:
        return list(labelled)
    return sorted(labelled, key=lambda pair: hashlib.sha256(pair[0].encode("utf-8", "replace")).digest())[:most]


def _title(knowledge: Knowledge, slug: str) -> str:
    return knowledge.causes[knowledge.index[slug]].title if slug in knowledge.index else slug
