"""The page that checks a domain without a case."""

import re

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.servers.dns import DnsServer
from tests.troubleshoot.test_checks import ZONE, browser_of, events_of, read
from troubleshoot.models import CheckRun
from whybounce.checks.result import Subject
from whybounce.checks.runner import possible


def test_it_waits_without_javascript_and_shows_what_was_found(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    response = client.post("/check/", {"domain": "example.net", "sending_ip": "192.0.2.25", "mail_from": "example.org"}, follow=True)
    html = response.content.decode()
    assert re.fullmatch(r"/check/[a-z2-7]{12}/", response.redirect_chain[0][0])
    assert html.count("check-done") == len(possible(Subject(domain="example.net", sending_ip="192.0.2.25", mail_from="postmaster@example.org")))
    assert "example.net sent by 192.0.2.25 for postmaster@example.org" in html


def test_with_htmx_it_streams(client: Client, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    response = client.post("/check/", {"domain": "example.net"}, HTTP_HX_REQUEST="true")
    assert response["HX-Push-Url"] == CheckRun.objects.get().get_absolute_url()
    assert "sse-connect" in response.content.decode()
    stream = async_to_sync(read)(browser_of(client), f"{CheckRun.objects.get().get_absolute_url()}events/")
    assert set(events_of(stream)) == {*(f"check-{name}" for name in possible(Subject(domain="example.net"))), "done"}


def test_the_form_can_be_filled_by_a_link(client: Client) -> None:
    assert 'value="example.net"' in client.get("/check/?domain=example.net").content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"domain": ""},
        {"domain": "not a domain"},
        {"domain": "x" * 400},
        {"sending_ip": "1.2.3"},
        {"domain": "example.net", "sending_ip": "fe80::1%any text"},
        {"mail_from": "@"},
    ],
)
def test_bad_input_is_explained(client: Client, fields: dict[str, str]) -> None:
    assert client.post("/check/", fields).status_code == 422
    assert not CheckRun.objects.exists()


def test_with_htmx_bad_input_is_explained_in_an_answer_that_is_swapped_in(client: Client) -> None:
    response = client.post("/check/", {"domain": "not a domain"}, HTTP_HX_REQUEST="true")
    assert response.status_code == 200
    assert response.content.decode().strip().startswith('<div id="check"')
    assert "holds a space" in response.content.decode()


def test_a_sending_address_alone_is_enough(client: Client, dns_server: DnsServer) -> None:
    response = client.post("/check/", {"sending_ip": "192.0.2.25"}, follow=True)
    assert response.status_code == 200
    assert response.content.decode().count("check-done") == len(possible(Subject(sending_ip="192.0.2.25"))) > 0


def test_whoever_has_the_address_may_read_the_run_and_search_engines_are_kept_out(client: Client, dns_server: DnsServer) -> None:
    client.post("/check/", {"domain": "example.net"})
    response = Client().get(CheckRun.objects.get().get_absolute_url())
    assert response.status_code == 200
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert "Whoever has this address can read these results" in response.content.decode()


def test_the_run_of_a_case_is_not_shown_there(client: Client, dns_server: DnsServer) -> None:
    client.post("/check/", {"domain": "example.net"})
    run = CheckRun.objects.get()
    assert client.get(f"/check/{run.public_id[::-1]}/").status_code == 404
