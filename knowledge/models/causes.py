"""Causes with their remedy steps; questions with their answers; what speaks for and against a cause."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from knowledge.models.base import Row, RowHistory, choices
from whybounce import snapshot
from whybounce.validate import CATEGORIES


class Category(models.TextChoices):
    """Cause categories of the contract, with names for people."""

    UNKNOWN_RECIPIENT = "unknown_recipient", _("Unknown recipient")
    MAILBOX_FULL = "mailbox_full", _("Mailbox full")
    MAILBOX_DISABLED = "mailbox_disabled", _("Mailbox disabled")
    DOMAIN_DNS = "domain_dns", _("Recipient's domain or DNS")
    CONNECTION = "connection", _("Connection")
    ROUTING_LOOP = "routing_loop", _("Routing or loop")
    RELAY_AUTH = "relay_auth", _("Relaying or sign-in")
    SENDER_AUTH = "sender_auth", _("SPF, DKIM, DMARC")
    REPUTATION = "reputation", _("Reputation or blocklist")
    PTR_HELO = "ptr_helo", _("Reverse DNS or EHLO name")
    SENDER_REJECTED = "sender_rejected", _("Sender refused")
    CONTENT_SPAM = "content_spam", _("Judged to be spam")
    VIRUS_ATTACHMENT = "virus_attachment", _("Virus or attachment")
    MESSAGE_FORMAT = "message_format", _("Message format")
    TOO_LARGE = "too_large", _("Too large")
    RATE_LIMIT = "rate_limit", _("Rate limit")
    POLICY = "policy", _("Receiver's policy")
    TLS = "tls", _("TLS")
    PROTOCOL = "protocol", _("SMTP protocol")
    REMOTE_SYSTEM = "remote_system", _("Fault at the receiving system")
    NOT_A_BOUNCE = "not_a_bounce", _("Not a bounce")
    UNDETERMINED = "undetermined", _("Undetermined")


assert set(Category.values) == set(CATEGORIES)  # noqa: S101 (the engine holds the list; this only adds names)


class Cause(Row):
    """Why a delivery failed."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    category = models.CharField(_("category"), max_length=20, choices=Category.choices, db_index=True)
    who_acts = models.JSONField(_("who acts"), default=list)
    frequency = models.CharField(_("frequency"), max_length=12, choices=choices(snapshot.Frequency), default=snapshot.Frequency.OCCASIONAL.value)
    permanent = models.BooleanField(_("permanent"), null=True, blank=True, help_text=_("Unknown: it depends on the case."))
    summary = models.TextField(_("summary for a customer"))
    explanation = models.TextField(_("explanation for an engineer"), blank=True, help_text=_("Markdown"))
    see_also = models.ManyToManyField("self", verbose_name=_("see also"), symmetrical=False, blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("cause")
        verbose_name_plural = _("causes")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("cause", args=[self.slug])


class RemedyStep(models.Model):
    """One thing to do about a cause."""

    cause = models.ForeignKey(Cause, models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField(_("position"), default=0)
    slug = models.SlugField(_("slug"), max_length=80)
    who = models.CharField(_("who acts"), max_length=16, choices=choices(snapshot.Actor))
    text = models.TextField(_("what to do"))
    wording = models.TextField(_("what to tell them"), blank=True)
    check_name = models.CharField(_("proved by the check"), max_length=20, blank=True)
    links = models.JSONField(_("links"), default=list, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("remedy step")
        verbose_name_plural = _("remedy steps")
        constraints = (models.UniqueConstraint(fields=["cause", "slug"], name="step_slug_once_a_cause"),)

    def __str__(self) -> str:
        return self.slug


class Question(Row):
    """Asked of a person, or answered by a check or by the reply."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    text = models.CharField(_("question"), max_length=240)
    why = models.TextField(_("why it is asked"))
    asked_of = models.CharField(_("asked of"), max_length=10, choices=choices(snapshot.AskedOf), default=snapshot.AskedOf.PERSON.value)
    check_name = models.CharField(_("answered by"), max_length=20, blank=True, help_text=_("The check, or “stage”."))
    symptom = models.BooleanField(_("symptom"), default=False, help_text=_("May be asked first, where there is no error text."))
    without_text = models.BooleanField(_("only without an error text"), default=False, help_text=_("Where there is a text, it says this already."))
    effort = models.CharField(_("effort to answer"), max_length=5, choices=choices(snapshot.Effort), default=snapshot.Effort.KNOW.value)
    help = models.TextField(_("how to find out"), blank=True)
    history = HistoricalRecords(bases=[RowHistory])

    class Meta:
        ordering = ("position", "slug")
        verbose_name = _("question")
        verbose_name_plural = _("questions")

    def __str__(self) -> str:
        return self.text


class Answer(models.Model):
    """One of a question's fixed answers."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="answers")
    position = models.PositiveIntegerField(_("position"), default=0)
    slug = models.SlugField(_("slug"), max_length=80)
    text = models.CharField(_("answer"), max_length=240)
    base_rate = models.CharField(_("given anyway"), max_length=12, choices=choices(snapshot.Frequency), default=snapshot.Frequency.COMMON.value)
    others = models.CharField(_("for causes not named"), max_length=16, choices=choices(snapshot.Strength), blank=True)
    informative = models.BooleanField(_("is evidence"), default=True, help_text=_("No: the check could not look."))
    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = (models.UniqueConstraint(fields=["question", "slug"], name="answer_slug_once_a_question"),)

    def __str__(self) -> str:
        return f"{self.question_id and self.question.slug} = {self.slug}"
