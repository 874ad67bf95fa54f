"""Who is looking: a visitor known by a token in the session, or a person who is logged in; and which cases they may see."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from troubleshoot.client import client_address
from troubleshoot.models import Case, CheckRun

_VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Person:
    """`visitor`: the token of the session, "" where it has none yet. `user`: who is logged in. `address`: of the client."""

    visitor: str = ""
    user: User | None = None
    address: str = ""

    @property
    def supports(self) -> bool:
        """True for superusers and for those whose group (Support) lets them view cases."""
        return self.user is not None and self.user.is_active and self.user.has_perm("troubleshoot.view_case")

    def owns(self, row: Case | CheckRun) -> bool:
        owned = self.user is not None and isinstance(row, Case) and row.owner_id == self.user.pk
        return owned or (bool(self.visitor) and secrets.compare_digest(row.visitor, self.visitor))


def person_of(request: HttpRequest, *, remember: bool = False) -> Person:
    """Who makes this request. `remember` gives a session that has no token one: whoever opens a case must find it again.

    The token is not the session's key: that is a credential, and it changes at login.
    """
    visitor = request.session.get(_VISITOR, "")
    if not visitor and remember:
        visitor = request.session[_VISITOR] = secrets.token_hex(16)
    user = request.user
    return Person(visitor, user if isinstance(user, User) else None, client_address(request))


def cases_of(person: Person) -> QuerySet[Case]:
    """Every case for support staff; for others those that they opened themselves."""
    if person.supports:
        return Case.objects.defer("pasted")
    mine = Q(pk__in=[])
    if person.visitor:
        mine |= Q(visitor=person.visitor)
    if person.user:
        mine |= Q(owner=person.user)
    return Case.objects.filter(mine).defer("pasted")


def case_for(person: Person, public_id: str) -> Case | None:
    """The case of this number where the person may see it."""
    case = Case.objects.filter(public_id=public_id).defer("pasted").first()
    return case if case and (person.owns(case) or person.supports) else None


def case_and_person(request: HttpRequest, public_id: str) -> tuple[Case, Person]:
    """The case and who asks for it; 404 where they may not see it, as if it did not exist."""
    person = person_of(request)
    case = case_for(person, public_id)
    if case is None:
        raise Http404(public_id)
    return case, person


def run_for(public_id: str) -> CheckRun | None:
    """The run without a case of this number. Its address cannot be guessed, and whoever was given it may read it."""
    return CheckRun.objects.filter(public_id=public_id, case=None).prefetch_related("outcomes").first()
