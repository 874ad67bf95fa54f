"""What lists show of a case and filter by, kept beside it: the cause that proved true or that leads, domain, code, provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.current import NoKnowledge, knowledge
from troubleshoot.checking import chosen_failure, keep_observations
from troubleshoot.facts import failure_from_json, storable
from troubleshoot.models import Case
from whybounce.failure import DeliveryFailure
from whybounce.reasoning import Certainty, rank

FIELDS = ("cause", "share", "domain", "code", "provider")


@dataclass(frozen=True, slots=True)
class Summary:
    """Columns of Case; see there."""

    cause: str = ""
    share: float | None = None
    domain: str = ""
    code: str = ""
    provider: str = ""


def summary_of(failure: DeliveryFailure | None, supplied: Mapping[str, Any], observations: Mapping[str, str]) -> Summary:
    """The summary of a case that is open. `failure`: the one looked at, None where nothing failed."""
    given = failure or DeliveryFailure()
    domain = storable(str(supplied.get("domain") or given.recipient_domain))[:255]
    code = storable(given.enhanced or given.code or "")[:11]
    if failure is None and not observations:
        return Summary(domain=domain)
    try:
        ranking = rank(knowledge(), given, observations)
    except NoKnowledge:
        return Summary(domain=domain, code=code)
    top = ranking.top
    if top is None or ranking.verdict.certainty is Certainty.UNCLEAR:
        return Summary(domain=domain, code=code, provider=ranking.provider)
    return Summary(top.cause.slug, top.probability, domain, code, ranking.provider)


def summarise(case: Case, *, and_save: Iterable[str] = (), touch: bool = True) -> None:
    """Stores what lists show of a case, as it stands now. Two queries beside the one that stores.

    and_save    further fields that were set on `case`
    touch       the case was changed: its time of change is now
    """
    if case.is_erased:
        return  # what was known when it was erased stays
    rows = keep_observations(case)
    row = chosen_failure(case)
    found = summary_of(failure_from_json(row.facts) if row else None, case.supplied, {item.question: item.answer for item in rows})
    for name in FIELDS:
        setattr(case, name, getattr(found, name))
    if case.state == Case.State.CLOSED:
        outcome = case.outcomes.filter(reopened_at=None).first()
        case.cause, case.share = (outcome.cause, None) if outcome else (case.cause, case.share)
    case.save(update_fields=[*FIELDS, *and_save, *(["updated_at"] if touch else [])])
