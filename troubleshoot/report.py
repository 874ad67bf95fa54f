"""The report of a case: what is handed on of it, as one value that a page, Markdown and JSON are made of. Writes nothing."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from knowledge.check_names import check_label
from knowledge.current import knowledge
from troubleshoot.check_panel import CheckRow
from troubleshoot.checking import latest_outcomes, runs_about
from troubleshoot.diagnosis import Closed, Diagnosis, diagnose
from troubleshoot.discretion import Discretion
from troubleshoot.inquiry import Answered
from troubleshoot.ledger import CauseLine
from troubleshoot.marking import FactLine, fact_lines
from troubleshoot.models import Case, CheckOutcome, StepDone
from troubleshoot.steps import Passage, Step
from troubleshoot.way import Way
from troubleshoot.wording import ACTORS, VerdictWords
from whybounce.answer import failure_json
from whybounce.reasoning import Ranking
from whybounce.remedies import Part
from whybounce.snapshot import Link


@dataclass(frozen=True, slots=True)
class Because:
    """A line of a cause's ledger in words: `"Enhanced code"`, `"5.1.1"`, `"strongly for"`."""

    kind: str
    said: str
    strength: str


@dataclass(frozen=True, slots=True)
class ReportCause:
    slug: str
    title: str
    url: str
    percent: str
    category: str
    summary: str
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """`by`: who ticked the step off, "" where that is left out; `check`: the check that had found it done, as it is called."""

    at: datetime
    by: str
    note: str
    check: str


@dataclass(frozen=True, slots=True)
class ReportStep:
    """`text` as passages for a page; `done` None where it is still to be done."""

    slug: str
    cause: str
    actor: str
    text: tuple[Passage, ...]
    links: tuple[Link, ...]
    check: str
    done: Done | None

    @property
    def plain(self) -> str:
        return "\n".join("".join(part.text for part in passage.parts) for passage in self.text)


@dataclass(frozen=True, slots=True)
class Report:
    """
    number          of the case; `masked`: what names a person is left out, and who worked on it too
    made_at         when the report was made
    revision        of the knowledge by which it was made
    failures        how many recipients failed; the report is of one of them
    checks          those that looked, with their newest result
    done_beside     steps done that belong to no cause of this ranking any more
    machine         the contract's FAILURE object (docs/json.md), with the same left out
    machine_checks  what the checks found, as `check_domain` gives it, and when
    """

    number: str
    masked: bool
    opened_at: datetime
    made_at: datetime
    revision: int
    state: str
    state_label: str
    failures: int
    verdict: VerdictWords
    actors: tuple[str, ...]
    contradictions: tuple[str, ...]
    facts: tuple[FactLine, ...]
    provider: str
    way: Way
    causes: tuple[ReportCause, ...]
    others: int
    ruled_out: tuple[str, ...]
    answers: tuple[Answered, ...]
    checks: tuple[CheckRow, ...]
    steps_for: str
    unsure: bool
    steps: tuple[ReportStep, ...]
    done_beside: tuple[ReportStep, ...]
    closed: Closed | None
    machine: dict[str, Any]
    machine_checks: tuple[dict[str, Any], ...]


def report_of(case: Case, *, masks: bool) -> Report:
    """The report of a case as it stands now. `masks`: without what names a person (discretion.py)."""
    d = diagnose(case)
    discretion = Discretion(knowledge(), d.ranking.failure, masks=masks, supplied=case.supplied)
    told = not d.bare
    return Report(
        number=case.public_id,
        masked=masks,
        opened_at=case.created_at,
        made_at=timezone.now(),
        revision=knowledge().snapshot.revision,
        state=case.state,
        state_label=case.get_state_display(),
        failures=case.failure_count,
        verdict=d.verdict,
        actors=tuple(str(ACTORS[who]) for who in d.verdict.actors),
        contradictions=tuple(discretion.text(sentence) for sentence in d.contradictions) if told else (),
        facts=fact_lines(discretion.failure()),
        provider=d.provider[1] if d.provider else "",
        way=replace(d.way, stops=tuple(replace(stop, name=discretion.text(stop.name)) for stop in d.way.stops)),
        causes=tuple(_cause(line, discretion) for line in d.causes) if told else (),
        others=d.others if told else 0,
        ruled_out=d.ruled_out if told else (),
        answers=tuple(replace(item, by="" if masks else item.by) for item in d.asking.answered),
        checks=tuple(_check(row, discretion) for row in d.checks.rows if row.state == "done"),
        steps_for=d.steps_for,
        unsure=d.unsure,
        steps=_steps(d, discretion) if told else (),
        done_beside=tuple(_beside(row, discretion) for row in d.done_beside),
        closed=_closed(d, discretion),
        machine=_machine(d.ranking, discretion),
        machine_checks=tuple(_machine_check(row, discretion) for row in latest_outcomes(runs_about(case, d.checks.subject)).values()),
    )


def _cause(line: CauseLine, discretion: Discretion) -> ReportCause:
    because = tuple(Because(item.kind, discretion.text(item.said), item.strength) for item in line.ledger)
    return ReportCause(line.slug, line.title, line.url, line.percent, line.category, line.summary, because)


def _check(row: CheckRow, discretion: Discretion) -> CheckRow:
    findings = tuple(replace(item, seen=discretion.text(item.seen)) for item in row.findings)
    return replace(row, detail=discretion.text(row.detail), findings=findings)


def _steps(d: Diagnosis, discretion: Discretion) -> tuple[ReportStep, ...]:
    return tuple(_step(step, d.causes[0].slug, discretion) for step in d.steps)


def _step(step: Step, cause: str, discretion: Discretion) -> ReportStep:
    text = tuple(replace(passage, parts=tuple(replace(part, text=discretion.text(part.text)) for part in passage.parts)) for passage in step.text)
    done = _done(step.done, discretion) if step.done else None
    return ReportStep(step.slug, cause, str(ACTORS[step.actor]), text, step.links, step.verify, done)


def _beside(row: StepDone, discretion: Discretion) -> ReportStep:
    """A step that was done, in the words in which it was told then."""
    text = (Passage((Part(discretion.text(row.text)),), False),)
    return ReportStep(row.step, row.cause, "", text, (), "", _done(row, discretion))


def _done(row: StepDone, discretion: Discretion) -> Done:
    by = row.by.get_username() if row.by and not discretion.masks else ""
    return Done(row.at, by, discretion.text(row.note), check_label(row.check_name) if row.check_name else "")


def _closed(d: Diagnosis, discretion: Discretion) -> Closed | None:
    if d.closed is None:
        return None
    outcome = copy(d.closed.outcome)  # for showing; it is not saved
    outcome.sentence = discretion.text(outcome.sentence)
    if discretion.masks:
        outcome.by = None
    return replace(d.closed, outcome=outcome)


def _machine(ranking: Ranking, discretion: Discretion) -> dict[str, Any]:
    """As `explain` gives it, with everything that was answered and checked in the ranking."""
    failure = failure_json(ranking)
    return {name: discretion.reply(value) if name == "text" else discretion.json(value) for name, value in failure.items()}


def _machine_check(row: CheckOutcome, discretion: Discretion) -> dict[str, Any]:
    names = ("answer", "state", "detail", "findings", "facts", "elapsed_ms")
    told = discretion.json({name: getattr(row, name) for name in names})
    return {"check": row.check_name, **told, "at": row.at}
