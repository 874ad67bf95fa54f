"""Checks of a case: waited for without JavaScript, streamed with it, stored once."""

from __future__ import annotations

import asyncio
import re

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone

from knowledge.current import knowledge
from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from tests.troubleshoot.conftest import Paster
from troubleshoot import streams
from troubleshoot.models import Case, CheckOutcome, Observation

HTMX = {"HTTP_HX_REQUEST": "true"}
FAILED = "host mx.example.net[192.0.2.7] said: 550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown (in reply to RCPT TO command)"
ZONE = """
example.net. 300 MX 10 mx.example.net.
mx.example.net. 300 A 9.9.9.9
example.org. 300 TXT "v=spf1 ip4:192.0.2.25 -all"
"""
BOTH = {"name": ["mx", "spf"], "domain": "example.net", "sending_ip": "192.0.2.99", "mail_from": "ben@example.org"}


def plan(client: Client, case: Case, **extra: object) -> str:
    """Plans both checks as htmx does, so that they are still to be run."""
    response = client.post(f"{case.get_absolute_url()}checks/", BOTH, **HTMX, **extra)
    assert response.status_code == 200
    return response.content.decode()


def browser_of(client: Client) -> AsyncClient:
    same = AsyncClient()
    same.cookies = client.cookies
    return same


async def read(client: AsyncClient, address: str) -> str:
    response = await client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    return "".join([chunk.decode() async for chunk in response.streaming_content])


def events_of(stream: str) -> list[str]:
    return re.findall(r"^event: (.+)$", stream, re.MULTILINE)


def test_without_javascript_the_page_waits_and_shows_all(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    response = client.post(f"{case.get_absolute_url()}checks/", BOTH, follow=True)
    html = response.content.decode()
    assert response.redirect_chain == [(f"{case.get_absolute_url()}#checks", 302)]
    assert 'class="check check-done" id="check-mx"' in html
    assert 'class="check check-done" id="check-spf"' in html
    assert dict(case.observations.values_list("question", "answer")) == {"check-mx": "ok", "check-spf": "fail"}


def test_what_a_check_found_speaks_in_the_ledger(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(FAILED)
    html = client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"}, follow=True).content.decode()
    assert "Does the domain accept mail? MX: null-mx" in html
    assert "Ruled out: Title of unknown-user" in html


def test_with_htmx_the_plan_is_stored_and_the_page_opens_the_stream(client: Client, paste: Paster) -> None:
    case = paste(FAILED)
    html = plan(client, case)
    assert f'sse-connect="{case.get_absolute_url()}events/"' in html
    assert 'sse-swap="check-mx"' in html
    assert case.runs.get().names == ["mx", "spf"]
    assert not CheckOutcome.objects.exists()


def test_the_stream_sends_a_row_for_each_check_and_stores_them(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    plan(client, case)
    stream = async_to_sync(read)(browser_of(client), f"{case.get_absolute_url()}events/")
    assert sorted(events_of(stream)) == ["check-mx", "check-spf", "done"]
    assert events_of(stream)[-1] == "done"
    assert 'data: <li class="check check-done" id="check-mx">' in stream
    assert dict(CheckOutcome.objects.values_list("check_name", "answer")) == {"mx": "ok", "spf": "fail"}
    assert dict(case.observations.values_list("question", "answer")) == {"check-mx": "ok", "check-spf": "fail"}


def test_each_line_of_a_row_is_a_field_of_its_event() -> None:
    assert streams.event("x", "a\nb\r\nc") == "event: x\ndata: a\ndata: b\ndata: c\n\n"


def test_a_reconnect_runs_only_what_has_no_result(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    plan(client, case)
    address = f"{case.get_absolute_url()}events/"
    async_to_sync(read)(browser_of(client), address)
    CheckOutcome.objects.filter(check_name="spf").delete()
    asked = dns_server.count("example.net", "MX")
    stream = async_to_sync(read)(browser_of(client), address)
    assert events_of(stream) == ["check-spf", "done"]
    assert dns_server.count("example.net", "MX") == asked


def test_a_stream_with_nothing_left_to_do_ends_at_once(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    case = paste(FAILED)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    stream = async_to_sync(read)(browser_of(client), f"{case.get_absolute_url()}events/")
    assert events_of(stream) == ["done"]


def test_without_a_plan_the_browser_is_told_to_stop_asking(client: Client, paste: Paster) -> None:
    assert client.get(f"{paste().get_absolute_url()}events/").status_code == 204


def test_a_reader_who_leaves_cancels_the_rest_and_keeps_what_is_done(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("example.org", Behaviour(delay=3))
    case = paste(FAILED)
    plan(client, case)
    run = case.runs.get()

    async def leave_after_the_first_row() -> float:
        began = asyncio.get_running_loop().time()
        reader = streams.events(job)
        async for chunk in reader:
            if "check-mx" in chunk:
                break
        await reader.aclose()
        return asyncio.get_running_loop().time() - began

    job = streams.job_of(run)
    assert async_to_sync(leave_after_the_first_row)() < 2
    assert list(CheckOutcome.objects.values_list("check_name", flat=True)) == ["mx"]
    assert 'class="check check-pending" id="check-spf"' in client.get(case.get_absolute_url()).content.decode()


def test_a_stream_that_is_cancelled_stores_what_is_done(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    dns_server.behave("example.org", Behaviour(delay=3))
    case = paste(FAILED)
    plan(client, case)
    job = streams.job_of(case.runs.get())

    async def cancelled() -> None:
        seen = asyncio.Event()

        async def follow() -> None:
            async for chunk in streams.events(job):
                if "check-mx" in chunk:
                    seen.set()

        task = asyncio.create_task(follow())
        await seen.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async_to_sync(cancelled)()
    assert list(CheckOutcome.objects.values_list("check_name", flat=True)) == ["mx"]


def test_two_streams_of_one_plan_store_each_result_once(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    plan(client, case)
    job = streams.job_of(case.runs.get())

    async def whole() -> None:
        async for _chunk in streams.events(job):
            pass

    async def both() -> None:
        await asyncio.gather(whole(), whole())

    async_to_sync(both)()
    assert CheckOutcome.objects.count() == 2


def test_a_fault_of_the_program_ends_the_stream_and_says_so(
    client: Client, paste: Paster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no resolver")

    case = paste(FAILED)
    plan(client, case)
    monkeypatch.setattr(streams, "new_tools", broken)
    stream = async_to_sync(read)(browser_of(client), f"{case.get_absolute_url()}events/")
    assert events_of(stream) == ["done"]
    assert set(CheckOutcome.objects.values_list("answer", "state")) == {("unknown", "unknown")}
    assert "broke off" in caplog.text


def test_the_stream_reads_no_table_while_it_runs(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    plan(client, case)
    job = streams.job_of(case.runs.get())
    statements: list[str] = []

    async def follow() -> None:
        async for chunk in streams.events(job):
            if "event: check-" in chunk:
                assert not statements

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        async_to_sync(follow)()
    assert sum("INSERT" in sql and "checkoutcome" in sql for sql in statements) == 1


def test_what_could_not_be_looked_at_is_said_and_is_no_evidence(client: Client, paste: Paster, settings: object) -> None:
    settings.WHYBOUNCE_NAMESERVERS = [("127.0.0.1", 1)]
    case = paste(FAILED)
    before = client.get(case.get_absolute_url()).content.decode()
    html = client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"}, follow=True).content.decode()
    assert "Could not look" in html
    assert 'class="ledger-kind">Check' not in html
    share = 'class="cause-share">'
    assert html.split(share)[1][:12] == before.split(share)[1][:12]


def test_a_check_that_lacks_something_says_what(client: Client, paste: Paster) -> None:
    html = client.get(paste("550 5.1.1 User unknown").get_absolute_url()).content.decode()
    assert "To look, the recipient&#x27;s domain is needed." in html
    assert "Say what to look at" in html


def test_what_is_lacking_can_be_supplied(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste("550 5.1.1 User unknown")
    client.post(f"{case.get_absolute_url()}checks/", {"name": ["mx", "spf"], "domain": "Anna@Example.NET", "sending_ip": "", "mail_from": ""})
    case.refresh_from_db()
    assert case.supplied == {"domain": "example.net"}
    # The domain is the recipient's: nothing is known of the sender, so SPF must not be looked at for it.
    assert dict(CheckOutcome.objects.values_list("check_name", "answer")) == {"mx": "ok"}
    assert '<b class="own">example.net</b> MX' in client.get(case.get_absolute_url()).content.decode()


def test_what_was_found_about_another_domain_no_longer_counts(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .\nexample.com. 300 MX 10 mx.example.net.\nmx.example.net. 300 A 9.9.9.9")
    case = paste("550 5.1.1 User unknown")
    for domain, answer in (("example.net", "null-mx"), ("example.com", "ok")):
        client.post(f"{case.get_absolute_url()}checks/", {"name": "mx", "domain": domain})
        assert case.observations.get().answer == answer


def test_what_a_stream_finds_does_not_speak_where_the_subject_changed_meanwhile(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .\nexample.com. 300 MX 10 mx.example.net.\nmx.example.net. 300 A 9.9.9.9")
    case = paste("550 5.1.1 User unknown")
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx", "domain": "example.net"}, **HTMX)
    job = streams.job_of(Case.objects.get().runs.get())
    assert job.run.case.supplied == {"domain": "example.net"}  # the stream holds its case as it was
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx", "domain": "example.com"})

    async def whole() -> None:
        async for _chunk in streams.events(job):
            pass

    async_to_sync(whole)()
    assert case.observations.get().answer == "ok"


def test_what_a_check_finds_replaces_what_a_person_once_answered_to_the_question(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    case = paste(FAILED)
    question = knowledge().by_check["mx"].slug  # asked of a person by an earlier revision
    Observation.objects.create(case=case, question=question, answer="none", at=timezone.now())
    client.post(f"{case.get_absolute_url()}checks/", BOTH)
    assert case.observations.get(question=question).asked_of == Observation.AskedOf.CHECK


def test_a_mistyped_subject_is_explained_and_nothing_is_run(client: Client, paste: Paster) -> None:
    case = paste("550 5.1.1 User unknown")
    response = client.post(f"{case.get_absolute_url()}checks/", {"name": "mx", "domain": "two words", "sending_ip": "300.1.1.1"})
    assert response.status_code == 422
    assert "This is no IP address" in response.content.decode()
    assert not case.runs.exists()


@pytest.mark.parametrize("names", [[], ["spf"], ["no-such-check"]])
def test_a_plan_without_a_check_that_can_look_is_refused(client: Client, paste: Paster, names: list[str]) -> None:
    case = paste(FAILED)
    assert client.post(f"{case.get_absolute_url()}checks/", {"name": names}).status_code == 409
    assert not case.runs.exists()


def test_a_step_can_be_verified_by_its_check(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    case = paste(FAILED)
    assert "Verify: check MX again" in client.get(case.get_absolute_url()).content.decode()
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    dns_server.replace(ZONE)
    client.post(f"{case.get_absolute_url()}checks/", {"verify": "mx"})
    assert case.observations.get(question="check-mx").answer == "ok"
    html = client.get(case.get_absolute_url()).content.decode()
    step = html[html.index('class="step"') : html.index("Verify: check MX again")]
    assert "Better" in step
    assert step.index("accepts no mail at all") < step.index("goes to mx.example.net")
