"""The page of a log: whose it is, what it shows, what can be done from it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from logs.models import LogReading
from logs.page import page_of
from logs.tallying import by_time
from tests.logs.conftest import LOG, Upload, line
from troubleshoot.models import Case
from troubleshoot.rates import Limits, Rate

FULL = "bounced (host mx.example.net[192.0.2.7] said: 552 5.2.2 <max@example.net>: Mailbox is full (in reply to RCPT TO))"


def test_it_says_in_a_sentence_what_is_wrong_and_shows_charts_and_causes(client: Client, upload: Upload):
    log = upload()
    page = client.get(log.get_absolute_url()).content.decode()
    assert "100% of the failures since 2026-11-25 09:00 have one cause: Title of unknown-user (8 of 8; 0 deferred, 2 delivered)." in page
    assert page.count("<svg viewBox") == page.count("<desc") + 1  # the word mark has none
    assert '<a class="btn btn-quiet btn-sm" href="/causes/unknown-user/#steps">' in page
    assert "anna" not in page
    assert '<meta name="robots" content="noindex">' in page


def test_it_belongs_to_whoever_uploaded_it_and_to_staff(client: Client, upload: Upload, supporter: Client):
    log = upload()
    address = log.get_absolute_url()
    for way in ("", "tally.json", "groups.csv", "piece/"):
        assert client.get(address + way).status_code == 200
        assert supporter.get(address + way).status_code == 200
        assert Client().get(address + way).status_code == 404
    for way in ("cancel/", "erase/", "case/"):
        assert Client().post(address + way).status_code == 404
    other = Client()
    other.force_login(User.objects.create_user("ole"))
    assert other.get(address).status_code == 404
    assert address not in other.get("/logs/").content.decode()
    assert address in supporter.get("/logs/").content.decode()
    assert address in client.get("/logs/").content.decode()


def test_a_log_of_a_person_is_found_in_another_browser(upload: Upload):
    user = User.objects.create_user("ole")
    one, other = Client(), Client()
    one.force_login(user)
    other.force_login(user)
    assert other.get(upload(by=one).get_absolute_url()).status_code == 200


def test_groups_are_filtered_by_words(client: Client, upload: Upload):
    log = upload(LOG + line(30, status=FULL).encode())
    address = log.get_absolute_url()
    assert "2 of 2 groups" in client.get(address).content.decode()
    part = client.get(address, {"q": "FULL 552"}, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 2 groups" in part
    assert "<html" not in part
    assert "0 of 2 groups" in client.get(address, {"q": "nothing"}).content.decode()


def test_a_group_becomes_a_case(client: Client, upload: Upload):
    log = upload()
    response = client.post(f"{log.get_absolute_url()}case/", {"group": "0"})
    case = Case.objects.get()
    assert response["Location"] == case.get_absolute_url()
    assert (case.code, case.cause, client.get(case.get_absolute_url()).status_code) == ("5.1.1", "unknown-user", 200)
    assert b"anna" not in bytes(case.pasted)


@pytest.mark.parametrize("group", ["", "7", "-1", "x", "²", "9" * 5000])
def test_a_group_that_is_none_becomes_no_case(client: Client, upload: Upload, group: str):
    response = client.post(f"{upload().get_absolute_url()}case/", {"group": group})
    assert (response.status_code, Case.objects.count()) == (422, 0)
    assert b"There is no such group" in response.content


def test_opening_cases_is_limited_like_pastes(client: Client, upload: Upload, settings: Any):
    log = upload()
    settings.WHYBOUNCE_LIMITS = Limits(pastes=Rate(1))
    client.post(f"{log.get_absolute_url()}case/", {"group": "0"})
    assert client.post(f"{log.get_absolute_url()}case/", {"group": "0"}).status_code == 429


def test_downloads_hold_all_of_it(client: Client, upload: Upload):
    address = upload(LOG + line(30, status=FULL).encode()).get_absolute_url()
    tally = client.get(f"{address}tally.json").json()
    assert (tally["failures"], len(tally["groups"]), tally["by_domain"][0]["domain"]) == (9, 2, "example.net")
    rows = list(csv.DictReader(io.StringIO(client.get(f"{address}groups.csv").content.decode("utf-8-sig"))))
    assert (rows[0]["cause"], rows[0]["count"]) == ("unknown-user", "8")


def test_what_an_earlier_log_had_not_is_new(client: Client, upload: Upload):
    earlier = upload(name="yesterday.log")
    later = upload(LOG + line(30, status=FULL).encode(), name="today.log")
    page = client.get(later.get_absolute_url(), {"since": earlier.public_id}).content.decode()
    new = page[page.index('id="new"') :]
    assert "552 5.2.2" in new
    assert "550 5.1.1" not in new
    assert "Nothing is new" in client.get(earlier.get_absolute_url(), {"since": later.public_id}).content.decode()
    theirs = upload(by=Client())
    assert client.get(later.get_absolute_url(), {"since": theirs.public_id}).status_code == 404


def test_it_is_erased_when_somebody_says_so_and_when_it_is_too_old(client: Client, upload: Upload, settings: Any):
    address = upload().get_absolute_url()
    assert client.post(f"{address}erase/")["Location"] == "/logs/"
    assert client.get(address).status_code == 404
    old, young = upload(), upload()
    settings.WHYBOUNCE_KEEP_DAYS = 30
    LogReading.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    call_command("erase_old", verbosity=0)
    assert list(LogReading.objects.values_list("pk", flat=True)) == [young.pk]


def test_nothing_that_a_log_says_is_obeyed_as_html(client: Client, upload: Upload):
    hostile = "bounced (host mx.example.net[192.0.2.7] said: 554 5.7.1 <script>alert(1)</script> {{ 7|add:7 }} (in reply to RCPT TO))"
    page = client.get(upload(line(1, status=hostile).encode(), name="<b>.log").get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<b>.log" not in page


def test_a_log_in_which_nothing_failed_says_so(client: Client, upload: Upload):
    page = client.get(upload(line(1, status="sent (250 2.0.0 Ok)").encode()).get_absolute_url()).content.decode()
    assert "Nothing failed: 1 delivered." in page
    assert "By cause, code and provider" not in page


def test_the_page_costs_few_queries_and_little_html(client: Client, upload: Upload, django_assert_max_num_queries: Any):
    kinds = [
        f"bounced (host mx.example.net[192.0.2.7] said: 5{n % 60:02d} 5.{n % 8}.{n} Refused for reason {n} (in reply to RCPT TO))" for n in range(120)
    ]
    log = upload("".join(line(n, status=kind) for n, kind in enumerate(kinds)).encode())
    with django_assert_max_num_queries(12):
        page = client.get(log.get_absolute_url())
    assert len(page.content) < 120_000


HOUR = {"count": 1, "deferred": 0, "delivered": 2, "causes": {"full": 1}}


@pytest.mark.parametrize(
    ("first", "last", "unit", "places"),
    [
        ("2026-11-25T09", "2026-11-25T09", "hour", 1),
        ("2026-11-24T23", "2026-11-25T02", "hour", 4),
        ("2026-11-01T00", "2026-11-30T23", "day", 30),
        ("2025-11-30T00", "2026-02-01T00", "day", 64),
        ("2024-11-30T00", "2026-02-01T00", "month", 16),
        ("0001-01-01T00", "9999-12-31T23", "year", 72),
    ],
)
def test_hours_are_added_up_until_they_fit_a_chart(first: str, last: str, unit: str, places: int):
    found = by_time([{"hour": first, **HOUR}, {"hour": last, **HOUR}])
    assert (found["unit"], len(found["rows"])) == (unit, places)
    assert found["rows"][-1]["causes"]["full"] >= 1


def test_a_page_of_a_knowledge_that_lost_a_cause_still_shows(client: Client, upload: Upload):
    log = upload()
    for row in (*log.shown["groups"], *log.shown["by_cause"]):
        row["cause"] = "gone"
    assert page_of(log.shown).causes[0].slug == ""
