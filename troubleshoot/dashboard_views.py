"""The page of figures, for staff."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from troubleshoot.dashboard import PERIODS, dashboard_of
from troubleshoot.htmx import Request
from troubleshoot.people import person_of

_QUEUE = "knowledge.view_unrecognisedreply"


@require_GET
def dashboard(request: Request) -> HttpResponse:
    """The figures of the period that `?days=` names."""
    person = person_of(request)
    if person.user is None:
        return redirect_to_login(request.get_full_path())
    if not person.supports:
        raise PermissionDenied
    queue = reverse("admin:knowledge_unrecognisedreply_changelist") if person.user.is_staff and person.user.has_perm(_QUEUE) else ""
    value = dashboard_of(request.GET.get("days", ""), queue)
    return render(request, "troubleshoot/dashboard.html", {"board": value, "periods": PERIODS.values()})
