"""What is still open and what was answered: questions to a person, and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from troubleshoot.checking import latest_outcomes, pending, runnable
from troubleshoot.models import CheckOutcome, CheckRun, Observation
from troubleshoot.wording import STATES, clipped, percent
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import State, Subject
from whybounce.compiled import Knowledge
from whybounce.next_question import NextQuestion, Prospect, next_question, open_questions
from whybounce.reasoning import DONT_KNOW, Ranking, rank
from whybounce.snapshot import AskedOf, Question
from whybounce.visible import visible

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
        chosen = next_for(ranking, open_now)
        panel = _panel(chosen.question, chosen.prospects, ranking, "") if chosen else None
    others = tuple(QuestionLink(q.question.slug, q.question.text) for q in open_now if panel is None or q.question.slug != panel.slug)
    return Asking(panel, others[:_OTHERS], answered, "" if panel else _finished(ranking))


def next_for(ranking: Ranking, open_now: list[NextQuestion]) -> NextQuestion | None:
    """The question to ask; where nothing is known at all, one about the symptom: the first of those meant for a case without text."""
    if not ranking.observations and ranking.failure.text == "" and not (ranking.failure.code or ranking.failure.enhanced):
        symptoms = {item.question.slug: item for item in open_now if item.question.symptom and item.question.without_text}
        first = next((symptoms[slug] for slug in ranking.knowledge.questions if slug in symptoms), None)
        symptom = first or next((item for item in open_now if item.question.symptom), None)
        if symptom:
            return symptom
    return next_question(ranking, (), AskedOf.PERSON)


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


@dataclass(frozen=True, slots=True)
class FactText:
    """A fact that a check saw: its name, and its value as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check on the page. `state` is "done", "pending", "ready" or "lacking"; then `needs` says what it lacks.

    `answer`, `label`, `tone`, `detail`, `facts`, `elapsed_ms`, `at`: what it found, where it is done.
    """

    name: str
    question: str
    state: str
    needs: str = ""
    answer: str = ""
    label: str = ""
    tone: str = "plain"
    detail: str = ""
    facts: tuple[FactText, ...] = ()
    elapsed_ms: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckPanel:
    """`running`: a run has checks without a result; `able`: names of the checks that can look at the subject; `seen`: some have
    looked; `about`: the subject in a few words."""

    rows: tuple[CheckRow, ...]
    subject: Subject
    running: bool
    able: tuple[str, ...]
    seen: bool
    about: str


def check_panel(knowledge: Knowledge, subject: Subject, runs: list[CheckRun]) -> CheckPanel:
    """All checks there are, each with its newest result about this subject, or what it waits for."""
    outcomes = latest_outcomes(runs)
    waiting = pending(runs[-1]) if runs else []
    able = runnable(subject)
    rows = []
    for name, check in CHECKS.items():
        title = check_title(knowledge, name)
        if name in waiting:
            rows.append(CheckRow(name, title, "pending"))
        elif name in outcomes:
            rows.append(done_row(outcomes[name], title, answer_text(knowledge, name, outcomes[name].answer)))
        elif name in able:
            rows.append(CheckRow(name, title, "ready"))
        else:
            rows.append(CheckRow(name, title, "lacking", needs=check.needs(subject)))
    return CheckPanel(tuple(rows), subject, bool(waiting), tuple(able), bool(outcomes), about_words(subject))


def about_words(subject: Subject) -> str:
    """What is looked at: `"example.org, sent by 192.0.2.25 for news@example.com"`."""
    words = {"domain": visible(subject.domain), "ip": subject.sending_ip, "sender": visible(subject.mail_from)}
    frames = [("domain", "%(domain)s"), ("ip", _("sent by %(ip)s")), ("sender", _("for %(sender)s"))]
    return " ".join(frame % words for name, frame in frames if words[name])


def check_title(knowledge: Knowledge, name: str) -> str:
    question = knowledge.by_check.get(name)
    return question.text if question else name.upper()


def answer_text(knowledge: Knowledge, name: str, answer: str) -> str:
    question = knowledge.by_check.get(name)
    return next((a.text for a in question.answers if a.slug == answer), answer) if question else answer


def done_row(row: CheckOutcome, title: str, answer: str) -> CheckRow:
    """What a check found, as a row. Reads no table: the stream makes rows of outcomes that are not stored yet."""
    label, tone = STATES[State(row.state)]
    facts = tuple(FactText(name.replace("_", " "), visible(_shown(value))) for name, value in row.facts.items() if value not in ("", None, [], {}))
    return CheckRow(row.check_name, title, "done", "", answer, str(label), tone, visible(row.detail), facts, row.elapsed_ms, row.at)


def _shown(value: object) -> str:
    """A fact as text: a list as lines, each mapping in it as one line of names and values."""
    lines = value if isinstance(value, list) else [value]
    return clipped("\n".join(_inline(item) for item in lines), 4000)


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{str(name).replace('_', ' ')} {_inline(item)}" for name, item in value.items() if item not in ("", None, [], {}))
    if isinstance(value, list):
        return ", ".join(_inline(item) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
