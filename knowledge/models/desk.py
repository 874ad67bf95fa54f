"""What the desk keeps about its own work: publishing under way, and how often patterns are met."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from knowledge.models.revisions import KnowledgeRevision

DEAD_AFTER = timedelta(seconds=20)


class PublishJob(models.Model):
    """One publishing, from the curator's click to the revision.

    active          true while it is queued or runs, else null: the database lets one job at a time be active
    heartbeat_at    renewed every few seconds by the process that does the work; an old one means that the process is gone
    confirmed       why it may go on although the cases in `confirmed_cases` end elsewhere
    report          what moved (knowledge/moved.py); problems: rows that contradict each other, as [row, sentence]
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        UNCONFIRMED = "needs-confirmation", _("Needs confirmation")
        INTERRUPTED = "interrupted", _("Interrupted")

    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.QUEUED)
    active = models.BooleanField(null=True, unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=240)
    confirmed = models.CharField(_("confirmed because"), max_length=240, blank=True)
    confirmed_cases = models.JSONField(default=list, blank=True)
    progress = models.CharField(_("progress"), max_length=240, blank=True)
    report = models.JSONField(_("what moved"), default=dict, blank=True)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    revision = models.ForeignKey(KnowledgeRevision, models.SET_NULL, null=True, blank=True, verbose_name=_("revision"))
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("publishing")
        verbose_name_plural = _("publishings")

    def __str__(self) -> str:
        return f"{self.pk}: {self.get_state_display()}"

    @property
    def under_way(self) -> bool:
        """True while a living process works on it."""
        return bool(self.active) and timezone.now() - self.heartbeat_at < DEAD_AFTER


class PatternUse(models.Model):
    """How many cases a reply pattern was met in, and when last. By slug: it outlives the row, and an upgrade that replaces it."""

    pattern = models.SlugField(_("pattern"), max_length=100, unique=True)
    count = models.PositiveIntegerField(_("cases"), default=0)
    last_matched = models.DateTimeField(_("last"))

    class Meta:
        ordering = ("-count", "pattern")
        verbose_name = _("use of a pattern")
        verbose_name_plural = _("use of patterns")

    def __str__(self) -> str:
        return f"{self.pattern}: {self.count}"
