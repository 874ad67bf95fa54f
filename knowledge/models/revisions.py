"""What was published."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class KnowledgeRevision(models.Model):
    """What was published, whole: the snapshot as JSON and the text model fitted on it, both compressed. The newest one serves.

    shipped_files: digest of the knowledge files last loaded, so that loading the same files again is seen at once.
    report: what moved by it (knowledge/moved.py); confirmed: why it was published although example cases end elsewhere.
    """

    created_at = models.DateTimeField(_("published"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=240)
    digest = models.CharField(max_length=64)
    shipped_files = models.CharField(max_length=64, blank=True)
    report = models.JSONField(_("what moved"), default=dict, blank=True)
    confirmed = models.CharField(_("why example cases may end elsewhere"), max_length=240, blank=True)
    content = models.BinaryField()
    weights = models.BinaryField()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")

    def __str__(self) -> str:
        return f"{self.pk}"
