"""What is still open and what was answered: questions to a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troubleshoot.models import Observation
from troubleshoot.wording import percent
from whybounce.compiled import Knowledge
from whybounce.next_question import NextQuestion, Prospect, next_question, open_questions
from whybounce.reasoning import DONT_KNOW, Ranking, rank
from whybounce.snapshot import AskedOf, Effort, Question

_CLEARLY = 0.03
_FAINT = 0.1
_OTHERS = 6
_SHARED = 0.9
_TRIALS = 2


@dataclass(frozen=True, slots=True)
class AnswerChoice:
    """An answer to choose. `effect`: what it would change, "" where that cannot be told; `chosen`: it was given before."""

    slug: str
    text: str
    effect: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class QuestionPanel:
    """A question as the page asks it. `changing`: it was answered before; `skipped`: it was put off before."""

    slug: str
    text: str
    why: str
    help: str
    answers: tuple[AnswerChoice, ...]
    changing: bool
    dont_know_chosen: bool
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class QuestionLink:
    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer given by a person. `known`: the knowledge still has the question, so that it can be changed; `skipped`: put off;
    `withdrawn`: the question or this answer is published no longer, so that it counts for nothing.
    """

    slug: str
    question: str
    answer: str
    known: bool
    at: datetime
    by: str
    skipped: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """`panel`: the question now asked; `others`: further open questions; `finished`: why none is asked; `progress`: how far it got.

    trials  tests whose result would tell causes apart, to be shown as steps; `tried`: those of which the result is known
    """

    panel: QuestionPanel | None
    others: tuple[QuestionLink, ...]
    answered: tuple[Answered, ...]
    finished: str
    progress: str = ""
    trials: tuple[QuestionPanel, ...] = ()
    tried: tuple[Answered, ...] = ()


def asking(ranking: Ranking, rows: Iterable[Observation], ask: str, *, closed: bool) -> Asking:
    """What to ask next: the question `ask` where it names one, else the most worthwhile."""
    told = [row for row in rows if row.asked_of == Observation.AskedOf.PERSON]
    answered = tuple(_answered(ranking.knowledge, row) for row in told)
    skipped = {row.question for row in told if row.answer == Observation.SKIPPED}
    if closed:
        return Asking(None, (), answered, "", tried=_tried(ranking, answered))
    given = ranking.observations.get(ask, "")
    known = ranking.knowledge.questions.get(ask)
    open_now = [item for item in open_questions(ranking) if item.question.asked_of is AskedOf.PERSON]
    if known and known.question.asked_of is AskedOf.PERSON:
        panel: QuestionPanel | None = _named(ranking, known.question, given)
    else:
        chosen = next_question(ranking, (), AskedOf.PERSON, put_off=skipped)
        panel = _panel(chosen.question, chosen.prospects, ranking, "") if chosen else None
    others = tuple(QuestionLink(q.question.slug, q.question.text) for q in open_now if panel is None or q.question.slug != panel.slug)
    if panel and panel.slug in skipped:
        panel = replace(panel, skipped=True)
    return Asking(
        panel,
        others[:_OTHERS],
        answered,
        "" if panel else _finished(ranking),
        _progress(ranking, len(told) - len(skipped)),
        trials=_trials(ranking, open_now, {panel.slug, *skipped} if panel else skipped),
        tried=_tried(ranking, answered),
    )


def _trials(ranking: Ranking, open_now: Iterable[NextQuestion], without: Collection[str]) -> tuple[QuestionPanel, ...]:
    """The differential tests worth trying: send it from elsewhere, to somebody else there, without the attachment."""
    found = (item for item in open_now if item.question.effort is Effort.TRY and item.question.slug not in without)
    return tuple(_panel(item.question, item.prospects, ranking, "") for item in islice(found, _TRIALS))


def _tried(ranking: Ranking, answered: Iterable[Answered]) -> tuple[Answered, ...]:
    questions = ranking.knowledge.questions
    return tuple(item for item in answered if item.known and not item.skipped and questions[item.slug].question.effort is Effort.TRY)


def _progress(ranking: Ranking, answers: int) -> str:
    """`"3 answers so far; 6 of 113 causes are still likely."`: those that share nine tenths of the probability."""
    shares = np.sort(ranking.probabilities)[::-1]
    if not len(shares):
        return ""
    likely = int(np.searchsorted(np.cumsum(shares), _SHARED)) + 1
    left = ngettext("%(n)d of %(all)d causes is still likely.", "%(n)d of %(all)d causes are still likely.", likely)
    words = left % {"n": likely, "all": len(shares)}
    return f"{ngettext('%(n)d answer so far;', '%(n)d answers so far;', answers) % {'n': answers}} {words}" if answers else words


def _named(ranking: Ranking, question: Question, given: str) -> QuestionPanel:
    """The panel of a question that was asked for; its effects are those it would have if it had not been answered."""
    before = ranking
    if given:
        rest = {slug: answer for slug, answer in ranking.observations.items() if slug != question.slug}
        before = rank(ranking.knowledge, ranking.failure, rest)
    found = next((item for item in open_questions(before) if item.question.slug == question.slug), None)
    return _panel(question, found.prospects if found else (), before, given)


def _panel(question: Question, prospects: Iterable[Prospect], ranking: Ranking, given: str) -> QuestionPanel:
    effects = {item.answer: _effect(ranking, item) for item in prospects}
    answers = tuple(AnswerChoice(a.slug, a.text, effects.get(a.slug, ""), a.slug == given) for a in question.answers if a.informative)
    return QuestionPanel(question.slug, question.text, question.why, question.help, answers, bool(given), given == DONT_KNOW)


def _effect(ranking: Ranking, prospect: Prospect) -> str:
    """What an answer would do; "" where it leaves many causes possible or changes little, which needs no line of its own."""
    top = ranking.top
    share = percent(prospect.leader_probability)
    if prospect.leader_probability < _FAINT:
        return ""
    if top is None or prospect.leader.slug != top.cause.slug:
        return _("points to “%(cause)s” (%(share)s)") % {"cause": prospect.leader.title, "share": share}
    if prospect.leader_probability > top.probability + _CLEARLY:
        return _("strengthens “%(cause)s” (%(share)s)") % {"cause": prospect.leader.title, "share": share}
    if prospect.leader_probability < top.probability - _CLEARLY:
        return _("weakens “%(cause)s” (%(share)s)") % {"cause": prospect.leader.title, "share": share}
    return ""


def _finished(ranking: Ranking) -> str:
    top = ranking.top
    if top and top.probability >= 0.9:
        return _("Nothing more needs to be asked.")
    return _("No open question would change who must act or what to do.")


def _answered(knowledge: Knowledge, row: Observation) -> Answered:
    known = knowledge.questions.get(row.question)
    text, answer = row.question, row.answer
    if known:
        text = known.question.text
        answer = next((a.text for a in known.question.answers if a.slug == row.answer), row.answer)
    if row.answer == DONT_KNOW:
        answer = _("I don't know")
    if row.answer == Observation.SKIPPED:
        answer = _("Skipped; it comes again at the end")
    by = row.by.get_username() if row.by else ""
    withdrawn = known is None or not (row.answer in (DONT_KNOW, Observation.SKIPPED) or row.answer in known.rows)
    return Answered(row.question, text, answer, known is not None, row.at, by, row.answer == Observation.SKIPPED, withdrawn)
