"""The staff's list of cases and what they do with one. Each form works without JavaScript; htmx swaps the part that changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from troubleshoot import casework, merging, views
from troubleshoot.case_filters import (
    AGES,
    PAGE_SIZE,
    SORTS,
    cause_choices,
    filters_of,
    fitting,
    owner_choices,
    staff_rows,
    tag_choices,
    with_staff_rows,
)
from troubleshoot.casework_page import bar_of, work_of
from troubleshoot.csv_export import csv_of
from troubleshoot.htmx import Request, wants_part
from troubleshoot.models import Case
from troubleshoot.people import Person, case_for, person_of
from troubleshoot.refusal import Refused
from troubleshoot.streams import release_connection

# --- the list ---


@require_GET
@vary_on_headers("HX-Request")
def cases(request: Request) -> HttpResponse:
    """For staff all cases, to filter and sort; for anybody else the list of their own."""
    person = person_of(request)
    if not person.supports:
        return views.case_list(request)
    filters = filters_of(request.GET)
    page = Paginator(with_staff_rows(fitting(filters, person.user)), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "rows": staff_rows(page.object_list),
        "filters": filters,
        "works": casework.may_work(person),
        "back": request.get_full_path(),
    }
    if wants_part(request):
        return render(request, "troubleshoot/casework.html#rows", context)
    context |= {
        "states": Case.State.choices,
        "owners": owner_choices(),
        "causes": cause_choices(),
        "tags": tag_choices(),
        "ages": [("", _("Any time")), *((value, label) for value, (label, _span, _within) in AGES.items())],
        "sorts": [(value, label) for value, (label, _order) in SORTS.items()],
    }
    return render(request, "troubleshoot/casework.html", context)


@require_GET
async def export(request: Request) -> HttpResponseBase:
    """The cases that fit, as CSV."""
    person = await sync_to_async(_staff_person)(request)
    name = f"cases-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(csv_of(filters_of(request.GET), person.user), content_type="text/csv; charset=utf-8", headers=headers)


def _staff_person(request: Request) -> Person:
    person = person_of(request)
    supports = person.supports
    release_connection()
    if not supports:
        raise Http404
    return person


# --- one case ---

Change = Callable[[Request, Case, Person], None]


def _case_of_staff(request: Request, public_id: str) -> tuple[Case, Person]:
    """404 for whoever may not see the case, 403 for whoever may, but is not of the staff."""
    person = person_of(request)
    case = case_for(person, public_id)
    if case is None:
        raise Http404(public_id)
    if not person.supports:
        raise PermissionDenied
    return case, person


@require_GET
@vary_on_headers("HX-Request")
def work(request: Request, public_id: str) -> HttpResponse:
    """Notes, tags, duplicates and the history of a case; `?brief` folds them away again."""
    case, person = _case_of_staff(request, public_id)
    return _show(request, case, person, brief="brief" in request.GET)


def _show(request: Request, case: Case, person: Person, *, brief: bool = False, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"case": case, "desk": bar_of(case, person), "work": None if brief else work_of(case), "problem": problem}
    if wants_part(request):  # htmx swaps nothing of an answer whose status is an error
        return render(request, "troubleshoot/_desk.html", context)
    return render(request, "troubleshoot/case_work.html", context, status=status)


def changes(change: Change) -> Callable[..., HttpResponse]:
    """A view that makes one change: for staff that may work on cases, then back to where it was asked for."""

    @require_POST
    @wraps(change)
    def view(request: Request, public_id: str) -> HttpResponse:
        case, person = _case_of_staff(request, public_id)
        if not casework.may_work(person):
            raise PermissionDenied
        try:
            change(request, case, person)
        except Refused as error:
            return _show(request, case, person, problem=str(error), status=409)
        back = request.POST.get("back", "")
        if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
            back = ""
        if not request.htmx:
            return redirect(back or "case-work", *(() if back else (public_id,)))
        if back:  # a row of the list
            row = staff_rows(with_staff_rows(Case.objects.filter(pk=case.pk)))[0]
            return render(request, "troubleshoot/casework.html#row", {"row": row, "works": True, "back": back})
        return _show(request, case, person, brief="brief" in request.POST)

    return view


@changes
def assign(request: Request, case: Case, person: Person) -> None:
    """`to`: "me", the key of a person, "" for nobody."""
    to = request.POST.get("to", "")
    if to == "me":
        casework.assign(case=case, to=person.user, person=person)
    elif not to:
        casework.assign(case=case, to=None, person=person)
    else:
        user = User.objects.filter(pk=int(to)).first() if to.isdecimal() and len(to) < 10 else None
        if user is None:
            raise Refused(_("There is no such person."))
        casework.assign(case=case, to=user, person=person)


@changes
def tag(request: Request, case: Case, person: Person) -> None:
    casework.tag(case=case, name=request.POST.get("tag", "")[:200], person=person)


@changes
def untag(request: Request, case: Case, person: Person) -> None:
    casework.untag(case=case, name=request.POST.get("tag", "")[:200], person=person)


@changes
def note(request: Request, case: Case, person: Person) -> None:
    casework.note(case=case, text=request.POST.get("note", ""), person=person)


@changes
def remove_note(request: Request, case: Case, person: Person) -> None:
    number = request.POST.get("note", "")
    casework.remove_note(case=case, number=int(number) if number.isdecimal() and len(number) < 18 else 0, person=person)


@changes
def merge(request: Request, case: Case, person: Person) -> None:
    into = merging.case_named(request.POST.get("into", "")[:500])
    if into is None:
        raise Refused(_("There is no case with this number."))
    merging.merge(case=case, into=into, person=person)


@changes
def undo_merge(request: Request, case: Case, person: Person) -> None:
    merging.undo_merge(case=case, person=person)
