"""What is known: codes, causes, search. From the snapshot in force, without a query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.params import Path
from pydantic import Field

from api.access import guarded
from api.models import Scope
from api.paging import Paging, link_pages, page_of
from api.problems import Problem
from api.schemas import Cause, Causes, Code, Codes, Found
from knowledge import reference
from knowledge.reference.codes import CarryingReply, CodeRow, Meaning
from knowledge.search import MAX_QUERY, search
from whybounce import snapshot as values
from whybounce.remedies import FilledStep

router = Router(tags=["reference"])
_open = decorate_view(guarded(Scope.REFERENCE, to_all=True))


class CodeQuery(Paging):
    q: str = Field("", max_length=MAX_QUERY, description="Words or the beginning of a code.")
    digit: Literal["", "2", "3", "4", "5"] = Field("", alias="class", description="The first digit.")
    sort: Literal["", "standard", "folk", "provider"] = Field("", description="Defined by a standard, in use without one, or a provider's own.")


class CauseQuery(Paging):
    category: str = Field("", max_length=40, description="Slug of a category: mailbox_full.")


class SearchQuery(Schema):
    q: str = Field("", max_length=2000, description="Words, a code, the beginning of either.", examples=["mailbox full"])


@router.get("/codes", response=Codes, operation_id="listCodes", summary="List the reply codes and enhanced status codes")
@_open
def codes(request: HttpRequest, response: HttpResponse, query: Query[CodeQuery]) -> dict[str, Any]:
    """All codes, the basic ones first; X.1.1 stands for 4.1.1 and 5.1.1."""
    rows = reference.find_codes(query.q.strip(), query.digit, query.sort)
    link_pages(request, response, len(rows), query)
    shown, place = page_of(rows, len(rows), query)
    return {"items": [_code_line(request, row) for row in shown], **place}


def _code_line(request: HttpRequest, line: CodeRow) -> dict[str, Any]:
    row = line.row
    return {"code": row.code, "title": row.title, "provider": row.provider or None, "sort": line.sort, "url": _url(request, "code", row.code)}


@router.get("/codes/{code}", response=Code, operation_id="getCode", summary="Say what a code means")
@_open
def code(request: HttpRequest, code: Path[str]) -> dict[str, Any]:
    """Every meaning of a code such as 550 or 5.7.26: the standard's first, then what providers mean by it."""
    page = reference.code_page(code)
    if page is None:
        raise Problem(404, "Nothing is known of this code.")
    return {
        "code": page.code,
        "url": _url(request, "code", page.code),
        "meanings": [_meaning(item) for item in page.meanings],
        "replies": [_reply(item) for item in page.replies],
        "related": [row.code for row in page.related],
    }


def _meaning(item: Meaning) -> dict[str, Any]:
    row = item.row
    return {
        "code": row.code,
        "title": row.title,
        "provider": row.provider or None,
        "standard": row.standard,
        "meaning": row.meaning,
        "usual_causes": row.usual_causes,
        "find_out": row.find_out,
        "what_to_do": row.what_to_do,
        "retry": row.retry,
        "commands": row.commands,
        "myths": [{"claim": myth.claim, "truth": myth.truth} for myth in row.myths],
        "causes": [{"cause": s.cause.slug, "title": s.cause.title, "strength": s.strength} for s in item.suspects],
        "sources": _sources(row.sources),
    }


def _reply(item: CarryingReply) -> dict[str, Any]:
    return {"text": item.text, "cause": item.cause.slug, "provider": item.provider.slug if item.provider else None}


@router.get("/causes", response=Causes, operation_id="listCauses", summary="List the causes")
@_open
def causes(request: HttpRequest, response: HttpResponse, query: Query[CauseQuery]) -> dict[str, Any]:
    """All causes in the order of their categories."""
    rows = [row for section in reference.cause_sections() for row in section.rows if query.category in ("", row.category)]
    link_pages(request, response, len(rows), query)
    shown, place = page_of(rows, len(rows), query)
    return {"items": [_cause_line(request, row) for row in shown], **place}


def _cause_line(request: HttpRequest, row: values.Cause) -> dict[str, Any]:
    return {
        "cause": row.slug,
        "title": row.title,
        "category": row.category,
        "who_acts": row.who_acts,
        "permanent": row.permanent,
        "summary": row.summary,
        "url": _url(request, "cause", row.slug),
    }


@router.get("/causes/{slug}", response=Cause, operation_id="getCause", summary="Say what is known of a cause")
@_open
def cause(request: HttpRequest, slug: Path[str]) -> dict[str, Any]:
    """What to do, how servers say it, what speaks for it."""
    page = reference.cause_page(slug)
    if page is None:
        raise Problem(404, "There is no cause of this name.")
    return {
        **_cause_line(request, page.cause),
        "explanation": page.cause.explanation,
        "steps": [_step(step) for step in page.steps],
        "replies": [
            {"text": text, "cause": page.cause.slug, "provider": item.provider.slug if item.provider else None}
            for item in page.replies
            for text in item.pattern.examples[:1]
        ],
        "codes": [row.code for row in page.codes],
        "speaks": [{"question": item.question.text, "answer": item.answer, "strength": item.strength} for item in page.speaks],
        "see_also": [row.slug for row in page.see_also],
        "sources": _sources(page.cause.sources),
    }


def _step(filled: FilledStep) -> dict[str, Any]:
    return {
        "who": filled.step.who,
        "text": "".join(part.text for part in filled.text),
        "wording": filled.wording_text,
        "check": filled.step.check or None,
        "links": [{"text": link.text, "url": link.url} for link in filled.step.links],
    }


@router.get("/search", response=Found, operation_id="search", summary="Search codes, causes, replies, providers, blocklists, articles, checks")
@_open
def find(request: HttpRequest, query: Query[SearchQuery]) -> dict[str, Any]:
    """As the search box: the best group first, at most eight hits in each."""
    groups = [
        {
            "kind": group.kind,
            "hits": [
                {
                    "label": hit.label,
                    "title": hit.title,
                    "url": request.build_absolute_uri(hit.url),
                    "excerpt": "".join(part.text for part in hit.excerpt),
                }
                for hit in group.hits
            ],
        }
        for group in search(query.q.strip())
    ]
    return {"query": query.q, "groups": groups}


def _sources(sources: Iterable[values.Source]) -> list[dict[str, str]]:
    return [{"title": source.title, "url": source.url} for source in sources]


def _url(request: HttpRequest, name: str, argument: str) -> str:
    return request.build_absolute_uri(reverse(name, args=[argument]))
