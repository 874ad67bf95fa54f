"""Reading: by a process that may be lost, cancelled, of logs that are no logs."""

from __future__ import annotations

import bz2
import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from logs import reading, storage, uploading
from logs.models import LogReading
from tests.logs.conftest import LOG, Upload, line
from troubleshoot.people import Person

State = LogReading.State


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> LogReading:
    """A log whose bytes are there and that nobody has begun to read."""
    monkeypatch.setattr(reading, "start", lambda: None)
    monkeypatch.setattr(reading, "AT_ONCE_BYTES", 0)
    return uploading.upload_whole(person=Person(visitor="v"), name="mail.log", data=LOG)


def lose(log: LogReading) -> None:
    """As if the process that reads it had been killed some time ago."""
    LogReading.objects.filter(pk=log.pk).update(
        state=State.READING, attempts=log.attempts + 1, heartbeat_at=timezone.now() - timedelta(minutes=1), read=7
    )
    log.refresh_from_db()


def test_a_command_reads_what_waits(waiting: LogReading):
    call_command("read_logs")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.shown["failures"]) == (State.DONE, 1, 8)
    assert waiting.sentence.startswith("100% of the failures")


def test_a_log_whose_process_was_killed_is_read_again(waiting: LogReading):
    lose(waiting)
    reading.look_after()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts, waiting.shown["failures"]) == (State.DONE, 2, 8)


def test_a_log_that_kills_its_process_again_and_again_is_given_up(waiting: LogReading):
    for _time in range(reading.MAX_ATTEMPTS):
        lose(waiting)
    reading.look_after()
    waiting.refresh_from_db()
    assert waiting.state == State.FAILED
    assert "again and again" in waiting.problem
    assert not storage.path_of(waiting).exists()


def test_one_that_lives_is_left_alone(waiting: LogReading):
    LogReading.objects.filter(pk=waiting.pk).update(state=State.READING, attempts=1, heartbeat_at=timezone.now())
    reading.look_after()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.READING, 1)


def test_one_process_is_started_however_many_look(waiting: LogReading, monkeypatch: pytest.MonkeyPatch):
    started: list[int] = []
    monkeypatch.setattr(reading, "_start_process", lambda: started.append(1))
    for _time in range(3):
        reading.look_after()
    assert started == [1]
    LogReading.objects.filter(pk=waiting.pk).update(heartbeat_at=timezone.now() - 2 * reading.START_AFRESH)  # it never came
    reading.look_after()
    assert started == [1, 1]


def test_what_is_cancelled_while_it_is_read_stays_cancelled_and_is_erased(waiting: LogReading, monkeypatch: pytest.MonkeyPatch):
    store = reading._Progress.__call__

    def cancelled_meanwhile(self: Any, number: int) -> None:
        uploading.cancel(log=waiting)
        store(self, number)

    monkeypatch.setattr(reading._Progress, "__call__", cancelled_meanwhile)
    assert reading.read_waiting() == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.shown, bytes(waiting.tally)) == (State.CANCELLED, {}, b"")
    assert not storage.path_of(waiting).parent.exists()


def test_progress_is_told_in_bytes(waiting: LogReading, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[int, int | None]] = []
    store = reading._Progress.__call__

    def looked_at(self: Any, number: int) -> None:
        store(self, number)
        seen.append(LogReading.objects.values_list("read", "text_size").get(pk=waiting.pk))

    monkeypatch.setattr(reading._Progress, "__call__", looked_at)
    reading.read_waiting()
    assert seen == [(len(LOG), len(LOG))]


def test_a_fault_of_the_program_is_said_and_the_log_erased(waiting: LogReading, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr(reading, "knowledge", lambda: 1 / 0)
    reading.read_waiting()
    waiting.refresh_from_db()
    assert (waiting.state, storage.path_of(waiting).exists()) == (State.FAILED, False)
    assert "ZeroDivisionError" in caplog.text


def test_a_log_that_is_gone_is_said_to_be_gone(waiting: LogReading):
    storage.erase(waiting)
    reading.read_waiting()
    waiting.refresh_from_db()
    assert waiting.state == State.FAILED
    assert "gone" in waiting.problem or "could not be read" in waiting.problem


def test_who_watches_sees_how_far_it_is_and_then_the_page(waiting: LogReading, client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "look_after", lambda: None)
    session = client.session
    session["visitor"] = "v"
    session.save()
    part = {"HX-Request": "true"}
    assert "A process is on its way" in client.get(waiting.get_absolute_url(), headers=part).content.decode()
    LogReading.objects.filter(pk=waiting.pk).update(state=State.READING, read=len(LOG) // 2, text_size=len(LOG))
    told = client.get(waiting.get_absolute_url(), headers=part).content.decode()
    assert f'value="{LogReading.objects.get().percent}"' in told
    assert "Cancel" not in told  # it keeps the focus
    assert 'http-equiv="refresh"' in client.get(waiting.get_absolute_url()).content.decode()
    for over in (State.FAILED, State.CANCELLED, State.DONE):
        LogReading.objects.filter(pk=waiting.pk).update(state=over)
        assert client.get(waiting.get_absolute_url(), headers=part)["HX-Refresh"] == "true"


# --- bad input: (what, how it ends, what is said) ---

MANY = "".join(line(n, user=f"u{n}") for n in range(300)).encode()
BAD = {
    "binary": (bytes(range(256)) * 40, State.FAILED, "is no text"),
    "zip": (b"PK\x03\x04" + bytes(range(256)) * 40, State.FAILED, "is no text"),
    "truncated gzip": (gzip.compress(MANY)[:-200], State.DONE, "is cut off"),
    "empty gzip": (gzip.compress(b""), State.FAILED, "Upload a mail server"),
    "damaged bzip2": (bz2.compress(MANY)[:40] + b"garbage" * 20, State.FAILED, "is damaged"),
    "bomb": (zstandard.compress(b"\0" * (300 << 20)), State.FAILED, "unpacks to more than 1,000 times its size"),
    "UTF-16": (MANY.decode().encode("utf-16"), State.DONE, "is in UTF-16"),
    "no log": (b"Dear Sir or Madam,\nthis is a letter.\n" * 20, State.DONE, "have no form of a mail server"),
    "a line without an end": (b"x" * 3_000_000, State.DONE, "has a line of more than"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_ends_with_a_sentence(what: str, upload: Upload, client: Client, folder: Path):
    data, state, said = BAD[what]
    log = upload(data, name="mail.log", piece=4_000_000)
    page = client.get(log.get_absolute_url()).content.decode()
    assert log.state == state, log.problem
    assert said in page
    assert str(folder) not in page
    assert list(folder.iterdir()) == []
