"""Pages of the live checks: what each looks at, what it needs, what it can answer and find, and what that means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.check_names import GROUPS, SEVERITIES, STATES, check_label
from knowledge.current import snapshot
from knowledge.reference.index import Suspect, index_of
from whybounce.checks.registry import CHECKS, Check
from whybounce.checks.result import DeclaredAnswer, Severity, Subject
from whybounce.snapshot import Answer, Article, AskedOf, Cause, FindingNote, KnowledgeSnapshot, Question, Strength

if TYPE_CHECKING:
    from django.utils.functional import Promise

_NOTHING = Subject()
_MOST_SUSPECTS = 6


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer in words; `state`: the word and the class of its tag; `suspects`: the causes that it speaks for clearly, strongest first."""

    slug: str
    text: str
    state: tuple[str | Promise, str]
    suspects: tuple[Suspect, ...]
    informative: bool


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding with the tags of how grave it is (word, class)."""

    note: FindingNote
    tags: tuple[tuple[str | Promise, str], ...]
    wrong: bool


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check in the list of all. `findings`: what it can find."""

    name: str
    label: str
    question: Question
    findings: tuple[FindingEntry, ...]


@dataclass(frozen=True, slots=True)
class CheckSection:
    title: str | Promise
    rows: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True)
class CheckPage:
    """`needs`: what it needs to look, a noun phrase; `proves`: the causes of which a remedy step is proved by it; `siblings`: other checks."""

    line: CheckLine
    needs: str
    answers: tuple[AnswerLine, ...]
    proves: tuple[Cause, ...]
    articles: tuple[Article, ...]
    siblings: tuple[CheckLine, ...]


def check_sections(known: KnowledgeSnapshot) -> tuple[CheckSection, ...]:
    """All checks that there are and that a question names, by what they are about."""
    sections = (CheckSection(title, tuple(_lines(known, names))) for title, names in GROUPS)
    return tuple(section for section in sections if section.rows)


def check_page(name: str) -> CheckPage | None:
    """The page of a check; None where there is none of this name."""
    known = snapshot()
    line = next(_lines(known, (name,)), None)
    if line is None:
        return None
    index = index_of(known)
    declared = {answer.slug: answer for answer in CHECKS[name].answers}
    group = next((names for _title, names in GROUPS if name in names), ())
    return CheckPage(
        line=line,
        needs=CHECKS[name].needs(_NOTHING),
        answers=tuple(
            _answer(answer, declared[answer.slug], _clear(index.suspects(answer.evidence)))
            for answer in line.question.answers
            if answer.slug in declared
        ),
        proves=tuple(cause for cause in known.causes if any(step.check == name for step in cause.steps)),
        articles=index.articles_about("checks", name),
        siblings=tuple(_lines(known, (other for other in group if other != name))),
    )


def _lines(known: KnowledgeSnapshot, names: Iterator[str] | tuple[str, ...]) -> Iterator[CheckLine]:
    questions = {question.check: question for question in known.questions if question.asked_of is AskedOf.CHECK}
    for name in names:
        check: Check | None = CHECKS.get(name)
        if check is not None and name in questions:
            findings = tuple(_finding(note) for note in known.findings if note.reported_by == name)
            yield CheckLine(name, check_label(name), questions[name], findings)


def _clear(suspects: tuple[Suspect, ...]) -> tuple[Suspect, ...]:
    """The few causes that an answer speaks for clearly."""
    return tuple(suspect for suspect in suspects if suspect.strength is not Strength.SLIGHTLY_FOR)[:_MOST_SUSPECTS]


def _answer(answer: Answer, declared: DeclaredAnswer, suspects: tuple[Suspect, ...]) -> AnswerLine:
    return AnswerLine(answer.slug, answer.text, STATES[declared.state], suspects, answer.informative)


def _finding(note: FindingNote) -> FindingEntry:
    tags = tuple(SEVERITIES[severity] for severity in note.severities)
    return FindingEntry(note, tags, bool({Severity.ERROR, Severity.WARNING} & set(note.severities)))
