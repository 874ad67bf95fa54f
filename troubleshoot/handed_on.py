"""Tables of what comes out of a case: links to its report, and the steps that were done. Written by sharing.py and steps_done.py alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SharedLink(models.Model):
    """An address at which anybody who has it can read the report of a case.

    digest      SHA-256 of its token in hexadecimal: the token itself is kept nowhere
    label       for whom it is, as whoever made it wrote
    masks       names and the local parts of addresses are left out
    """

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    label = models.CharField(_("for whom"), max_length=80, blank=True)
    masks = models.BooleanField(_("addresses are masked"), default=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"), related_name="+")
    created_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("revoked by"), related_name="+")
    views = models.PositiveIntegerField(_("views"), default=0)
    last_viewed_at = models.DateTimeField(_("last viewed"), null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("shared link")
        verbose_name_plural = _("shared links")

    def __str__(self) -> str:
        return self.label or str(self.pk)

    @property
    def is_open(self) -> bool:
        """Whether it leads to the report now."""
        return self.revoked_at is None and timezone.now() < self.expires_at


class StepDone(models.Model):
    """A remedy step that was done, as the case told it then: the knowledge may withdraw the step, the record stays.

    cause, step     slugs
    text            the step's text, filled in
    check_name      the check that had found it done, "" where a person says so
    undone_at       when it was taken back
    """

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="steps_done")
    cause = models.CharField(_("cause"), max_length=80)
    step = models.CharField(_("step"), max_length=80)
    text = models.TextField(_("what was to be done"))
    note = models.TextField(_("note"), blank=True)
    check_name = models.CharField(_("found done by"), max_length=40, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"), related_name="+")
    at = models.DateTimeField(_("when"))
    undone_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("taken back by"), related_name="+")

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("step done")
        verbose_name_plural = _("steps done")
        constraints = (models.UniqueConstraint(fields=["case", "cause", "step"], condition=models.Q(undone_at__isnull=True), name="step_done_once"),)

    def __str__(self) -> str:
        return f"{self.cause}: {self.step}"
