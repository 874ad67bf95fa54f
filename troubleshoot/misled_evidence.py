"""What a term of a stored ledger said, in words, and where at the desk it is edited."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from knowledge.current import NoKnowledge, knowledge
from knowledge.models import Cause, Question, ReplyPattern, StatusCode
from troubleshoot.ledger import kind_label
from troubleshoot.wording import STAGES, clipped
from whybounce.compiled import Knowledge
from whybounce.failure import Stage
from whybounce.terms import TermKind


class Places:
    """Words and addresses of evidence; each kind of row is looked up once, in one query, where somebody may edit it."""

    def __init__(self, may_edit: bool) -> None:
        self._may_edit = may_edit

    @cached_property
    def _known(self) -> Knowledge | None:
        try:
            return knowledge()
        except NoKnowledge:
            return None

    @cached_property
    def _causes(self) -> dict[str, int]:
        return dict(Cause.objects.values_list("slug", "pk"))

    @cached_property
    def _patterns(self) -> dict[str, int]:
        return dict(ReplyPattern.objects.values_list("slug", "pk"))

    @cached_property
    def _questions(self) -> dict[str, int]:
        return dict(Question.objects.values_list("slug", "pk"))

    @cached_property
    def _codes(self) -> dict[str, int]:
        return dict(StatusCode.objects.order_by("-provider").values_list("code", "pk"))

    def cause(self, slug: str) -> str:
        """The cause at the desk, or its public page; "" where there is none any more."""
        if self._may_edit:
            return self._change("cause", self._causes.get(slug))
        return reverse("cause", args=[slug]) if self._known and slug in self._known.index else ""

    def said(self, kind: str, ref: str, value: str, guess: str) -> tuple[str, str, str]:
        """What kind of thing it is, what it said, and where it is edited ("" where one may not, or it is gone)."""
        term = TermKind(kind) if kind in set(TermKind) else None
        label = kind_label(term) if term else kind
        if term is TermKind.PRIOR:
            return label, _("among all failures"), self._change("cause", self._causes.get(guess)) if self._may_edit else ""
        if term is TermKind.WORDS:
            return label, _("as the example texts have taught them"), self._examples(guess)
        if term is TermKind.PATTERN:
            return label, clipped(ref), self._change("replypattern", self._patterns.get(ref)) if self._may_edit else ""
        if term in (TermKind.CODE, TermKind.ENHANCED):
            return label, ref, self._change("statuscode", self._code(ref)) if self._may_edit else ""
        return label, self._answer(ref, value), self._change("question", self._questions.get(ref)) if self._may_edit else ""

    def _answer(self, slug: str, value: str) -> str:
        if slug == "stage" and value in set(Stage):
            return str(STAGES[Stage(value)])
        asked = self._known.questions.get(slug) if self._known else None
        if asked is None:
            return f"{slug}: {value}"
        return f"{asked.question.text} {next((item.text for item in asked.question.answers if item.slug == value), value)}"

    def _code(self, code: str) -> int | None:
        return self._codes.get(code) or self._codes.get(f"X{code[1:]}")

    def _examples(self, cause: str) -> str:
        """The example texts of a cause: from these the words were learned."""
        number = self._causes.get(cause) if self._may_edit else None
        return f"{reverse('admin:knowledge_example_changelist')}?{urlencode({'cause__id__exact': number})}" if number else ""

    @staticmethod
    def _change(model: str, number: int | None) -> str:
        return reverse(f"admin:knowledge_{model}_change", args=[number]) if number else ""
