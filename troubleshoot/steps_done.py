"""Remedy steps that were done: ticked off with note, time and person, and taken back. Every state stays on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.current import knowledge
from troubleshoot.checking import current_subject, latest_outcomes, runs_about, standing_of
from troubleshoot.facts import storable
from troubleshoot.known_values import known_values
from troubleshoot.models import Case, StepDone
from troubleshoot.people import Person
from troubleshoot.refusal import Refused
from troubleshoot.services import CaseIsClosed
from troubleshoot.steps import Step
from whybounce.checks.result import State
from whybounce.remedies import fill

MAX_NOTE = 2000


@transaction.atomic
def tick_off(*, case: Case, cause: str, step: str, note: str, person: Person) -> StepDone:
    """A step of a cause's remedy was done. Of two who tick it off the first one stays on record; Refused where there is no such step.

    Where the check that proves the step looked last and found all well, the record says so.
    """
    if case.is_closed:
        raise CaseIsClosed
    if len(note) > MAX_NOTE:
        raise Refused(_("A note has at most %(most)d characters.") % {"most": MAX_NOTE})
    known = knowledge()
    row = next((item for c in known.causes if c.slug == cause for item in c.steps if item.slug == step), None)
    if row is None:
        raise Refused(_("There is no such step any more."))
    values = known_values(standing_of(known, case).ranking(), case.supplied)
    found = latest_outcomes(runs_about(case, current_subject(case))).get(row.check)
    done, _new = StepDone.objects.get_or_create(
        case=case,
        cause=cause,
        step=step,
        undone_at=None,
        defaults={
            "text": storable("".join(part.text for part in fill(row.text.strip(), values))),
            "note": storable(note.strip()),
            "check_name": row.check if found and found.state == State.GOOD else "",
            "by": person.user,
            "at": timezone.now(),
        },
    )
    case.save(update_fields=["updated_at"])
    return done


@transaction.atomic
def take_back_step(*, case: Case, done: int, person: Person) -> None:
    """The step is not done after all. `done`: the key of its StepDone. Nothing happens where it was taken back before."""
    if case.is_closed:
        raise CaseIsClosed
    if case.steps_done.filter(pk=done, undone_at=None).update(undone_at=timezone.now(), undone_by=person.user):
        case.save(update_fields=["updated_at"])


def done_steps(case: Case) -> list[StepDone]:
    """What is done now, in the order in which it was: one query."""
    return list(case.steps_done.filter(undone_at=None).select_related("by"))


def ticked(steps: Iterable[Step], cause: str, rows: Iterable[StepDone], good: Collection[str]) -> tuple[Step, ...]:
    """The steps of `cause` with what is known of each. `good`: the checks that found all well; what one of them proves and nobody
    ticked off yet is offered."""
    done = {row.step: row for row in rows if row.cause == cause}
    return tuple(replace(step, done=done.get(step.slug), offer=step.slug not in done and bool(step.verify) and step.verify in good) for step in steps)


def done_beside(steps: Iterable[Step], cause: str, rows: Iterable[StepDone]) -> tuple[StepDone, ...]:
    """What was done and is none of these steps: those of a cause that led before, or that the knowledge has withdrawn."""
    shown = {step.slug for step in steps}
    return tuple(row for row in rows if row.cause != cause or row.step not in shown)
