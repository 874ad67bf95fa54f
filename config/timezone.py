"""Times are shown in the viewer's own time zone: the browser says which in a cookie, the page names it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

COOKIE = "timezone"


class ViewerTimezoneMiddleware:
    """Activates the zone named by the `timezone` cookie (an IANA name); UTC where it names none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            timezone.activate(zoneinfo.ZoneInfo(request.COOKIES[COOKIE]))
        except (KeyError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            timezone.deactivate()
        return self.get_response(request)
