"""Checks as rows of a page: what each found, what it waits for, what it lacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from knowledge.check_names import check_label
from troubleshoot.check_words import FindingLine, age, finding_lines, in_line
from troubleshoot.checking import latest_outcomes, pending, runnable
from troubleshoot.compare import Comparison, compare
from troubleshoot.effects import Effect, Standing, effect_of
from troubleshoot.models import CheckOutcome, CheckRun
from troubleshoot.publishing_records import records_to_publish
from troubleshoot.wording import STATES, clipped
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import State, Subject
from whybounce.compiled import Knowledge
from whybounce.next_question import open_questions
from whybounce.publish import Proposal
from whybounce.reasoning import SURE, Ranking
from whybounce.snapshot import AskedOf
from whybounce.visible import visible

_TELLING = 4
_MOST_OF_A_FACT = 4000


@dataclass(frozen=True, slots=True)
class FactText:
    """A fact that a check saw: its name, and its value as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check on the page. `state` is "done", "pending", "ready" or "lacking"; then `needs` says what it lacks.

    answer, label, tone, detail, findings, facts, elapsed_ms, at, age    what it found, where it is done
    source      who answered, and how long it took
    effect      what its answer did to the ranking of the case; None where nothing is ranked or it is no evidence
    telling     of the checks that have not looked, it is among those that would tell most
    change      beside what it found last time, where that is known
    record      what the domain should publish, where that is shown with the check
    blind       it could not look
    """

    name: str
    label: str
    question: str
    state: str
    needs: str = ""
    answer: str = ""
    state_label: str = ""
    tone: str = "plain"
    detail: str = ""
    findings: tuple[FindingLine, ...] = ()
    facts: tuple[FactText, ...] = ()
    source: str = ""
    elapsed_ms: int = 0
    at: datetime | None = None
    age: str = ""
    effect: Effect | None = None
    telling: bool = False
    change: Comparison | None = None
    record: Proposal | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class CheckPanel:
    """`running`: a run has checks without a result; `able`: names of the checks that can look at the subject; `telling`: those of
    them that would tell most; `seen`: some have looked; `about`: the subject in a few words."""

    rows: tuple[CheckRow, ...]
    subject: Subject
    running: bool
    able: tuple[str, ...]
    telling: tuple[str, ...]
    seen: bool
    about: str

    @property
    def lacking(self) -> tuple[CheckRow, ...]:
        return tuple(row for row in self.rows if row.state == "lacking")

    @property
    def shown(self) -> tuple[CheckRow, ...]:
        """Those with a row of their own on the page of a case: that look or looked, then those that would tell most."""
        return tuple(row for row in self.rows if row.state in ("done", "pending")) + tuple(row for row in self.rows if row.telling)

    @property
    def others(self) -> tuple[CheckRow, ...]:
        """Those that could look too."""
        return tuple(row for row in self.rows if row.state == "ready" and not row.telling)

    @property
    def good(self) -> frozenset[str]:
        """The checks that looked last and found all well."""
        return frozenset(row.name for row in self.rows if row.state == "done" and row.tone == "good")


def check_panel(
    known: Knowledge,
    subject: Subject,
    runs: list[CheckRun],
    *,
    standing: Standing | None = None,
    earlier: Mapping[str, CheckOutcome] | None = None,
    brief: bool = False,
) -> CheckPanel:
    """All checks there are, each with its newest result about this subject, or what it waits for.

    standing    of the case: then each result says what it did to the ranking, and the checks that would tell most are marked
    earlier     what each check found before, to compare with
    brief       as on the page of a case: what was seen has a page of its own, and records to publish stand with the steps
    """
    outcomes = latest_outcomes(runs)
    waiting = pending(runs[-1]) if runs else []
    able = runnable(subject)
    worth = [name for name in able if name not in outcomes and not _has_no_answer(name, subject)]
    telling = telling_checks(standing.ranking(), worth) if standing else ()
    records = {} if brief else records_to_publish(outcomes, subject)
    rows = []
    for name, check in CHECKS.items():
        title, label = check_title(known, name), check_label(name)
        if name in waiting:
            rows.append(CheckRow(name, label, title, "pending"))
        elif name in outcomes:
            effect = effect_of(standing, name) if standing else None
            change = compare(known, earlier[name], outcomes[name]) if earlier and name in earlier else None
            row = done_row(known, outcomes[name], effect=effect, change=change, brief=brief)
            rows.append(replace(row, record=records.get(name)))
        elif name in able:
            rows.append(CheckRow(name, label, title, "ready", telling=name in telling))
        else:
            rows.append(CheckRow(name, label, title, "lacking", needs=check.needs(subject)))
    return CheckPanel(tuple(rows), subject, bool(waiting), tuple(able), telling, bool(outcomes), about_words(subject))


def telling_checks(ranking: Ranking, names: Collection[str]) -> tuple[str, ...]:
    """Those of `names` that would tell the causes apart best, at most four; none where one cause is as good as certain."""
    if ranking.top is None or ranking.top.probability >= SURE or not names:
        return ()
    return tuple(item.question.check for item in open_questions(ranking, names) if item.question.asked_of is AskedOf.CHECK)[:_TELLING]


def _has_no_answer(name: str, subject: Subject) -> bool:
    """SPF without a sending address looks whether the record is in order; whether this mail passes it cannot tell."""
    return name == "spf" and not subject.sending_ip


def about_words(subject: Subject) -> str:
    """What is looked at: `"example.org, sent by 192.0.2.25 for news@example.com"`."""
    words = {"domain": visible(subject.domain), "ip": subject.sending_ip, "sender": visible(subject.mail_from)}
    if subject.recipient and subject.mail_from == subject.recipient:  # an address alone, taken for the sender's too
        words |= {"domain": visible(subject.recipient), "sender": ""}
    frames = [("domain", "%(domain)s"), ("ip", _("sent by %(ip)s") if words["domain"] else "%(ip)s"), ("sender", _("for %(sender)s"))]
    return " ".join(frame % words for name, frame in frames if words[name])


def check_title(known: Knowledge, name: str) -> str:
    question = known.by_check.get(name)
    return question.text if question else ""


def answer_text(known: Knowledge, name: str, answer: str) -> str:
    question = known.by_check.get(name)
    plain = answer.replace("-", " ")
    return next((a.text for a in question.answers if a.slug == answer), plain) if question else plain


def done_row(known: Knowledge, row: CheckOutcome, *, effect: Effect | None = None, change: Comparison | None = None, brief: bool = False) -> CheckRow:
    """What a check found, as a row. Reads no table: the stream makes rows of outcomes that are not stored yet."""
    label, tone = STATES[State(row.state)]
    return CheckRow(
        name=row.check_name,
        label=check_label(row.check_name),
        question=check_title(known, row.check_name),
        state="done",
        answer=answer_text(known, row.check_name, row.answer),
        state_label=str(label),
        tone=tone,
        detail=visible(row.detail),
        findings=tuple(line for line in finding_lines(known, row.findings) if not (brief and line.tone == "good")),
        facts=() if brief else fact_texts(row.facts),
        source=visible(source_words(row.facts, row.elapsed_ms)),
        elapsed_ms=row.elapsed_ms,
        at=row.at,
        age=age(row.at),
        effect=effect,
        change=change,
        blind=row.state == State.UNKNOWN,
    )


def fact_texts(facts: Mapping[str, Any]) -> tuple[FactText, ...]:
    """Facts as text, empty ones left out."""
    shown = ((name, value) for name, value in facts.items() if value not in ("", None, [], {}))
    return tuple(FactText(name.replace("_", " "), visible(clipped(_shown(value), _MOST_OF_A_FACT))) for name, value in shown)


def source_words(facts: Mapping[str, Any], elapsed_ms: int) -> str:
    """Who answered and how long it took, in one line: `"TTL 300 s · answered by 192.0.2.53 · 15 ms"`."""
    ttl, server = facts.get("ttl"), facts.get("server") or facts.get("dns_server")
    words = [_("TTL %(ttl)s s") % {"ttl": ttl} if isinstance(ttl, int) else "", _("answered by %(server)s") % {"server": server} if server else ""]
    return " · ".join(word for word in (*words, f"{elapsed_ms} ms") if word)


def _shown(value: object) -> str:
    """A fact as text: a list as lines, each mapping in it as one line of names and values."""
    return "\n".join(in_line(item) for item in (value if isinstance(value, list) else [value]))
