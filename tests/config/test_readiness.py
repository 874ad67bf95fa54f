"""/readyz says whether the process can do its work, and which part keeps it from doing so."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from config import readiness
from config.readiness import NotReady, Readiness, answer
from knowledge.loading import load
from tests.conftest import SMALL
from tests.servers.dns import DnsServer

ROOT = ". NS a.root-servers.test."


@pytest.fixture
def dns(settings: object) -> Iterator[DnsServer]:
    with DnsServer(ROOT) as server:
        settings.WHYBOUNCE_NAMESERVERS = [server.address]
        yield server


def told(response: object) -> dict[str, object]:
    return json.loads(response.content)


@pytest.mark.django_db(transaction=True)
def test_all_is_well(client: Client, dns: DnsServer) -> None:
    load(SMALL)
    response = client.get("/readyz", headers={"host": "192.0.2.1"})
    body = told(response)
    assert (response.status_code, body["ready"]) == (200, True), body
    assert set(body["parts"]) == {"database", "knowledge", "resolver"}
    assert response["Cache-Control"] == "no-store"


def test_a_name_server_that_refuses_is_said(settings: object) -> None:
    with DnsServer(";! * refused") as server:
        settings.WHYBOUNCE_NAMESERVERS = [server.address]
        part = Readiness({"resolver": readiness.name_servers_answer}).look()["resolver"]
    assert not part.ready
    assert part.why.startswith("The name servers give no answer (")


def test_a_name_server_that_is_silent_does_not_hold_up_the_answer(settings: object) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        settings.WHYBOUNCE_NAMESERVERS = [silent.getsockname()]
        began = time.monotonic()
        part = Readiness({"resolver": readiness.name_servers_answer}, seconds=0.3).look()["resolver"]
        assert time.monotonic() - began < 1.5
    assert part.why.startswith("No answer within 0.")


@pytest.mark.django_db(transaction=True)
def test_a_database_without_the_program_s_tables_is_not_ready() -> None:
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name('django_migrations')} RENAME TO {name('elsewhere')}")
    try:
        part = Readiness({"database": readiness.database_answers}).look()["database"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name('elsewhere')} RENAME TO {name('django_migrations')}")
    assert part.why in {"It failed (OperationalError).", "It failed (ProgrammingError)."}


def test_without_knowledge_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise readiness.NoKnowledge

    monkeypatch.setattr(readiness, "snapshot", none)
    response = answer(RequestFactory().get("/readyz"), Readiness({"knowledge": readiness.knowledge_compiled, "other": lambda: None}))
    assert response.status_code == 503
    assert told(response)["parts"]["knowledge"]["why"] == "No knowledge is published: run manage.py load_knowledge."
    assert told(response)["parts"]["other"]["ready"] is True


def test_one_may_go_by_some_parts_alone() -> None:
    def fails() -> None:
        raise NotReady("Not today.")

    ready = Readiness({"database": lambda: None, "resolver": fails})
    ask = RequestFactory().get
    assert answer(ask("/readyz"), ready).status_code == 503
    assert answer(ask("/readyz?only=database"), ready).status_code == 200
    assert answer(ask("/readyz?only=the-moon"), ready).status_code == 400


def test_a_part_that_hangs_is_not_asked_again_and_again() -> None:
    go, begun = threading.Event(), []

    def hangs() -> None:
        begun.append(1)
        go.wait(10)

    ready = Readiness({"database": hangs}, seconds=0.05, kept=0)
    assert [ready.look()["database"].ready for _ in range(3)] == [False] * 3
    assert len(begun) == 1
    go.set()
    deadline = time.monotonic() + 5
    while not ready.look()["database"].ready and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ready.look()["database"].ready


def test_an_answer_serves_all_who_ask_within_a_moment() -> None:
    seen = []
    ready = Readiness({"database": lambda: seen.append(1)}, kept=60)
    for _ in range(20):
        ready.look()
    assert len(seen) == 1


def test_a_fault_is_logged_once_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    works = []

    def fails() -> None:
        if not works:
            raise OSError("cannot reach anna@db.example.net")

    ready = Readiness({"database": fails}, kept=0)
    with caplog.at_level(logging.WARNING):
        responses = [answer(RequestFactory().get("/readyz"), ready) for _ in range(5)]
        works.append(1)
        ready.look()
    assert [record.getMessage() for record in caplog.records] == ["Not ready: database: It failed (OSError).", "Ready again."]
    assert b"anna" not in responses[0].content
