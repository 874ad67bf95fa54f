"""One search box: codes as typed, words, beginnings, misspelt words. What is found where stands in postings.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from django.urls import reverse

from knowledge.current import snapshot
from knowledge.postings import WORD, Postings, Text, letters
from knowledge.reference.checks import check_sections
from knowledge.reference.index import Index, index_of
from whybounce.remedies import fill
from whybounce.snapshot import KnowledgeSnapshot

KINDS = ("code", "cause", "reply", "provider", "blocklist", "article", "check")
_PER_KIND = 8
MAX_QUERY = 300
# What someone types of a code: "55", "550", "5.7", "550-5.7.26", "#5.1.1", "X.1.1".
_NUMBER = re.compile(r"(?<![\w.])([245Xx]\.(?:\d{1,3}(?:\.\d{0,3})?)?|[2-5][0-5]?\d?)(?!\w|\.\d)", re.ASCII)
_MAX_WORDS = 12
_MARKDOWN = re.compile(r"^\s*(?:[-*]|\d+\.)\s+|\]\([^)]*\)|[*`#>\[\]|]", re.MULTILINE)
_EXCERPT = 160
_SAID = 30
"""By so many wordings of servers a cause is found."""
# Of two groups that fit alike, what answers a question comes before what only mentions the words.
_PRIOR = {"cause": 1.5, "article": 1.2, "reply": 0.8, "check": 0.9}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a hit's text; `hit` where it is what was searched for."""

    text: str
    hit: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """`kind` as in KINDS; `label` a code or a provider beside the title; `excerpt` in parts."""

    kind: str
    label: str
    title: str
    url: str
    excerpt: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    kind: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    label: str
    title: str
    url: str
    text: str
    excerpt: str = ""
    keys: str = ""


def search(query: str) -> list[Group]:
    """The hits for what was typed, grouped by kind, best group first. An empty list for an empty query or where nothing fits."""
    return _searcher(snapshot()).search(query[:MAX_QUERY])


@lru_cache(maxsize=1)
def _searcher(known: KnowledgeSnapshot) -> Searcher:
    return Searcher(known)


def _entries(known: KnowledgeSnapshot) -> Iterator[_Entry]:
    """What can be found, kind after kind, in the order of KINDS. `keys` are names that it is known by and that are not shown."""
    index = index_of(known)
    for code in known.codes:
        name = index.provider_name(code.provider)
        url = reverse("code", args=[code.code]) + (f"#{code.provider}" if code.provider else "")
        yield _Entry("code", code.code, f"{code.title} ({name})" if name else code.title, url, f"{code.meaning}\n\n{code.usual_causes}")
    for cause in known.causes:
        steps = " ".join(part.text for step in cause.steps for part in fill(step.text, {}))
        said = " ".join(row.examples[0] for row in index.patterns_of_cause.get(cause.slug, ())[:_SAID])
        text = f"{cause.summary} {steps} {said}"
        yield _Entry("cause", "", cause.title, reverse("cause", args=[cause.slug]), text, cause.summary, cause.slug)
    yield from _replies(index)
    for provider in known.providers:
        text = " ".join((provider.note, *provider.domains, *provider.mx_suffixes))
        yield _Entry("provider", "", provider.name, reverse("provider", args=[provider.slug]), text, provider.note, provider.slug)
    for row in known.blocklists:
        text = "\n\n".join((row.operator, row.meaning, row.removal))
        yield _Entry("blocklist", "", row.name, reverse("blocklist", args=[row.slug]), text, row.meaning, f"{row.slug} {row.zone}")
    for article in known.articles:
        text = f"{article.summary}\n\n{article.body}"
        yield _Entry("article", "", article.title, reverse("article", args=[article.slug]), text, article.summary, article.slug)
    yield from _checks(known)


def _checks(known: KnowledgeSnapshot) -> Iterator[_Entry]:
    """Checks, and each thing that they can find under its id."""
    for line in (line for section in check_sections(known) for line in section.rows):
        url = reverse("live-check", args=[line.name])
        yield _Entry("check", "", line.label, url, f"{line.question.text} {line.question.why}", line.question.text, line.name)
        for item in line.findings:
            note = item.note
            yield _Entry("check", note.slug, note.title, f"{url}#{note.slug}", f"{note.meaning}\n\n{note.mend}", note.meaning)


def _replies(index: Index) -> Iterator[_Entry]:
    for pattern in index.known.patterns:
        cause = index.causes.get(index.cause_of.get(pattern.slug, ""))
        if cause:
            url = f"{reverse('reply-family', args=[cause.slug])}#{pattern.slug}"
            yield _Entry("reply", index.provider_name(pattern.provider), cause.title, url, " · ".join(pattern.examples))


class Searcher:
    """The search over one snapshot. Read only; shared by all threads."""

    def __init__(self, known: KnowledgeSnapshot) -> None:
        self._entries = [replace(entry, text=_plain(entry.text), excerpt=_plain(entry.excerpt)) for entry in _entries(known)]
        kinds = [entry.kind for entry in self._entries]
        self._spans = {kind: (kinds.index(kind), len(kinds) - kinds[::-1].index(kind)) for kind in KINDS if kind in kinds}
        self._codes = [entry for entry in self._entries if entry.kind == "code"]
        self._postings = Postings([Text(f"{entry.label} {entry.keys}", entry.title, entry.text) for entry in self._entries])
        self.size, self.words = len(self._entries), self._postings.size

    def search(self, query: str) -> list[Group]:
        """As the module's search; `query` is short already."""
        words = [word for word in WORD.findall(letters(_NUMBER.sub(" ", query))) if len(word) > 1 or ord(word) > 0x2E80][:_MAX_WORDS]
        numbers = [number.upper() for number in _NUMBER.findall(query) if len(number) > 2 or not words]  # "5" in "5 minutes" begins no code
        groups: dict[str, list[_Entry]] = {}
        if numbers and (found := list(dict.fromkeys(self._by_number(numbers)))[:_PER_KIND]):
            groups["code"] = found
        marks: frozenset[str] = frozenset()
        ranks: dict[str, float] = {}
        if words:
            hits, marks = self._postings.find(words, self._spans, _PER_KIND)
            for kind, scored in hits.items():
                ranks[kind] = scored[0][1] * _PRIOR.get(kind, 1.0)
                have = groups.setdefault(kind, [])
                have += [entry for number, _score in scored if (entry := self._entries[number]) not in have]
        order = sorted(groups, key=lambda kind: (not (numbers and kind == "code"), -ranks.get(kind, 0.0), KINDS.index(kind)))
        return [Group(kind, tuple(self._hit(entry, marks) for entry in groups[kind][:_PER_KIND])) for kind in order]

    def _by_number(self, numbers: list[str]) -> Iterator[_Entry]:
        """Codes that begin with what was typed, the exact one first; the registered meaning (X.1.1) answers for 5.1.1."""
        for number in reversed(numbers):  # of "550-5.7.26" the enhanced code says more
            registered = f"X{number[1:]}" if "." in number else number
            found = [entry for entry in self._codes if entry.label.startswith((number, registered))]
            exact = [entry for entry in found if entry.label in (number, registered)]
            yield from (_in_class(entry, number) for entry in exact or found[:_PER_KIND])

    @staticmethod
    def _hit(entry: _Entry, marks: frozenset[str]) -> Hit:
        return Hit(entry.kind, entry.label, entry.title, entry.url, _excerpt(entry.excerpt or entry.text, marks))


def _in_class(entry: _Entry, number: str) -> _Entry:
    """The registered X.1.1 as the 5.1.1 that was typed."""
    if not entry.label.startswith("X"):
        return entry
    label = number[0] + entry.label[1:]
    return replace(entry, label=label, url=reverse("code", args=[label]))


def _plain(text: str) -> str:
    """The text on one line, without Markdown's marks."""
    return " ".join(_MARKDOWN.sub("", text).split())


@lru_cache(maxsize=64)
def _marker(marks: frozenset[str]) -> re.Pattern[str]:
    """Finds the words to mark; "mail*" stands for all that begin so."""
    words = (re.escape(mark[:-1]) + r"[^\W_]*" if mark.endswith("*") else re.escape(mark) for mark in sorted(marks, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])")


def _excerpt(text: str, marks: frozenset[str]) -> tuple[Part, ...]:
    """About 160 characters around the first word found, the words marked."""
    folded = letters(text) if marks else ""
    if len(folded) != len(text):  # a letter that folds to two
        folded = text.lower() if len(text.lower()) == len(text) else ""
    marker = _marker(marks) if folded else None
    place = marker.search(folded) if marker else None
    start = max(place.start() - 50, 0) if place else 0
    start = text.rfind(" ", 0, start) + 1
    end = min(start + _EXCERPT, len(text))
    if end < len(text):
        end = max(text.rfind(" ", start, end + 1), start + _EXCERPT // 2)
    parts: list[Part] = [Part("… ")] if start else []
    for found in marker.finditer(folded, start, end) if marker and place else ():
        parts += [Part(text[start : found.start()]), Part(text[found.start() : found.end()], hit=True)]
        start = found.end()
    parts.append(Part(text[start:end] + (" …" if end < len(text) else "")))
    return tuple(part for part in parts if part.text)
