"""A reply pasted into the search box, explained on the spot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.current import knowledge
from whybounce.compiled import Knowledge
from whybounce.intake import read
from whybounce.reasoning import Certainty, Hypothesis, rank
from whybounce.snapshot import Actor, Provider
from whybounce.terms import TermKind

MAX_TEXT = 2000
# A basic or enhanced code, then words: what a server says. Without a code it takes more words to be more than a search, or a known wording.
_CODE = re.compile(r"(?<![\w.])(?:[245]\.\d{1,3}\.\d{1,3}|[45][0-5]\d)(?![\w.]*\w)", re.ASCII)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FEW, _MANY = 2, 4
_LEAST = 0.08


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a pasted reply most likely means. `causes`: best first; `text`: what was read, to be diagnosed in full."""

    certainty: Certainty
    permanent: bool
    who_acts: tuple[Actor, ...]
    causes: tuple[Hypothesis, ...]
    provider: Provider | None
    text: str


def explanation(query: str) -> Explanation | None:
    """The likely causes where `query` looks like what a server said and enough speaks for them; else None."""
    text = query.strip()[:MAX_TEXT]
    return _explanation(knowledge(), text) if _looks_like_reply(text) else None


def _looks_like_reply(text: str) -> bool:
    return len(_WORD.findall(text, 0, 400)) >= _FEW


def _explanation(known: Knowledge, text: str) -> Explanation | None:
    report = read(text.encode("utf-8", "replace"))
    if not report.failures:
        return None
    failure = report.failures[0]
    ranking = rank(known, failure)
    verdict = ranking.verdict
    recognised = any(term.kind is TermKind.PATTERN for term in ranking.terms)
    certain = verdict.certainty in (Certainty.PROVED, Certainty.LIKELY)
    enough = certain and (recognised or len(_WORD.findall(text)) >= _MANY)
    if verdict.certainty is Certainty.UNCLEAR or not (enough or _CODE.search(text)):
        return None
    first, *others = ranking.hypotheses[:3]
    causes = (first, *(item for item in others if item.probability >= _LEAST))
    return Explanation(verdict.certainty, verdict.permanent, verdict.who_acts, causes, known.providers.get(ranking.provider), text)
