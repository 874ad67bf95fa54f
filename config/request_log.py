"""Each request has a number: in every log line written meanwhile, and in the answer's `X-Request-ID`. Where wished, a line for each request."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from config.logs import request_number
from config.metrics import view_name
from troubleshoot.client import comes_from_trusted_proxy

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9_.-]{8,64}", re.ASCII)
_log = logging.getLogger("whybounce.requests")


class RequestNumberMiddleware:
    """Gives each request a number of its own, or that which a trusted proxy gave it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = _number_for(request)
        token = request_number.set(number)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            if settings.WHYBOUNCE_LOG_REQUESTS:
                ms = round((time.perf_counter() - began) * 1000)
                told = {"view": view_name(request), "status": response.status_code, "ms": ms}
                _log.info("%s %s %d ms", told["view"], told["status"], ms, extra=told)
        finally:
            request_number.reset(token)
        response.headers[HEADER] = number
        return response


def _number_for(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    if _GIVEN.fullmatch(given) and comes_from_trusted_proxy(request):
        return given
    return secrets.token_hex(8)
