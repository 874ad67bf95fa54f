from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from whybounce.checks.registry import CHECKS, Check
from whybounce.checks.resolver import Resolver
from whybounce.checks.result import CheckResult, DeclaredAnswer, State, Subject
from whybounce.checks.runner import possible, run, run_all
from whybounce.checks.tools import Reach, SmtpMode, Tools

ANSWERS = (DeclaredAnswer("ok", State.GOOD), DeclaredAnswer("unknown", State.UNKNOWN, informative=False))
SUBJECT = Subject(domain="example.test", sending_ip="192.0.2.1", mail_from="anna@example.test")
DNS_ONLY = Reach(smtp=SmtpMode.OFF)


def made(name: str, seconds: float = 0.0, answer: str = "ok", error: BaseException | None = None) -> Check:
    """A check that takes so long and then answers, or fails."""

    async def look(_: Subject, __: Tools) -> CheckResult:
        await asyncio.sleep(seconds)
        if error is not None:
            raise error
        return CheckResult(name, answer, State.GOOD, "Seen.")

    return Check(name, ANSWERS, lambda _: "", look)


def results(checks: dict[str, Check], names: list[str] | None = None, **limits: float) -> list[CheckResult]:
    async def collect() -> list[CheckResult]:
        return [result async for result in run(names or list(checks), SUBJECT, Tools(Resolver([])), checks=checks, **limits)]  # type: ignore[arg-type]

    return asyncio.run(collect())


def test_it_runs_all_at_once_and_yields_in_the_order_of_finishing() -> None:
    began = time.monotonic()
    found = results({"late": made("late", 0.5), "early": made("early", 0.1), "middle": made("middle", 0.3)})
    assert [result.check for result in found] == ["early", "middle", "late"]
    assert time.monotonic() - began < 0.9
    assert 450 <= found[-1].elapsed_ms < 900


def test_a_check_that_takes_too_long_is_unknown_and_the_others_are_not_held_up() -> None:
    found = {result.check: result for result in results({"hangs": made("hangs", 60), "quick": made("quick")}, check_seconds=0.2)}
    assert (found["hangs"].answer, found["hangs"].state) == ("unknown", State.UNKNOWN)
    assert "did not finish within 0.2 seconds" in found["hangs"].detail
    assert found["quick"].answer == "ok"


def test_the_whole_set_has_a_deadline_too() -> None:
    began = time.monotonic()
    found = results({"hangs": made("hangs", 60), "too": made("too", 60), "quick": made("quick")}, all_seconds=0.2)
    assert sorted((result.check, result.answer) for result in found) == [("hangs", "unknown"), ("quick", "ok"), ("too", "unknown")]
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("x"), RuntimeError(), RecursionError()])
def test_an_exception_in_a_check_is_unknown_and_tells_no_inner_detail(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        found = {result.check: result for result in results({"broken": made("broken", error=error), "quick": made("quick")})}
    assert found["broken"].answer == "unknown"
    assert "secret" not in found["broken"].detail
    assert "the check broken failed" in caplog.text
    assert found["quick"].answer == "ok"


def test_an_answer_that_is_not_declared_never_reaches_the_reasoning() -> None:
    assert results({"odd": made("odd", answer="surprise")})[0].answer == "unknown"


def test_a_name_that_is_no_check_is_unknown() -> None:
    found = results({"quick": made("quick")}, ["quick", "nonsense", "quick"])
    assert sorted((result.check, result.answer) for result in found) == [("nonsense", "unknown"), ("quick", "ok")]


def test_what_a_check_lacks_stands_in_its_detail() -> None:
    async def lacking() -> list[CheckResult]:
        return await run_all(["spf", "mx"], Subject(header_from="anna@example.test"), Tools(Resolver([])))

    found = asyncio.run(lacking())
    assert [result.check for result in found] == ["spf", "mx"]
    assert found[1].detail == "This check needs the recipient's domain."


def test_it_knows_which_checks_can_run() -> None:
    assert {"mx", "spf"} <= set(possible(Subject(domain="example.test")))
    assert "spf" not in possible(Subject(domain="example.test", recipient="bo@example.test"))
    assert possible(Subject()) == []


Leave = Callable[[dict[str, Check]], Awaitable[None]]


async def _close(checks: dict[str, Check]) -> None:
    async with contextlib.aclosing(run(list(checks), SUBJECT, Tools(Resolver([])), checks=checks)) as stream:  # type: ignore[type-var]
        async for _ in stream:
            break


async def _cancel(checks: dict[str, Check]) -> None:
    async def consume() -> None:
        async for _ in run(list(checks), SUBJECT, Tools(Resolver([])), checks=checks):
            pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("leave", [_close, _cancel])
def test_a_consumer_that_leaves_ends_the_checks(leave: Leave) -> None:
    ended: list[str] = []

    async def look(_: Subject, __: Tools) -> CheckResult:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        raise AssertionError("it ran to its end")

    async def scenario() -> set[asyncio.Task[object]]:
        await leave({"hangs": Check("hangs", ANSWERS, lambda _: "", look), "quick": made("quick")})
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(scenario()) == set()
    assert ended == ["cancelled"]


def test_the_real_checks_share_their_questions(dns_server: DnsServer) -> None:
    dns_server.behave("*", Behaviour(delay=0.3))
    dns_server.add("$ORIGIN example.test.\n@ MX 10 mx\nmx A 8.8.8.8\n" + '@ TXT "v=spf1 mx -all"\n')

    async def collect() -> tuple[list[CheckResult], int]:
        resolver = Resolver([dns_server.address])
        return await run_all(["mx", "spf"], SUBJECT, Tools(resolver)), resolver.queries

    began = time.monotonic()
    found, queries = asyncio.run(collect())
    assert {"mx": "ok", "spf": "fail"}.items() <= {result.check: result.answer for result in found}.items()
    assert queries == dns_server.count()
    assert dns_server.asked_twice() == []
    assert time.monotonic() - began < 1.4


@pytest.mark.parametrize("line", ["* silent", "* garbage", "* servfail", "* refused", "* formerr", "* truncate", "* no_tcp"])
def test_no_misbehaviour_of_a_server_becomes_an_exception_or_a_verdict(dns_server: DnsServer, line: str, caplog: pytest.LogCaptureFixture) -> None:
    dns_server.add(f";! {line}\nexample.test. MX 10 mx.example.test.\nmx.example.test. A 8.8.8.8\n")

    async def collect() -> list[CheckResult]:
        resolver = Resolver([dns_server.address], question_seconds=0.8)
        return await run_all(list(CHECKS), SUBJECT, Tools(resolver, Reach(smtp=SmtpMode.OFF)))

    found = {result.check: result for result in asyncio.run(collect())}
    mx, spf = found["mx"], found["spf"]
    assert caplog.text == ""
    assert not [result.detail for result in found.values() if "fault in this program" in result.detail]
    if line == "* truncate":
        assert (mx.answer, spf.answer) == ("ok", "none")
    else:
        assert mx.answer in {"timeout", "unknown", "servfail"}
        assert spf.answer == "temperror"
