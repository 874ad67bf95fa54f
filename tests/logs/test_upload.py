"""A log goes up in pieces: resumed, twice, too long, on a full disk, cancelled; or whole without JavaScript."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from logs import storage, uploading
from logs.erasing import sweep
from logs.models import LogReading
from tests.logs.conftest import LOG, Upload
from troubleshoot.rates import Rate

PIECE = {"content_type": "application/octet-stream"}


def begun(client: Client, size: int, name: str = "mail.log") -> dict[str, Any]:
    response = client.post("/logs/upload/", {"name": name, "size": size})
    assert response.status_code == 201, response.content
    told: dict[str, Any] = response.json()
    return told


def test_pieces_become_the_log_and_the_log_is_erased_when_it_was_read(upload: Upload, folder: Path):
    log = upload()
    assert (log.state, log.read, log.size) == (LogReading.State.DONE, log.read, len(LOG))
    assert log.shown["failures"] == 8
    assert list(folder.iterdir()) == []


def test_an_upload_that_broke_off_goes_on_where_the_server_says(client: Client):
    told = begun(client, 10)
    client.post(f"{told['pieces']}?at=0", b"01234", **PIECE)
    again = client.get(told["pieces"]).json()
    assert (again["arrived"], again["state"]) == (5, "uploading")
    assert "4 bytes" not in client.get(told["page"]).content.decode()
    assert b"Choose the same file again" in client.get(told["page"]).content


def test_a_piece_that_is_sent_twice_counts_once(client: Client):
    told = begun(client, 10)
    for _time in range(2):
        assert client.post(f"{told['pieces']}?at=0", b"01234", **PIECE).json()["arrived"] == 5
    assert client.post(f"{told['pieces']}?at=3", b"3456", **PIECE).json()["arrived"] == 7
    assert storage.path_of(LogReading.objects.get()).read_bytes() == b"0123456"


def test_a_gap_is_refused_and_the_answer_says_where_to_go_on(client: Client):
    told = begun(client, 10)
    response = client.post(f"{told['pieces']}?at=4", b"4567", **PIECE)
    assert (response.status_code, response.json()["arrived"]) == (409, 0)


def test_more_than_was_announced_is_refused(client: Client):
    told = begun(client, 3)
    assert client.post(f"{told['pieces']}?at=0", b"0123", **PIECE).status_code == 422


@pytest.mark.parametrize("at", ["", "-1", "x"])
def test_what_is_no_piece_is_refused(client: Client, at: str):
    assert client.post(f"{begun(client, 3)['pieces']}?at={at}", b"0", **PIECE).status_code == 400


def test_a_file_that_is_too_long_is_refused_before_it_is_sent(client: Client, settings: Any):
    settings.WHYBOUNCE_LOG_BYTES = 2_000_000_000
    response = client.post("/logs/upload/", {"name": "mail.log", "size": 2_000_000_001})
    assert response.status_code == 413
    assert "more than 1.9" in response.json()["problem"]
    settings.WHYBOUNCE_LOG_BYTES = 100
    page = client.post("/logs/", {"file": BytesIO(b"x" * 200_000)})
    assert page.status_code == 413
    assert b"has more than 100" in page.content


def test_an_empty_file_is_refused(client: Client):
    response = client.post("/logs/upload/", {"name": "mail.log", "size": 0})
    assert (response.status_code, response.json()["problem"]) == (422, "The file is empty.")
    assert client.post("/logs/upload/", {"name": "mail.log", "size": "much"}).status_code == 400


def test_a_full_disk_is_said_and_what_arrived_stays(client: Client, folder: Path):
    told = begun(client, 10)
    client.post(f"{told['pieces']}?at=0", b"01234", **PIECE)
    path = storage.path_of(LogReading.objects.get())
    path.rename(path.with_name("kept"))
    path.symlink_to("/dev/full")  # of which every write fails with ENOSPC
    response = client.post(f"{told['pieces']}?at=0", b"56789", **PIECE)
    assert response.status_code == 507
    assert "disk is full" in response.json()["problem"]
    path.unlink()
    path.with_name("kept").rename(path)
    assert client.get(told["pieces"]).json()["arrived"] == 5


def test_no_upload_begins_that_the_disk_has_no_room_for(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage, "SPARE_BYTES", 2**62)
    response = client.post("/logs/upload/", {"name": "mail.log", "size": 10})
    assert (response.status_code, LogReading.objects.count()) == (507, 0)


def test_cancelling_erases_what_arrived(client: Client, folder: Path):
    told = begun(client, 10)
    client.post(f"{told['pieces']}?at=0", b"01234", **PIECE)
    page = client.post(f"{told['page']}cancel/", follow=True)
    assert b"The log was erased; nothing was counted." in page.content
    assert list(folder.iterdir()) == []
    assert client.post(f"{told['pieces']}?at=5", b"56789", **PIECE).status_code == 422


def test_what_nobody_finished_is_erased_after_a_day(client: Client, folder: Path):
    begun(client, 10)
    log = LogReading.objects.get()
    storage.append(log, 0, b"01234")
    assert (sweep(), storage.arrived(log)) == (0, 5)
    assert storage.erase_abandoned(time.time() + storage.ABANDONED_SECONDS + 1) == 1
    assert list(folder.iterdir()) == []


def test_nobody_leaves_many_uploads_unfinished(client: Client):
    for _number in range(uploading.MOST_UNFINISHED):
        begun(client, 10)
    assert client.post("/logs/upload/", {"name": "mail.log", "size": 10}).status_code == 422
    assert Client().post("/logs/upload/", {"name": "mail.log", "size": 10}).status_code == 201


def test_many_bytes_in_a_short_time_are_too_many(client: Client, settings: Any):
    settings.WHYBOUNCE_LIMIT_LOG_MB = Rate(100)
    begun(client, 80)
    response = client.post("/logs/upload/", {"name": "mail.log", "size": 80})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_without_javascript_the_form_sends_the_file_or_what_was_pasted(client: Client):
    file = BytesIO(LOG)
    file.name = "mail.log"
    assert b"User unknown" in client.post("/logs/", {"file": file, "text": ""}, follow=True).content
    pasted = client.post("/logs/", {"text": LOG.decode()}, follow=True)
    assert b"What was pasted" in pasted.content
    assert client.post("/logs/", {"text": " "}).status_code == 422


def test_the_form_needs_its_token_as_every_form():
    assert Client(enforce_csrf_checks=True).post("/logs/", {"text": "x"}).status_code == 403


def test_the_sample_shows_what_the_page_can(client: Client):
    page = client.post("/logs/", {"sample": "1"}, follow=True)
    assert b"busy-morning.log" in page.content
    assert LogReading.objects.get().shown["failures"] > 50


def test_a_site_that_is_closed_to_visitors_takes_no_logs(client: Client, settings: Any):
    settings.WHYBOUNCE_VISITORS = False
    assert client.get("/logs/").status_code == 302
    assert client.post("/logs/upload/", {"name": "a", "size": 1})["Location"].startswith("/login/")


def test_the_year_follows_from_when_the_file_was_written(client: Client, folder: Path):
    data = b"Dec 31 23:10:00 mail postfix/smtp[8]: 4ABCDEF: to=<a@example.net>, relay=none, delay=1, dsn=5.1.1, status=bounced (550 5.1.1 unknown)\n"
    told = client.post("/logs/upload/", {"name": "old.log", "size": len(data), "modified": 1_704_100_000_000}).json()
    client.post(f"{told['pieces']}?at=0", data, **PIECE)
    assert LogReading.objects.get().shown["first"].startswith("2023-12-31")
    assert not os.listdir(folder)
