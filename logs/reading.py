"""Reads uploaded logs in a process of its own: `manage.py read_logs`, started by the server when there is something to read.

A process of its own, because reading takes a core for seconds to minutes and unpacks what strangers sent: neither shall be felt on a page.
One that is killed leaves a heartbeat that stops; the next request for the page has the log read again.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from knowledge.current import knowledge
from logs import storage
from logs.models import LogReading, dead_before
from logs.tallying import keep
from whybounce.triage import read_logs
from whybounce.triage.unpacking import packing_of

State = LogReading.State
MAX_ATTEMPTS = 3
START_AFRESH = timedelta(seconds=20)
"""A process that was started and has taken nothing up within this time is taken for lost."""
AT_ONCE_BYTES = 1_000_000
_HEARTBEAT_SECONDS = 2.0
_STORE_SECONDS = 0.5
_logger = logging.getLogger(__name__)


class Cancelled(Exception):
    """Its owner wants no reading of it any more."""


# --- in the server ---


def start() -> None:
    """Sees that what waits is read, as soon as the present transaction is over."""
    transaction.on_commit(look_after)


def look_after() -> None:
    """Puts what a lost process was reading back to those that wait, and starts a process where something waits and no process is on its
    way to it. Cheap where there is nothing to do; safe to call from any process at any time."""
    take_up_lost()
    now = timezone.now()
    if LogReading.objects.filter(state=State.READING).count() >= settings.WHYBOUNCE_LOG_READERS:
        return  # it will take the next when it is through
    waits = LogReading.objects.filter(Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - START_AFRESH), state=State.WAITING)
    if waits.update(heartbeat_at=now):
        _start_process()


def take_up_lost() -> None:
    """Logs whose process is gone wait again; one whose process was lost MAX_ATTEMPTS times has failed."""
    lost = LogReading.objects.filter(state=State.READING, heartbeat_at__lt=dead_before()).defer("tally", "shown")
    for log in lost:
        same = LogReading.objects.filter(pk=log.pk, state=State.READING, attempts=log.attempts)
        if log.attempts < MAX_ATTEMPTS:
            same.update(state=State.WAITING, heartbeat_at=None, read=0)
        elif same.update(state=State.FAILED, finished_at=timezone.now(), problem=_("The process that read it was ended again and again.")):
            storage.erase(log)


def read_now(log: LogReading) -> None:
    """Reads a short log in this process, at once: to start another one would take longer. One that is packed, or longer, waits for a
    process of its own."""
    if log.size <= AT_ONCE_BYTES and _text_size(log) is not None and _claim(log):
        read_one(log)
    else:
        start()


def _start_process() -> None:
    if not getattr(settings, "WHYBOUNCE_LOG_PROCESS", True):
        read_waiting()
        return
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "read_logs"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=os.environ.copy(), stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    threading.Thread(target=process.wait, name="log-reader", daemon=True).start()  # so that no zombie is left


# --- in the process that reads ---


def read_waiting() -> int:
    """Reads, one after the other, what waits, until nothing does; returns how many were taken up."""
    taken = 0
    while (log := _next()) is not None:
        taken += 1
        with _heart(log):
            read_one(log)
    return taken


def _next() -> LogReading | None:
    """The log that has waited longest, claimed; None where none waits."""
    while True:
        take_up_lost()
        log = LogReading.objects.filter(state=State.WAITING).order_by("created_at", "pk").defer("tally", "shown").first()
        if log is None or _claim(log):
            return log


def _claim(log: LogReading) -> bool:
    """Takes a log that waits, unless another process was quicker."""
    mine = {"state": State.READING, "attempts": F("attempts") + 1, "heartbeat_at": timezone.now(), "read": 0, "text_size": _text_size(log)}
    if not LogReading.objects.filter(pk=log.pk, state=State.WAITING).update(**mine):
        return False
    log.refresh_from_db(fields=["attempts", "state", "text_size"])
    return True


def _text_size(log: LogReading) -> int | None:
    try:
        with storage.path_of(log).open("rb") as file:
            return None if packing_of(file.read(8)) else log.size
    except OSError:
        return None


def read_one(log: LogReading) -> None:
    """Reads a log that was claimed, stores what came of it and erases the log. Raises nothing."""
    path = storage.path_of(log)
    try:
        if log.written:
            os.utime(path, (time.time(), log.written.timestamp()))  # from which the year follows, where lines show none
        outcome = read_logs([str(path)], knowledge(), progress=_Progress(log))
    except Cancelled:
        pass
    except FileNotFoundError:
        _end(log, State.FAILED, problem=_("The uploaded log is gone. Upload it again."))
    except Exception:
        _logger.exception("Reading log %s failed", log.public_id)
        _end(log, State.FAILED, problem=_("Reading it failed by a fault of this program, which the server's log describes."))
    else:
        _keep(log, outcome.unreadable.get(str(path), ""), keep(log, outcome.tally, str(path)))
    storage.erase(log)


def _keep(log: LogReading, unreadable: str, problem: str) -> None:
    if unreadable:
        problem = _("The uploaded log could not be read: %(why)s.") % {"why": unreadable}
    if problem:
        _end(log, State.FAILED, problem=problem)
    else:
        _end(log, State.DONE, shown=log.shown, sentence=log.sentence, tally=log.tally, read=log.read)


def _end(log: LogReading, state: LogReading.State, **fields: object) -> None:
    """Stores the end, but not of one that was cancelled or that another process has taken up since."""
    mine = LogReading.objects.filter(pk=log.pk, state=State.READING, attempts=log.attempts)
    mine.update(state=state, finished_at=timezone.now(), **fields)


class _Progress:
    """Told how many bytes were read: stores it now and then, and ends the reading of what was cancelled."""

    def __init__(self, log: LogReading) -> None:
        self._log, self._read, self._stored = log, 0, 0.0

    def __call__(self, number: int) -> None:
        self._read += number
        if time.monotonic() - self._stored < _STORE_SECONDS:
            return
        self._stored = time.monotonic()
        mine = LogReading.objects.filter(pk=self._log.pk, state=State.READING, attempts=self._log.attempts)
        if not mine.update(read=self._read, heartbeat_at=timezone.now()):
            raise Cancelled


@contextmanager
def _heart(log: LogReading) -> Iterator[None]:
    """Renews the heartbeat from a thread: adding up and storing the end report no progress."""
    if not getattr(settings, "WHYBOUNCE_LOG_PROCESS", True):
        yield
        return
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(_HEARTBEAT_SECONDS):
                try:
                    LogReading.objects.filter(pk=log.pk, state=State.READING, attempts=log.attempts).update(heartbeat_at=timezone.now())
                except DatabaseError:
                    _logger.warning("The heartbeat of log %s was not stored", log.public_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    heart = threading.Thread(target=beat, name=f"heart-{log.public_id}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join()
