"""Idempotency keys: a POST that is sent again, because nobody knows whether it arrived, is done once.

As draft-ietf-httpapi-idempotency-key-header-07 has it: the same key with the same request gets the answer that the first one got, with
another request 422, while the first is still worked on 409. What failed through no fault of the request (429, 5xx) is forgotten.
"""

from __future__ import annotations

import hashlib
import re
import time
import zlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from api.models import IdempotencyKey
from api.problems import Problem

KEPT = timedelta(hours=24)
STALE = timedelta(minutes=2)
"""A request that was begun so long ago and has no answer was broken off: no operation takes as long."""
_LARGE = 256_000
_PURGE_SECONDS = 60.0
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_KEPT_HEADERS = ("Content-Type", "Location", "Link")


def answer(request: HttpRequest, whose: str, key: str, work: Callable[[], HttpResponse], *, repeatable: bool) -> HttpResponse:
    """What `work` answers, or answered before to the same key of the same caller. Problem where the key is used wrongly.

    repeatable      `work` changes nothing: an answer that is large is worked out again instead of being kept
    """
    if not _KEY.fullmatch(key.strip()):
        raise Problem(400, "An Idempotency-Key is 1 to 255 printable ASCII characters without a space, such as a UUID.")
    row, is_new = _claim(whose, hashlib.sha256(key.strip().encode()).hexdigest(), _fingerprint(request))
    if not is_new and row.body is not None:
        return _again(row)
    if not is_new and not repeatable:
        raise Problem(409, "This request was done; its answer is no longer there.")
    return _done(row, work, repeatable=repeatable)


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path(), request.headers.get("Content-Type", "")):
        digest.update(part.encode("utf-8", "replace") + b"\0")
    digest.update(request.body)
    return digest.hexdigest()


def _claim(whose: str, key: str, fingerprint: str) -> tuple[IdempotencyKey, bool]:
    """The row of the key, and whether this request is the one that does the work: of many at once, one."""
    _purge()
    now = timezone.now()
    IdempotencyKey.objects.filter(whose=whose, key=key, created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(whose=whose, key=key, fingerprint=fingerprint, created_at=now), True
    except IntegrityError:
        row = IdempotencyKey.objects.filter(whose=whose, key=key).first()
    if row is None:  # the first one failed this very moment, and its key is free again
        raise _under_way()
    if row.fingerprint != fingerprint:
        raise Problem(422, "This Idempotency-Key was used for another request. A key is for one request alone.")
    if row.status is not None:
        return row, False
    taken_over = IdempotencyKey.objects.filter(pk=row.pk, status=None, created_at__lt=now - STALE).update(created_at=now)
    if not taken_over:
        raise _under_way()
    return row, True


def _under_way() -> Problem:
    return Problem(409, "A request with this Idempotency-Key is still being worked on. Ask again in a moment.", headers={"Retry-After": "2"})


def _done(row: IdempotencyKey, work: Callable[[], HttpResponse], *, repeatable: bool) -> HttpResponse:
    kept = False
    try:
        response = work()
        if response.status_code < 500 and response.status_code != 429:
            row.status = response.status_code
            row.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
            row.body = None if repeatable and len(response.content) > _LARGE else zlib.compress(response.content)
            row.save(update_fields=["status", "headers", "body"])
            kept = True
        return response
    finally:
        if not kept:
            IdempotencyKey.objects.filter(pk=row.pk).delete()


def _again(row: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(zlib.decompress(bytes(row.body or b"")), status=row.status)
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


class _Purge:
    at = 0.0


def _purge() -> None:
    """Forgets what is older than a day, once a minute in each process."""
    now = time.monotonic()
    if now - _Purge.at >= _PURGE_SECONDS or not _Purge.at:
        _Purge.at = now
        IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
