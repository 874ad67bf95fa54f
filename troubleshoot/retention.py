"""How long what was pasted is kept: what is older is erased, by `manage.py erase_old` and in passing, after a response.

Counted from when a case was opened: no later change makes it be kept for longer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from troubleshoot.erasing import erase_case
from troubleshoot.models import Case, CheckRun
from troubleshoot.people import Person

PASS_SECONDS = 3600.0
"""How often each process looks for what is too old, after a response."""
_MOST_IN_PASSING = 100  # then again after the next response: nobody waits, but the process should serve others meanwhile
_PROGRAM = Person()
_log = logging.getLogger(__name__)

erasing = Signal()
"""Sent when what is too old is erased, with `limit`: what was stored before it goes, of other apps too."""


@dataclass(frozen=True, slots=True)
class Erased:
    """cases: erased; runs: checks of domains without a case, deleted."""

    cases: int
    runs: int


def before(days: int | None = None) -> datetime | None:
    """What was opened before this is too old; None where everything is kept. `days` instead of the setting's."""
    days = settings.WHYBOUNCE_KEEP_DAYS if days is None else days
    return timezone.now() - timedelta(days=days) if days else None


def too_old(limit: datetime) -> tuple[QuerySet[Case], QuerySet[CheckRun]]:
    cases = Case.objects.filter(erased_at=None, created_at__lt=limit).order_by("created_at")
    return cases, CheckRun.objects.filter(case=None, created_at__lt=limit)


def count_old(days: int | None = None) -> Erased:
    """What `erase_old` would erase now."""
    limit = before(days)
    if limit is None:
        return Erased(0, 0)
    cases, runs = too_old(limit)
    return Erased(cases.count(), runs.count())


def erase_old(days: int | None = None, most: int | None = None) -> Erased:
    """Erases the cases that are too old, at most `most` of them, each in a transaction of its own; deletes checks without a case that are
    as old, and the sessions of visitors that ended."""
    limit = before(days)
    if limit is None:
        return Erased(0, 0)
    cases, runs = too_old(limit)
    done = sum(erase_case(case=case, person=_PROGRAM, by_age=True) for case in islice(_one_by_one(cases), most))
    deleted = runs.count()
    runs.delete()
    erasing.send(sender=None, limit=limit)
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return Erased(done, deleted)


def _one_by_one(cases: QuerySet[Case]) -> Iterator[Case]:
    """Read by key, so that no list of a million is held and no cursor is open while they are written."""
    keys = list(cases.values_list("pk", flat=True))
    yield from (Case(pk=pk) for pk in keys)


class _Pass:
    def __init__(self) -> None:
        self.at = 0.0
        self.lock = threading.Lock()


_pass = _Pass()


def in_passing(**_signal: Any) -> None:
    """Erases what is too old, about once an hour in each process. It follows a response, so nobody waits for it."""
    early = _pass.at and time.monotonic() - _pass.at < PASS_SECONDS
    if early or in_event_loop() or connection.in_atomic_block or not _pass.lock.acquire(blocking=False):
        return
    try:
        _pass.at = time.monotonic()
        if erase_old(most=_MOST_IN_PASSING).cases == _MOST_IN_PASSING:
            _pass.at = 0.0
    except DatabaseError:
        _log.warning("What is too old could not be erased; it is tried again in an hour", exc_info=True)
    finally:
        close_old_connections()
        _pass.lock.release()


def in_event_loop() -> bool:
    """After a stream the signal may come in the thread of the event loop, which must not wait for a database."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
