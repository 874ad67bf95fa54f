"""The button *Try it*: the form as it stands, unsaved, is put beside the knowledge in force. Nothing is kept of it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from knowledge import versions
from knowledge.admin.history import HistoryAdmin
from knowledge.current import NoKnowledge
from knowledge.models import Cause
from knowledge.trying import PatternTrial, try_pattern, what_would_change
from whybounce.compiled import NATS
from whybounce.snapshot import Strength
from whybounce.yaml_knowledge import identity

TRY = "_try"


class TrialAdmin(HistoryAdmin):
    """Saves the form in a transaction that is rolled back, so that what is tried is exactly what saving would store; then shows the
    form again as it was typed, with the result in it."""

    change_form_template = "admin/knowledge/row.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "can_be_tried": True}
        if request.method != "POST" or TRY not in request.POST:
            return self._page(request, object_id, form_url, context)
        tried = _Tried(self._served_name(request, object_id))
        request.tried = tried  # type: ignore[attr-defined]
        response = self._page(request, object_id, form_url, context)
        if tried.saved:
            tried.shown_again = True
            response = self._page(request, object_id, form_url, context)
        if hasattr(response, "context_data"):
            response.context_data |= {"trial": self.trial(request, tried), "tried": True}
        return response

    def _page(self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response

    def trial(self, request: HttpRequest, tried: _Tried) -> dict[str, Any]:
        """What the page shows of the trial."""
        if not tried.saved:
            return {"problem": _("What it would change shows once the mistakes marked above are mended.")}
        try:
            return {"change": what_would_change(versions.KIND_OF[self.model], tried.value, tried.name)}
        except NoKnowledge:
            return {"problem": _("No knowledge is published yet: there is nothing to compare with.")}

    def _served_name(self, request: HttpRequest, object_id: str | None) -> str:
        row = self.get_object(request, object_id) if object_id else None
        return identity(versions.value_of(row)) if row else ""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        tried = getattr(request, "tried", None)
        if not (tried and tried.shown_again):
            return form

        class ShownAgain(form):  # type: ignore[valid-type, misc]
            """Valid, and yet not to be saved: shown once more as it was typed."""

            def is_valid(self) -> bool:
                super().is_valid()
                return False

        return ShownAgain

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._not_kept(request, obj) or super().response_change(request, obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._not_kept(request, obj) or super().response_add(request, obj, post_url_continue)

    def _not_kept(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        tried = getattr(request, "tried", None)
        if tried is None:
            return None
        tried.value, tried.saved = versions.value_of(obj), True
        transaction.set_rollback(True)
        return HttpResponse()


class _Tried:
    """What one trial learnt: `name` names the row in the knowledge in force, `value` is the row as saving would make it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: Any = None
        self.saved = False
        self.shown_again = False


class PatternTrialAdmin(TrialAdmin):
    """A pattern is tried on all stored texts too, even where the form has mistakes."""

    def trial(self, request: HttpRequest, tried: _Tried) -> dict[str, Any]:
        return {**super().trial(request, tried), "pattern": _pattern_trial(request, tried.name)}


def _pattern_trial(request: HttpRequest, slug: str) -> PatternTrial:
    causes = [row.get("cause", "") for row in _rows(request, "evidence") if NATS.get(_strength(row.get("strength", "")), 0.0) > 0]
    slugs = Cause.objects.filter(pk__in=[key for key in causes if key.isdigit()]).values_list("slug", flat=True)
    examples = [row["text"].replace("\r\n", "\n") for row in _rows(request, "examples") if row.get("text")]
    return try_pattern(request.POST.get("pattern", ""), slug=slug, examples=examples, causes=slugs)


def _strength(text: str) -> Any:
    return Strength(text) if text in {item.value for item in Strength} else None


def _rows(request: HttpRequest, prefix: str) -> list[dict[str, str]]:
    """The rows of one inline as they were typed, without those to be deleted."""
    rows: dict[str, dict[str, str]] = {}
    for name, value in request.POST.items():
        if name.startswith(f"{prefix}-") and name.count("-") == 2:
            _prefix, number, field = name.split("-")
            rows.setdefault(number, {})[field] = str(value)
    return [row for number, row in rows.items() if number.isdigit() and not row.get("DELETE")]
