"""Logs that were uploaded to be read, and what they added up to. The bytes of a log lie in a folder (storage.py), not in the database."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from troubleshoot.models import new_public_id

DEAD_AFTER = timedelta(seconds=12)
"""A reading whose heartbeat is older than this has lost its process."""


class LogReading(models.Model):
    """One log: uploaded in pieces, read by a process of its own (reading.py), then erased; the tally stays until it is too old.

    visitor     the token of the session of whoever uploaded it; "" where they were logged in: owner
    name        of the file as its owner calls it
    size        its bytes, as announced; written: when it was last written to, as its owner's machine says
    read        bytes of text that were read so far, unpacked
    text_size   bytes of text that there are to read; None for a packed log, where nobody knows
    attempts    how often a process began to read it
    problem     a sentence: why there is no tally
    sentence    what is wrong, in one sentence
    shown       what its page needs of the tally (tallying.shown_of)
    tally       all of it: the object of `triage --json`, as packed JSON
    """

    class State(models.TextChoices):
        UPLOADING = "uploading", _("Being uploaded")
        WAITING = "waiting", _("Waiting to be read")
        READING = "reading", _("Being read")
        DONE = "done", _("Read")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    public_id = models.CharField(_("number"), max_length=12, unique=True, default=new_public_id, editable=False)
    visitor = models.CharField(max_length=32, blank=True, db_index=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("uploaded by"), related_name="log_readings"
    )
    name = models.CharField(_("file"), max_length=200, blank=True)
    size = models.BigIntegerField(_("bytes"))
    written = models.DateTimeField(_("last written to"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.UPLOADING, db_index=True)
    read = models.BigIntegerField(_("bytes read"), default=0)
    text_size = models.BigIntegerField(_("bytes to read"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    problem = models.TextField(_("problem"), blank=True)
    sentence = models.TextField(_("what is wrong"), blank=True)
    shown = models.JSONField(_("shown"), default=dict, blank=True)
    tally = models.BinaryField(default=bytes, blank=True)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True, db_index=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("log")
        verbose_name_plural = _("logs")

    def __str__(self) -> str:
        return self.name or self.public_id

    def get_absolute_url(self) -> str:
        return reverse("log", args=[self.public_id])

    @property
    def under_way(self) -> bool:
        return self.state in (self.State.WAITING, self.State.READING)

    @property
    def is_open(self) -> bool:
        """Whether it can be cancelled."""
        return self.under_way or self.state == self.State.UPLOADING

    @property
    def percent(self) -> int | None:
        """How much is read; None where nobody knows how much there is."""
        return min(100, self.read * 100 // self.text_size) if self.text_size else None

    def keep_tally(self, told: dict[str, Any]) -> None:
        self.tally = zlib.compress(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), 6)

    def tally_json(self) -> bytes:
        """The object of `triage --json`, UTF-8."""
        return zlib.decompress(bytes(self.tally)) if self.tally else b"{}"


def dead_before() -> datetime:
    """The heartbeat before which a process is taken for dead."""
    return timezone.now() - DEAD_AFTER
