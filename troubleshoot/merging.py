"""Duplicates: a case that is about the same as another is merged into it. It stays readable, and the merge can be undone."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from troubleshoot.case_history import Kind, record
from troubleshoot.learning import count_in, count_out, in_force
from troubleshoot.models import Case
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

_NUMBER = re.compile(r"(?<![a-z2-7])[a-z2-7]{12}(?![a-z2-7])")


def case_named(text: str) -> Case | None:
    """The case whose number stands in `text`: the number alone, or its address."""
    numbers = _NUMBER.findall(text.lower())
    return Case.objects.filter(public_id=numbers[-1]).defer("pasted", "text").first() if numbers else None


@transaction.atomic
def merge(*, case: Case, into: Case, person: Person) -> None:
    """`case` becomes a duplicate of `into`: it takes no more changes and points there. Its failures, answers and checks stay its own."""
    if case.pk == into.pk:
        raise Refused(_("A case cannot be merged into itself."))
    # Both are locked, always in the same order: two people may merge two cases into each other at the same time.
    locked = {row.pk: row for row in Case.objects.select_for_update().filter(pk__in=[case.pk, into.pk]).order_by("pk").defer("pasted", "text")}
    if any(row.is_erased for row in locked.values()):
        raise Refused(_("What was erased cannot be merged."))
    if locked[case.pk].state == Case.State.MERGED:
        raise Refused(_("This case is merged already. Undo that first."))
    if locked[into.pk].state == Case.State.MERGED:
        raise Refused(_("Case %(number)s is itself merged into another one. Merge into that.") % {"number": into.public_id})
    if locked[case.pk].state == Case.State.CLOSED and (outcome := in_force(case)):
        count_out(outcome)
    case.merged_into, case.state = into, Case.State.MERGED
    case.save(update_fields=["merged_into", "state", "updated_at"])
    into.save(update_fields=["updated_at"])
    record(case, Kind.MERGED, person, case=into.public_id)
    record(into, Kind.TOOK_IN, person, case=case.public_id)


@transaction.atomic
def undo_merge(*, case: Case, person: Person) -> None:
    """The case is one of its own again, open or closed as it was before. Nothing happens where it is not merged."""
    locked = Case.objects.select_for_update().filter(pk=case.pk, state=Case.State.MERGED).select_related(None).defer("pasted", "text").first()
    if locked is None:
        return
    into = locked.merged_into
    outcome = in_force(case)
    if outcome:
        count_in(outcome)
    case.state = Case.State.CLOSED if outcome or locked.is_erased else Case.State.OPEN
    case.merged_into = None
    case.save(update_fields=["merged_into", "state", "updated_at"])
    record(case, Kind.SPLIT, person, case=into.public_id if into else "")
    if into:
        record(into, Kind.GAVE_BACK, person, case=case.public_id)
