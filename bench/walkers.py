"""Many people at once walk the wizard: is everybody served, in time, and is no answer lost?

    DEBUG=1 python -m bench.walkers [--people 200] [--think 10] [--answers 5] [--processes 1] [--seconds 300]

Starts the program as `make run` does, with granian, on a new SQLite file or, where DATABASE_URL names a PostgreSQL server, in a database made
there (`--processes 2` for two web processes). Half of the people paste a bounce that says little, half begin without a text. Each answers
the questions that their page asks, with `--think` seconds between (uniformly between half of it and one and a half), as a browser with
htmx does. First one person walks alone, then all at once. At the end every answer that was given must stand in the database.

Prints the 95th percentile of all requests beside that of one alone. Exits with 1 where an answer was lost, a request failed, or that is
ten times as long or more.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import httpx
import psycopg

from tests.browser.site import ROOT, database, free_port, manage

MOST = 10.0
_ALONE = 12  # walks of one person, to have a percentile
_TEXT = "Final-Recipient: rfc822; user{n}@mail{n}.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 Rejected by host {n}\n"
_QUESTION = re.compile(r'name="question" value="([\w-]+)"')
_ANSWER = re.compile(r'class="answer[^"]*" id="answer-[\w-]+" name="answer" value="([\w-]+)"')
_FIELD = "symptom-"
_SYMPTOM = re.compile(r'type="radio" name="([\w-]+)" value="([\w-]+)" id="')
_STORED = """
    SELECT c.public_id, o.question, o.answer FROM troubleshoot_observation o JOIN troubleshoot_case c ON c.id = o.case_id WHERE o.asked_of = 'person'
"""


@dataclass
class Seen:
    """What the people saw: seconds of each request by what it was, what failed, and the answers that were given: (case, question)."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    given: dict[tuple[str, str], str] = field(default_factory=dict)

    def p95(self) -> float:
        return _p95([one for some in self.seconds.values() for one in some])


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else sum(values)


class Walker:
    """One person with a browser of their own."""

    def __init__(self, base: str, number: int, seen: Seen, think: float, answers: int) -> None:
        self._client = httpx.AsyncClient(base_url=base, timeout=60)
        self._number, self._seen, self._think, self._answers = number, seen, think, answers
        self._dice = random.Random(number)

    async def walk(self) -> None:
        async with self._client:
            await self._ask("home", "GET", "/")
            await self._pause()
            case = await self._open()
            if not case:
                return
            page = await self._ask("page", "GET", case)
            for _number in range(self._answers):
                await self._pause()
                page = await self._answer(case, page)

    async def _open(self) -> str:
        """Opens a case: its address, "" where that failed."""
        if self._number % 2:
            found = await self._ask("paste", "POST", "/paste/", {"text": _TEXT.format(n=self._number)})
        else:
            found = await self._ask("start", "POST", "/start/")
        return found.headers.get("Location", "") if found else ""

    async def _answer(self, case: str, page: httpx.Response | None) -> httpx.Response | None:
        html = page.text if page else ""
        question, answers = _QUESTION.search(html), _ANSWER.findall(html)
        if 'id="symptoms"' in html:
            chosen = self._symptoms(html)
            found = await self._ask("symptoms", "POST", f"{case}symptoms/", chosen, part=True)
            if found:
                self._seen.given |= {(case.split("/")[2], name.removeprefix(_FIELD)): answer for name, answer in chosen.items()}
            return found
        if not question or not answers:
            return page  # nothing more is asked
        answer = self._dice.choice(answers)
        found = await self._ask("answer", "POST", f"{case}answer/", {"question": question[1], "answer": answer}, part=True)
        if found:
            self._seen.given[case.split("/")[2], question[1]] = answer
        return found

    def _symptoms(self, html: str) -> dict[str, str]:
        choices: dict[str, list[str]] = {}
        for name, value in _SYMPTOM.findall(html):
            choices.setdefault(name, []).append(value)
        return {name: self._dice.choice(values) for name, values in choices.items() if self._dice.random() < 0.5}

    async def _ask(self, what: str, method: str, url: str, data: dict[str, str] | None = None, *, part: bool = False) -> httpx.Response | None:
        """The answer; None where it failed, which is counted."""
        headers = {"X-CSRFToken": self._client.cookies.get("csrftoken", "")} | ({"HX-Request": "true"} if part else {})
        begun = time.perf_counter()
        try:
            found = await self._client.request(method, url, data=data, headers=headers)
        except httpx.HTTPError as error:
            self._seen.failed[f"{what}: {type(error).__name__}"] += 1
            return None
        self._seen.seconds.setdefault(what, []).append(time.perf_counter() - begun)
        if found.status_code >= 400:
            self._seen.failed[f"{what}: {found.status_code}"] += 1
            return None
        return found

    async def _pause(self) -> None:
        await asyncio.sleep(self._think * self._dice.uniform(0.5, 1.5))


async def alone(base: str, answers: int) -> Seen:
    """One person after the other."""
    seen = Seen()
    for number in range(_ALONE):
        await Walker(base, number, seen, 0.02, answers).walk()
    return seen


async def together(base: str, people: int, think: float, answers: int, first: int) -> Seen:
    """All at once; they arrive within one time of thinking."""
    seen = Seen()

    async def one(number: int) -> None:
        await asyncio.sleep(think * number / people)
        await Walker(base, first + number, seen, think, answers).walk()

    await asyncio.gather(*(one(number) for number in range(people)))
    return seen


@contextmanager
def served(environment: dict[str, str], processes: int) -> Iterator[str]:
    """The address of the program as `make run` serves it."""
    address = f"127.0.0.1:{free_port()}"
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "asginl", "--host", "127.0.0.1", "--port", address.split(":")[1]]
    command += ["--no-ws", "--log-level", "warning", "--workers", str(processes), "config.asgi:application"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as server:
        try:
            for _try in range(200):
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(f"http://{address}/healthz")
                    break
                time.sleep(0.1)
            for _process in range(8 * processes):  # each process loads the knowledge
                httpx.get(f"http://{address}/codes/", timeout=60)
            yield f"http://{address}"
        finally:
            server.terminate()


def stored(url: str) -> dict[tuple[str, str], str]:
    """The answers of persons that stand in the database."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            rows = connection.execute(_STORED).fetchall()
    else:
        with psycopg.connect(url) as other:
            rows = other.execute(_STORED).fetchall()
    return {(case, question): answer for case, question, answer in rows}


def told(name: str, seen: Seen) -> None:
    requests = sum(len(some) for some in seen.seconds.values())
    print(f"{name}: {requests} requests, p95 {seen.p95() * 1000:.0f} ms")
    for what, some in seen.seconds.items():
        figures = (("median", median(some)), ("p95", _p95(some)), ("longest", max(some)))
        print(f"  {what:<8} {len(some):>6}   " + "   ".join(f"{name} {value * 1000:>6.0f} ms" for name, value in figures))
    for what, number in seen.failed.items():
        print(f"  FAILED {what}: {number}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Many people at once walk the wizard.")
    for name, default in (("people", 200), ("think", 10.0), ("answers", 5), ("processes", 1), ("seconds", 300)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    limits = ("CLIENT", "USER", "DOMAIN", "PASTES", "PASTE_MB", "API_OPEN")
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as url:
        environment = {**os.environ, "DEBUG": "1", "DATABASE_URL": url, **{f"WHYBOUNCE_LIMIT_{name}": "off" for name in limits}}
        manage(environment, "prepare")
        print(f"{url.split(':')[0]}, {options.processes} web process(es), load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with served(environment, options.processes) as base:
            first = asyncio.run(asyncio.wait_for(alone(base, options.answers), options.seconds))
            begun = time.perf_counter()
            walk = together(base, options.people, options.think, options.answers, 1000)
            crowd = asyncio.run(asyncio.wait_for(walk, options.seconds))
            took = time.perf_counter() - begun
        kept = stored(url)
    told("one alone", first)
    told(f"{options.people} people, {options.think:.0f} s to think", crowd)
    requests = sum(len(some) for some in crowd.seconds.values())
    lost = [key for seen in (first, crowd) for key, answer in seen.given.items() if kept.get(key) != answer]
    ratio = crowd.p95() / first.p95()
    print(f"in {took:.0f} s, {requests / took:.1f} requests a second; load after: {os.getloadavg()[0]:.1f}")
    print(f"answers given: {len(crowd.given)}, lost: {len(lost)}; failed requests: {crowd.failed.total()}; p95 {ratio:.1f} x that of one alone")
    return int(bool(lost or crowd.failed or first.failed or ratio >= MOST))


if __name__ == "__main__":
    sys.exit(main())
