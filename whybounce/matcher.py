"""Which known wordings stand in a reply, and whose reply it is. RE2 throughout: linear time, whatever a curator wrote."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import re2

from whybounce.failure import DeliveryFailure, Span
from whybounce.literals import Clause, required
from whybounce.remembered import Remembered
from whybounce.snapshot import Provider, ReplyPattern

_MOST_REMEMBERED = 10_000


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True  # where the whole match stands is enough, and several times faster
    options.max_mem = 256 << 20  # for the sets; the default is outgrown by about a thousand expressions
    return options


def _encoded(text: str) -> bytes:
    """`text` as RE2 reads it, each lone surrogate (half a character, as JSON may hold) as "?"."""
    return text.encode("utf-8", "replace")


class _Set:
    """Many expressions searched in one pass."""

    def __init__(self, expressions: Iterable[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        self._any = False  # an empty set cannot be compiled
        for expression in expressions:
            self._set.Add(expression)
            self._any = True
        if self._any:
            self._set.Compile()

    def matches(self, data: bytes) -> list[int]:
        """The numbers of the expressions that stand in `data`."""
        return self._set.Match(data) or [] if self._any else []


class _Sieve:
    """Expressions told by the plain pieces of text that each of them needs, which are few enough to be searched in one pass."""

    def __init__(self, numbered: Iterable[tuple[int, tuple[tuple[Clause, ...], ...]]]) -> None:
        """`numbered`: the numbers of the expressions and what `literals.required` says of them."""
        numbers: dict[str, int] = {}  # of the pieces
        leads: dict[int, list[tuple[int, tuple[frozenset[int], ...]]]] = {}
        for expression, ways in numbered:
            for way in ways:
                lead, *rest = sorted(way, key=lambda clause: (-min(map(len, clause)), len(clause), sorted(clause)))
                others = tuple(frozenset(numbers.setdefault(piece, len(numbers)) for piece in clause) for clause in rest)
                for piece in lead:
                    leads.setdefault(numbers.setdefault(piece, len(numbers)), []).append((expression, others))
        self._leads = [tuple(leads.get(number, ())) for number in range(len(numbers))]
        self._pieces = _Set(re2.escape(piece) for piece in numbers)
        self._known = Remembered(_MOST_REMEMBERED)  # by the pieces that stand in a text

    def candidates(self, data: bytes) -> list[int]:
        """The numbers of the expressions that may stand in `data`; all others do not."""
        found = frozenset(self._pieces.matches(data))
        candidates: list[int] | None = self._known.get(found)
        if candidates is None:
            candidates = sorted(
                {expression for piece in found for expression, others in self._leads[piece] if not any(map(found.isdisjoint, others))}
            )
            self._known[found] = candidates
        return candidates


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """A pattern found in a reply, and where: characters of the reply's text."""

    pattern: ReplyPattern
    span: Span


class ReplyMatcher:
    """Finds the patterns of a snapshot in replies. Building it takes a fraction of a second for a thousand patterns."""

    def __init__(self, patterns: Sequence[ReplyPattern], programs: Container[str] = ()) -> None:
        """`programs`: slugs of the providers that are mail server programs, whose wording stands in anybody's replies."""
        self._patterns = tuple(patterns)
        self._programs = programs
        self._single = [re2.compile(pattern.pattern, _options()) for pattern in patterns]
        needs = [required(pattern.pattern) for pattern in patterns]
        self._together = [n for n, ways in enumerate(needs) if not ways]
        self._set = _Set(patterns[n].pattern for n in self._together)
        self._sieve = _Sieve((n, ways) for n, ways in enumerate(needs) if ways)

    def find(self, text: str) -> list[PatternMatch]:
        """All patterns that stand in `text`, the longest match first."""
        data = _encoded(text)
        return self._search(data, self._candidates(data), len(data) == len(text))

    def usable(self, text: str, provider: str) -> list[PatternMatch]:
        """Of these, in a reply of `provider` ("" where nobody knows whose it is): the provider's own; where none of them matches, the
        general ones and those of mail server programs; another provider's private wording only where nobody knows whose reply it is
        and nothing else matches."""
        data = _encoded(text)
        own: list[int] = []
        anybodys: list[int] = []
        others: list[int] = []
        for number in self._candidates(data):
            whose = self._patterns[number].provider
            (own if whose and whose == provider else others if whose and whose not in self._programs else anybodys).append(number)
        plain = len(data) == len(text)
        return (
            self._search(data, own, plain)
            or self._search(data, anybodys, plain)
            or ([] if provider and provider not in self._programs else self._search(data, others, plain))
        )

    def _candidates(self, data: bytes) -> list[int]:
        """The numbers of the patterns that may stand in `data`, ascending."""
        numbers = [self._together[n] for n in self._set.matches(data)]
        numbers += self._sieve.candidates(data)
        return sorted(numbers) if len(numbers) > 1 else numbers

    def _search(self, data: bytes, numbers: Iterable[int], plain: bool) -> list[PatternMatch]:
        """Those that do, the longest match first. `plain`: every byte of `data` is a character."""
        found = []
        for number in numbers:
            match = self._single[number].search(data)
            if match:
                start, end = match.span()
                span = Span(start, end) if plain else Span(len(data[:start].decode()), len(data[:end].decode()))
                found.append(PatternMatch(self._patterns[number], span))
        return sorted(found, key=lambda item: item.span.start - item.span.end) if len(found) > 1 else found


class ProviderFinder:
    """Tells whose reply it is: by the refusing host's name, by the provider's own marks in the text, by the recipient's domain."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._by_suffix = {suffix.strip(".").lower(): provider.slug for provider in providers for suffix in provider.mx_suffixes}
        self._by_domain = {domain.lower(): provider.slug for provider in providers for domain in provider.domains}
        marks = [(mark, provider.slug) for provider in providers for mark in provider.reply_marks]
        self._marks = _Set([mark for mark, _slug in marks])
        self._marked = [slug for _mark, slug in marks]

    def by_host(self, host: str) -> str:
        """The slug of the provider whose host this is, "" for none: the longest suffix on label boundaries wins."""
        name = host.strip(".").lower()
        while name:
            if name in self._by_suffix:
                return self._by_suffix[name]
            name = name.partition(".")[2]
        return ""

    def find(self, failure: DeliveryFailure) -> str:
        """The provider's slug, or ""."""
        if slug := self.by_host(failure.remote_mta):
            return slug
        if marked := self._marks.matches(_encoded(failure.text)):
            return self._marked[min(marked)]
        return "" if failure.remote_mta else self._by_domain.get(failure.recipient_domain, "")
