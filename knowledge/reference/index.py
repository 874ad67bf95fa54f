"""What is known, arranged for looking up: each kind by its slug, and what belongs together. Built once a snapshot."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from knowledge.current import snapshot
from whybounce.checks.registry import CHECKS
from whybounce.snapshot import Article, AskedOf, Blocklist, Cause, Evidence, Example, KnowledgeSnapshot, Provider, ReplyPattern, StatusCode, Strength

FOR = (Strength.PROVES, Strength.STRONGLY_FOR, Strength.FOR, Strength.SLIGHTLY_FOR)
"""What speaks for a cause, strongest first."""
_CODE = re.compile(r"(?<![\w.])(?:[245]\.\d{1,3}\.\d{1,3}|[2-5][0-5]\d)(?![\w.]*\w)", re.ASCII)
_LINK = re.compile(r"\]\(/(codes|causes|providers|blocklists|replies|checks)/([\w.-]+)/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A cause that something speaks for, and how strongly."""

    cause: Cause
    strength: Strength


def strongest(evidence: Iterable[Evidence]) -> str:
    """The cause that evidence speaks for most; "" where it speaks for none."""
    speaking = [item for item in evidence if item.strength in FOR]
    return min(speaking, key=lambda item: FOR.index(item.strength)).cause if speaking else ""


def codes_in(text: str) -> list[str]:
    """The reply codes and enhanced codes that a reply holds: `"smtp; 550-5.1.1 ..."` -> `["550", "5.1.1"]`."""
    return list(dict.fromkeys(_CODE.findall(text)))


class Index:
    """Lookups over one snapshot. Read only."""

    def __init__(self, known: KnowledgeSnapshot) -> None:
        self.known = known
        self.causes: Mapping[str, Cause] = {cause.slug: cause for cause in known.causes}
        self.providers: Mapping[str, Provider] = {provider.slug: provider for provider in known.providers}
        self.blocklists: Mapping[str, Blocklist] = {row.slug: row for row in known.blocklists}
        self.articles: Mapping[str, Article] = {article.slug: article for article in known.articles}
        self.codes: dict[str, list[StatusCode]] = defaultdict(list)
        for row in known.codes:
            self.codes[row.code].append(row)
        self.checks = frozenset(question.check for question in known.questions if question.asked_of is AskedOf.CHECK and question.check in CHECKS)
        self._arrange_replies()
        self._arrange_articles()
        self.lists_of_cause: dict[str, list[Blocklist]] = defaultdict(list)
        for row_ in known.blocklists:
            for slug in dict.fromkeys((row_.cause, *(code.cause for code in row_.codes))):
                if slug:
                    self.lists_of_cause[slug].append(row_)

    def _arrange_replies(self) -> None:
        """Each pattern stands under the cause that it speaks for most, under its provider, and under the codes of its examples."""
        self.cause_of: dict[str, str] = {}
        self.patterns_of_cause: dict[str, list[ReplyPattern]] = defaultdict(list)
        self.patterns_of_provider: dict[str, list[ReplyPattern]] = defaultdict(list)
        self.patterns_with_code: dict[str, list[ReplyPattern]] = defaultdict(list)
        for pattern in self.known.patterns:
            cause = strongest(pattern.evidence)
            if not cause or not pattern.examples:
                continue
            self.cause_of[pattern.slug] = cause
            self.patterns_of_cause[cause].append(pattern)
            self.patterns_of_provider[pattern.provider].append(pattern)
            for code in dict.fromkeys(code for text in pattern.examples for code in codes_in(text)):
                self.patterns_with_code[code].append(pattern)
        self.examples_of_cause: dict[str, list[Example]] = defaultdict(list)
        for example in self.known.examples:
            self.examples_of_cause[example.cause].append(example)

    def _arrange_articles(self) -> None:
        """An article stands under what it names in its lists and under what its text links to: ("causes", "spf-fail")."""
        self._articles_about: dict[tuple[str, str], list[Article]] = defaultdict(list)
        for article in self.known.articles:
            named = [("causes", slug) for slug in article.causes] + [("codes", code) for code in article.codes] + _LINK.findall(article.body)
            for place in dict.fromkeys(named):
                self._articles_about[place].append(article)

    def articles_about(self, kind: str, *slugs: str) -> tuple[Article, ...]:
        """Articles that help with the `kind` ("causes", "codes", "providers", "blocklists", "replies", "checks") of these slugs."""
        return tuple(dict.fromkeys(article for slug in slugs for article in self._articles_about.get((kind, slug), ())))

    def suspects(self, evidence: Iterable[Evidence]) -> tuple[Suspect, ...]:
        """The causes that evidence speaks for, the strongest first."""
        found = [Suspect(self.causes[item.cause], item.strength) for item in evidence if item.strength in FOR and item.cause in self.causes]
        return tuple(sorted(found, key=lambda suspect: FOR.index(suspect.strength)))

    def provider_name(self, slug: str) -> str:
        """A provider's name; "" for none."""
        return self.providers[slug].name if slug in self.providers else ""

    def known_code(self, code: str) -> StatusCode | None:
        """The standard's row of a code, of its class or registered for all classes; a provider's own where there is no other."""
        rows = [*self.codes.get(code, ()), *(self.codes.get(f"X{code[1:]}", ()) if "." in code else ())]
        return min(rows, key=lambda row: bool(row.provider), default=None)

    def code_as_written(self, code: str) -> StatusCode | None:
        """The row of a code for a link: what is registered as X.1.1 under the 5.1.1 that was written."""
        row = self.known_code(code)
        return replace(row, code=code) if row is not None else None


@lru_cache(maxsize=1)
def index_of(known: KnowledgeSnapshot) -> Index:
    """The index of a snapshot. Kept for the last one asked for alone, as all that is worked out from a snapshot: revisions that no
    longer serve must not stay in memory. Pages are kept in knowledge/pages.py."""
    return Index(known)


def index() -> Index:
    """The index of the knowledge in force."""
    return index_of(snapshot())
