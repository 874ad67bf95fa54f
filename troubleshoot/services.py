"""All writes to cases. Each function is one transaction and says in its exception, in a sentence, why it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge import unrecognised, use
from knowledge.current import knowledge
from troubleshoot.case_history import Kind, record, record_answers
from troubleshoot.case_search import add_words, words_of, words_of_case
from troubleshoot.case_summary import summarise, summary_of
from troubleshoot.checking import MAX_ATTEMPTS, chosen_failure, current_subject, latest_outcomes, message_of, runnable, runs_about
from troubleshoot.erasing import CaseIsErased
from troubleshoot.facts import failure_from_json, failure_to_json, result_to_json, storable, subject_from_json, subject_to_json
from troubleshoot.learning import count_in, count_out, in_force, misleading, patterns_in
from troubleshoot.limits import paste_wants, run_wants, take
from troubleshoot.models import Case, CheckOutcome, CheckRun, Failure, Observation, Outcome
from troubleshoot.people import Person
from troubleshoot.recent import digest_of, recent_outcomes, take_over
from troubleshoot.refusal import Refused
from troubleshoot.returned import selectors_in
from troubleshoot.scopes import Scope, answers_here, forget, group_namer, remember
from troubleshoot.signals import case_closed, case_opened, checks_stored, tell
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import CheckResult, Subject
from whybounce.failure import DeliveryFailure, IntakeReport
from whybounce.reasoning import DONT_KNOW, rank
from whybounce.snapshot import AskedOf

MAX_FAILURES = 1000
NOBODY = Person()
"""Whose doing it is where nobody says: the history shows the visitor's."""


class CaseIsClosed(Refused):
    """A closed case takes no answers, checks or other changes until it is reopened."""

    def __init__(self) -> None:
        super().__init__(_("This case is closed. Reopen it to go on."))


class CaseIsMerged(Refused):
    """A duplicate takes no changes: it goes on in the case that it was merged into."""

    def __init__(self) -> None:
        super().__init__(_("This case was merged with another one that is about the same. It goes on there."))


def _must_be_open(case: Case) -> None:
    if case.is_erased:
        raise CaseIsErased
    if case.state == Case.State.MERGED:
        raise CaseIsMerged
    if case.is_closed:
        raise CaseIsClosed


def admit_paste(*, person: Person, size: int) -> None:
    """Counts a paste of so many bytes before it is read; Limited where there were too many."""
    take(paste_wants(person, size))


@transaction.atomic
def open_case(*, pasted: bytes, report: IntakeReport, person: Person) -> Case:
    """A new case with what intake read in `pasted` (both empty for a problem without any text), owned by `person`."""
    failures = report.failures[:MAX_FAILURES]
    supplied = _selectors(pasted) if failures else {}
    case = Case.objects.create(
        visitor="" if person.user else person.visitor,
        owner=person.user,
        pasted=_without_passwords(pasted, report),
        format=report.format,
        text=storable(report.text),
        kind=report.kind,
        notes=storable(report.notes),
        error=report.error or "",
        failure_count=len(failures),
        supplied=supplied,
        **asdict(summary_of(failures[0] if failures else None, supplied, {})),
    )
    group_of = group_namer() if len(failures) > 1 else None
    Failure.objects.bulk_create(
        _failure_row(case, position, failure, group_of(failure) if group_of else "") for position, failure in enumerate(failures)
    )
    add_words(case, words_of_case(case, failures))
    transaction.on_commit(lambda: unrecognised.record(failures), robust=True)  # afterwards: no other case waits for it, none fails by it
    transaction.on_commit(lambda: use.count_in(failures), robust=True)
    tell(case_opened, sender=Case, case=case)
    return case


def _without_passwords(pasted: bytes, report: IntakeReport) -> bytes:
    """What was pasted, to be kept; where passwords stood in it only the text in which they are hidden."""
    return report.text.encode("utf-8", "replace") if report.hidden else pasted


def _selectors(pasted: bytes) -> dict[str, Any]:
    """What the dkim check can look at: which keys the returned message was signed with."""
    found = selectors_in(pasted)
    return {"selectors": found} if found else {}


def _failure_row(case: Case, position: int, failure: DeliveryFailure, group: str) -> Failure:
    return Failure(
        case=case,
        position=position,
        recipient=storable(failure.recipient)[:320],
        recipient_domain=storable(failure.recipient_domain)[:255],
        code=(failure.code or "")[:3],
        enhanced=(failure.enhanced or "")[:11],
        group=group,
        facts=failure_to_json(failure),
    )


@transaction.atomic
def choose_failure(*, case: Case, position: int, person: Person = NOBODY) -> None:
    """Turns the case to another of its failures. Answers stay that hold for it too (scopes.py); what checks found counts only for
    the failure they looked at."""
    _must_be_open(case)
    if not case.failures.filter(position=position).exists():
        raise Refused(_("This case has no such recipient."))
    case.position = position
    case.supplied = {name: value for name, value in case.supplied.items() if name == "selectors"}  # of the message, not of one recipient
    case.save(update_fields=["position", "supplied", "updated_at"])
    told = answers_here(case)
    case.observations.filter(asked_of=Observation.AskedOf.PERSON).delete()
    _observe(told)
    _take_over_checks(case)
    record(case, Kind.CHOSE, person, position=position)
    summarise(case)


def record_answer(*, case: Case, question: str, answer: str, person: Person, scope: Scope = Scope.ALL) -> None:
    """What a person answers to a question, instead of what was answered before. DONT_KNOW counts as asked and is no evidence;
    Observation.SKIPPED puts it off.

    scope   for which of several recipients it holds
    """
    _must_be_open(case)
    _must_be_an_answer(question, answer)
    with transaction.atomic(savepoint=False):
        given = Observation(case=case, question=question, answer=answer, by=person.user, at=timezone.now())
        _observe([given])
        remember(case, given, scope)
        record(case, Kind.ANSWERED, person, question=question, answer=answer)
        summarise(case)


def record_symptoms(*, case: Case, answers: Mapping[str, str], person: Person) -> None:
    """What a person chose in the form of symptoms, all of it or nothing: question -> answer."""
    _must_be_open(case)
    for question, answer in answers.items():
        _must_be_an_answer(question, answer)
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _observe(Observation(case=case, question=question, answer=answer, by=person.user, at=now) for question, answer in answers.items())
        record_answers(case, person, answers)
        summarise(case)


def _must_be_an_answer(question: str, answer: str) -> None:
    asked = knowledge().questions.get(question)
    if asked is None or asked.question.asked_of is not AskedOf.PERSON:
        raise Refused(_("There is no such question any more."))
    if answer not in (DONT_KNOW, Observation.SKIPPED) and answer not in asked.rows:
        raise Refused(_("That is none of the answers to this question."))


def take_back_answer(*, case: Case, question: str, person: Person = NOBODY) -> None:
    """Forgets what a person answered; nothing happens where nothing was."""
    _must_be_open(case)
    with transaction.atomic(savepoint=False):
        forget(case, storable(question))
        gone, _rows = case.observations.filter(question=storable(question), asked_of=Observation.AskedOf.PERSON).delete()
        if gone:
            record(case, Kind.TOOK_BACK, person, question=question)
        summarise(case)


def plan_checks(
    *, case: Case, names: Iterable[str], person: Person, supplied: Mapping[str, Any] | None = None, anew: bool = False, verifies: str = ""
) -> CheckRun:
    """Stores which checks are to be run; `supplied` replaces what a person had added to the subject (None leaves it).

    anew        also what was looked at a short time ago is looked at again
    verifies    the check by which a remedy step is verified
    """
    _must_be_open(case)
    if supplied is not None:
        case.supplied = {name: storable(value) for name, value in supplied.items() if value}
    subject = current_subject(case)
    able = _able(subject, names)
    about = digest_of(subject, message_of(case) if "dkim" in able else b"")
    found = _found_lately(subject, about, able, person, anew)
    with transaction.atomic():
        # Not where it was erased at this moment: what was added by hand names somebody.
        if not Case.objects.filter(pk=case.pk, erased_at=None).update(supplied=case.supplied, updated_at=timezone.now()):
            raise CaseIsErased
        run = CheckRun.objects.create(case=case, subject=subject_to_json(subject), about=about, names=able, verifies=verifies)
        take_over(run, found)
        record(case, Kind.CHECKED, person, checks=able)
        if supplied is not None or found:
            _take_over_checks(case)
            summarise(case)
        if supplied is not None:
            add_words(case, set(words_of(" ".join(str(value) for value in case.supplied.values()))))
    return run


def plan_domain_check(*, subject: Subject, person: Person, names: Iterable[str] = CHECKS, anew: bool = False) -> CheckRun:
    """A run without a case: those of the checks `names` that `subject` allows. `anew`: also those that looked a short time ago."""
    able = _able(subject, names)
    about = digest_of(subject)
    found = _found_lately(subject, about, able, person, anew)
    with transaction.atomic():
        run = CheckRun.objects.create(visitor=person.visitor, subject=subject_to_json(subject), about=about, names=able)
        take_over(run, found)
    return run


def _able(subject: Subject, names: Iterable[str]) -> list[str]:
    able = runnable(subject, names)
    if not able:
        raise Refused(_("None of the checks has anything to look at. Add the recipient's domain."))
    return able


def _found_lately(subject: Subject, about: str, able: list[str], person: Person, anew: bool) -> list[CheckOutcome]:
    """What need not be looked at again; for the rest, if any, the run is counted. Limited where that is too much."""
    found = [] if anew else recent_outcomes(about, able)
    if len(found) < len(able):
        take(run_wants(person, subject))
    return found


def begin_run(*, run: CheckRun) -> bool:
    """Counts one more stream of a run; False where it was begun too often, so that nobody can have it run again and again."""
    CheckRun.objects.filter(pk=run.pk, attempts__lte=MAX_ATTEMPTS).update(attempts=F("attempts") + 1)
    return CheckRun.objects.filter(pk=run.pk, attempts__lte=MAX_ATTEMPTS).exists()


@transaction.atomic
def store_check_results(*, run: CheckRun, results: Iterable[CheckResult]) -> None:
    """What the checks of a run found; a check that already has its outcome keeps it. The case's observations follow. Nothing is stored
    where the case was erased meanwhile."""
    case = None
    if run.case_id is not None:
        case = Case.objects.select_for_update().defer("pasted", "text").get(pk=run.case_id)  # as it is now: checks take seconds
        if case.is_erased:
            return
    now = timezone.now()
    rows = [CheckOutcome(run=run, at=now, **result_to_json(result)) for result in results]
    CheckOutcome.objects.bulk_create(rows, ignore_conflicts=True)
    tell(checks_stored, sender=CheckOutcome, outcomes=rows)
    if case is not None:
        if subject_from_json(run.subject) == current_subject(case):
            _take_over_checks(case)
        summarise(case)


def _take_over_checks(case: Case) -> None:
    """The observations made by checks become those of the newest outcomes about the present subject."""
    by_check = knowledge().by_check
    outcomes = latest_outcomes(runs_about(case, current_subject(case)))
    case.observations.filter(asked_of=Observation.AskedOf.CHECK).delete()
    rows = (
        Observation(case=case, question=by_check[name].slug, answer=row.answer, asked_of=Observation.AskedOf.CHECK, at=row.at)
        for name, row in outcomes.items()
        if name in by_check
    )
    _observe(rows)


def _observe(rows: Iterable[Observation]) -> None:
    """Stores observations in the place of what was observed about the same questions, also where another process does so now."""
    Observation.objects.bulk_create(rows, update_conflicts=True, unique_fields=["case", "question"], update_fields=["answer", "asked_of", "by", "at"])


@transaction.atomic
def close_case(*, case: Case, cause: str, sentence: str, person: Person) -> Outcome:
    """Closes a case with the cause that proved true, or with "" and a sentence where it was none that is known."""
    _must_be_open(case)
    known = knowledge()
    if cause and cause not in known.index:
        raise Refused(_("There is no such cause."))
    if not cause and not sentence.strip():
        raise Refused(_("Say in a sentence what it was, or choose a cause."))
    row = chosen_failure(case)
    failure = failure_from_json(row.facts) if row else DeliveryFailure()
    ranking = rank(known, failure, dict(case.observations.values_list("question", "answer")))
    top = ranking.top
    closed = {"state": Case.State.CLOSED, "cause": cause, "share": None}
    if not Case.objects.filter(pk=case.pk, state=Case.State.OPEN).update(**closed, updated_at=timezone.now()):
        raise CaseIsClosed  # somebody else was quicker
    case.state, case.cause, case.share = Case.State.CLOSED, cause, None
    record(case, Kind.CLOSED, person, cause=cause)
    add_words(case, set(words_of(sentence)))
    outcome = Outcome.objects.create(
        case=case,
        cause=cause,
        sentence=storable(sentence.strip()),
        first_guess=top.cause.slug if top else "",
        probability=top.probability if top else 0.0,
        revision=known.snapshot.revision,
        patterns=patterns_in(ranking),
        ledger=misleading(ranking, cause),
        by=person.user,
        at=timezone.now(),
    )
    count_in(outcome)
    tell(case_closed, sender=Case, case=case)
    return outcome


@transaction.atomic
def reopen_case(*, case: Case, person: Person = NOBODY) -> None:
    """Opens a closed case again; its outcome is kept as an earlier one. Nothing happens to an open case; CaseIsMerged for a duplicate."""
    if case.is_erased:
        raise CaseIsErased
    if case.state == Case.State.MERGED:
        raise CaseIsMerged
    outcome = in_force(case)
    if outcome and case.outcomes.filter(pk=outcome.pk, reopened_at=None).update(reopened_at=timezone.now()):
        count_out(outcome)
        record(case, Kind.REOPENED, person)
    case.state = Case.State.OPEN
    summarise(case, and_save=["state"])
