"""The table of answers that hold for some of a case's recipients only. Written by scopes.py alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ScopedAnswer(models.Model):
    """What a person answered about a case with several failures, and for which of them it holds.

    The observations of a case are those about the failure looked at; they are taken from here when another one is turned to.

    scope   "" for all failures, `Failure.group` for those of a group, "=" and the position for one alone
    """

    case = models.ForeignKey("troubleshoot.Case", models.CASCADE, related_name="scoped_answers")
    scope = models.CharField(_("holds for"), max_length=90, blank=True)
    question = models.CharField(_("question"), max_length=80)
    answer = models.CharField(_("answer"), max_length=80)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("by"), related_name="+")
    at = models.DateTimeField(_("when"))

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("answer for some recipients")
        verbose_name_plural = _("answers for some recipients")
        constraints = (models.UniqueConstraint(fields=["case", "scope", "question"], name="scoped_answer_once_a_question"),)

    def __str__(self) -> str:
        return f"{self.scope} {self.question}: {self.answer}"
