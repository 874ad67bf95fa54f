"""What is kept and for how long, said to everybody; and the page on which a case is erased at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from troubleshoot.case_filters import cause_titles
from troubleshoot.casework_page import bar_of
from troubleshoot.erasing import erase_case, may_erase
from troubleshoot.htmx import Request, wants_part
from troubleshoot.models import Case
from troubleshoot.people import case_and_person, person_of
from whybounce.checks.tools import SmtpMode


@require_GET
def privacy(request: Request) -> HttpResponse:
    """What is kept, how long, who sees it, how to have it erased: filled from the settings."""
    contact = settings.WHYBOUNCE_CONTACT
    context = {
        "days": settings.WHYBOUNCE_KEEP_DAYS,
        "session_days": settings.SESSION_COOKIE_AGE // 86_400,
        "probe": settings.WHYBOUNCE_REACH.smtp.value,
        "probes_recipient": settings.WHYBOUNCE_REACH.smtp is SmtpMode.RCPT,
        "probes": settings.WHYBOUNCE_REACH.smtp is not SmtpMode.OFF,
        "contact": contact,
        "contact_url": contact if contact.startswith(("https://", "http://")) else f"mailto:{contact}",
    }
    return render(request, "troubleshoot/privacy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: Request, public_id: str) -> HttpResponse:
    """What would be erased of this case, and the button that does it."""
    case, person = case_and_person(request, public_id)
    if request.method == "POST":
        if not may_erase(case, person):
            raise PermissionDenied
        erase_case(case=case, person=person)
        return redirect(case)
    if case.is_erased:
        return redirect(case)
    context = {"case": case, "may": may_erase(case, person), "notes": person.supports and case.staff_notes.exists()}
    response = render(request, "troubleshoot/erase.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def erased_page(request: Request, case: Case, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page of a case that was erased; for htmx the part that stands in the place of the case."""
    outcome = case.outcomes.filter(reopened_at=None).select_related("by").first()
    context = {"case": case, "outcome": outcome, "title": cause_titles().get(case.cause, case.cause), **more}
    if wants_part(request):
        return render(request, "troubleshoot/erased.html#case", context)
    person = person_of(request)
    if person.supports:
        context["desk"] = bar_of(case, person)
    return render(request, "troubleshoot/erased.html", context, status=status)
