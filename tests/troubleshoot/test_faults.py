"""Faults while checks run: the case keeps what was found, says what is missing, and can go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from tests.troubleshoot.conftest import Paster
from tests.troubleshoot.test_checks import BOTH, FAILED, HTMX, ZONE, browser_of, events_of, plan, read
from troubleshoot import streams
from troubleshoot.models import Case, CheckOutcome, CheckRun

NAMES = [f"i{number}.example.org" for number in range(9)]
MANY = (
    ZONE.replace("v=spf1 ip4:192.0.2.25", "v=spf1 " + " ".join(f"include:{name}" for name in NAMES) + " ip4:192.0.2.99")
    + "".join(f'{name}. 300 TXT "v=spf1 ip4:198.51.100.0/28 -all"\n' for name in NAMES)
)  # fmt: skip


class Losing(DnsServer):
    """Loses one question in twenty, and one answer in twenty."""

    def __init__(self) -> None:
        super().__init__()
        self.came, self.lost = 0, 0

    async def respond(self, wire: bytes, transport: str) -> bytes | None:
        self.came += 1
        if transport == "udp" and self.came % 20 in (3, 13):
            self.lost += 1
            if self.came % 20 == 13:
                await super().respond(wire, transport)
            return None
        return await super().respond(wire, transport)


@pytest.fixture
def losing(settings: Any, dns_server: DnsServer) -> Iterator[Losing]:
    with Losing() as server:
        settings.WHYBOUNCE_NAMESERVERS = [server.address]
        yield server


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def answers(case: Case) -> dict[str, str]:
    return dict(CheckOutcome.objects.filter(run__case=case).order_by("at").values_list("check_name", "answer"))


def test_a_name_server_that_dies_in_the_middle_leaves_what_was_found(client: Client, paste: Paster, settings: Any, dns_server: DnsServer) -> None:
    server = DnsServer(ZONE)
    server.__enter__()
    settings.WHYBOUNCE_NAMESERVERS = [server.address]
    server.behave("example.org", Behaviour(delay=0.5))
    case = paste(FAILED)
    plan(client, case)
    job = streams.job_of(case.runs.get())

    async def until_it_dies() -> list[str]:
        chunks = []
        async for chunk in streams.events(job):
            chunks.append(chunk)
            if "event: check-mx" in chunk:
                server.__exit__()
        return chunks

    stream = "".join(async_to_sync(until_it_dies)())
    assert events_of(stream) == ["check-mx", "check-spf", "done"]
    assert answers(case) == {"mx": "ok", "spf": "temperror"}
    assert set(case.observations.values_list("question", "answer")) >= {("check-mx", "ok")}
    html = page(client, case)
    assert "Could not look" in html
    assert "Look again now" in html

    with DnsServer(ZONE, port=server.port):
        client.post(f"{case.get_absolute_url()}checks/", {**BOTH, "anew": "1"})
    assert answers(case) == {"mx": "ok", "spf": "fail"}


def test_lost_packets_cost_time_and_no_answer(client: Client, paste: Paster, losing: Losing) -> None:
    losing.add(MANY)
    case = paste(FAILED)
    client.post(f"{case.get_absolute_url()}checks/", BOTH)
    assert losing.lost >= 1
    assert answers(case) == {"mx": "ok", "spf": "pass"}
    assert max(CheckOutcome.objects.values_list("elapsed_ms", flat=True)) < 5000


def test_a_reader_who_left_finds_what_was_found_and_the_next_stream_goes_on(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("example.org", Behaviour(delay=3))
    case = paste(FAILED)
    plan(client, case)
    job = streams.job_of(case.runs.get())

    async def leave() -> None:
        reader = streams.events(job)
        async for chunk in reader:
            if "check-mx" in chunk:
                break
        await reader.aclose()

    async_to_sync(leave)()
    html = page(client, case)
    assert 'class="check check-done" id="check-mx"' in html
    assert "sse-connect" in html  # the page itself goes on where it is opened again
    dns_server.behave("example.org", None)
    stream = async_to_sync(read)(browser_of(client), f"{case.get_absolute_url()}events/")
    assert events_of(stream) == ["check-spf", "done"]
    assert answers(case) == {"mx": "ok", "spf": "fail"}


def test_a_run_that_was_begun_too_often_waits_for_nothing_and_can_be_asked_for_anew(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    plan(client, case)
    CheckRun.objects.update(attempts=99)
    html = page(client, case)
    assert "sse-connect" not in html
    assert "check-pending" not in html
    assert re.search(r"These can look:.*MX.*</p>", html)
    assert "sse-connect" in client.post(f"{case.get_absolute_url()}checks/", BOTH, **HTMX).content.decode()


def test_a_name_server_that_never_answers_ends_within_the_deadline_and_says_so(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.behave("*", Behaviour(silent=True))
    case = paste(FAILED)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    assert CheckOutcome.objects.get().answer == "timeout"
    assert "No answer about example.net came from DNS in time." in page(client, case)
