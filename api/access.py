"""Who asks, whether they may, how often: before any operation is begun."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from api import idempotency
from api.bodies import must_be_json
from api.models import ApiToken, Scope
from api.problems import Problem, answer_to
from api.tokens import find_token, note_use
from troubleshoot.client import client_address, network_of
from troubleshoot.limits import Left, Limited, Want, left, take
from troubleshoot.people import Person
from troubleshoot.rates import Limits

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `token` is None for anybody. Cookies say nothing here: a browser sends them without being asked."""

    address: str
    token: ApiToken | None = None

    @property
    def whose(self) -> str:
        """Whose limits and idempotency keys are counted."""
        return f"token:{self.token.pk}" if self.token else network_of(self.address)

    @property
    def person(self) -> Person:
        if self.token is None:
            return Person(address=self.address)
        return Person(self.token.visitor, self.token.user, self.address)


def caller_of(request: HttpRequest) -> Caller:
    """As `guarded` found it."""
    caller: Caller = request.caller  # type: ignore[attr-defined]
    return caller


@dataclass(frozen=True, slots=True)
class Guard:
    """What `guarded` asks for, for the document that describes it."""

    scope: Scope
    to_all: bool
    takes_json: bool


def guarded(scope: Scope, *, to_all: bool = False, repeatable: bool = False, takes_json: bool = False) -> Callable[[View], View]:
    """Decorates an operation: token, limits, idempotency key, and every error as a problem.

    to_all      also without a token, where the settings leave it open
    repeatable  a POST that changes nothing: a large answer need not be kept for its idempotency key
    takes_json  its body is JSON
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                caller = request.caller = _admitted(request, scope, to_all)  # type: ignore[attr-defined]
                if takes_json:
                    must_be_json(request)
                key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
                if key:
                    return idempotency.answer(request, caller.whose, key, lambda: view(request, *args, **kwargs), repeatable=repeatable)
                return view(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 (whatever it is: the answer is a problem, the trace of a fault is logged)
                return answer_to(request, error)

        answer.guard = Guard(scope, to_all, takes_json)  # type: ignore[attr-defined]
        return answer

    return decorate


def _admitted(request: HttpRequest, scope: Scope, to_all: bool) -> Caller:
    """The caller, counted. Two queries and the writes of the limit."""
    token = _bearer(request)
    caller = Caller(client_address(request), find_token(token) if token else None)
    size = _size(request)
    _count(request, caller, size)
    if caller.token is None:
        if token is not None:
            raise _unauthorized("The token is not valid: it is mistyped, revoked or expired.", 'Bearer error="invalid_token"')
        if not (to_all and settings.WHYBOUNCE_API_OPEN):
            raise _unauthorized("Send a token in the header Authorization: Bearer ...", "Bearer")
        return caller
    if scope not in caller.token.scopes:
        header = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'}
        raise Problem(403, f"The token lacks the scope {scope.value}.", headers=header)
    note_use(caller.token)
    return caller


def _bearer(request: HttpRequest) -> str | None:
    """The token of the header; "" where the header holds none that could be one, None where there is no header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _space, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(detail: str, challenge: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": challenge})


def _size(request: HttpRequest) -> int:
    try:
        return int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return 0


# --- limits ---


def _count(request: HttpRequest, caller: Caller, size: int) -> None:
    """Counts a request and the bytes of its body, and notes down how the limit stands, for the headers of the answer."""
    limits: Limits = settings.WHYBOUNCE_LIMITS
    rate = limits.api_token if caller.token else limits.api_open
    want = Want("api", caller.whose, rate, "There were too many requests in a short time.")
    wants = [want]
    if size > _SMALL:
        wants.append(Want("api-bytes", caller.whose, limits.paste_bytes, "Very much was sent in a short time.", size))
    name = "token" if caller.token else "open"
    try:
        take(wants)
    except Limited as error:
        if rate.count:
            _note(request, name, want, Left(0, error.retry_after))
        raise
    if rate.count:
        _note(request, name, want, left(want))


_SMALL = 10_000
"""Bytes up to which only the request is counted."""


def _note(request: HttpRequest, name: str, want: Want, stands: Left) -> None:
    """The headers of draft-ietf-httpapi-ratelimit-headers-10: `r` requests are left; in `t` seconds the whole quota is there again."""
    request.rate_limit = {  # type: ignore[attr-defined]
        "RateLimit-Policy": f'"{name}";q={want.rate.count};w={want.rate.seconds}',
        "RateLimit": f'"{name}";r={stands.count};t={math.ceil(stands.full_in)}',
    }
