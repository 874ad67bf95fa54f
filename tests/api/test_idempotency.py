"""A POST that is sent again is done once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from api import idempotency
from api.models import IdempotencyKey
from tests.api.conftest import UNCLEAR, UNKNOWN_USER, Maker, Program, problem
from troubleshoot.models import Case


def test_the_same_key_with_the_same_body_gets_the_same_answer(program: Maker) -> None:
    desk = program()
    first = desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k1")
    again = desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Location"] == first["Location"]
    assert again["Content-Type"] == "application/json; charset=utf-8"
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Case.objects.count() == 1
    assert desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k2").json()["id"] != first.json()["id"]


def test_the_same_key_with_another_request_is_refused(program: Maker) -> None:
    desk = program()
    case = desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k").json()["id"]
    assert "another request" in problem(desk.post("cases", UNCLEAR, "text/plain", Idempotency_Key="k"), 422)["detail"]
    problem(desk.post("explain", UNKNOWN_USER, "text/plain", Idempotency_Key="k"), 422)
    problem(desk.post(f"cases/{case}/reopen", b"", "text/plain", Idempotency_Key="k"), 422)
    assert Case.objects.count() == 1


def test_keys_of_others_are_others(program: Maker, anybody: Program) -> None:
    one, other = program(), program(user=None)
    ids = {desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k").json()["id"] for desk in (one, other)}
    assert len(ids) == 2
    assert anybody.post("explain", UNKNOWN_USER, "text/plain", Idempotency_Key="k").status_code == 200


def test_what_is_refused_is_refused_again(program: Maker) -> None:
    desk = program()
    at = f"cases/{desk.post('cases', UNKNOWN_USER, 'text/plain').json()['id']}/answers"
    body = {"question": "none", "answer": "x"}
    first, again = (desk.post(at, body, Idempotency_Key="k") for _number in range(2))
    assert problem(first, 409) == problem(again, 409)
    assert again["Idempotency-Replayed"] == "true"


def test_a_fault_is_forgotten_so_that_it_can_be_tried_again(program: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = program()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("api.cases.services.open_case", broken)
        problem(desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k"), 500)
    assert not IdempotencyKey.objects.exists()
    assert desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k").status_code == 201


def test_while_it_is_worked_on_it_is_refused_unless_it_was_broken_off(program: Maker) -> None:
    desk = program()
    desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k")
    IdempotencyKey.objects.update(status=None, body=None)
    response = desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k")
    problem(response, 409)
    assert response["Retry-After"]
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.STALE - timedelta(seconds=1))
    assert desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="k").status_code == 201


def test_after_a_day_a_key_is_new_and_old_ones_are_purged(program: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = program()
    for key in ("old", "older"):
        desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key=key)
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
    desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="old")
    assert Case.objects.count() == 3
    assert IdempotencyKey.objects.count() == 2
    monkeypatch.setattr(idempotency._Purge, "at", 0.0)
    desk.post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key="new")
    assert IdempotencyKey.objects.count() == 2


@pytest.mark.parametrize("key", [" ", "a b", "x" * 256, "\u00e9"])
def test_what_is_no_key_is_refused(program: Maker, key: str) -> None:
    response = program().post("cases", UNKNOWN_USER, "text/plain", Idempotency_Key=key)
    problem(response, 400)
    assert not Case.objects.exists()


def test_a_large_answer_of_explain_is_worked_out_again(anybody: Program) -> None:
    line = (
        "Nov 25 07:00:00 mail postfix/smtp[1]: {0:010X}: to=<user{0}@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1, dsn=5.1.1, "
        "status=bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command))"
    )
    lines = "\n".join(line.format(number) for number in range(100_000, 100_400))
    first, again = (anybody.post("explain", lines, "text/plain", Idempotency_Key="k") for _number in range(2))
    assert len(first.content) > 256_000
    assert first.content == again.content
    assert IdempotencyKey.objects.get().body is None
    problem(anybody.post("explain", "550", "text/plain", Idempotency_Key="k"), 422)


@pytest.fixture
def two_at_once(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite in memory has one connection for all threads")


def test_of_two_at_once_one_does_the_work(two_at_once: None, revision: object, program: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    from troubleshoot import services

    desk, begun, go_on = program(), threading.Event(), threading.Event()
    real, answers = services.open_case, []

    def slow(**values: object) -> Case:
        begun.set()
        assert go_on.wait(10)
        return real(**values)

    monkeypatch.setattr("api.cases.services.open_case", slow)

    def send() -> None:
        try:
            headers = {**desk.headers, "Idempotency-Key": "k"}
            answers.append(Client().post("/api/v1/cases", UNKNOWN_USER, content_type="text/plain", headers=headers))
        finally:
            connection.close()

    first = threading.Thread(target=send)
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=send)
    second.start()
    second.join(10)
    problem(answers[0], 409)
    go_on.set()
    first.join(10)
    assert answers[1].status_code == 201
    assert Case.objects.count() == 1
    send()
    assert answers[2].json() == answers[1].json()


def test_of_many_at_the_very_same_time_one_does_the_work(two_at_once: None, revision: object, program: Maker) -> None:
    desk, start, answers = program(), threading.Barrier(6), []

    def send() -> None:
        try:
            start.wait(10)
            headers = {**desk.headers, "Idempotency-Key": "k"}
            answers.append(Client().post("/api/v1/cases", UNKNOWN_USER, content_type="text/plain", headers=headers).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert Case.objects.count() == 1
