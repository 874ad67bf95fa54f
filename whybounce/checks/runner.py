"""Runs checks: all at once, results as they finish, each within its time. What goes wrong in a check is that check's "unknown"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace

from whybounce.checks.registry import CHECKS, Check
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.checks.tools import Tools

CHECK_SECONDS = 15.0
ALL_SECONDS = 30.0

_log = logging.getLogger(__name__)


def possible(subject: Subject, checks: Mapping[str, Check] = CHECKS) -> list[str]:
    """The names of the checks that can run with what is known."""
    return [name for name, check in checks.items() if not check.needs(subject)]


async def run(
    names: Iterable[str],
    subject: Subject,
    tools: Tools,
    *,
    check_seconds: float = CHECK_SECONDS,
    all_seconds: float = ALL_SECONDS,
    checks: Mapping[str, Check] = CHECKS,
) -> AsyncIterator[CheckResult]:
    """Yield one result for each name, in the order in which they finish. Never raises. Closing the iterator (`contextlib.aclosing`) or
    cancelling whoever consumes it cancels the checks that are still running."""
    tasks = {asyncio.create_task(_one(name, checks.get(name), subject, tools, check_seconds)): name for name in dict.fromkeys(names)}
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        while tasks:
            left = began + all_seconds - loop.time()
            done, _ = await asyncio.wait(tasks, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
            if not done:
                for name in tasks.values():
                    yield _unknown(name, f"The check did not finish within {all_seconds:g} seconds.", elapsed_ms=_since(began))
                return
            for task in done:
                del tasks[task]
                yield task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_all(names: Iterable[str], subject: Subject, tools: Tools, *, check_seconds: float = CHECK_SECONDS) -> list[CheckResult]:
    """All results at once, in the order of `names`."""
    wanted = list(dict.fromkeys(names))
    results = [result async for result in run(wanted, subject, tools, check_seconds=check_seconds)]
    return sorted(results, key=lambda result: wanted.index(result.check))


async def _one(name: str, check: Check | None, subject: Subject, tools: Tools, seconds: float) -> CheckResult:
    """One check's result, whatever happens in it."""
    if check is None:
        return _unknown(name, f"There is no check called {name}.")
    began = asyncio.get_running_loop().time()
    try:
        lacking = check.needs(subject)
        if lacking:
            return _unknown(name, f"This check needs {lacking}.")
        async with asyncio.timeout(seconds):
            result = await check.run(subject, tools)
    except TimeoutError:
        return _unknown(name, f"The check did not finish within {seconds:g} seconds.", elapsed_ms=_since(began))
    except Exception:  # noqa: BLE001 (a fault in one check must not take the others with it)
        _log.exception("the check %s failed", name)
        return _unknown(name, "The check failed because of a fault in this program, so nothing is known.", elapsed_ms=_since(began))
    if result.answer not in {answer.slug for answer in check.answers}:
        _log.error("the check %s gave an answer it does not declare: %s", name, result.answer)
        return _unknown(name, "The check gave an answer that it does not declare, so nothing is known.", elapsed_ms=_since(began))
    return replace(result, elapsed_ms=_since(began))


def _since(began: float) -> int:
    return round((asyncio.get_running_loop().time() - began) * 1000)


def _unknown(name: str, detail: str, elapsed_ms: int = 0) -> CheckResult:
    return CheckResult(name, "unknown", State.UNKNOWN, detail, elapsed_ms=elapsed_ms)
