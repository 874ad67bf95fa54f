"""Checks run while the page is looking: server-sent events, a row a check, stored once at the end.

The stream is the worker. A reconnect finds what is stored and runs the rest; a reader who leaves cancels what is under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import cast

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone

from knowledge.current import knowledge
from troubleshoot.checking import new_tools, pending
from troubleshoot.facts import result_to_json, subject_from_json
from troubleshoot.inquiry import answer_text, check_title, done_row
from troubleshoot.models import CheckOutcome, CheckRun
from troubleshoot.services import store_check_results
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.runner import run as run_checks
from whybounce.checks.runner import run_all
from whybounce.checks.tools import Tools
from whybounce.compiled import Knowledge

log = logging.getLogger(__name__)

_RETRY = "retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class Job:
    """A run and what is left of it to do, read from the database before the stream begins: the stream reads no table."""

    run: CheckRun
    names: tuple[str, ...]
    subject: Subject
    known: Knowledge


def job_of(run: CheckRun) -> Job:
    return Job(run, tuple(pending(run)), subject_from_json(run.subject), knowledge())


def release_connection() -> None:
    """Gives the database connection back: a stream lives for seconds and must not hold one."""
    if not connection.in_atomic_block:
        connection.close()


def run_and_store(run: CheckRun) -> None:
    """Runs what is left of a run and waits for it: for browsers without JavaScript."""
    job = job_of(run)
    if job.names:
        store_check_results(run=run, results=async_to_sync(_results)(job))


async def _results(job: Job) -> list[CheckResult]:
    async with new_tools(job.known) as tools:
        return await run_all(job.names, job.subject, tools)


async def events(job: Job) -> AsyncGenerator[str, None]:
    """The stream: an event `check-NAME` with the row as HTML for each check, then `done`."""
    yield _RETRY
    found: list[CheckResult] = []
    try:
        async with new_tools(job.known) as tools, aclosing(_running(job, tools)) as results:
            async for result in results:
                found.append(result)
                yield event(f"check-{result.check}", row_html(job.known, result))
    except Exception:
        log.exception("The stream of run %s broke off", job.run.public_id)
        # Said for each check that is missing: a page must neither wait for ever nor ask for the same again and again.
        found += [_broken_off(name) for name in job.names if name not in {result.check for result in found}]
    finally:
        # Also where the reader left: what is finished is kept, and the next stream goes on from there.
        if found:
            await _store(job, tuple(found))
    yield event("done", "")


def _running(job: Job, tools: Tools) -> AsyncGenerator[CheckResult, None]:
    """The runner's iterator as what it is: closing it cancels the checks."""
    return cast("AsyncGenerator[CheckResult, None]", run_checks(job.names, job.subject, tools))


def _broken_off(name: str) -> CheckResult:
    return CheckResult(name, "unknown", State.UNKNOWN, "The check could not be completed because of a fault in this program, so nothing is known.")


async def _store(job: Job, found: tuple[CheckResult, ...]) -> None:
    writing = asyncio.ensure_future(sync_to_async(_store_and_release)(job.run, found))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        with suppress(asyncio.CancelledError):
            await writing
        raise


def _store_and_release(run: CheckRun, found: tuple[CheckResult, ...]) -> None:
    store_check_results(run=run, results=found)
    release_connection()


def row_html(known: Knowledge, result: CheckResult) -> str:
    """A finished check as the page's row."""
    row = done_row(
        CheckOutcome(at=timezone.now(), **result_to_json(result)), check_title(known, result.check), answer_text(known, result.check, result.answer)
    )
    return render_to_string("troubleshoot/_check_row.html", {"row": row})


def event(name: str, data: str) -> str:
    """One event of a stream (HTML Standard section 9.2.6); each line of `data` is a field of its own."""
    lines = data.splitlines() or [""]
    return "".join((f"event: {name}\n", *(f"data: {line}\n" for line in lines), "\n"))
