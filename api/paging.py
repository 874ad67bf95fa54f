"""Lists in pages: limit and offset, with Link headers (RFC 8288) to the other pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import Field


class Paging(Schema):
    limit: int = Field(50, ge=1, le=500, description="How many at most.")
    offset: int = Field(0, ge=0, le=1_000_000, description="How many to leave out before.")


def page_of(rows: Sequence[Any] | QuerySet[Any], total: int, paging: Paging) -> tuple[list[Any], dict[str, int]]:
    """The rows of the page, and the members of the answer that say which page it is."""
    return list(rows[paging.offset : paging.offset + paging.limit]), {"total": total, "limit": paging.limit, "offset": paging.offset}


def link_pages(request: HttpRequest, response: HttpResponse, total: int, paging: Paging) -> None:
    """Sets the Link header: first, prev, next, last, as far as there are such pages."""
    last = max(0, (total - 1) // paging.limit * paging.limit)
    places = {"first": 0, "last": last}
    if paging.offset > 0:
        places["prev"] = max(0, min(paging.offset, total) - paging.limit)
    if paging.offset + paging.limit < total:
        places["next"] = paging.offset + paging.limit
    response["Link"] = ", ".join(f'<{_address(request, paging.limit, offset)}>; rel="{rel}"' for rel, offset in places.items())


def _address(request: HttpRequest, limit: int, offset: int) -> str:
    query = {name: value for name, value in request.GET.items() if name not in ("limit", "offset")}
    return request.build_absolute_uri(f"{request.path}?{urlencode(query | {'limit': limit, 'offset': offset})}")
