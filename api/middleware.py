"""What every answer of the API has: the headers of the limit, and where it is an error the form of a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from api.addresses import DOCS, OPENAPI, ROOT
from api.problems import MEDIA_TYPE, as_problem


class ApiMiddleware:
    """Stands before all others, so that their errors pass it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT):
            return self.get_response(request)
        if request.method == "HEAD":  # RFC 9110 section 9.3.2: as GET; the server leaves the body out
            request.method = "GET"
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.status_code >= 400 and response["Content-Type"] != MEDIA_TYPE:
            response = as_problem(response)
        limit: Mapping[str, str] = getattr(request, "rate_limit", {})
        for name, value in limit.items():
            response[name] = value
        if request.path_info not in (DOCS, OPENAPI):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
