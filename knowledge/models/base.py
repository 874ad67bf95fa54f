"""What every kind of row has."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


def choices(enum: Any) -> list[tuple[str, str]]:
    """An engine's enum as choices of a field: the words themselves."""
    return [(item.value, item.value) for item in enum]


class Row(models.Model):
    """What every kind of knowledge has: published or not, where it came from, its history.

    shipped_digest: digest of the row as the program shipped it; "" for one that a curator made, "gone" for one that an upgrade
    withdrew. A row whose present digest differs, or which is no longer published, was changed by a curator: an upgrade leaves it alone.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT, db_index=True)
    sources = models.JSONField(_("sources"), default=list, blank=True)
    shipped_digest = models.CharField(max_length=64, blank=True, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    position = models.PositiveIntegerField(_("position"), default=0, help_text=_("Rows with a smaller number come first."))

    class Meta:
        abstract = True


class RowHistory(models.Model):
    """What a row's history keeps besides the row's own fields.

    document: the whole row as a mapping, with its steps, answers, examples and evidence; null where it was changed outside the desk.
    """

    document = models.JSONField(null=True, editable=False)

    class Meta:
        abstract = True
