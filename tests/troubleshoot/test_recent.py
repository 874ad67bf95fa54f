"""What was found a short time ago is shown with its age; what changed since last time is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.servers.dns import DnsServer
from tests.servers.zones import Behaviour
from tests.troubleshoot.conftest import Paster
from tests.troubleshoot.test_checks import BOTH, FAILED, HTMX, ZONE
from troubleshoot.check_words import age
from troubleshoot.models import CheckOutcome, CheckRun
from troubleshoot.rates import Limits, Rate
from troubleshoot.recent import digest_of
from whybounce.checks.result import Subject


def look(client: Client, **fields: Any) -> CheckRun:
    response = client.post("/check/", {"domain": "example.net", **fields})
    assert response.status_code == 302
    return CheckRun.objects.get(public_id=response["Location"].split("/")[2])


def again(client: Client, run: CheckRun) -> CheckRun:
    response = client.post(f"{run.get_absolute_url()}again/")
    assert response.status_code == 302
    return CheckRun.objects.get(public_id=response["Location"].split("/")[2])


def grow_old(minutes: float) -> None:
    for row in CheckOutcome.objects.all():
        row.at -= timedelta(minutes=minutes)
        row.save()


def html_of(client: Client, run: CheckRun) -> str:
    return client.get(run.get_absolute_url()).content.decode()


def test_within_five_minutes_nothing_is_asked_again_and_the_age_is_shown(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    look(client)
    grow_old(3)
    asked = dns_server.count()
    run = look(Client(REMOTE_ADDR="203.0.113.5"))
    assert dns_server.count() == asked
    assert "3 minutes ago" in html_of(client, run)


def test_after_five_minutes_it_is(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    look(client)
    grow_old(5.1)
    asked = dns_server.count("example.net", "MX")
    assert "minutes ago" not in html_of(client, look(client))
    assert dns_server.count("example.net", "MX") == asked + 1


def test_looking_again_now_asks_anew(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    run = look(client)
    asked = dns_server.count("example.net", "MX")
    again(client, run)
    assert dns_server.count("example.net", "MX") == asked + 1


def test_what_could_not_look_is_looked_at_again(client: Client, dns_server: DnsServer) -> None:
    dns_server.behave("*", Behaviour(rcode="refused"))
    run = look(client)
    assert set(run.outcomes.values_list("state", flat=True)) == {"unknown"}
    dns_server.behave("*", None)
    dns_server.add(ZONE)
    assert look(client).outcomes.get(check_name="mx").answer == "ok"


def test_what_costs_nothing_is_not_counted(client: Client, paste: Paster, dns_server: DnsServer, settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(client=Rate(1, 3600))
    dns_server.add(ZONE)
    address = f"{paste(FAILED).get_absolute_url()}checks/"
    assert [client.post(address, {"name": "mx", **more}).status_code for more in ({}, {}, {}, {"anew": "1"})] == [302, 302, 302, 429]


def test_another_subject_is_looked_at_by_itself(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    look(client, sending_ip="192.0.2.25", mail_from="a@example.org")
    asked = dns_server.count("example.org", "TXT")
    look(client, sending_ip="192.0.2.26", mail_from="a@example.org")
    assert dns_server.count("example.org", "TXT") == asked + 1
    assert digest_of(Subject(domain="a.example")) != digest_of(Subject(domain="a.example"), b"message")


def test_a_case_takes_over_what_was_found_lately_and_verifying_looks_afresh(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    address = f"{paste(FAILED).get_absolute_url()}checks/"
    client.post(address, BOTH)
    grow_old(2)
    other = paste(FAILED)
    asked = dns_server.count()
    html = client.post(f"{other.get_absolute_url()}checks/", BOTH, **HTMX).content.decode()
    assert dns_server.count() == asked
    assert "2 minutes ago" in html
    assert "sse-connect" not in html
    assert dict(other.observations.values_list("question", "answer")) == {"check-mx": "ok", "check-spf": "fail"}
    client.post(f"{other.get_absolute_url()}checks/", {"verify": "mx"})
    assert dns_server.count("example.net", "MX") == 2


# --- what changed ---


def test_the_page_says_what_changed_since_last_time(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE + 'example.net. TXT "v=spf1 -all"')
    first = look(client)
    assert "since" not in html_of(client, first).lower()
    dns_server.add("example.net. 300 MX 0 .")
    html = html_of(client, again(client, first))
    assert "found something else" in html
    assert "Worse" in html
    assert html.index("goes to mx.example.net") < html.index("accepts no mail at all", html.index("Before ("))
    assert "No longer:" in html
    assert "New:" in html


def test_it_says_too_where_nothing_changed(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    html = html_of(client, again(client, look(client)))
    assert "Nothing has changed since" in html
    assert "Before (" not in html


def test_what_could_not_look_is_neither_better_nor_worse(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    run = look(client)
    dns_server.behave("*", Behaviour(rcode="refused"))
    html = html_of(client, again(client, run))
    assert "Cannot be compared: one of the two could not look" in html
    assert "Worse" not in html


def test_an_older_page_is_compared_with_what_was_before_it_and_not_with_what_came_later(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    first = look(client)
    dns_server.add("example.net. 300 MX 0 .")
    again(client, first)
    assert "Worse" not in html_of(client, first)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, ""),
        (45, "45 seconds ago"),
        (120, "2 minutes ago"),
        (3600, "60 minutes ago"),
        (3 * 3600, "3 hours ago"),
        (86400 * 3, "3 days ago"),
    ],
)
def test_an_age_in_words(seconds: int, words: str) -> None:
    assert age(timezone.now() - timedelta(seconds=seconds)) == words
