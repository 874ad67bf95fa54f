"""The list of cases: what each row says, and the search in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet

from knowledge.current import knowledge
from troubleshoot.diagnosis import ranking_of
from troubleshoot.models import Case, Failure, Observation, Outcome
from troubleshoot.wording import clipped, percent
from whybounce.compiled import Knowledge
from whybounce.reasoning import Certainty
from whybounce.visible import visible

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in the list. `title`: the outcome, or the leading cause with `share`; "" where it is not clear yet."""

    case: Case
    domain: str
    title: str
    share: str
    more: int


def found_cases(cases: QuerySet[Case], *, state: str, query: str) -> QuerySet[Case]:
    """Those of `cases` in this state ("" for all) whose number, recipient, domain, opener or outcome holds `query`."""
    if state in Case.State.values:
        cases = cases.filter(state=state)
    if query:
        failures = Failure.objects.filter(Q(recipient__icontains=query) | Q(recipient_domain__icontains=query), case=OuterRef("pk"))
        slugs = [cause.slug for cause in knowledge().causes if query.lower() in cause.title.lower() or query.lower() in cause.slug]
        outcomes = Outcome.objects.filter(Q(cause__in=slugs) | Q(sentence__icontains=query), case=OuterRef("pk"), reopened_at=None)
        cases = cases.filter(Q(public_id__startswith=query.lower()) | Q(owner__username__icontains=query) | Q(Exists(failures)) | Q(Exists(outcomes)))
    return cases


def with_rows(cases: QuerySet[Case]) -> QuerySet[Case]:
    """The queryset with everything that `case_rows` reads, in a fixed number of queries."""
    return (
        cases.defer("pasted", "text", "notes")
        .select_related("owner")
        .prefetch_related(
            Prefetch("failures", Failure.objects.filter(position=F("case__position"))),
            Prefetch("observations", Observation.objects.only("case", "question", "answer", "at")),
            Prefetch("outcomes", Outcome.objects.filter(reopened_at=None)),
        )
    )


def case_rows(cases: Iterable[Case]) -> list[CaseRow]:
    known = knowledge()
    titles = {cause.slug: cause.title for cause in known.causes}
    return [_row(case, known, titles) for case in cases]


def _row(case: Case, known: Knowledge, titles: dict[str, str]) -> CaseRow:
    failures = list(case.failures.all())
    domain = failures[0].recipient_domain if failures else case.supplied.get("domain", "")
    title = share = ""
    outcome = next(iter(case.outcomes.all()), None)
    if outcome:
        title = titles.get(outcome.cause, outcome.cause) or clipped(outcome.sentence, 100)
    elif case.is_erased:
        title = titles.get(case.cause, case.cause)
        share = percent(case.share) if case.share else ""
    elif failures or case.observations.all():
        ranking = ranking_of(case, known)
        if ranking.top and ranking.verdict.certainty is not Certainty.UNCLEAR:
            title, share = ranking.top.cause.title, percent(ranking.top.probability)
    return CaseRow(case, visible(domain), title, share, max(0, case.failure_count - 1))
