"""Rows that are read rather than added up: blocklists, articles, example cases, findings, letters."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from knowledge.models.base import Row, RowHistory, choices
from knowledge.models.causes import Cause
from whybounce import snapshot
from whybounce.problem import re2_error
from whybounce.validate_library import BLOCKLIST_KINDS, is_finding


class Blocklist(Row):
    """A DNS list of addresses or domains."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    operator = models.CharField(_("operator"), max_length=120, blank=True)
    zone = models.CharField(_("DNS zone"), max_length=120, blank=True)
    kind = models.CharField(_("lists"), max_length=8, choices=[(kind, kind) for kind in BLOCKLIST_KINDS], default="ip")
    ipv6 = models.BooleanField(_("lists IPv6 addresses too"), default=False)
    closed = models.BooleanField(_("closed"), default=False, help_text=_("Closed for good: named as such, never asked."))
    public = models.BooleanField(_("anybody may ask it"), default=True)
    weight = models.CharField(_("weight"), max_length=8, choices=choices(snapshot.Weight), default=snapshot.Weight.MEDIUM.value)
    meaning = models.TextField(_("what a listing means"), help_text=_("Markdown"))
    codes = models.JSONField(_("answers that are listings"), default=list, blank=True)
    errors = models.JSONField(_("answers that are none"), default=list, blank=True)
    test_listed = models.CharField(_("test point, listed"), max_length=40, blank=True)
    test_unlisted = models.CharField(_("test point, not listed"), max_length=40, blank=True)
    removal = models.TextField(_("how to be removed"), blank=True, help_text=_("Markdown"))
    removal_page = models.URLField(_("page for removal"), blank=True)
    reply_marks = models.JSONField(_("how replies name it (RE2)"), default=list, blank=True)
    cause = models.ForeignKey(Cause, models.PROTECT, null=True, blank=True, related_name="blocklists", verbose_name=_("cause of a listing"))
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "name")
        verbose_name = _("blocklist")
        verbose_name_plural = _("blocklists")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("blocklist", args=[self.slug])

    def clean(self) -> None:
        for mark in self.reply_marks or []:
            if error := re2_error(mark):
                raise ValidationError({"reply_marks": f"{mark}: {error}"})


class Article(Row):
    """A text of the reference."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    summary = models.TextField(_("summary"), help_text=_("One or two sentences; search engines show them."))
    body = models.TextField(_("text"), help_text=_("Markdown"))
    figure = models.SlugField(_("figure"), max_length=40, blank=True)
    causes = models.JSONField(_("causes that it helps with"), default=list, blank=True)
    codes = models.JSONField(_("codes that it explains"), default=list, blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "title")
        verbose_name = _("article")
        verbose_name_plural = _("articles")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])


class ExampleCase(Row):
    """A case whose cause is known. Publishing works all of them through and shows which would now end elsewhere.

    answers: question slug -> answer slug.
    """

    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    text = models.TextField(_("what was pasted"), blank=True)
    answers = models.JSONField(_("what was answered"), default=dict, blank=True)
    cause = models.ForeignKey(Cause, models.PROTECT, related_name="cases", verbose_name=_("cause that must come first"))
    note = models.TextField(_("why it is kept"), blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("example case")
        verbose_name_plural = _("example cases")

    def __str__(self) -> str:
        return self.slug


class FindingNote(Row):
    """What is said of a thing that a check can find."""

    slug = models.CharField(_("finding"), max_length=80, unique=True, help_text=_("The check, a dot, a name: spf.too_many_lookups"))
    title = models.CharField(_("title"), max_length=160)
    severities = models.JSONField(_("how grave"), default=list)
    meaning = models.TextField(_("what it means for mail"), help_text=_("Markdown"))
    mend = models.TextField(_("what to do"), blank=True, help_text=_("Markdown"))
    who_acts = models.JSONField(_("who acts"), default=list, blank=True)
    check_name = models.CharField(
        _("reported by"), max_length=40, blank=True, help_text=_("The check, where the finding does not begin with its name.")
    )
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("finding")
        verbose_name_plural = _("findings of checks")

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        name = self.check_name or self.slug.partition(".")[0]
        return f"{reverse('live-check', args=[name])}#{self.slug}"

    def clean(self) -> None:
        if not is_finding(self.slug):
            raise ValidationError({"slug": _("The check, a dot, a name in lower-case letters, digits and underscores: spf.too_many_lookups")})


class Letter(Row):
    """What to write to somebody about a case."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    to = models.CharField(_("to"), max_length=12, choices=choices(snapshot.Addressee))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), help_text=_("Plain text; {recipient} and the like stand for what a case knows."))
    categories = models.JSONField(_("offered for these categories"), default=list, blank=True)
    causes = models.JSONField(_("offered for these causes"), default=list, blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("letter")
        verbose_name_plural = _("letters")

    def __str__(self) -> str:
        return self.title
