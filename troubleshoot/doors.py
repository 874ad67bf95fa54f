"""Who may open cases and have checks run: everybody, or only who is logged in (the setting WHYBOUNCE_VISITORS)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from troubleshoot.htmx import Request

View = Callable[..., HttpResponse]


def open_to(request: HttpRequest) -> bool:
    """Whether this visitor may begin anything here."""
    return settings.WHYBOUNCE_VISITORS or request.user.is_authenticated


def behind_the_door(view: View) -> View:
    """A view of the wizard. Where the site is closed to visitors it leads to logging in, and from there to where they were.

    What cases and results a visitor had before can still be read: each view looks after that itself.
    """

    @wraps(view)  # with the marks that csrf_exempt and others leave on a view
    def guarded(request: Request, *args: Any, **more: Any) -> HttpResponse:
        if open_to(request):
            return view(request, *args, **more)
        login = redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else "/")
        return HttpResponseClientRedirect(login["Location"]) if request.htmx else login

    return guarded
