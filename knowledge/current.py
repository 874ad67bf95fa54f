"""The knowledge in force in this process: the newest revision, compiled, looked for again about once a second.

No request waits for that look while others keep coming: what is a little old is served, and the look follows the response.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

from django.core.signals import request_finished
from django.db import close_old_connections, connection

from knowledge.confirmed import learned_counts
from knowledge.models import KnowledgeRevision
from knowledge.publishing import compiled
from whybounce.compiled import Knowledge
from whybounce.snapshot import KnowledgeSnapshot

_FRESH_SECONDS = 1.0
_LEARN_SECONDS = 300.0
"""How often it is looked for what closed cases proved."""
_SERVED_SECONDS = 3.0
"""What was looked at longer ago than this is no longer served: a process that was idle looks first."""


class NoKnowledge(Exception):
    """No revision is published yet: run `manage.py load_knowledge`."""


class _Current:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._knowledge: Knowledge | None = None
        self._counts: dict[str, int] = {}
        self._learned = 0.0
        self._published: datetime | None = None
        self._checked = 0.0
        self._due = False

    def get(self) -> Knowledge:
        known, age = self._knowledge, time.monotonic() - self._checked
        if known is not None and age < _SERVED_SECONDS:
            self._due = self._due or age >= _FRESH_SECONDS
            return known
        with self._lock:
            if self._knowledge is None or time.monotonic() - self._checked >= _SERVED_SECONDS:
                self._refresh()
            if self._knowledge is None:
                raise NoKnowledge("No knowledge is published yet: run `manage.py load_knowledge`.")
            return self._knowledge

    def published(self) -> datetime | None:
        self.get()
        return self._published

    def look_again(self) -> bool:
        """Looks for a newer revision where a request found that it is time to. True where the database was asked."""
        if not self._due or not self._lock.acquire(blocking=False):
            return False
        try:
            self._due = False
            self._refresh()
        finally:
            self._lock.release()
        return True

    def _refresh(self) -> None:
        newest = KnowledgeRevision.objects.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            self._knowledge = None
        elif self._knowledge is None or self._knowledge.snapshot.revision != newest:
            revision = KnowledgeRevision.objects.get(pk=newest)
            self._published = revision.created_at
            self._learn(compiled(revision))
        elif time.monotonic() - self._learned >= _LEARN_SECONDS:
            self._learn(self._knowledge)
        self._checked = time.monotonic()

    def _learn(self, known: Knowledge) -> None:
        """Serves `known` with priors by what closed cases proved (whybounce/priors.py)."""
        counts = learned_counts()
        if known is not self._knowledge or counts != self._counts:
            self._knowledge, self._counts = known.with_counts(counts), counts
        self._learned = time.monotonic()

    def forget(self) -> None:
        with self._lock:
            self._knowledge, self._published, self._checked, self._due = None, None, 0.0, False


_current = _Current()


def knowledge() -> Knowledge:
    """The knowledge in force. NoKnowledge where none is published."""
    return _current.get()


def snapshot() -> KnowledgeSnapshot:
    """The snapshot in force: what the reference pages show."""
    return _current.get().snapshot


def published_at() -> datetime | None:
    """When the revision in force was published."""
    return _current.published()


def forget() -> None:
    """Drops what this process holds, so that the next look finds the newest revision at once."""
    _current.forget()


def _after_response(**_signal: Any) -> None:
    if _current.look_again() and not connection.in_atomic_block:
        close_old_connections()


request_finished.connect(_after_response, dispatch_uid="knowledge.current")
