"""Requests made by htmx: what they want is a part of a page."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request as HtmxMiddleware leaves it."""

    htmx: HtmxDetails


def wants_part(request: Request) -> bool:
    """True where only the part that changes is wanted; a page restored from history is wanted whole."""
    return bool(request.htmx) and not request.htmx.history_restore_request
