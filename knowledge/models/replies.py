"""What servers say: providers, status codes, reply patterns, example texts, and the evidence in all of it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from knowledge.models.base import Row, RowHistory, choices
from knowledge.models.causes import Answer, Cause
from whybounce import snapshot
from whybounce.problem import re2_error
from whybounce.validate import PROVIDER_KINDS


class Provider(Row):
    """Who receives or filters mail, or a mail server program."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=[(kind, kind) for kind in PROVIDER_KINDS])
    mx_suffixes = models.JSONField(_("MX host names end in"), default=list, blank=True)
    domains = models.JSONField(_("mail domains"), default=list, blank=True)
    reply_marks = models.JSONField(_("marks in its replies (RE2)"), default=list, blank=True)
    postmaster_page = models.URLField(_("postmaster page"), blank=True)
    note = models.TextField(_("note"), blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "name")
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("provider", args=[self.slug])

    def clean(self) -> None:
        for mark in self.reply_marks or []:
            if error := re2_error(mark):
                raise ValidationError({"reply_marks": f"{mark}: {error}"})


class StatusCode(Row):
    """A basic or enhanced code, as the standard or as one provider means it."""

    code = models.CharField(_("code"), max_length=11)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="codes")
    title = models.CharField(_("title"), max_length=160)
    meaning = models.TextField(_("meaning"), help_text=_("Markdown"))
    standard = models.BooleanField(_("defined by an RFC or by IANA"), default=True)
    commands = models.JSONField(_("commands that it answers"), default=list, blank=True)
    retry = models.TextField(_("sending again"), blank=True)
    usual_causes = models.TextField(_("usual causes"), blank=True)
    find_out = models.TextField(_("how to find out"), blank=True)
    what_to_do = models.TextField(_("what to do"), blank=True)
    others = models.CharField(_("for causes not named"), max_length=16, choices=choices(snapshot.Strength), blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("code", "position", "pk")
        verbose_name = _("status code")
        verbose_name_plural = _("status codes")
        constraints = (
            models.UniqueConstraint(
                fields=["code", "provider"], name="code_once_a_provider", violation_error_message=_("This provider's code is described already.")
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=models.Q(provider__isnull=True),
                name="code_once_in_the_standard",
                violation_error_message=_("This code is described already. Choose a provider, or change the row that there is."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("code", args=[self.code])


class Myth(models.Model):
    """What is often said of a code and is wrong."""

    status_code = models.ForeignKey(StatusCode, models.CASCADE, related_name="myths")
    position = models.PositiveIntegerField(_("position"), default=0)
    claim = models.TextField(_("often said"))
    truth = models.TextField(_("what is so"))
    source = models.CharField(_("source"), max_length=240, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("wrong advice")
        verbose_name_plural = _("wrong advice")

    def __str__(self) -> str:
        return self.claim


class ReplyPattern(Row):
    """A wording of replies, as an RE2 expression."""

    slug = models.SlugField(_("slug"), max_length=100, unique=True)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="patterns")
    pattern = models.TextField(_("pattern"), help_text=_("RE2, searched without regard to case in the reply on one line."))
    meaning = models.TextField(_("meaning"), blank=True)
    decisive = models.BooleanField(_("decisive"), default=False, help_text=_("These words can mean nothing else: a “proves” below counts."))
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("reply pattern")
        verbose_name_plural = _("reply patterns")

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if error := re2_error(self.pattern):
            raise ValidationError({"pattern": error})


class Example(Row):
    """A labelled reply: of a pattern (labelled by the pattern's evidence) or on its own, with its cause."""

    text = models.TextField(_("text"))
    pattern = models.ForeignKey(ReplyPattern, models.CASCADE, null=True, blank=True, related_name="examples")
    cause = models.ForeignKey(Cause, models.PROTECT, null=True, blank=True, related_name="examples")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="examples")
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("example text")
        verbose_name_plural = _("example texts")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(pattern__isnull=True, cause__isnull=False) | models.Q(pattern__isnull=False, cause__isnull=True),
                name="example_of_a_pattern_or_a_cause",
                violation_error_message=_("An example belongs to a pattern or to a cause, not to both and not to neither."),
            ),
        )

    def __str__(self) -> str:
        return self.text[:80]

    def clean(self) -> None:
        """A text stands once among the labelled texts, and once a pattern: twice, it would weigh double in the text model."""
        same = Example.objects.filter(text=self.text, pattern_id=self.pattern_id).exclude(pk=self.pk).select_related("cause").first()
        if same:
            where = _("labelled with “%(cause)s”") % {"cause": same.cause} if same.cause else _("as an example of this pattern")
            raise ValidationError({"text": _("This text is there already, %(where)s (row %(number)d).") % {"where": where, "number": same.pk}})


class Evidence(models.Model):
    """How one answer, pattern or code speaks for or against a cause."""

    cause = models.ForeignKey(Cause, models.CASCADE, related_name="evidence")
    strength = models.CharField(_("strength"), max_length=16, choices=choices(snapshot.Strength))
    answer = models.ForeignKey(Answer, models.CASCADE, null=True, blank=True, related_name="evidence")
    pattern = models.ForeignKey(ReplyPattern, models.CASCADE, null=True, blank=True, related_name="evidence")
    code = models.ForeignKey(StatusCode, models.CASCADE, null=True, blank=True, related_name="evidence")
    history = HistoricalRecords()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(answer__isnull=False, pattern__isnull=True, code__isnull=True)
                | models.Q(answer__isnull=True, pattern__isnull=False, code__isnull=True)
                | models.Q(answer__isnull=True, pattern__isnull=True, code__isnull=False),
                name="evidence_is_of_one_thing",
                violation_error_message=_("Evidence is given by one thing: an answer, a pattern or a code."),
            ),
            *(
                models.UniqueConstraint(
                    fields=["cause", name],
                    condition=models.Q(**{f"{name}__isnull": False}),
                    name=f"evidence_once_a_{name}",
                    violation_error_message=_("This cause already has a strength here."),
                )
                for name in ("answer", "pattern", "code")
            ),
        )

    def __str__(self) -> str:
        return f"{self.answer or self.pattern or self.code}: {self.strength}"
