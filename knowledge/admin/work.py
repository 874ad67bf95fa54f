"""Filters of the lists that find what needs work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from knowledge import models
from knowledge.current import NoKnowledge, snapshot
from knowledge.rows import VALUES, querysets, to_snapshot
from knowledge.versions import KIND_OF
from whybounce.snapshot import Strength
from whybounce.yaml_knowledge import identity

Finder = Callable[[QuerySet[Any]], QuerySet[Any]]
_FOR = [Strength.PROVES.value, Strength.STRONGLY_FOR.value, Strength.FOR.value, Strength.SLIGHTLY_FOR.value]
_OLD = timedelta(days=365)


def no_source(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(sources=[])


def old_source(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with a source that was checked longer than a year ago, or of which nobody knows when."""
    since = (timezone.now() - _OLD).date().isoformat()
    found = [pk for pk, sources in rows.exclude(sources=[]).values_list("pk", "sources") if any(item.get("checked", "") < since for item in sources)]
    return rows.filter(pk__in=found)


def changed(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows that the next publishing would add, change or take away."""
    kind = KIND_OF[rows.model]
    try:
        served = {identity(value): value for value in getattr(snapshot(), kind)}
    except NoKnowledge:
        served = {}
    coming = {identity(value): value for value in getattr(to_snapshot(), kind)}
    names = {name for name in {*served, *coming} if served.get(name) != coming.get(name)}
    found = [row.pk for row in querysets()[kind] if identity(VALUES[kind](row)) in names]
    return rows.filter(pk__in=found)


def no_steps(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(steps__isnull=True)


def unspoken(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Causes that no answer, pattern, code or example text speaks for."""
    spoken = Exists(models.Evidence.objects.filter(cause=OuterRef("pk"), strength__in=_FOR))
    return rows.filter(~spoken, examples__isnull=True)


def no_case(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(cases__isnull=True)


def needless(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Questions whose answers say nothing about any cause."""
    says = models.Answer.objects.filter(Q(evidence__isnull=False) | ~Q(others=""), question=OuterRef("pk"))
    return rows.filter(~Exists(says))


def mute_answers(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Questions with an answer that should be evidence and is none."""
    return rows.filter(Exists(models.Answer.objects.filter(question=OuterRef("pk"), informative=True, evidence__isnull=True, others="")))


def never_matched(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.exclude(slug__in=models.PatternUse.objects.values("pattern"))


def no_examples(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(examples__isnull=True)


def no_evidence(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(evidence__isnull=True)


_SOURCES: dict[str, tuple[Any, Finder]] = {
    "no-source": (_("without a source"), no_source),
    "old-source": (_("source checked over a year ago"), old_source),
}
_CHANGED: dict[str, tuple[Any, Finder]] = {"changed": (_("changed since publishing"), changed)}


class WorkFilter(admin.SimpleListFilter):
    """What needs work, by a word for each shortcoming."""

    title = _("needs work")
    parameter_name = "work"
    finders: dict[str, tuple[Any, Finder]] = _SOURCES | _CHANGED

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _finder) in self.finders.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = self.finders.get(self.value() or "")
        return found[1](queryset) if found else queryset


class CauseWork(WorkFilter):
    finders = {
        "no-steps": (_("without steps"), no_steps),
        "unspoken": (_("nothing speaks for it"), unspoken),
        "no-case": (_("no example case"), no_case),
        **WorkFilter.finders,
    }


class QuestionWork(WorkFilter):
    finders = {"needless": (_("no cause needs it"), needless), "mute": (_("an answer says nothing"), mute_answers), **_CHANGED}


class PatternWork(WorkFilter):
    finders = {
        "never": (_("never matched a case"), never_matched),
        "no-examples": (_("without examples"), no_examples),
        "no-evidence": (_("speaks for no cause"), no_evidence),
        **WorkFilter.finders,
    }


class CodeWork(WorkFilter):
    finders = {"no-evidence": (_("speaks for no cause"), no_evidence), **WorkFilter.finders}


class PlainWork(WorkFilter):
    """For rows that have no sources: example texts, example cases."""

    finders = _CHANGED
