"""Where the bytes of uploaded logs lie until they were read: a folder (WHYBOUNCE_LOG_FOLDER), for each log one of its own.

How much has arrived is the size of the file: it is right after a crash, too.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from logs.models import LogReading
from troubleshoot.refusal import Refused

ABANDONED_SECONDS = 24 * 3600
"""What lies longer than this since it was last added to is erased."""
SPARE_BYTES = 256 * 1024 * 1024
"""What an upload leaves free on the disk, for everybody else."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(Refused):
    """The server has no room; what arrived before stays."""

    def __init__(self, arrived: int) -> None:
        super().__init__(
            _("The server's disk is full. %(arrived)s have arrived and are kept for a day: choose the same file again later to go on.")
            % {"arrived": filesizeformat(arrived)}
            if arrived
            else _("The server's disk is full. Try again later, or upload a shorter piece of the log.")
        )


class OutOfStep(Exception):
    """A piece does not begin where the file ends: `arrived` bytes are there."""

    def __init__(self, arrived: int) -> None:
        self.arrived = arrived
        super().__init__(arrived)


def folder() -> Path:
    return Path(settings.WHYBOUNCE_LOG_FOLDER)


def path_of(log: LogReading) -> Path:
    return folder() / log.public_id / "log"


def arrived(log: LogReading) -> int:
    """The bytes that are there."""
    with suppress(OSError):
        return path_of(log).stat().st_size
    return 0


def make_room(size: int) -> None:
    """DiskFull where so many bytes have no room."""
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(folder()).free
    except OSError as error:
        raise DiskFull(0) from error
    if free < size + SPARE_BYTES:
        raise DiskFull(0)


def append(log: LogReading, at: int, piece: bytes) -> int:
    """Adds a piece that begins at byte `at`; returns how many bytes are there. What is there already is passed over, so that a piece may
    be sent twice. OutOfStep where a gap would be left; DiskFull with nothing added."""
    path = path_of(log)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # two tabs may send the same file
            end = os.fstat(file.fileno()).st_size
            if at > end:
                raise OutOfStep(end)
            try:
                file.write(piece[end - at :])
                file.flush()
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), end)
                raise
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(arrived(log)) from error
        raise


def erase(log: LogReading) -> None:
    """Takes the bytes away; nothing happens where there are none."""
    _remove(path_of(log).parent)


def erase_abandoned(now: float | None = None) -> int:
    """Erases what nobody added to for a day, whatever came of it; returns how many."""
    limit = (now or time.time()) - ABANDONED_SECONDS
    gone = 0
    with suppress(OSError):
        for entry in list(folder().iterdir()):
            with suppress(OSError):
                newest = max([entry.stat().st_ctime, *(item.stat().st_ctime for item in entry.iterdir())])
                if newest < limit:
                    _remove(entry)
                    gone += 1
    return gone


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
