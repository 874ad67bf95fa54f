"""`/healthz`: is this process alive? `/readyz`: can it do its work? Answered before everything else: a load balancer asks by address, and
without TLS."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from config.readiness import Readiness, answer


class HealthMiddleware:
    """Answers "ok" to `/healthz` (touches no database) and how it stands to `/readyz` (readiness.py), whatever host was asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            return answer(request, self.readiness)
        return self.get_response(request)
