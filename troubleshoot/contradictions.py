"""What does not fit together: the code against the words, the text against a check or an answer; and what would settle it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.utils.translation import gettext as _

from knowledge.check_names import check_label
from troubleshoot.ledger import capital, term_words
from whybounce.reasoning import Certainty, LedgerLine, Ranking, rank
from whybounce.snapshot import AskedOf, Cause, Effort, Question
from whybounce.terms import TermKind

_CERTAIN = (Certainty.PROVED, Certainty.LIKELY)
_AGAINST = -1.4  # nats: what curators call "against"
_TELLS_APART = 0.25  # of the answers under one cause that could not have come under the other
_DEAR = {Effort.TRY: 0.05, Effort.ASK: 0.1}
_MOST = 3


@dataclass(frozen=True, slots=True)
class Oddity:
    """A contradiction in a sentence, and what would settle it: a question to a person (`ask`: its slug), or a check (`check`: its name);
    `settle`: how that is called, "" where nothing open tells the two causes apart."""

    sentence: str
    ask: str = ""
    check: str = ""
    settle: str = ""


@dataclass(frozen=True, slots=True)
class _Odd:
    """A sentence, the two causes between which it stands, and the check that may look again."""

    sentence: str
    one: Cause
    other: Cause
    again: str = ""


def oddities(ranking: Ranking, able: Collection[str]) -> tuple[Oddity, ...]:
    """At most three. `able`: names of the checks that have something to look at."""
    found: dict[tuple[str, str, str], _Odd] = {}
    for item in (*_against_text(ranking), *_among_observations(ranking)):
        found.setdefault((item.one.slug, item.other.slug, item.again), item)  # 5.1.1 and 550 need not be told both
    return tuple(_with_settlement(ranking, item, able) for item in islice(found.values(), _MOST))


# --- what was answered or seen, against what the text says ---


def _against_text(ranking: Ranking) -> Iterator[_Odd]:
    """Checks and answers that speak against the cause to which the text alone points."""
    if not ranking.observations or not ranking.failure.text:
        return
    text = rank(ranking.knowledge, ranking.failure)
    if text.top is None or text.verdict.certainty not in _CERTAIN:
        return
    said, top = text.top.cause, ranking.top
    rival = next((item.cause for item in ranking.hypotheses if item.cause.slug != said.slug), said)
    for line in ranking.ledger_of(ranking.terms, said.slug):
        if line.kind not in (TermKind.CHECK, TermKind.ANSWER) or line.nats > _AGAINST:
            continue
        words = {"odd": capital(term_words(ranking, line.kind, line.ref, line.value)), "cause": said.title}
        if top is not None and top.cause.slug == said.slug:
            sentence = _("The text points to “%(cause)s”. %(odd)s speaks against it; the text outweighs it so far.") % words
        else:
            sentence = _("The text points to “%(cause)s”. %(odd)s speaks against it.") % words
        yield _Odd(sentence, said, rival, _check_of(ranking, line))


def _check_of(ranking: Ranking, line: LedgerLine) -> str:
    known = ranking.knowledge.questions.get(line.ref)
    return known.question.check if known and line.kind is TermKind.CHECK else ""


# --- observations against each other ---


def _among_observations(ranking: Ranking) -> Iterator[_Odd]:
    """Each observation that points away from the leading cause, once; where no cause leads clearly, the pairs that cannot both be right.
    A stage alone contradicts no words: every cause is met at several."""
    if ranking.verdict.certainty in _CERTAIN:
        yield from _away_from_leader(ranking)
        return
    for item in ranking.contradictions:
        if TermKind.STAGE in (item.one.kind, item.other.kind):
            continue
        words = {
            "one": capital(term_words(ranking, item.one.kind, item.one.ref, item.one.value)),
            "one_cause": item.one_cause.title,
            "other": term_words(ranking, item.other.kind, item.other.ref, item.other.value),
            "other_cause": item.other_cause.title,
        }
        sentence = _("%(one)s points to “%(one_cause)s”, but %(other)s points to “%(other_cause)s”.") % words
        yield _Odd(sentence, item.one_cause, item.other_cause)


def _away_from_leader(ranking: Ranking) -> Iterator[_Odd]:
    category = ranking.top.cause.category if ranking.top else ""
    for item in ranking.contradictions:
        for term, cause, agreed in ((item.one, item.one_cause, item.other_cause), (item.other, item.other_cause, item.one_cause)):
            if agreed.category == category and cause.category != category:
                words = {"odd": capital(term_words(ranking, term.kind, term.ref, term.value)), "cause": cause.title}
                yield _Odd(_("%(odd)s points to “%(cause)s” instead; the rest outweighs it.") % words, agreed, cause)


# --- what would settle it ---


def _with_settlement(ranking: Ranking, odd: _Odd, able: Collection[str]) -> Oddity:
    found = _settling(ranking, odd.one, odd.other, able)
    if found is not None and found.asked_of is AskedOf.CHECK:
        return Oddity(odd.sentence, check=found.check, settle=check_label(found.check))
    if found is not None:
        return Oddity(odd.sentence, ask=found.slug, settle=found.text)
    if odd.again in able:
        return Oddity(odd.sentence, check=odd.again, settle=check_label(odd.again))
    return Oddity(odd.sentence)


def _settling(ranking: Ranking, one: Cause, other: Cause, able: Collection[str]) -> Question | None:
    """The open question or check whose answers differ most between two causes; None where none differs much. Looked for among all, not
    only those that are worth asking: one cause may be as good as certain, and a contradiction is a reason to doubt that."""
    i, j = ranking.knowledge.index[one.slug], ranking.knowledge.index[other.slug]
    best, found = _TELLS_APART, None
    for compiled in ranking.knowledge.questions.values():
        if not compiled.rows or not _is_open(ranking, compiled.question, able):
            continue
        apart = float(np.abs(compiled.p[:, i] - compiled.p[:, j]).sum()) / 2 - _DEAR.get(compiled.question.effort, 0.0)
        if apart > best:
            best, found = apart, compiled.question
    return found


def _is_open(ranking: Ranking, question: Question, able: Collection[str]) -> bool:
    if question.slug in ranking.observations or (question.without_text and ranking.failure.text):
        return False
    return question.asked_of is AskedOf.PERSON or (question.asked_of is AskedOf.CHECK and question.check in able)
