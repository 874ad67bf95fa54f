"""The knowledge in force in this process: the newest revision, compiled, looked for again at most once a second."""

from __future__ import annotations

import threading
import time

from knowledge.models import KnowledgeRevision
from knowledge.publishing import compiled
from whybounce.compiled import Knowledge
from whybounce.snapshot import KnowledgeSnapshot

_FRESH_SECONDS = 1.0


class NoKnowledge(Exception):
    """No revision is published yet: run `manage.py load_knowledge`."""


class _Current:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._knowledge: Knowledge | None = None
        self._checked = 0.0

    def get(self) -> Knowledge:
        known = self._knowledge
        if known is not None and time.monotonic() - self._checked < _FRESH_SECONDS:
            return known
        with self._lock:
            if self._knowledge is None or time.monotonic() - self._checked >= _FRESH_SECONDS:
                self._refresh()
            if self._knowledge is None:
                raise NoKnowledge("No knowledge is published yet: run `manage.py load_knowledge`.")
            return self._knowledge

    def _refresh(self) -> None:
        newest = KnowledgeRevision.objects.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            self._knowledge = None
        elif self._knowledge is None or self._knowledge.snapshot.revision != newest:
            self._knowledge = compiled(KnowledgeRevision.objects.get(pk=newest))
        self._checked = time.monotonic()

    def forget(self) -> None:
        with self._lock:
            self._knowledge, self._checked = None, 0.0


_current = _Current()


def knowledge() -> Knowledge:
    """The knowledge in force. NoKnowledge where none is published."""
    return _current.get()


def snapshot() -> KnowledgeSnapshot:
    """The snapshot in force: what the reference pages show."""
    return _current.get().snapshot


def forget() -> None:
    """Drops what this process holds, so that the next look finds the newest revision at once."""
    _current.forget()
