"""What happened to a case, by whom and when: written by the services, told to staff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from knowledge.current import NoKnowledge, knowledge
from troubleshoot.facts import storable
from troubleshoot.models import Case, CaseEvent, CheckOutcome, Observation
from troubleshoot.people import Person
from whybounce.compiled import Knowledge
from whybounce.reasoning import DONT_KNOW
from whybounce.visible import visible

Kind = CaseEvent.Kind


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """`who`: "" for the visitor. `case`: number of a case that it names, "" for none."""

    at: datetime
    who: str
    text: str
    case: str = ""

    @property
    def url(self) -> str:
        return reverse("case", args=[self.case]) if self.case else ""


def record(case: Case, kind: CaseEvent.Kind, person: Person, /, **data: Any) -> None:
    """One more event in the history of a case: one query. `data` must hold nothing that was pasted: it outlives the text."""
    CaseEvent.objects.create(case=case, kind=kind, data=storable(data), by=person.user, at=timezone.now())


def record_answers(case: Case, person: Person, answers: Mapping[str, str]) -> None:
    """An event for each of several answers given at once: one query."""
    now = timezone.now()
    CaseEvent.objects.bulk_create(
        CaseEvent(case=case, kind=Kind.ANSWERED, data={"question": question, "answer": answer}, by=person.user, at=now)
        for question, answer in answers.items()
    )


def history_of(case: Case) -> list[HistoryLine]:
    """Everything that happened to a case, the newest first. Four queries, also for links, steps and results, which have own tables."""
    lines = [HistoryLine(case.created_at, _name(case.owner), _("opened the case"))]
    lines += (_told(event) for event in case.events.select_related("by"))
    lines += _found(case)
    lines += _links(case)
    lines += _steps(case)
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _name(user: User | None) -> str:
    return user.get_username() if user else ""


def _told(event: CaseEvent) -> HistoryLine:
    data = event.data
    other = str(data.get("case", ""))
    who = _("the program") if data.get("by_age") else _name(event.by)
    return HistoryLine(event.at, who, _sentence(Kind(event.kind), data) if event.kind in Kind.values else event.kind, other)


def _sentence(kind: CaseEvent.Kind, data: dict[str, Any]) -> str:
    match kind:
        case Kind.ANSWERED:
            return _("answered “%(question)s” with “%(answer)s”") % _question(data)
        case Kind.TOOK_BACK:
            return _("took back the answer to “%(question)s”") % _question(data)
        case Kind.CHOSE:
            return _("turned to failure %(number)s") % {"number": int(data.get("position", 0)) + 1}
        case Kind.CHECKED:
            return _("had checks run: %(names)s") % {"names": ", ".join(data.get("checks", ()))}
        case Kind.CLOSED:
            return _("closed the case: %(cause)s") % {"cause": _cause(data.get("cause", "")) or _("none of the known causes")}
        case Kind.REOPENED:
            return _("reopened the case")
        case Kind.ASSIGNED:
            return _("assigned it to %(name)s") % {"name": data["to"]} if data.get("to") else _("left it to nobody")
        case Kind.TAGGED:
            return _("put the tag “%(tag)s” on it") % {"tag": data.get("tag", "")}
        case Kind.UNTAGGED:
            return _("took the tag “%(tag)s” off") % {"tag": data.get("tag", "")}
        case Kind.NOTED:
            return _("wrote an internal note")
        case Kind.NOTE_REMOVED:
            return _("removed an internal note")
        case Kind.MERGED:
            return _("merged it into another case:")
        case Kind.SPLIT:
            return _("undid the merge with:")
        case Kind.TOOK_IN:
            return _("merged a duplicate into it:")
        case Kind.GAVE_BACK:
            return _("took a merged case out of it:")
        case Kind.ERASED:
            return _("erased the text and the addresses, because of their age") if data.get("by_age") else _("erased the text and the addresses")


def _known() -> Knowledge | None:
    try:
        return knowledge()
    except NoKnowledge:
        return None


def _question(data: dict[str, Any]) -> dict[str, str]:
    """The words of a question and its answer; their slugs where the knowledge has them no longer."""
    slug, answer = str(data.get("question", "")), str(data.get("answer", ""))
    known = _known()
    asked = known.questions.get(slug) if known else None
    if answer == DONT_KNOW:
        return {"question": asked.question.text if asked else slug, "answer": _("I don't know")}
    if answer == Observation.SKIPPED:
        return {"question": asked.question.text if asked else slug, "answer": _("skipped")}
    if asked is None:
        return {"question": slug, "answer": answer}
    return {"question": asked.question.text, "answer": next((item.text for item in asked.question.answers if item.slug == answer), answer)}


def _cause(slug: str) -> str:
    known = _known()
    return next((cause.title for cause in known.causes if cause.slug == slug), slug) if known else slug


def _found(case: Case) -> Iterator[HistoryLine]:
    """What the checks of each run found, as one line."""
    runs: dict[int, list[CheckOutcome]] = {}
    for row in CheckOutcome.objects.filter(run__case=case).only("run_id", "check_name", "state", "answer", "at").order_by("at", "pk"):
        runs.setdefault(row.run_id, []).append(row)
    for rows in runs.values():
        found = ", ".join(f"{row.check_name}: {row.answer}" for row in rows)
        yield HistoryLine(rows[-1].at, _("the checks"), _("found %(found)s") % {"found": found})


def _links(case: Case) -> Iterator[HistoryLine]:
    for link in case.links.select_related("by", "revoked_by"):
        label = {"label": visible(link.label) or f"{link.created_at:%Y-%m-%d %H:%M}"}
        viewed = ngettext("viewed once", "viewed %(n)d times", link.views) % {"n": link.views} if link.views else _("not viewed yet")
        yield HistoryLine(link.created_at, _name(link.by), f"{_('shared the report: %(label)s') % label} ({viewed})")
        if link.revoked_at:
            yield HistoryLine(link.revoked_at, _name(link.revoked_by), _("revoked the link: %(label)s") % label)


def _steps(case: Case) -> Iterator[HistoryLine]:
    for step in case.steps_done.select_related("by", "undone_by"):
        what = {"step": " ".join(step.text.split())[:160]}
        yield HistoryLine(step.at, _name(step.by), _("did a step: %(step)s") % what)
        if step.undone_at:
            yield HistoryLine(step.undone_at, _name(step.undone_by), _("took a step back: %(step)s") % what)
