"""Tables of the work on cases: what happened to them, tags, internal notes, and the words by which they are found.

Written by casework.py, merging.py, case_history.py and case_search.py alone.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_TAG = 40
MAX_WORD = 80


class CaseEvent(models.Model):
    """Something that somebody did to a case. Never changed, and it holds nothing that was pasted.

    by      who did it; None where it was the visitor who opened the case (or a person whose account is gone)
    data    what case_history.py says of it: {"question", "answer"}, {"to"}, {"tag"}, {"case"}, {"checks"}, {"cause"}, ...
    """

    class Kind(models.TextChoices):
        ANSWERED = "answered", _("answered")
        TOOK_BACK = "took-back", _("took back an answer")
        CHOSE = "chose", _("looked at another recipient")
        CHECKED = "checked", _("had checks run")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("reopened")
        ASSIGNED = "assigned", _("assigned")
        TAGGED = "tagged", _("tagged")
        UNTAGGED = "untagged", _("took a tag off")
        NOTED = "noted", _("wrote a note")
        NOTE_REMOVED = "note-removed", _("removed a note")
        MERGED = "merged", _("merged")
        SPLIT = "split", _("undid a merge")
        TOOK_IN = "took-in", _("took in a case")
        GAVE_BACK = "gave-back", _("gave a case back")
        ERASED = "erased", _("erased what was pasted")

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="events")
    kind = models.CharField(_("what"), max_length=12, choices=Kind.choices)
    data = models.JSONField(_("details"), default=dict, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"), related_name="+")
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return self.kind


class CaseTag(models.Model):
    """A word that staff put on a case."""

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="tags")
    name = models.CharField(_("tag"), max_length=MAX_TAG)

    class Meta:
        ordering = ("name",)
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = (models.UniqueConstraint(fields=["case", "name"], name="tag_once_a_case"),)
        indexes = (models.Index(fields=["name", "case"], name="case_by_tag"),)

    def __str__(self) -> str:
        return self.name


class CaseNote(models.Model):
    """What staff tell each other about a case. It stands in no report, letter or link."""

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="staff_notes")
    text = models.TextField(_("note"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"), related_name="+")
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("internal note")
        verbose_name_plural = _("internal notes")

    def __str__(self) -> str:
        return self.text[:60]


class CaseWord(models.Model):
    """A word by which a case is found: of its addresses, domains, IPs, codes, number, texts. Personal data, erased with the text."""

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="words")
    word = models.CharField(max_length=MAX_WORD, db_index=True)

    class Meta:
        verbose_name = _("word of a case")
        verbose_name_plural = _("words of cases")

    def __str__(self) -> str:
        return self.word
