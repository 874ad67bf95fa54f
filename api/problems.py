"""Errors as problem details (RFC 9457): one form for all of them, whoever found the fault."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from api.addresses import DOCS
from knowledge.current import NoKnowledge
from troubleshoot.limits import Limited
from troubleshoot.refusal import Refused
from whybounce.intake.entrance import MAX_BYTES

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

KINDS: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("unauthorized", "A valid token is needed"),
    403: ("forbidden", "The token is not for this"),
    404: ("not-found", "There is nothing at this address"),
    405: ("method-not-allowed", "This address takes another method"),
    409: ("conflict", "It cannot be done as things stand"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "The media type of the body is not taken here"),
    422: ("invalid", "What was sent is not valid"),
    429: ("too-many-requests", "Too many requests"),
    500: ("fault", "A fault in this program"),
    503: ("unavailable", "Not ready"),
}
"""By status: the slug under which docs describe it, and its title."""


class Problem(Exception):
    """An answer that is an error. `detail`: a sentence for a person; `errors`: what is wrong with each field; `headers`: of the answer."""

    def __init__(self, status: int, detail: str, *, errors: Iterable[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, list(errors), dict(headers or {})

    def response(self) -> HttpResponse:
        slug, title = KINDS.get(self.status) or KINDS[400 if self.status < 500 else 500]
        if self.status not in KINDS:
            title = HTTPStatus(self.status).phrase
        told: dict[str, Any] = {"type": f"{DOCS}#{slug}", "title": title, "status": self.status, "detail": self.detail}
        if self.errors:
            told["errors"] = self.errors
        return HttpResponse(json.dumps(told, ensure_ascii=False), status=self.status, content_type=MEDIA_TYPE, headers=self.headers)


def too_large(most: int = MAX_BYTES) -> Problem:
    size = f"{most // 1_000_000} MB" if most >= 1_000_000 else f"{most // 1000} kB"
    return Problem(413, f"The body is larger than {size}, the most that is read here.")


def problem_of(error: Exception) -> Problem | None:
    """An exception as what is said of it; None for one that is a fault of the program."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Limited):
        return Problem(429, str(error), headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, Refused):
        return Problem(409, str(error))
    if isinstance(error, NoKnowledge):
        return Problem(503, "No knowledge is published yet.", headers={"Retry-After": "60"})
    if isinstance(error, RequestDataTooBig):
        return too_large()
    if isinstance(error, UnreadablePostError):
        return Problem(400, "The body broke off.")
    if isinstance(error, ValidationError):
        return Problem(422, "Some of what was sent is not valid; errors says what.", errors=[_error_of(item) for item in error.errors])
    if isinstance(error, HttpError):
        return Problem(error.status_code, "The body is not JSON that can be read: UTF-8, no NaN, nested at most a few hundred deep.")
    return Problem(404, _SAID[404]) if isinstance(error, Http404) else None


def _error_of(error: Mapping[str, Any]) -> dict[str, str]:
    """Where it stands (RFC 6901 for the body, else "query/limit") and what is wrong with it."""
    place, *names = (str(item) for item in error["loc"])
    if place == "body":  # the first name is that of the view's parameter
        return {"pointer": "/" + "/".join(name.replace("~", "~0").replace("/", "~1") for name in names[1:]), "detail": str(error["msg"])}
    return {"parameter": "/".join(names), "detail": str(error["msg"])}


_EXPECTED = (Problem, Refused, NoKnowledge, RequestDataTooBig, UnreadablePostError, ValidationError, HttpError, Http404)


def answer_problems(api: NinjaAPI) -> None:
    """Every exception of an operation becomes a problem; what is a fault of the program is logged with its trace."""
    for kind in _EXPECTED:
        api.add_exception_handler(kind, answer_to)
    api.add_exception_handler(Exception, answer_to)


def answer_to(request: HttpRequest, error: Any) -> HttpResponse:
    """The answer where an operation, or what stands before it, raised this."""
    problem = problem_of(error)
    if problem is not None:
        return problem.response()
    log.error("A fault in %s %s", request.method, request.path, exc_info=error, extra={"request": request})
    return Problem(500, "A fault in this program; it was noted down. Trying again with the same Idempotency-Key does nothing twice.").response()


_SAID: Mapping[int, str] = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address takes another method; the header Allow says which.",
}


def as_problem(response: HttpResponse) -> HttpResponse:
    """An error page that Django or a middleware made, as a problem with its headers."""
    status = response.status_code
    headers = {name: value for name, value in response.items() if name.lower() not in ("content-type", "content-length")}
    return Problem(status, _SAID.get(status, HTTPStatus(status).description or "A fault in this program."), headers=headers).response()
