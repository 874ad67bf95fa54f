"""Imports of knowledge files: looked at first, then carried out. Each stays as a record of who did it, when and why."""

from __future__ import annotations

import json
import zlib

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class KnowledgeImport(models.Model):
    """Files that were uploaded, and what was done with them.

    content     the files, compressed: JSON list of [name, text]; empty once the import is old
    publish     the rows become published ones, else drafts
    report      {"new": {kind: count}, "changed": {kind: count}, "same": count} of what was carried out
    """

    names = models.TextField(_("files"))
    content = models.BinaryField(default=bytes, editable=False)
    publish = models.BooleanField(_("as published"), default=False)
    why = models.CharField(_("why"), max_length=100)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    applied_at = models.DateTimeField(_("carried out"), null=True, blank=True)
    report = models.JSONField(_("what it did"), default=dict, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("import of files")
        verbose_name_plural = _("imports and exports of files")

    def __str__(self) -> str:
        return self.names

    @property
    def files(self) -> list[tuple[str, bytes]]:
        """(name, content) of each file."""
        return [(name, text.encode()) for name, text in json.loads(zlib.decompress(bytes(self.content)))] if self.content else []

    @staticmethod
    def packed(files: list[tuple[str, bytes]]) -> bytes:
        """`files`, which must be UTF-8, as `content`."""
        return zlib.compress(json.dumps([(name, content.decode("utf-8-sig")) for name, content in files]).encode())
