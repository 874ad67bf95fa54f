"""What readers say of a page."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_TEXT = 2000


class Feedback(models.Model):
    """Was a reference page helpful, and what did the reader see instead? Curators work through these."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        DONE = "done", _("Done")

    page = models.CharField(_("page"), max_length=200, db_index=True)
    helpful = models.BooleanField(_("helpful"), null=True, blank=True)
    text = models.TextField(_("text"), max_length=MAX_TEXT, blank=True)
    created_at = models.DateTimeField(_("sent"), auto_now_add=True, db_index=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.NEW, db_index=True)
    note = models.TextField(_("note"), blank=True, help_text=_("For curators: what was changed because of it."))

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")

    def __str__(self) -> str:
        return f"{self.page}: {self.text[:60]}"
