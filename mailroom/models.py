"""Mails that came in, written by receiving.py and answering.py alone; webhooks and what is sent to them, by telling.py and delivering.py."""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailroom.target import BadTarget, target_of
from troubleshoot.models import Case


class ReceivedMail(models.Model):
    """A mail that was taken in, so that the same one is taken in once, and answered once, however often it is handed over.

    key             digest of its Message-ID and its body (receiving.key_of)
    outcome         what was made of it
    unanswered      why it gets no answer, a slug of manners.py; "" where it gets one
    sender, answer  to whom the answer goes and what it says (answering.Answer), until it is sent: then both are empty
    claimed_at      when a process began to send the answer
    """

    class Outcome(models.TextChoices):
        CASE = "case", _("Opened a case")
        NOTHING = "nothing", _("No bounce was found in it")
        REPLY = "reply", _("A reply to an answer")
        OWN = "own", _("A mail of our own")

    class AnswerState(models.TextChoices):
        NONE = "none", _("Not answered")
        DUE = "due", _("To be answered")
        SENT = "sent", _("Answered")
        REFUSED = "refused", _("The answer was refused for good")

    key = models.CharField(max_length=64, unique=True, editable=False)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    unanswered = models.CharField(_("why it was not answered"), max_length=20, blank=True)
    case = models.ForeignKey(Case, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("case"))
    answer_state = models.CharField(_("answer"), max_length=8, choices=AnswerState.choices, default=AnswerState.NONE)
    sender = models.CharField(max_length=320, blank=True)
    answer = models.JSONField(default=dict, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(_("received"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("received mail")
        verbose_name_plural = _("received mails")

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M} {self.outcome}"


class Event(models.TextChoices):
    """What a webhook may be told. The values are part of the contract (docs/webhooks.md)."""

    CASE_OPENED = "case.opened", _("case.opened: a case was opened")
    CASE_CLOSED = "case.closed", _("case.closed: a case was closed with what it proved to be")
    SHAPE_NEW = "reply.unrecognised", _("reply.unrecognised: a wording came that no pattern knows, for the first time")


def new_delivery_id() -> str:
    return secrets.token_hex(16)


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def must_be_https(url: str) -> None:
    """ValidationError where nothing may be sent to this address (posting.py looks again at every delivery)."""
    try:
        target_of(url)
    except BadTarget as error:
        raise ValidationError(str(error)) from error


class Webhook(models.Model):
    """A program elsewhere that is told of events by HTTPS POST.

    secret      the key of the signature, known to both sides
    events      list of Event values
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("Which program listens there."))
    url = models.CharField(_("address"), max_length=500, validators=[must_be_https], help_text=_("https:// alone, on a public host."))
    secret = models.CharField(_("secret"), max_length=100, default=new_secret, help_text=_("With it the other side checks the signature."))
    events = models.JSONField(_("events"), default=list)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one webhook: a row of the queue, and afterwards of the log.

    public_id   the same at each attempt, so that the other side knows a repetition
    event       an Event value, or "test"
    body        the JSON that is sent, to the byte
    status      of HTTP, of the last attempt; None where no answer came
    problem     why the last attempt failed, as a sentence
    next_at     when it is tried (again); claimed_at: when a process began to
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Delivered")
        GIVEN_UP = "given-up", _("Given up")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    public_id = models.CharField(_("number"), max_length=32, unique=True, default=new_delivery_id, editable=False)
    event = models.CharField(_("event"), max_length=20)
    body = models.TextField(_("what is sent"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    status = models.PositiveSmallIntegerField(_("status of HTTP"), null=True, blank=True)
    problem = models.CharField(_("what failed"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("happened"), default=timezone.now, db_index=True)
    next_at = models.DateTimeField(_("tried next"), default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = (models.Index(fields=["next_at"], condition=models.Q(state="waiting"), name="delivery_waiting"),)

    def __str__(self) -> str:
        return f"{self.event} {self.public_id}"
