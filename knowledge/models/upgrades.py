"""What an upgrade of the shipped knowledge wanted and did not do, because a curator had changed the row."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class UpgradeConflict(models.Model):
    """One row that a curator changed and a newer version of the program changed too.

    kind, name      as the knowledge files name it ("causes", "mailbox-full"); key: hash of both
    shipped         the row as shipped, as a mapping; ours: as it was here when the upgrade came
    wants           digest of the row as shipped (Row.shipped_digest once it is taken)
    """

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        KEPT = "kept", _("Ours kept")
        TAKEN = "taken", _("Shipped one taken")

    key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20)
    name = models.TextField(_("row"))
    shipped = models.JSONField(_("as shipped"))
    ours = models.JSONField(_("as here"))
    wants = models.CharField(max_length=64, editable=False)
    position = models.PositiveIntegerField(default=0, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN, db_index=True)
    created_at = models.DateTimeField(_("upgrade of"))
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("decided by"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        ordering = ("kind", "pk")
        verbose_name = _("upgrade conflict")
        verbose_name_plural = _("upgrade conflicts")

    def __str__(self) -> str:
        return f"{self.kind}: {self.name[:80]}"
