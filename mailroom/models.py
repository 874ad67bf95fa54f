"""Mails that came in. Written by receiving.py and answering.py alone."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

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
