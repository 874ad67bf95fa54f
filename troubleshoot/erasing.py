"""Erasing a case: everything that was pasted or written about it, and whatever else may name a person. The tally stays.

What stays: when it was opened and closed, the codes, the stage, the provider, the answers and what the checks answered (each one of a
fixed set), the cause that led and the one that proved true, tags, who of the staff worked on it, and its number.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshoot.case_history import Kind, record
from troubleshoot.case_search import add_words, forget_words
from troubleshoot.casework import may_work
from troubleshoot.models import Case, CheckOutcome, Failure
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

KEPT_FACTS = ("action", "code", "enhanced", "stage")
"""Facts of a failure that name nobody. A domain may: many are a person's own. Nor is its digest kept, which is found by trying names."""
_AT_ONCE = 200


class CaseIsErased(Refused):
    """There is nothing left that could be worked on."""

    def __init__(self) -> None:
        super().__init__(_("The text of this case was erased. Paste it again to go on."))


def may_erase(case: Case, person: Person) -> bool:
    """Whoever opened the case, and staff that may work on all cases."""
    return person.owns(case) or may_work(person)


@transaction.atomic
def erase_case(*, case: Case, person: Person, by_age: bool = False) -> bool:
    """Erases what may name a person, for good. An open case is closed by it, with no cause that proved true. False where it was erased
    already. `by_age`: nobody asked for it, its time was over."""
    locked = Case.objects.select_for_update(of=("self",)).only("pk", "state", "public_id").filter(pk=case.pk, erased_at=None).first()
    if locked is None:
        return False
    _overwrite_what_is_erased()
    closed = Case.State.CLOSED if locked.state == Case.State.OPEN else locked.state
    now = timezone.now()
    nothing = {"pasted": b"", "text": "", "notes": [], "error": "", "supplied": {}, "domain": ""}
    Case.objects.filter(pk=case.pk).update(**nothing, state=closed, erased_at=now)
    _erase_failures(case)
    case.runs.update(subject={}, about="")
    CheckOutcome.objects.filter(run__case=case).update(detail="", findings=[], facts={})
    case.outcomes.update(sentence="")
    case.staff_notes.all().delete()
    case.steps_done.update(text="", note="")
    case.links.update(label="")
    forget_words(case)
    add_words(case, [locked.public_id])
    record(case, Kind.ERASED, person, **({"by_age": True} if by_age else {}))
    case.refresh_from_db(fields=[*nothing, "state", "erased_at"])
    return True


def _erase_failures(case: Case) -> None:
    rows = list(Failure.objects.filter(case=case))
    for row in rows:
        row.recipient = row.recipient_domain = ""
        row.facts = {name: row.facts[name] for name in KEPT_FACTS if name in row.facts}
    Failure.objects.bulk_update(rows, ["recipient", "recipient_domain", "facts"], batch_size=_AT_ONCE)


def _overwrite_what_is_erased() -> None:
    """SQLite leaves what is deleted in the file until something else needs the room, unless it is told to write zeros over it."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.fetchall()
