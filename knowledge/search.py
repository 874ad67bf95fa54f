"""One search box: codes as typed, words, prefixes, misspelt words. An index in memory over the snapshot in force."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

import tantivy
from django.urls import reverse

from knowledge.current import snapshot
from whybounce.remedies import fill
from whybounce.snapshot import KnowledgeSnapshot, Strength

KINDS = ("code", "cause", "reply", "provider")
"""In the order in which groups are shown, but for codes: they come first only where a number was typed."""
_PER_KIND = 8
_MAX_QUERY = 300
# What someone types of a code: "55", "550", "5.7", "550-5.7.26", "#5.1.1", "X.1.1".
_NUMBER = re.compile(r"(?<![\w.])([245Xx]\.(?:\d{1,3}(?:\.\d{0,3})?)?|[2-5][0-5]?\d?)(?!\w|\.\d)", re.ASCII)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_MAX_WORDS = 12
_STRENGTHS = tuple(Strength)  # from "proves" to "rules out"


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


def search(query: str) -> list[Group]:
    """The hits for what was typed, grouped by kind, best group first. An empty list for an empty query or where nothing fits."""
    return _index(snapshot()).search(query[:_MAX_QUERY])


@lru_cache(maxsize=2)
def _index(known: KnowledgeSnapshot) -> _Index:
    return _Index(known)


def _entries(known: KnowledgeSnapshot) -> Iterator[_Entry]:
    names = {provider.slug: provider.name for provider in known.providers}
    titles = {cause.slug: cause for cause in known.causes}
    for code in known.codes:
        text = " ".join((code.meaning, code.usual_causes, names.get(code.provider, "")))
        yield _Entry("code", code.code, code.title + (f" ({names[code.provider]})" if code.provider else ""), reverse("code", args=[code.code]), text)
    for cause in known.causes:
        steps = " ".join(part.text for step in cause.steps for part in fill(step.text, {}))
        yield _Entry("cause", "", cause.title, reverse("cause", args=[cause.slug]), f"{cause.summary} {cause.slug} {steps}", cause.summary)
    for pattern in known.patterns:
        meant = min(pattern.evidence, key=lambda item: _STRENGTHS.index(item.strength), default=None)
        best = titles.get(meant.cause) if meant else None
        if best and pattern.examples:
            yield _Entry("reply", names.get(pattern.provider, ""), best.title, reverse("cause", args=[best.slug]), " ".join(pattern.examples))
    for provider in known.providers:
        if provider.postmaster_page:
            yield _Entry("provider", "", provider.name, provider.postmaster_page, " ".join((provider.note, *provider.domains)))


class _Index:
    def __init__(self, known: KnowledgeSnapshot) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_unsigned_field("number", stored=True)
        for name in ("title", "text", "label"):
            builder.add_text_field(name, stored=False)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        self._entries = list(_entries(known))
        writer = self._index.writer(heap_size=15_000_000, num_threads=1)
        for number, entry in enumerate(self._entries):
            writer.add_document(tantivy.Document(number=number, title=entry.title, text=entry.text, label=entry.label))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def search(self, query: str) -> list[Group]:
        words = [word.lower() for word in _WORD.findall(_NUMBER.sub(" ", query)) if len(word) > 1 or ord(word) > 0x2E80][:_MAX_WORDS]
        numbers = [number.upper() for number in _NUMBER.findall(query) if len(number) > 2 or not words]  # "5" in "5 minutes" begins no code
        found = list(self._by_number(numbers))
        if words:
            found += [entry for entry in self._by_words(words) if entry not in found]
        groups: dict[str, list[Hit]] = {}
        for entry in found:
            hits = groups.setdefault(entry.kind, [])
            if len(hits) < _PER_KIND:
                hits.append(Hit(entry.kind, entry.label, entry.title, entry.url, _excerpt(entry.excerpt or entry.text, words)))
        order = KINDS if numbers else ("cause", "code", "reply", "provider")
        return [Group(kind, tuple(groups[kind])) for kind in order if kind in groups]

    def _by_number(self, numbers: list[str]) -> Iterator[_Entry]:
        """Codes that begin with what was typed, the exact one first; the registered meaning (X.1.1) answers for 5.1.1."""
        codes = [entry for entry in self._entries if entry.kind == "code"]
        for number in reversed(numbers):  # of "550-5.7.26" the enhanced code says more
            registered = f"X{number[1:]}" if "." in number else number
            found = [_in_class(entry, number) for entry in codes if entry.label.startswith((number, registered))]
            exact = [entry for entry in found if entry.label == number]
            yield from exact or found[:_PER_KIND]

    def _by_words(self, words: list[str]) -> list[_Entry]:
        """Entries that hold every word, misspelt or unfinished ones too; where there are none, those that hold some as typed."""
        every = [(tantivy.Occur.Must, self._word(word, near=True, last=word == words[-1])) for word in words]
        some = [(tantivy.Occur.Should, self._word(word, near=False)) for word in words]
        return self._run(tantivy.Query.boolean_query(every)) or self._run(tantivy.Query.boolean_query(some))

    def _word(self, word: str, *, near: bool, last: bool = False) -> tantivy.Query:
        """One word of the query: as typed and, where `near`, misspelt; the last one may be the beginning of a longer one."""
        distance = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
        queries = []
        for field, boost in (("label", 6.0), ("title", 4.0), ("text", 1.0)):
            exact = tantivy.Query.term_query(self._schema, field, word)
            queries.append(tantivy.Query.boost_query(exact, boost * 4))
            if near and (last or distance):
                like = tantivy.Query.fuzzy_term_query(self._schema, field, word, distance=distance, transposition_cost_one=True, prefix=last)
                queries.append(tantivy.Query.boost_query(like, boost))
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])

    def _run(self, query: tantivy.Query) -> list[_Entry]:
        searcher = self._index.searcher()
        return [self._entries[searcher.doc(address)["number"][0]] for _score, address in searcher.search(query, limit=60).hits]


def _in_class(entry: _Entry, number: str) -> _Entry:
    """The registered X.1.1 as the 5.1.1 that was typed."""
    if not entry.label.startswith("X"):
        return entry
    label = number[0] + entry.label[1:]
    return replace(entry, label=label, url=reverse("code", args=[label]))


def _is_like(found: str, typed: str) -> bool:
    """True where `found` is what was typed, begins with it, or is it spelt right."""
    if found.startswith(typed):
        return True
    return len(typed) > 3 and abs(len(found) - len(typed)) < 3 and found[0] == typed[0] and SequenceMatcher(None, found, typed).ratio() > 0.8


def _excerpt(text: str, words: list[str]) -> tuple[Part, ...]:
    """About 160 characters around the first word found, the words marked."""
    plain = " ".join(re.sub(r"[*`#>\[\]]", "", text).split())
    places = [m for m in _WORD.finditer(plain) if any(_is_like(m[0].lower(), word) for word in words)]
    start = max(places[0].start() - 50, 0) if places else 0
    start = plain.rfind(" ", 0, start) + 1
    end = min(start + 160, len(plain))
    parts: list[Part] = [Part("… ")] if start else []
    for place in places:
        if place.start() >= start and place.end() <= end:
            parts += [Part(plain[start : place.start()]), Part(place[0], hit=True)]
            start = place.end()
    parts.append(Part(plain[start:end] + (" …" if end < len(plain) else "")))
    return tuple(part for part in parts if part.text)
