"""For which of a case's recipients an answer holds: all of them, those of its group, or one alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256

from knowledge.current import NoKnowledge, knowledge
from knowledge.unrecognised import is_known_word
from troubleshoot.checking import chosen_failure
from troubleshoot.models import Case, Observation, ScopedAnswer
from whybounce.failure import DeliveryFailure
from whybounce.masking import mask, shape_of
from whybounce.reasoning import Certainty, rank

UNCLEAR = "~"
"""Begins the group of those whose cause the text leaves open: they share one where their replies read alike."""
_MOST = 500


class Scope(StrEnum):
    """How far an answer goes."""

    ALL = "all"
    GROUP = "group"
    ONE = "one"


def group_namer() -> Callable[[DeliveryFailure], str]:
    """Names the group of a failure: the slug of the cause that its text alone makes likely; "" where nothing is published yet."""
    try:
        known = knowledge()
    except NoKnowledge:
        return lambda _failure: ""

    def name(failure: DeliveryFailure) -> str:
        ranking = rank(known, failure)
        if ranking.top and ranking.verdict.certainty in (Certainty.PROVED, Certainty.LIKELY):
            return ranking.top.cause.slug
        shape = shape_of(mask(failure, lambda word: is_known_word(known, word), _MOST))
        return UNCLEAR + sha256(f"{failure.code} {failure.enhanced} {shape}".encode("utf-8", "replace")).hexdigest()[:16]

    return name


def scope_of(case: Case, scope: Scope) -> str:
    """The scope as it is stored, for the failure looked at."""
    row = chosen_failure(case)
    if scope is Scope.ALL or row is None:
        return ""
    return row.group if scope is Scope.GROUP and row.group else f"={case.position}"


def scopes_of(case: Case) -> list[str]:
    """The stored scopes that take in the failure looked at."""
    row = chosen_failure(case)
    return ["", *([row.group] if row and row.group else []), f"={case.position}"]


def remember(case: Case, given: Observation, scope: Scope) -> None:
    """Keeps for which failures an answer holds. Of several that hold for the same failure the newest counts: one query."""
    if case.failure_count < 2:
        return
    ScopedAnswer.objects.bulk_create(
        [ScopedAnswer(case=case, scope=scope_of(case, scope), question=given.question, answer=given.answer, by=given.by, at=given.at)],
        update_conflicts=True,
        unique_fields=["case", "scope", "question"],
        update_fields=["answer", "by", "at"],
    )


def forget(case: Case, question: str) -> None:
    """Forgets what was answered about the failure looked at, also where it was said of others at the same time."""
    if case.failure_count > 1:
        case.scoped_answers.filter(question=question, scope__in=scopes_of(case)).delete()


def answers_here(case: Case) -> list[Observation]:
    """What persons said that holds for the failure looked at now, to be stored in the place of what held for the one before.

    An answer of which nothing is kept here (given before there were scopes) holds for all.
    """
    held, scopes = list(case.scoped_answers.all()), scopes_of(case)
    found = {row.question: row for row in held if row.scope in scopes}  # the newest comes last and stays
    scoped = {row.question for row in held}
    old = [row for row in case.observations.filter(asked_of=Observation.AskedOf.PERSON) if row.question not in scoped]
    kept = [Observation(case=case, question=row.question, answer=row.answer, by_id=row.by_id, at=row.at) for row in found.values()]
    return [Observation(case=case, question=row.question, answer=row.answer, by_id=row.by_id, at=row.at) for row in old] + kept
