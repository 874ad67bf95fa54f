"""What people pasted and no pattern knew, for curators to work through."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from knowledge.models.causes import Category
from knowledge.models.replies import Example, ReplyPattern

MAX_SHAPE = 500


class UnrecognisedReply(models.Model):
    """Replies of one shape. Personal data never gets here: text and shape are masked (whybounce/masking.py).

    key             hash of the shape
    text            the newest such reply, masked, as it was written; shape: the same in lower case, by which replies are grouped
    provider        slug of whose reply it is, "" where nothing tells
    guess           slug of the cause that ranked first, category and certainty: its category and how sure that was
    """

    class State(models.TextChoices):
        NEW = "new", _("New")
        DISMISSED = "dismissed", _("Dismissed")
        PATTERN = "pattern", _("Made a pattern")
        EXAMPLE = "example", _("Made an example text")

    key = models.CharField(max_length=32, unique=True, editable=False)
    text = models.TextField(_("reply, masked"), max_length=MAX_SHAPE)
    shape = models.TextField(_("shape"), max_length=MAX_SHAPE)
    provider = models.CharField(_("provider"), max_length=80, blank=True)
    code = models.CharField(_("code"), max_length=3, blank=True)
    enhanced = models.CharField(_("enhanced code"), max_length=11, blank=True)
    guess = models.CharField(_("guessed cause"), max_length=80, blank=True)
    category = models.CharField(_("guessed category"), max_length=20, choices=Category.choices, blank=True)
    certainty = models.CharField(_("certainty"), max_length=10, blank=True)
    count = models.PositiveIntegerField(_("times"), default=1)
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    note = models.TextField(_("note"), blank=True)
    pattern = models.ForeignKey(ReplyPattern, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("pattern made of it"))
    example = models.ForeignKey(Example, models.SET_NULL, null=True, blank=True, editable=False, verbose_name=_("example text made of it"))

    class Meta:
        ordering = ("-count", "-last_seen", "-pk")
        verbose_name = _("unrecognised reply")
        verbose_name_plural = _("unrecognised replies")
        indexes = (
            models.Index(fields=["state", "-count", "-last_seen"], name="unrecognised_by_count"),
            models.Index(fields=["count", "last_seen"], name="unrecognised_by_age"),
        )

    def __str__(self) -> str:
        return self.text[:80]
