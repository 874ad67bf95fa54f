"""Cases: what was pasted, what was answered and checked, and what proved true. Written by services.py alone."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from troubleshoot.casework_tables import CaseEvent as CaseEvent  # in modules of their own, but tables of this app
from troubleshoot.casework_tables import CaseNote as CaseNote
from troubleshoot.casework_tables import CaseTag as CaseTag
from troubleshoot.casework_tables import CaseWord as CaseWord
from troubleshoot.handed_on import SharedLink as SharedLink
from troubleshoot.handed_on import StepDone as StepDone
from troubleshoot.scoped import ScopedAnswer as ScopedAnswer

# RFC 4648 section 6, lower case: no character is mistaken for another when an address is read out.
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def new_public_id() -> str:
    """12 characters of base32: 60 random bits, so that an address cannot be guessed."""
    return "".join(secrets.choice(_BASE32) for _ in range(12))


class Case(models.Model):
    """One paste, or a problem without any text, and everything found out about it.

    visitor     the token that the session of the visitor who opened it holds; "" where a person who was logged in opened it
    pasted      the bytes as they came; format, text, kind, notes, error: what intake read in them (whybounce.failure.IntakeReport)
    position    the failure (Failure.position) that the page is about
    supplied    what a person added for the checks: {"domain", "sending_ip", "mail_from", ...} (checking.SUPPLIABLE)
    assignee    the person of the staff who works on it
    merged_into the case that it is a duplicate of; then its state is MERGED
    cause       slug of the cause that proved true, else of the one that leads, "" while that is unclear; share: its probability, None
                where it proved true. With domain, code (enhanced, else basic) and provider (slug) of the failure looked at it is what lists
                show and filter by; case_summary.py keeps it
    erased_at   when the text, the addresses and all else that may name a person were erased (erasing.py); from then on nothing changes
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")
        MERGED = "merged", _("Merged")

    public_id = models.CharField(_("number"), max_length=12, unique=True, default=new_public_id, editable=False)
    visitor = models.CharField(max_length=32, blank=True, db_index=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("opened by"), related_name="cases")
    pasted = models.BinaryField(default=bytes, blank=True)
    format = models.CharField(_("format"), max_length=40, blank=True)
    text = models.TextField(_("readable text"), blank=True)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    notes = models.JSONField(_("notes"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.OPEN)
    position = models.PositiveIntegerField(_("failure looked at"), default=0)
    failure_count = models.PositiveIntegerField(_("failures"), default=0)
    supplied = models.JSONField(_("added by hand"), default=dict, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("assigned to"), related_name="assigned_cases"
    )
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, verbose_name=_("merged into"), related_name="merged")
    cause = models.CharField(_("cause"), max_length=80, blank=True, db_index=True)
    share = models.FloatField(_("its probability"), null=True, blank=True)
    domain = models.CharField(_("recipient's domain"), max_length=255, blank=True, db_index=True)
    code = models.CharField(_("code"), max_length=11, blank=True, db_index=True)
    provider = models.CharField(_("provider"), max_length=80, blank=True, db_index=True)
    created_at = models.DateTimeField(_("opened"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_index=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = (
            models.Index(fields=["state", "-created_at"], name="case_by_state_and_age"),
            models.Index(fields=["created_at"], condition=models.Q(erased_at__isnull=True), name="case_to_be_erased"),
        )

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        return reverse("case", args=[self.public_id])

    @property
    def is_closed(self) -> bool:
        """Whether it takes no answers and checks: closed, or merged into another."""
        return self.state != self.State.OPEN

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def kept_until(self) -> datetime | None:
        """When what was pasted is erased; None where it is kept for ever, or is erased already."""
        days: int = settings.WHYBOUNCE_KEEP_DAYS
        return self.created_at + timedelta(days=days) if days and not self.is_erased else None


class Failure(models.Model):
    """One failed recipient of a paste. `facts`: a DeliveryFailure as JSON, see facts.py. `group`: of several, those for which answers
    are shared (scopes.group_namer)."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="failures")
    position = models.PositiveIntegerField(_("position"))
    recipient = models.CharField(_("recipient"), max_length=320, blank=True, db_index=True)
    recipient_domain = models.CharField(_("recipient's domain"), max_length=255, blank=True, db_index=True)
    code = models.CharField(_("code"), max_length=3, blank=True, db_index=True)
    enhanced = models.CharField(_("enhanced code"), max_length=11, blank=True, db_index=True)
    group = models.CharField(_("group"), max_length=90, blank=True)
    facts = models.JSONField(_("facts"))

    class Meta:
        ordering = ("position",)
        verbose_name = _("failure")
        verbose_name_plural = _("failures")
        constraints = (models.UniqueConstraint(fields=["case", "position"], name="failure_once_a_position"),)

    def __str__(self) -> str:
        return self.recipient or str(self.position)


class Observation(models.Model):
    """An answer to a question of the knowledge, by slug: what is known today may be withdrawn tomorrow, the case stays.

    SKIPPED     an answer to any question: it is to be asked later, when nothing else is left to ask
    """

    SKIPPED = "skipped"

    class AskedOf(models.TextChoices):
        PERSON = "person", _("person")
        CHECK = "check", _("check")

    case = models.ForeignKey(Case, models.CASCADE, related_name="observations")
    question = models.CharField(_("question"), max_length=80)
    answer = models.CharField(_("answer"), max_length=80)
    asked_of = models.CharField(_("asked of"), max_length=8, choices=AskedOf.choices, default=AskedOf.PERSON)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        constraints = (models.UniqueConstraint(fields=["case", "question"], name="observation_once_a_question"),)

    def __str__(self) -> str:
        return f"{self.question}: {self.answer}"


class CheckRun(models.Model):
    """Checks that were asked for, and of what: of a case, or without one (the page that checks a domain).

    subject     a whybounce.checks.result.Subject as JSON
    about       digest of the subject and the message, by which other runs about the same are found (recent.digest_of)
    names       the checks planned, in order; those without an outcome are still to be run
    verifies    the check that a remedy step was verified with, "" where the run has another reason
    attempts    how often the run was begun: a stream that breaks off goes on, but not for ever
    """

    public_id = models.CharField(_("number"), max_length=12, unique=True, default=new_public_id, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, null=True, blank=True, related_name="runs")
    visitor = models.CharField(max_length=32, blank=True, db_index=True, editable=False)
    subject = models.JSONField(_("subject"))
    about = models.CharField(max_length=64, blank=True, editable=False)
    names = models.JSONField(_("checks"))
    verifies = models.CharField(_("verifies"), max_length=20, blank=True)
    attempts = models.PositiveSmallIntegerField(_("begun"), default=0)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("check run")
        verbose_name_plural = _("check runs")
        indexes = (
            models.Index(fields=["about", "-id"], name="run_by_subject"),
            models.Index(fields=["case", "created_at"], name="run_by_case_and_age"),
        )

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        return reverse("check-run", args=[self.public_id])


class CheckOutcome(models.Model):
    """What one check of a run found: a whybounce.checks.result.CheckResult."""

    run = models.ForeignKey(CheckRun, models.CASCADE, related_name="outcomes")
    check_name = models.CharField(_("check"), max_length=20)
    answer = models.CharField(_("answer"), max_length=80)
    state = models.CharField(_("state"), max_length=8)
    detail = models.TextField(_("what was seen"), blank=True)
    findings = models.JSONField(_("findings"), default=list, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    elapsed_ms = models.PositiveIntegerField(_("took (ms)"), default=0)
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ("pk",)
        verbose_name = _("check outcome")
        verbose_name_plural = _("check outcomes")
        constraints = (models.UniqueConstraint(fields=["run", "check_name"], name="outcome_once_a_check"),)

    def __str__(self) -> str:
        return f"{self.check_name}: {self.answer}"


class Outcome(models.Model):
    """What proved true when a case was closed; a case that was reopened keeps its earlier ones.

    cause           slug; "" where it was none that is known, then `sentence` says what it was
    first_guess     slug of the cause that led when the case was closed, with its probability, by the knowledge of `revision`
    patterns        slugs of the reply patterns that stood in the reply
    ledger          where the first guess was wrong, what spoke for either cause (learning.misleading): it holds nothing that was pasted
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="outcomes")
    cause = models.CharField(_("cause"), max_length=80, blank=True, db_index=True)
    sentence = models.TextField(_("in words"), blank=True)
    first_guess = models.CharField(_("first guess"), max_length=80, blank=True)
    probability = models.FloatField(_("its probability"), default=0.0)
    revision = models.PositiveIntegerField(_("knowledge revision"), default=0)
    patterns = models.JSONField(_("known wordings"), default=list, blank=True)
    ledger = models.JSONField(_("what misled"), default=list, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"))
    at = models.DateTimeField(_("when"), db_index=True)
    reopened_at = models.DateTimeField(_("reopened"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        constraints = (models.UniqueConstraint(fields=["case"], condition=models.Q(reopened_at__isnull=True), name="one_outcome_in_force"),)

    def __str__(self) -> str:
        return self.cause or self.sentence


class Allowance(models.Model):
    """A token bucket of limits.py. `key`: digest of whose it is; `due`: when it will be full again, in seconds since 1970."""

    key = models.CharField(max_length=64, unique=True)
    due = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.due:.0f}"
