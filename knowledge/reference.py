"""What the reference pages show: codes and causes from the snapshot in force, cross-linked. No queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from knowledge.current import snapshot
from knowledge.models import Category
from whybounce.remedies import FilledStep, remedy
from whybounce.snapshot import Cause, KnowledgeSnapshot, Question, ReplyPattern, StatusCode, Strength
from whybounce.status import is_enhanced_code

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_REGISTERED = re.compile(r"X\.\d{1,3}\.\d{1,3}", re.ASCII)
_FOR = (Strength.PROVES, Strength.STRONGLY_FOR, Strength.FOR, Strength.SLIGHTLY_FOR)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A cause that something speaks for, and how strongly."""

    cause: Cause
    strength: Strength


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of a code: the standard's meaning, or a provider's own (then `provider_name` is set)."""

    row: StatusCode
    provider_name: str
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class CodePage:
    code: str
    meanings: tuple[Meaning, ...]
    related: tuple[StatusCode, ...]


@dataclass(frozen=True, slots=True)
class Speaks:
    """What speaks for a cause: an answer to a question."""

    question: Question
    answer: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class CausePage:
    cause: Cause
    category: str
    steps: tuple[FilledStep, ...]
    patterns: tuple[ReplyPattern, ...]
    codes: tuple[StatusCode, ...]
    speaks: tuple[Speaks, ...]
    see_also: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a list page: a heading and its rows."""

    title: str | StrPromise
    rows: tuple[StatusCode | Cause, ...]


def code_page(code: str) -> CodePage | None:
    """The page of `550`, `5.7.26` or `X.7.26`; None where nothing is known of it."""
    return _code_page(snapshot(), code.upper())


@lru_cache(maxsize=1024)
def _code_page(known: KnowledgeSnapshot, code: str) -> CodePage | None:
    registered = f"X{code[1:]}" if is_enhanced_code(code) else code
    rows = [row for row in known.codes if row.code in (code, registered)]
    if _REGISTERED.fullmatch(code):
        rows = [row for row in known.codes if row.code.partition(".")[2] == code[2:]]
    if not rows:
        return None
    rows.sort(key=lambda row: (bool(row.provider), row.code.startswith("X")))
    names = {provider.slug: provider.name for provider in known.providers}
    meanings = tuple(Meaning(row, names.get(row.provider, ""), _suspects(known, row)) for row in rows)
    return CodePage(code, meanings, _related(known, code))


def _suspects(known: KnowledgeSnapshot, row: StatusCode) -> tuple[Suspect, ...]:
    causes = {cause.slug: cause for cause in known.causes}
    found = [Suspect(causes[e.cause], e.strength) for e in row.evidence if e.strength in _FOR and e.cause in causes]
    return tuple(sorted(found, key=lambda suspect: _FOR.index(suspect.strength)))


def _related(known: KnowledgeSnapshot, code: str) -> tuple[StatusCode, ...]:
    """The neighbours: codes with the same first two digits, or of the same subject."""
    if "." in code:
        subject = code.split(".")[1]
        near = [row for row in known.codes if row.code.count(".") == 2 and row.code.split(".")[1] == subject and not row.provider]
    else:
        near = [row for row in known.codes if row.code[:2] == code[:2] and "." not in row.code and not row.provider]
    return tuple(row for row in near if row.code.partition(".")[2] != code.partition(".")[2] or ("." not in code and row.code != code))[:12]


def cause_page(slug: str) -> CausePage | None:
    """The page of a cause; None where there is none of this slug."""
    return _cause_page(snapshot(), slug)


@lru_cache(maxsize=1024)
def _cause_page(known: KnowledgeSnapshot, slug: str) -> CausePage | None:
    causes = {cause.slug: cause for cause in known.causes}
    cause = causes.get(slug)
    if cause is None:
        return None
    speaks = (
        Speaks(question, answer.text, item.strength)
        for question in known.questions
        for answer in question.answers
        for item in answer.evidence
        if item.cause == slug and item.strength in _FOR
    )
    return CausePage(
        cause=cause,
        category=str(Category(cause.category).label),
        steps=tuple(remedy(cause, {})),
        patterns=tuple(row for row in known.patterns if any(e.cause == slug and e.strength in _FOR[:2] for e in row.evidence))[:10],
        codes=tuple(row for row in known.codes if any(e.cause == slug and e.strength in _FOR[:3] for e in row.evidence)),
        speaks=tuple(sorted(speaks, key=lambda item: _FOR.index(item.strength)))[:8],
        see_also=tuple(causes[other] for other in cause.see_also if other in causes),
    )


def code_sections() -> tuple[Section, ...]:
    """All codes: the basic ones by their first digit, the enhanced ones by subject."""
    return _code_sections(snapshot())


_BASIC_TITLES = {"5": _("Permanent: 5yz"), "4": _("Temporary: 4yz"), "3": _("Go on: 3yz"), "2": _("Done: 2yz")}
_SUBJECTS = {
    "0": _("Undefined: X.0.z"),
    "1": _("Addresses: X.1.z"),
    "2": _("Mailboxes: X.2.z"),
    "3": _("Mail systems: X.3.z"),
    "4": _("Network and routing: X.4.z"),
    "5": _("Protocol: X.5.z"),
    "6": _("Content: X.6.z"),
    "7": _("Security and policy: X.7.z"),
}


def _by_number(row: StatusCode) -> tuple[tuple[int, ...], str]:
    """X.7.9 stands before X.7.10, and the registered meaning before that of one class."""
    return tuple(int(number) for number in row.code.split(".")[1:]), row.code.replace("X", "0")


@lru_cache(maxsize=2)
def _code_sections(known: KnowledgeSnapshot) -> tuple[Section, ...]:
    basic = [row for row in known.codes if "." not in row.code]
    enhanced = sorted((row for row in known.codes if "." in row.code and not row.provider), key=_by_number)
    sections = [Section(title, tuple(row for row in basic if row.code.startswith(digit))) for digit, title in _BASIC_TITLES.items()]
    sections += [Section(title, tuple(row for row in enhanced if row.code.split(".")[1] == subject)) for subject, title in _SUBJECTS.items()]
    return tuple(section for section in sections if section.rows)


def cause_sections() -> tuple[Section, ...]:
    """All causes by category, in the order of the categories."""
    return _cause_sections(snapshot())


@lru_cache(maxsize=2)
def _cause_sections(known: KnowledgeSnapshot) -> tuple[Section, ...]:
    sections = (Section(str(category.label), tuple(cause for cause in known.causes if cause.category == category.value)) for category in Category)
    return tuple(section for section in sections if section.rows)
