"""Which known wordings stand in a reply, and whose reply it is. RE2 throughout: linear time, whatever a curator wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from whybounce.failure import DeliveryFailure, Span
from whybounce.snapshot import Provider, ReplyPattern


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 256 << 20  # for the set of all patterns; the default is outgrown by about a thousand
    return options


def _searchable(text: str) -> str:
    """`text` with each lone surrogate (half a character, as JSON may hold) as "?": RE2 reads UTF-8. As many characters as before."""
    return text.encode("utf-8", "replace").decode("utf-8")


class _Set:
    """Many expressions searched in one pass."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        for expression in expressions:
            self._set.Add(expression)
        self._any = bool(expressions)  # an empty set cannot be compiled
        if self._any:
            self._set.Compile()

    def matches(self, text: str) -> list[int]:
        """The numbers of the expressions that stand in `text`, ascending."""
        return sorted(self._set.Match(text) or ()) if self._any else []


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """A pattern found in a reply, and where: characters of the reply's text."""

    pattern: ReplyPattern
    span: Span


class ReplyMatcher:
    """Finds the patterns of a snapshot in replies. Building it takes milliseconds for a thousand patterns."""

    def __init__(self, patterns: Sequence[ReplyPattern]) -> None:
        self._patterns = tuple(patterns)
        self._set = _Set([pattern.pattern for pattern in patterns])
        self._single = [re2.compile(pattern.pattern, _options()) for pattern in patterns]

    def find(self, text: str) -> list[PatternMatch]:
        """All patterns that stand in `text`, the longest match first."""
        found = []
        text = _searchable(text)
        for number in self._set.matches(text):
            match = self._single[number].search(text)
            if match:
                found.append(PatternMatch(self._patterns[number], Span(match.start(), match.end())))
        return sorted(found, key=lambda item: item.span.start - item.span.end)


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
        if marked := self._marks.matches(_searchable(failure.text)):
            return self._marked[marked[0]]
        return "" if failure.remote_mta else self._by_domain.get(failure.recipient_domain, "")
