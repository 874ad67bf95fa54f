"""The knowledge as rows: what curators edit. A published revision holds what everybody else sees (publishing.py)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from whybounce import snapshot
from whybounce.validate import CATEGORIES, PROVIDER_KINDS, re2_error


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(item.value, item.value) for item in enum]


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
    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "name")
        verbose_name = _("provider")
        verbose_name_plural = _("providers")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        for mark in self.reply_marks or []:
            if error := re2_error(mark):
                raise ValidationError({"reply_marks": f"{mark}: {error}"})


class Cause(Row):
    """Why a delivery failed."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    category = models.CharField(_("category"), max_length=20, choices=Category.choices, db_index=True)
    who_acts = models.JSONField(_("who acts"), default=list)
    frequency = models.CharField(_("frequency"), max_length=12, choices=_choices(snapshot.Frequency), default=snapshot.Frequency.OCCASIONAL.value)
    permanent = models.BooleanField(_("permanent"), null=True, blank=True, help_text=_("Unknown: it depends on the case."))
    summary = models.TextField(_("summary for a customer"))
    explanation = models.TextField(_("explanation for an engineer"), blank=True, help_text=_("Markdown"))
    see_also = models.ManyToManyField("self", verbose_name=_("see also"), symmetrical=False, blank=True)
    history = HistoricalRecords()

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
    who = models.CharField(_("who acts"), max_length=16, choices=_choices(snapshot.Actor))
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
    asked_of = models.CharField(_("asked of"), max_length=10, choices=_choices(snapshot.AskedOf), default=snapshot.AskedOf.PERSON.value)
    check_name = models.CharField(_("answered by"), max_length=20, blank=True, help_text=_("The check, or “stage”."))
    symptom = models.BooleanField(_("symptom"), default=False, help_text=_("May be asked first, where there is no error text."))
    without_text = models.BooleanField(_("only without an error text"), default=False, help_text=_("Where there is a text, it says this already."))
    effort = models.CharField(_("effort to answer"), max_length=5, choices=_choices(snapshot.Effort), default=snapshot.Effort.KNOW.value)
    help = models.TextField(_("how to find out"), blank=True)
    history = HistoricalRecords()

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
    base_rate = models.CharField(_("given anyway"), max_length=12, choices=_choices(snapshot.Frequency), default=snapshot.Frequency.COMMON.value)
    others = models.CharField(_("for causes not named"), max_length=16, choices=_choices(snapshot.Strength), blank=True)
    informative = models.BooleanField(_("is evidence"), default=True, help_text=_("No: the check could not look."))
    history = HistoricalRecords()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = (models.UniqueConstraint(fields=["question", "slug"], name="answer_slug_once_a_question"),)

    def __str__(self) -> str:
        return f"{self.question_id and self.question.slug} = {self.slug}"


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
    others = models.CharField(_("for causes not named"), max_length=16, choices=_choices(snapshot.Strength), blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("code", "position", "pk")
        verbose_name = _("status code")
        verbose_name_plural = _("status codes")
        constraints = (
            models.UniqueConstraint(fields=["code", "provider"], name="code_once_a_provider"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(provider__isnull=True), name="code_once_in_the_standard"),
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
    history = HistoricalRecords()

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
    history = HistoricalRecords()

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


class Evidence(models.Model):
    """How one answer, pattern or code speaks for or against a cause."""

    cause = models.ForeignKey(Cause, models.CASCADE, related_name="evidence")
    strength = models.CharField(_("strength"), max_length=16, choices=_choices(snapshot.Strength))
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


class KnowledgeRevision(models.Model):
    """What was published, whole: the snapshot as JSON and the text model fitted on it, both compressed. The newest one serves.

    shipped_files: digest of the knowledge files last loaded, so that loading the same files again is seen at once.
    """

    created_at = models.DateTimeField(_("published"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    reason = models.CharField(_("reason"), max_length=240)
    digest = models.CharField(max_length=64)
    shipped_files = models.CharField(max_length=64, blank=True)
    content = models.BinaryField()
    weights = models.BinaryField()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")

    def __str__(self) -> str:
        return f"{self.pk}"
