"""How servers word a refusal: families of replies by cause, and within one by who words it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.current import snapshot
from knowledge.models import Category
from knowledge.reference.index import Index, codes_in, index_of
from whybounce.snapshot import Article, Cause, Provider, ReplyPattern, StatusCode

_MOST_CODES = 16


@dataclass(frozen=True, slots=True)
class Voice:
    """One who words it so: a provider or a mail server program, None for servers of many kinds. `more`: replies seen that no pattern
    describes."""

    provider: Provider | None
    patterns: tuple[ReplyPattern, ...]
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilyPage:
    """All wordings of one cause. `count`: how many example texts there are."""

    cause: Cause
    voices: tuple[Voice, ...]
    codes: tuple[StatusCode, ...]
    count: int
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class FamilyLine:
    cause: Cause
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class FamilySection:
    title: str
    rows: tuple[FamilyLine, ...]


def codes_of(index: Index, texts: Iterable[str], most: int = _MOST_CODES) -> tuple[StatusCode, ...]:
    """The codes that stand in these replies and have a page, most frequent first; the enhanced ones as they were seen (5.1.1)."""
    seen = Counter(code for text in texts for code in codes_in(text))
    found: list[StatusCode] = []
    for code, _times in seen.most_common():
        row = index.code_as_written(code)
        if row is not None and len(found) < most:
            found.append(row)
    return tuple(found)


def family_page(slug: str) -> FamilyPage | None:
    """The wordings of a cause; None where there is no such cause or no reply of it is known."""
    index = index_of(snapshot())
    cause = index.causes.get(slug)
    patterns, examples = index.patterns_of_cause.get(slug, ()), index.examples_of_cause.get(slug, ())
    if cause is None or not (patterns or examples):
        return None
    names = dict.fromkeys([*(row.provider for row in patterns), *(row.provider for row in examples)])
    voices = [
        Voice(
            index.providers.get(name),
            tuple(row for row in patterns if row.provider == name),
            tuple(dict.fromkeys(row.text for row in examples if row.provider == name)),
        )
        for name in names
    ]
    voices.sort(key=lambda voice: (voice.provider is not None, -len(voice.patterns), -len(voice.more)))
    texts = [*(text for row in patterns for text in row.examples), *(row.text for row in examples)]
    about = tuple(dict.fromkeys((*index.articles_about("replies", slug), *index.articles_about("causes", slug))))
    return FamilyPage(cause, tuple(voices), codes_of(index, texts), len(texts), about)


def family_sections() -> tuple[FamilySection, ...]:
    """All families by category of the cause, in the order of the categories."""
    known = snapshot()
    index = index_of(known)
    sections = (
        FamilySection(str(category.label), tuple(_lines(index, [cause for cause in known.causes if cause.category == category.value])))
        for category in Category
    )
    return tuple(section for section in sections if section.rows)


def _lines(index: Index, causes: Iterable[Cause]) -> Iterable[FamilyLine]:
    for cause in causes:
        patterns, examples = index.patterns_of_cause.get(cause.slug, ()), index.examples_of_cause.get(cause.slug, ())
        if patterns or examples:
            texts = [*(row.examples[0] for row in patterns), *(row.text for row in examples[:20])]
            yield FamilyLine(cause, sum(len(row.examples) for row in patterns) + len(examples), min(texts, key=lambda text: abs(len(text) - 60)))
