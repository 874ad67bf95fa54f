"""Pages of causes: what to do, how servers say it, what points to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.current import snapshot
from knowledge.models import Category
from knowledge.reference.index import FOR, Index, index_of
from whybounce.remedies import FilledStep, remedy
from whybounce.snapshot import Article, Blocklist, Cause, KnowledgeSnapshot, Provider, Question, ReplyPattern, StatusCode, Strength

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_MOST_REPLIES = 8
_MOST_CODES = 24


@dataclass(frozen=True, slots=True)
class Speaks:
    """What speaks for a cause: an answer to a question."""

    question: Question
    answer: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class SaidBy:
    """A known reply of this cause, and whose words they are."""

    pattern: ReplyPattern
    provider: Provider | None


@dataclass(frozen=True, slots=True)
class CausePage:
    """`replies`: some of the known replies; `reply_count`: how many the page of the family shows; `checks`: those that have a page."""

    cause: Cause
    category: str
    steps: tuple[FilledStep, ...]
    replies: tuple[SaidBy, ...]
    reply_count: int
    codes: tuple[StatusCode, ...]
    speaks: tuple[Speaks, ...]
    blocklists: tuple[Blocklist, ...]
    articles: tuple[Article, ...]
    see_also: tuple[Cause, ...]
    checks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the list: a category and its causes."""

    title: str | StrPromise
    rows: tuple[Cause, ...]


def cause_page(slug: str) -> CausePage | None:
    """The page of a cause; None where there is none of this slug."""
    known = snapshot()
    index = index_of(known)
    cause = index.causes.get(slug)
    if cause is None:
        return None
    patterns = index.patterns_of_cause.get(slug, [])
    codes = {row.code: row for row in known.codes if any(item.cause == slug and item.strength in FOR[:3] for item in row.evidence)}
    return CausePage(
        cause=cause,
        category=str(Category(cause.category).label),
        steps=tuple(remedy(cause, {})),
        replies=tuple(_various(index, patterns)),
        reply_count=sum(len(row.examples) for row in patterns) + len(index.examples_of_cause.get(slug, ())),
        codes=tuple(codes.values())[:_MOST_CODES],
        speaks=_speaks(known, slug),
        blocklists=tuple(index.lists_of_cause.get(slug, ())),
        articles=tuple(dict.fromkeys((*index.articles_about("causes", slug), *index.articles_about("replies", slug)))),
        see_also=tuple(index.causes[other] for other in cause.see_also if other in index.causes),
        checks=index.checks,
    )


def _various(index: Index, patterns: list[ReplyPattern]) -> list[SaidBy]:
    """Some patterns, first one of each provider, so that many servers' words are seen."""
    first: list[SaidBy] = []
    rest: list[SaidBy] = []
    seen: set[str] = set()
    for pattern in patterns:
        (rest if pattern.provider in seen else first).append(SaidBy(pattern, index.providers.get(pattern.provider)))
        seen.add(pattern.provider)
    return [*first, *rest][:_MOST_REPLIES]


def _speaks(known: KnowledgeSnapshot, slug: str) -> tuple[Speaks, ...]:
    speaks = (
        Speaks(question, answer.text, item.strength)
        for question in known.questions
        for answer in question.answers
        for item in answer.evidence
        if item.cause == slug and item.strength in FOR
    )
    return tuple(sorted(speaks, key=lambda item: FOR.index(item.strength)))[:8]


def cause_sections() -> tuple[Section, ...]:
    """All causes by category, in the order of the categories."""
    known = snapshot()
    sections = (Section(str(category.label), tuple(cause for cause in known.causes if cause.category == category.value)) for category in Category)
    return tuple(section for section in sections if section.rows)
