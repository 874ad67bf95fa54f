"""What is still open and what was answered: questions to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from troubleshoot.models import Observation
from troubleshoot.wording import percent
from whybounce.compiled import Knowledge
from whybounce.next_question import Prospect, next_question, open_questions
from whybounce.reasoning import DONT_KNOW, Ranking, rank
from whybounce.snapshot import AskedOf, Question

_CLEARLY = 0.03
_FAINT = 0.1
_OTHERS = 8


@dataclass(frozen=True, slots=True)
class AnswerChoice:
    """An answer to choose. `effect`: what it would change, "" where that cannot be told; `chosen`: it was given before."""

    slug: str
    text: str
    effect: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class QuestionPanel:
    """A question as the page asks it. `changing`: it was answered before."""

    slug: str
    text: str
    why: str
    help: str
    answers: tuple[AnswerChoice, ...]
    changing: bool
    dont_know_chosen: bool


@dataclass(frozen=True, slots=True)
class QuestionLink:
    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer given by a person. `known`: the knowledge still has the question, so that it can be changed."""

    slug: str
    question: str
    answer: str
    known: bool
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Asking:
    """`panel`: the question now asked; `others`: further open questions; `finished`: why none is asked."""

    panel: QuestionPanel | None
    others: tuple[QuestionLink, ...]
    answered: tuple[Answered, ...]
    finished: str


def asking(ranking: Ranking, rows: Iterable[Observation], ask: str, *, closed: bool) -> Asking:
    """What to ask next: the question `ask` where it names one, else the most worthwhile."""
    answered = tuple(_answered(ranking.knowledge, row) for row in rows if row.asked_of == Observation.AskedOf.PERSON)
    if closed:
        return Asking(None, (), answered, "")
    given = ranking.observations.get(ask, "")
    known = ranking.knowledge.questions.get(ask)
    open_now = [item for item in open_questions(ranking) if item.question.asked_of is AskedOf.PERSON]
    if known and known.question.asked_of is AskedOf.PERSON:
        panel: QuestionPanel | None = _named(ranking, known.question, given)
    else:
        chosen = next_question(ranking, (), AskedOf.PERSON)
        panel = _panel(chosen.question, chosen.prospects, ranking, "") if chosen else None
    others = tuple(QuestionLink(q.question.slug, q.question.text) for q in open_now if panel is None or q.question.slug != panel.slug)
    return Asking(panel, others[:_OTHERS], answered, "" if panel else _finished(ranking))


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
    return Answered(row.question, text, answer, known is not None, row.at, row.by.get_username() if row.by else "")
