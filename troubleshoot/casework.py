"""What staff do with a case beside diagnosing it: assign, tag, note. Each is one transaction and stands in the case's history."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from troubleshoot.case_history import Kind, record
from troubleshoot.casework_tables import MAX_TAG
from troubleshoot.facts import storable
from troubleshoot.models import Case, CaseNote
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

MAX_NOTE = 5000
MOST_TAGS = 20
MOST_NOTES = 200
_WORKS = "troubleshoot.change_case"


def may_work(person: Person) -> bool:
    """Whether this person is of the staff that works on all cases."""
    return person.supports and person.user is not None and person.user.has_perm(_WORKS)


def staff() -> QuerySet[User]:
    """To whom a case can be assigned: everybody who is active and may work on all cases."""
    return User.objects.with_perm(_WORKS).filter(is_active=True).order_by("username")


def _must_not_be_erased(case: Case) -> None:
    if not Case.objects.select_for_update().filter(pk=case.pk, erased_at=None).values_list("pk"):
        raise Refused(_("This case was erased. It takes no notes and tags any more."))


@transaction.atomic
def assign(*, case: Case, to: User | None, person: Person) -> None:
    """Gives the case to somebody of the staff, or to nobody. Nothing happens where it is theirs already."""
    if case.assignee_id == (to.pk if to else None):
        return
    if to is not None and not staff().filter(pk=to.pk).exists():
        raise Refused(_("%(name)s does not work on cases.") % {"name": to.get_username()})
    case.assignee = to
    case.save(update_fields=["assignee", "updated_at"])
    record(case, Kind.ASSIGNED, person, to=to.get_username() if to else "")


def as_tag(name: str) -> str:
    """A tag as it is kept: lower case, one space between words."""
    return " ".join(storable(name).lower().replace(",", " ").split())


@transaction.atomic
def tag(*, case: Case, name: str, person: Person) -> None:
    """Puts a tag on the case; nothing happens where it is there already."""
    _must_not_be_erased(case)
    name = as_tag(name)
    if not name:
        raise Refused(_("A tag needs a word."))
    if len(name) > MAX_TAG:
        raise Refused(_("A tag has at most %(most)d characters.") % {"most": MAX_TAG})
    if case.tags.count() >= MOST_TAGS:
        raise Refused(_("A case has at most %(most)d tags.") % {"most": MOST_TAGS})
    _tag, new = case.tags.get_or_create(name=name)
    if new:
        record(case, Kind.TAGGED, person, tag=name)


@transaction.atomic
def untag(*, case: Case, name: str, person: Person) -> None:
    """Takes a tag off; nothing happens where it is not there."""
    name = as_tag(name)
    gone, _rows = case.tags.filter(name=name).delete()
    if gone:
        record(case, Kind.UNTAGGED, person, tag=name)


@transaction.atomic
def note(*, case: Case, text: str, person: Person) -> CaseNote:
    """An internal note."""
    _must_not_be_erased(case)
    text = storable(text.strip())
    if not text:
        raise Refused(_("The note is empty."))
    if len(text) > MAX_NOTE:
        raise Refused(_("A note has at most %(most)d characters.") % {"most": MAX_NOTE})
    if case.staff_notes.count() >= MOST_NOTES:
        raise Refused(_("A case has at most %(most)d notes.") % {"most": MOST_NOTES})
    row = CaseNote.objects.create(case=case, text=text, by=person.user, at=timezone.now())
    record(case, Kind.NOTED, person)
    return row


@transaction.atomic
def remove_note(*, case: Case, number: int, person: Person) -> None:
    """Erases an internal note; the history says that there was one."""
    gone, _rows = case.staff_notes.filter(pk=number).delete()
    if gone:
        record(case, Kind.NOTE_REMOVED, person)
