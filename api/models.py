"""Who may use the API, and the answers kept for those who ask again with the same key."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token may be used for. The values are part of the contract."""

    EXPLAIN = "explain", _("explain: read what was pasted")
    CHECKS = "checks", _("checks: look at domains and mail servers")
    REFERENCE = "reference", _("reference: codes, causes, search")
    CASES_READ = "cases:read", _("cases:read: its own cases")
    CASES_WRITE = "cases:write", _("cases:write: open, answer, check and close its own cases")


def new_visitor() -> str:
    """What cases without a person are owned by, in the place of a browser's session (Case.visitor)."""
    return secrets.token_hex(16)


class ApiToken(models.Model):
    """A token of another program. The token itself is shown once, when it is made, and only its digest is kept.

    digest      SHA-256 of the token: it holds 256 random bits, which nobody finds by trying
    hint        its first characters, by which a person recognises it
    scopes      list of Scope values
    user        whose cases it works on; without a user those that it opened itself, which `visitor` marks
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("Which program uses it, on which machine."))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=16, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("person"),
        related_name="api_tokens",
        help_text=_("Cases opened with the token belong to this person. Without one they belong to the token."),
    )
    visitor = models.CharField(max_length=32, default=new_visitor, editable=False)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def is_valid(self, now: datetime | None = None) -> bool:
        """Neither revoked nor expired, nor of a person who may no longer log in."""
        expired = self.expires_at is not None and self.expires_at <= (now or timezone.now())
        return self.revoked_at is None and not expired and (self.user is None or self.user.is_active)

    def state(self) -> str:
        """In a word, for lists."""
        if self.revoked_at is not None:
            return "revoked"
        if self.user is not None and not self.user.is_active:
            return "inactive"
        return "valid" if self.is_valid() else "expired"


class IdempotencyKey(models.Model):
    """A POST that was sent with an Idempotency-Key, and the answer that it got.

    whose           the token ("token:7") or the network of the client
    key             SHA-256 of the key as it was sent
    fingerprint     SHA-256 of method, address, media type and body: the same key with another of these is a mistake
    status          None while the request is worked on
    headers         those of the answer that the operation set
    body            the answer, deflated; None where it can be worked out again and is large
    """

    whose = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = (models.UniqueConstraint(fields=["whose", "key"], name="idempotency_key_once"),)

    def __str__(self) -> str:
        return f"{self.whose}: {self.status or '…'}"
