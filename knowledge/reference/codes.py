"""Pages of reply codes and enhanced status codes, and the table of all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from knowledge.current import snapshot
from knowledge.reference.index import Index, Suspect, index_of
from whybounce.snapshot import Article, Cause, KnowledgeSnapshot, Provider, ReplyPattern, StatusCode
from whybounce.status import is_enhanced_code

_REGISTERED = re.compile(r"X\.\d{1,3}\.\d{1,3}", re.ASCII)
_ENHANCED_BEGUN = re.compile(r"[245x]\.(?=\d)", re.ASCII)
_SEPARATORS = re.compile(r"[\s,;#()-]+")
_MOST_REPLIES = 8

STANDARD, FOLK, PROVIDER = "standard", "folk", "provider"
SORTS = (STANDARD, FOLK, PROVIDER)
"""Defined by an RFC or by IANA; in use, but in no standard; a provider's own meaning."""
CLASSES = ("5", "4", "3", "2")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of a code: the standard's meaning, or a provider's own (then `provider` is set)."""

    row: StatusCode
    provider: Provider | None
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class CarryingReply:
    """A known reply that carries a code: the text, and what it means."""

    text: str
    pattern: ReplyPattern
    cause: Cause
    provider: Provider | None


@dataclass(frozen=True, slots=True)
class CodePage:
    """`replies`: some known replies with this code; `families`: the causes of all of them, most frequent first."""

    code: str
    meanings: tuple[Meaning, ...]
    replies: tuple[CarryingReply, ...]
    families: tuple[Cause, ...]
    related: tuple[StatusCode, ...]
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A row of the table. `digit`: the class ("X" for all); `sort` as in SORTS."""

    row: StatusCode
    digit: str
    sort: str
    provider_name: str
    words: str


def code_page(code: str) -> CodePage | None:
    """The page of `550`, `5.7.26` or `X.7.26`; None where nothing is known of it."""
    code = code.upper()
    known = snapshot()
    index = index_of(known)
    rows = _rows(index, code)
    if not rows:
        return None
    meanings = tuple(Meaning(row, index.providers.get(row.provider), index.suspects(row.evidence)) for row in rows)
    carrying = index.patterns_with_code.get(code, [])
    counted: dict[str, int] = {}
    for pattern in carrying:
        cause = index.cause_of[pattern.slug]
        counted[cause] = counted.get(cause, 0) + 1
    families = sorted(counted, key=lambda slug: -counted[slug])
    return CodePage(
        code=code,
        meanings=meanings,
        replies=tuple(_carrying(index, code, carrying)),
        families=tuple(index.causes[slug] for slug in families),
        related=_related(known, code),
        articles=index.articles_about("codes", *dict.fromkeys((code, f"X{code[1:]}"))),
    )


def _rows(index: Index, code: str) -> list[StatusCode]:
    """What is known of a code: the standard's meaning first, and that of its class before the one registered for all."""
    if _REGISTERED.fullmatch(code):
        rows = [row for row in index.known.codes if row.code.partition(".")[2] == code[2:]]
    else:
        rows = [*index.codes.get(code, ()), *(index.codes.get(f"X{code[1:]}", ()) if is_enhanced_code(code) else ())]
    return sorted(rows, key=lambda row: (bool(row.provider), row.code.startswith("X")))


def _carrying(index: Index, code: str, patterns: list[ReplyPattern]) -> list[CarryingReply]:
    """Some replies with the code, first one of each cause."""
    first: list[CarryingReply] = []
    rest: list[CarryingReply] = []
    seen: set[str] = set()
    for pattern in patterns:
        cause = index.cause_of[pattern.slug]
        text = next(text for text in pattern.examples if code in text)
        reply = CarryingReply(text, pattern, index.causes[cause], index.providers.get(pattern.provider))
        (rest if cause in seen else first).append(reply)
        seen.add(cause)
    return [*first, *rest][:_MOST_REPLIES]


def _related(known: KnowledgeSnapshot, code: str) -> tuple[StatusCode, ...]:
    """The neighbours: codes with the same first two digits, or of the same subject."""
    if "." in code:
        subject = code.split(".")[1]
        near = [row for row in known.codes if row.code.count(".") == 2 and row.code.split(".")[1] == subject and not row.provider]
    else:
        near = [row for row in known.codes if row.code[:2] == code[:2] and "." not in row.code and not row.provider]
    others = (row for row in near if row.code.partition(".")[2] != code.partition(".")[2] or ("." not in code and row.code != code))
    return tuple({row.code: row for row in others}.values())[:12]


def code_table() -> tuple[CodeRow, ...]:
    """All codes: the basic ones by number, then the enhanced ones; what the standard says before what providers make of it."""
    return _code_table(snapshot())


@lru_cache(maxsize=1)
def _code_table(known: KnowledgeSnapshot) -> tuple[CodeRow, ...]:
    index = index_of(known)
    return tuple(_table_row(index, row) for row in sorted(known.codes, key=_by_number))


def _by_number(row: StatusCode) -> tuple[bool, list[int], bool, str]:
    """550 stands before 450, X.7.9 before X.7.10, the registered meaning before that of one class, the standard's before a provider's."""
    numbers = [int(part) if part.isdigit() else 0 for part in row.code.split(".")]
    place = [*numbers[1:], -numbers[0] or -9] if "." in row.code else [-(numbers[0] // 100), numbers[0]]
    return "." in row.code, place, bool(row.provider), row.provider


def _table_row(index: Index, row: StatusCode) -> CodeRow:
    name = index.provider_name(row.provider)
    sort = PROVIDER if row.provider else STANDARD if row.standard else FOLK
    return CodeRow(row, row.code[0], sort, name, f"{row.code} {row.title} {name}".casefold())


def find_codes(query: str = "", digit: str = "", sort: str = "") -> tuple[CodeRow, ...]:
    """The rows of the table that hold every word of `query`, of this class (those for all classes too) and of this sort; "" for any.

    static/site.js does the same as one types.
    """
    words = [word for word in _SEPARATORS.split(query.casefold()) if word]
    return tuple(
        row
        for row in code_table()
        if digit in ("", row.digit) or (row.digit == "X" and digit != "3")
        if sort in ("", row.sort)
        if all(_holds(row.words, word) for word in words)
    )


def _holds(text: str, word: str) -> bool:
    """5.1.1 is also found as X.1.1; a number begins a code, or stands anywhere in the words."""
    return word in text or (bool(_ENHANCED_BEGUN.match(word)) and text.startswith(f"x{word[1:]}"))
