"""The filtered list of cases as CSV (RFC 4180), written as it is read: any number of cases in bounded memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db.models import F, Prefetch
from django.utils import timezone

from troubleshoot.case_filters import Filters, cause_titles, fitting
from troubleshoot.models import Case, Failure, Outcome
from troubleshoot.streams import release_connection

_AT_ONCE = 500
COLUMNS = (
    "number", "state", "opened", "changed", "closed", "age_days", "domain", "recipient", "failures", "code", "provider", "cause", "cause_title",
    "probability", "in_words", "owner", "opened_by", "tags", "merged_into",
)  # fmt: skip


def safe(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what would begin one (OWASP, "CSV Injection")."""
    text = str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) else text


async def csv_of(filters: Filters, me: User | None) -> AsyncIterator[bytes]:
    """The CSV in pieces, newest case first: a byte order mark, so that spreadsheets read it as UTF-8, the names of the columns, the rows."""
    yield b"\xef\xbb\xbf" + _lines([COLUMNS])
    last: int | None = None
    while True:
        piece, last = await sync_to_async(_next)(filters, me, last)
        if piece:
            yield piece
        if last is None:
            return


def _next(filters: Filters, me: User | None, last: int | None) -> tuple[bytes, int | None]:
    """The rows of the next cases, and the key of the last of them; None where no more follow."""
    cases = fitting(filters, me).order_by("-pk").select_related("owner", "assignee")
    if last is not None:
        cases = cases.filter(pk__lt=last)
    failures = Prefetch("failures", Failure.objects.filter(position=F("case__position")).only("case", "position", "recipient"))
    outcomes = Prefetch("outcomes", Outcome.objects.filter(reopened_at=None))
    found = list(cases.defer("pasted", "text", "notes").prefetch_related("tags", failures, outcomes)[:_AT_ONCE])
    merged = dict(Case.objects.filter(pk__in={case.merged_into_id for case in found if case.merged_into_id}).values_list("pk", "public_id"))
    piece = _lines(_rows(found, merged))
    release_connection()
    return piece, found[-1].pk if len(found) == _AT_ONCE else None


def _rows(cases: Iterable[Case], merged: dict[int, str]) -> Iterator[tuple[object, ...]]:
    titles, now = cause_titles(), timezone.now()
    for case in cases:
        failure = next(iter(case.failures.all()), None)
        outcome = next(iter(case.outcomes.all()), None)
        yield (
            case.public_id, case.state, _time(case.created_at), _time(case.updated_at), _time(outcome.at) if outcome else "",
            (now - case.created_at).days, case.domain, failure.recipient if failure else "", case.failure_count, case.code, case.provider,
            case.cause, titles.get(case.cause, ""), "" if case.share is None else f"{case.share:.3f}", outcome.sentence if outcome else "",
            case.assignee.get_username() if case.assignee else "", case.owner.get_username() if case.owner else "",
            " ".join(tag.name.replace(" ", "_") for tag in case.tags.all()), merged.get(case.merged_into_id or 0, ""),
        )  # fmt: skip


def _time(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")
