"""The page on which curators see where the first guess was wrong."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troubleshoot.htmx import Request
from troubleshoot.misled import DEFAULT, PERIODS, misled
from troubleshoot.people import person_of

_EDITS = "knowledge.change_cause"


@require_GET
def misled_page(request: Request) -> HttpResponse:
    """`?days=` and `?cause=` filter. For staff that see all cases and for curators; only the latter get links to the desk."""
    person = person_of(request)
    if person.user is None:
        return redirect_to_login(request.get_full_path())
    may_edit = person.user.is_active and person.user.is_staff and person.user.has_perm(_EDITS)
    if not may_edit and not person.supports:
        raise PermissionDenied
    period = request.GET.get("days", DEFAULT)
    period = period if period in PERIODS else DEFAULT
    cause = request.GET.get("cause", "").replace("\0", "")[:80]
    context = {
        "told": misled(period, cause, may_edit=may_edit),
        "period": period,
        "periods": [(slug, label) for slug, (label, _days) in PERIODS.items()],
        "cause": cause,
        "sees_cases": person.supports,
    }
    return render(request, "troubleshoot/misled.html", context)
