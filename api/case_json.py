"""A case as JSON: all that its page says, for a program that takes a person through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from api.looking import outcome_json
from knowledge.current import knowledge
from troubleshoot.check_panel import CheckRow
from troubleshoot.checking import latest_outcomes, runs_about
from troubleshoot.diagnosis import Diagnosis, diagnose
from troubleshoot.facts import subject_to_json
from troubleshoot.groups import everyone
from troubleshoot.inquiry import QuestionPanel
from troubleshoot.listing import CaseRow
from troubleshoot.models import Case, CheckOutcome, Observation
from troubleshoot.steps import Passage, Step
from whybounce.answer import failure_json
from whybounce.publish import Proposal
from whybounce.remedies import Part
from whybounce.snapshot import Cause

_NOTHING = {"permanent": False, "who_acts": [], "certainty": "unclear"}


def case_json(request: HttpRequest, case: Case, ask: str = "") -> dict[str, Any]:
    """The case as it stands; `ask`: slug of the question to show instead of the most worthwhile one."""
    d = diagnose(case, ask)
    told = failure_json(d.ranking)
    facts = {name: told[name] for name in told if name not in ("verdict", "causes")}
    outcomes = latest_outcomes(runs_about(case, d.checks.subject))
    says = d.found and not d.bare
    return {
        **_head(case),
        "format": case.format,
        "kind": case.kind,
        "notes": case.notes,
        "error": case.error or None,
        "recipients": _recipients(d, facts["recipient"]),
        "facts": facts if case.failure_count else None,
        "headline": {"text": d.verdict.headline, "certainty": d.verdict.certainty, "retry": d.verdict.retry},
        "verdict": told["verdict"] if says else _NOTHING,
        "causes": [_cause(request, item) for item in told["causes"]] if says else [],
        "ruled_out": d.ruled_out,
        "contradictions": d.contradictions,
        "question": _question(d.asking.panel) if d.asking.panel and d.found else None,
        "more_questions": [{"question": item.slug, "text": item.text} for item in d.asking.others] if d.found else [],
        "finished": d.asking.finished,
        "answered": _answered(d),
        "subject": {name: value for name, value in subject_to_json(d.checks.subject).items() if name != "reply"},
        "checks": [_check(row, outcomes) for row in d.checks.rows],
        "steps_for": d.ranking.top.cause.slug if d.ranking.top and says else "",
        "steps": [_step(step, check) for step, check in zip(d.steps, _checks_of_steps(d), strict=True)] if says else [],
        "outcome": _outcome(d),
        "links": links(request, case),
    }


def line_json(request: HttpRequest, row: CaseRow) -> dict[str, Any]:
    """A case in the list."""
    return {**_head(row.case), "domain": row.domain, "failures": row.case.failure_count, "title": row.title, "links": links(request, row.case)}


def links(request: HttpRequest, case: Case) -> dict[str, str]:
    """Where the case stands in the API, and its page for people."""
    return {
        "self": request.build_absolute_uri(reverse("api-v1:get_case", args=[case.public_id])),
        "page": request.build_absolute_uri(case.get_absolute_url()),
    }


def _head(case: Case) -> dict[str, Any]:
    return {"id": case.public_id, "state": case.state, "created_at": case.created_at, "updated_at": case.updated_at}


def _recipients(d: Diagnosis, recipient: str | None) -> list[dict[str, Any]]:
    if d.recipients:
        return [{"position": item.position, "recipient": item.label, "chosen": item.chosen} for item in everyone(d.case)]
    return [{"position": d.case.position, "recipient": recipient or "", "chosen": True}] if d.case.failure_count else []


def _cause(request: HttpRequest, told: dict[str, Any]) -> dict[str, Any]:
    known = knowledge()
    cause: Cause = known.causes[known.index[told["cause"]]]
    return {**told, "summary": cause.summary, "url": request.build_absolute_uri(reverse("cause", args=[cause.slug]))}


def _question(panel: QuestionPanel) -> dict[str, Any]:
    answers = [{"answer": item.slug, "text": item.text, "effect": item.effect} for item in panel.answers]
    return {"question": panel.slug, "text": panel.text, "why": panel.why, "help": panel.help, "answers": answers}


def _answered(d: Diagnosis) -> list[dict[str, Any]]:
    given = {row.question: row.answer for row in d.case.observations.filter(asked_of=Observation.AskedOf.PERSON)}
    return [
        {
            "question": item.slug,
            "text": item.question,
            "answer": given.get(item.slug, ""),
            "answer_text": item.answer,
            "at": item.at,
            "by": item.by,
        }
        for item in d.asking.answered
    ]


def _check(row: CheckRow, outcomes: Mapping[str, CheckOutcome]) -> dict[str, Any]:
    outcome = outcomes.get(row.name)
    return {
        "check": row.name,
        "label": row.label,
        "state": row.state,
        "telling": row.telling,
        "needs": row.needs,
        "effect": row.effect.words if row.effect else "",
        "at": outcome.at if outcome else None,
        "result": outcome_json(outcome) if outcome else None,
    }


def _checks_of_steps(d: Diagnosis) -> Iterable[str]:
    return [step.check for step in d.ranking.top.cause.steps] if d.ranking.top else []


def _step(step: Step, check: str) -> dict[str, Any]:
    return {
        "number": step.number,
        "who": step.actor,
        "text": "\n".join(_passage(passage) for passage in step.text),
        "wording": _text(step.wording),
        "check": check or None,
        "verify": bool(step.verify),
        "links": [{"text": link.text, "url": link.url} for link in step.links],
        "record": _record(step.record) if step.record else None,
    }


def _passage(passage: Passage) -> str:
    return _text(passage.parts)


def _text(parts: Iterable[Part]) -> str:
    return "".join(part.text for part in parts)


def _record(record: Proposal) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.rdtype,
        "published": record.published,
        "proposed": record.proposed,
        "zone_line": record.zone_line,
        "why": record.why,
        "warnings": record.warnings,
    }


def _outcome(d: Diagnosis) -> dict[str, Any] | None:
    if d.closed is None:
        return None
    row = d.closed.outcome
    return {"cause": row.cause or None, "title": d.closed.title, "sentence": row.sentence, "at": row.at}
