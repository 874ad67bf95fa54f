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
from troubleshoot.check_panel import done_row
from troubleshoot.checking import message_of, new_tools, pending, standing_of
from troubleshoot.client import network_of
from troubleshoot.effects import Standing, effect_of
from troubleshoot.facts import result_to_json, subject_from_json
from troubleshoot.limits import conversation_want, may
from troubleshoot.models import CheckOutcome, CheckRun
from troubleshoot.services import begin_run, store_check_results
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.runner import run as run_checks
from whybounce.checks.runner import run_all
from whybounce.checks.tools import Tools
from whybounce.compiled import Knowledge

log = logging.getLogger(__name__)

_RETRY = "retry: 2000\n\n"


@dataclass(frozen=True, slots=True)
class Job:
    """A run and what is left of it to do, read from the database before the stream begins: the stream reads no table.

    standing    of the run's case before these checks; None for a run without a case
    message     whose DKIM signature is verified
    """

    run: CheckRun
    names: tuple[str, ...]
    subject: Subject
    known: Knowledge
    standing: Standing | None = None
    message: bytes = b""


def job_of(run: CheckRun) -> Job:
    """What is left to do. A run that was begun too often has nothing left: it must be asked for anew."""
    names = tuple(pending(run))
    if names and not begin_run(run=run):
        names = ()
    known = knowledge()
    standing, message = None, b""
    if names and run.case is not None:
        standing = standing_of(known, run.case)
        message = message_of(run.case) if "dkim" in names else b""
        for name in names:
            standing = standing.without_check(name)
    return Job(run, names, subject_from_json(run.subject), known, standing, message)


def release_connection() -> None:
    """Gives the database connection back: a stream lives for seconds and must not hold one."""
    if not connection.in_atomic_block:
        connection.close()


def run_and_store(run: CheckRun) -> int:
    """Runs what is left of a run and waits for it: for browsers without JavaScript and for other programs. How many questions were put
    to DNS."""
    job = job_of(run)
    if not job.names:
        return 0
    results, queries = async_to_sync(_results)(job)
    store_check_results(run=run, results=results)
    return queries


async def _admit(address: str) -> int:
    """Counts a conversation with the mail server at an address: 0, or in how many seconds it may be spoken with."""

    def counted() -> int:
        seconds = may(conversation_want(network_of(address)))
        release_connection()
        return seconds

    return await sync_to_async(counted)()


async def _results(job: Job) -> tuple[list[CheckResult], int]:
    async with new_tools(job.known, message=job.message, admit=_admit) as tools:
        return await run_all(job.names, job.subject, tools), tools.resolver.queries


async def events(job: Job) -> AsyncGenerator[str, None]:
    """The stream: an event `check-NAME` with the row as HTML for each check, then `done`."""
    yield _RETRY
    found: list[CheckResult] = []
    standing = job.standing
    try:
        async with new_tools(job.known, message=job.message, admit=_admit) as tools, aclosing(_running(job, tools)) as results:
            async for result in results:
                found.append(result)
                standing = standing.with_check(result.check, result.answer) if standing else None
                yield event(f"check-{result.check}", row_html(job, result, standing))
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


def row_html(job: Job, result: CheckResult, standing: Standing | None) -> str:
    """A finished check as the page's row; on the page of a case with what it did to the ranking."""
    outcome = CheckOutcome(at=timezone.now(), **result_to_json(result))
    row = done_row(job.known, outcome, effect=effect_of(standing, result.check) if standing else None)
    return render_to_string("troubleshoot/_check_row.html", {"row": row, "case": job.run.case})


def event(name: str, data: str) -> str:
    """One event of a stream (HTML Standard section 9.2.6); each line of `data` is a field of its own."""
    lines = data.splitlines() or [""]
    return "".join((f"event: {name}\n", *(f"data: {line}\n" for line in lines), "\n"))
