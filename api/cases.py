"""Cases: opened, answered, checked, closed. Those of the token's person, or without a person those of the token."""

from __future__ import annotations

import re
from typing import Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.decorators import decorate_view
from ninja.params import Path
from pydantic import Field

from api.access import caller_of, guarded
from api.bodies import pasted
from api.case_json import case_json, line_json, links
from api.models import Scope
from api.paging import Paging, link_pages, page_of
from api.problems import Problem
from api.schemas import AnswerIn, Case, CaseChecksIn, Cases, ChooseIn, CloseIn
from api.subjects import cleaned, known_checks
from knowledge.current import knowledge
from troubleshoot import models, services
from troubleshoot.check_panel import telling_checks
from troubleshoot.checking import current_subject, runnable, standing_of
from troubleshoot.listing import case_rows, found_cases, with_rows
from troubleshoot.people import Person
from troubleshoot.streams import run_and_store
from whybounce.failure import IntakeReport
from whybounce.intake import read

router = Router(tags=["cases"])
_reads = decorate_view(guarded(Scope.CASES_READ))
_writes = decorate_view(guarded(Scope.CASES_WRITE))
_writes_json = decorate_view(guarded(Scope.CASES_WRITE, takes_json=True))
_ID = re.compile(r"[a-z2-7]{12}", re.ASCII)


class CaseQuery(Paging):
    state: Literal["", "open", "closed"] = ""
    q: str = Field("", max_length=200, description="Part of the number, a recipient, a domain or the outcome.")


class AskQuery(Schema):
    ask: str = Field("", max_length=80, description="Slug of the question to ask instead of the most worthwhile one.")


def _own(person: Person) -> QuerySet[models.Case]:
    """The caller's own cases, also where the person may see all of them on the pages: a token should not open more than it needs."""
    return models.Case.objects.filter(Q(owner=person.user) if person.user else Q(visitor=person.visitor, owner=None)).defer("pasted")


def _case(request: HttpRequest, public_id: str) -> models.Case:
    """The case; 404 where it is another's, as if it did not exist."""
    found = _own(caller_of(request).person).filter(public_id=public_id).first() if _ID.fullmatch(public_id) else None
    if found is None:
        raise Problem(404, "There is no such case of yours.")
    if found.is_erased:
        raise Problem(404, "This case was erased: nothing is left of it to read or to work on.")
    return found


@router.post("/cases", response={201: Case}, operation_id="openCase", summary="Open a case")
@_writes
def open_case(request: HttpRequest, response: HttpResponse) -> Status[dict[str, Any]]:
    """The body is the paste, as for explain. An empty one opens a case without a text, which begins with a question about the symptom."""
    data = pasted(request)
    report = read(data) if data.strip() else IntakeReport("none")
    case = services.open_case(pasted=data if report.format != "none" else b"", report=report, person=caller_of(request).person)
    response["Location"] = links(request, case)["self"]
    return Status(201, case_json(request, case))


@router.get("/cases", response=Cases, operation_id="listCases", summary="List one's own cases")
@_reads
def list_cases(request: HttpRequest, response: HttpResponse, query: Query[CaseQuery]) -> dict[str, Any]:
    """Newest first."""
    rows = found_cases(_own(caller_of(request).person), state=query.state, query=query.q.replace("\0", "").strip())
    total = rows.count()
    link_pages(request, response, total, query)
    shown, place = page_of(with_rows(rows), total, query)
    return {"items": [line_json(request, row) for row in case_rows(shown)], **place}


@router.get("/cases/{public_id}", response=Case, operation_id="getCase", summary="Read a case")
@_reads
def get_case(request: HttpRequest, public_id: Path[str], query: Query[AskQuery]) -> dict[str, Any]:
    """Facts, verdict, ranked causes and why, the question that tells most, the checks that would tell most, the steps filled in."""
    return case_json(request, _case(request, public_id), query.ask)


@router.post("/cases/{public_id}/answers", response=Case, operation_id="answerQuestion", summary="Answer a question")
@_writes_json
def answer(request: HttpRequest, public_id: Path[str], body: AnswerIn) -> dict[str, Any]:
    """Any question of the knowledge may be answered, and answered again. dont-know counts as asked and is no evidence."""
    case = _case(request, public_id)
    services.record_answer(case=case, question=body.question, answer=body.answer, person=caller_of(request).person)
    return case_json(request, case)


@router.delete("/cases/{public_id}/answers/{question}", response=Case, operation_id="takeBackAnswer", summary="Take back an answer")
@_writes
def take_back(request: HttpRequest, public_id: Path[str], question: Path[str]) -> dict[str, Any]:
    """What was answered is forgotten; nothing happens where nothing was."""
    case = _case(request, public_id)
    services.take_back_answer(case=case, question=question, person=caller_of(request).person)
    return case_json(request, case)


@router.post("/cases/{public_id}/checks", response=Case, operation_id="checkCase", summary="Run checks of a case")
@_writes_json
def check(request: HttpRequest, public_id: Path[str], body: CaseChecksIn) -> dict[str, Any]:
    """Runs checks and waits for them, 30 seconds at most. What they find is evidence."""
    case = _case(request, public_id)
    known_checks([*body.names, *([body.verify] if body.verify else [])], "/names")
    given = cleaned(body)
    supplied = {**case.supplied, **given} if given else None
    run = services.plan_checks(
        case=case,
        names=[body.verify] if body.verify else body.names or _worthwhile(case, supplied),
        person=caller_of(request).person,
        supplied=supplied,
        anew=body.anew or bool(body.verify),
        verifies=body.verify,
    )
    run_and_store(run)
    return case_json(request, _case(request, public_id))


def _worthwhile(case: models.Case, supplied: dict[str, Any] | None) -> list[str]:
    """The checks that would tell most, or where none would, all that can look."""
    if supplied is not None:
        case.supplied = {name: value for name, value in supplied.items() if value}
    able = runnable(current_subject(case))
    return list(telling_checks(standing_of(knowledge(), case).ranking(), able)) or able


@router.post("/cases/{public_id}/recipient", response=Case, operation_id="chooseRecipient", summary="Turn to another failed recipient")
@_writes_json
def choose(request: HttpRequest, public_id: Path[str], body: ChooseIn) -> dict[str, Any]:
    """Of a paste with several. Answers stay; what checks found counts only for the recipient that they looked at."""
    case = _case(request, public_id)
    services.choose_failure(case=case, position=body.position, person=caller_of(request).person)
    return case_json(request, case)


@router.post("/cases/{public_id}/close", response=Case, operation_id="closeCase", summary="Close a case")
@_writes_json
def close(request: HttpRequest, public_id: Path[str], body: CloseIn) -> dict[str, Any]:
    """With the cause that proved true, or a sentence where it was none that is known."""
    case = _case(request, public_id)
    services.close_case(case=case, cause=body.cause, sentence=body.sentence, person=caller_of(request).person)
    return case_json(request, case)


@router.post("/cases/{public_id}/reopen", response=Case, operation_id="reopenCase", summary="Reopen a case")
@_writes
def reopen(request: HttpRequest, public_id: Path[str]) -> dict[str, Any]:
    """It takes answers and checks again; its outcome is kept as an earlier one."""
    case = _case(request, public_id)
    services.reopen_case(case=case, person=caller_of(request).person)
    return case_json(request, case)
