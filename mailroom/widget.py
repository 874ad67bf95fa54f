"""A shared report within another page: a help desk's, in a frame."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troubleshoot.report import report_of
from troubleshoot.sharing import count_view, link_of

_HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"}
_FRAME = "mailroom/frame.html"


@require_safe
def widget(request: HttpRequest, token: str) -> HttpResponse:
    """The report at the token of a link, without the frame of the site; 404 and 410 as at the link itself. Only pages of
    WHYBOUNCE_FRAME_ANCESTORS may show it in a frame."""
    link = link_of(token)
    context: dict[str, Any] = {"frame": _FRAME, "link": link}
    if link is None or not link.is_open or link.case.is_erased:
        return _framed(render(request, "troubleshoot/shared_closed.html", context, status=410 if link else 404))
    context["report"] = report_of(link.case, masks=link.masks)
    if request.method == "GET":
        count_view(link=link)
    return _framed(render(request, "troubleshoot/report.html", context))


def _framed(response: HttpResponse) -> HttpResponse:
    for name, value in _HEADERS.items():
        response[name] = value
    if settings.WHYBOUNCE_FRAME_ANCESTORS:
        told: Any = response
        told._csp_replace = {"frame-ancestors": list(settings.WHYBOUNCE_FRAME_ANCESTORS)}  # read by django-csp's middleware
        told.xframe_options_exempt = True  # X-Frame-Options cannot name other sites (RFC 7034); frame-ancestors overrules it anyway
    return response
