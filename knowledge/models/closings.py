"""What closed cases proved, counted. The cases themselves belong to another app and may be erased; these counts name nobody."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Confirmation(models.Model):
    """In how many closed cases a cause proved true: in all of them, and in those whose reply held a pattern. By slug: it outlives the rows.

    pattern     slug, "" for all cases
    cause       slug, "" for those that were closed as none of the known causes
    count       closed by somebody who was logged in: the ranking learns from these
    visitors    closed by visitors, whom nobody knows: only shown
    """

    pattern = models.CharField(_("pattern"), max_length=100, blank=True)
    cause = models.CharField(_("cause"), max_length=80, blank=True, db_index=True)
    count = models.PositiveIntegerField(_("cases"), default=0)
    visitors = models.PositiveIntegerField(_("of visitors"), default=0)

    class Meta:
        ordering = ("pattern", "-count")
        verbose_name = _("confirmation")
        verbose_name_plural = _("confirmations")
        constraints = (models.UniqueConstraint(fields=["pattern", "cause"], name="confirmation_once"),)

    def __str__(self) -> str:
        return f"{self.pattern} {self.cause}: {self.count + self.visitors}".strip()
