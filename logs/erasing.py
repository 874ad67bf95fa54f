"""What of uploaded logs goes, and when: the log itself after the reading, the tally after WHYBOUNCE_KEEP_DAYS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from logs import storage
from logs.models import LogReading

State = LogReading.State


def sweep() -> int:
    """Erases logs that were left lying: by an upload that nobody finished, by a process that was killed. Touches no table."""
    return storage.erase_abandoned()


def end_abandoned() -> None:
    """Uploads that nobody finished within a day are over."""
    sweep()
    limit = timezone.now() - timedelta(seconds=storage.ABANDONED_SECONDS)
    for log in LogReading.objects.filter(state=State.UPLOADING, created_at__lt=limit).defer("tally", "shown"):
        if not storage.path_of(log).exists():
            gone = LogReading.objects.filter(pk=log.pk, state=State.UPLOADING)
            problem = _("The upload was not finished within a day. What had arrived was erased.")
            gone.update(state=State.FAILED, finished_at=timezone.now(), problem=problem)


def forget(log: LogReading) -> None:
    """Erases the log and all that was found in it."""
    log.delete()
    storage.erase(log)


def forget_old(limit: datetime, **_signal: Any) -> None:
    """Receives troubleshoot.retention.erasing: what was uploaded before `limit` goes."""
    for log in LogReading.objects.filter(created_at__lt=limit).defer("tally", "shown"):
        forget(log)
    end_abandoned()
