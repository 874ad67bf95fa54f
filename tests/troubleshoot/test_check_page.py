"""The page that checks a domain without a case."""

import re

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.servers.dns import DnsServer
from tests.troubleshoot.test_checks import ZONE, browser_of, events_of, read
from troubleshoot.forms import DomainForm, typed_again
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


# --- one box, and the rest ---


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"domain": "Example.NET."}, Subject(domain="example.net")),
        ({"domain": "[IPv6:2001:DB8::25]"}, Subject(sending_ip="2001:db8::25")),
        ({"domain": "192.0.2.25"}, Subject(sending_ip="192.0.2.25")),
        (
            {"domain": "Anna@Example.net"},
            Subject(domain="example.net", recipient="Anna@Example.net", mail_from="Anna@Example.net"),
        ),
        (
            {"domain": "anna@example.net", "mail_from": "<news@example.org>"},
            Subject(domain="example.net", recipient="anna@example.net", mail_from="news@example.org"),
        ),
        (
            {"domain": "example.net", "header_from": "example.org", "helo": "Mail.Example.org.", "selectors": "s1, S2@example.org s1"},
            Subject(domain="example.net", header_from="postmaster@example.org", helo="mail.example.org", selectors=("s1", "s2@example.org")),
        ),
        ({"domain": "example.net", "message_size": "1,5 MB"}, Subject(domain="example.net", message_size=1_500_000)),
        ({"domain": "example.net", "message_size": "300"}, Subject(domain="example.net", message_size=300)),
    ],
)
def test_one_box_takes_a_domain_an_address_or_an_ip_address(fields: dict[str, str], subject: Subject) -> None:
    form = DomainForm(fields)
    assert form.is_valid(), form.errors
    assert form.subject == subject
    again = typed_again(subject)
    values = {name: again[name].value() or "" for name in again.fields}
    form = DomainForm(values)
    assert form.is_valid(), form.errors
    assert form.subject == subject  # what a page shows in its form is the same subject


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("helo", "two words", "one word"),
        ("helo", "a\x7fb", "one word"),
        ("selectors", "s1 <script>", "is no DKIM selector"),
        ("selectors", " ".join(f"s{number}" for number in range(11)), "At most 10"),
        ("message_size", "big", "This is no size"),
        ("message_size", "99999999999999", "This is no size"),
        ("header_from", "a@b@", "No domain was given"),
        ("domain", "anna@", "No domain was given"),
        ("domain", "anna@exa mple.net", "holds a space"),
    ],
)
def test_what_cannot_be_looked_at_is_explained(field: str, typed: str, says: str) -> None:
    form = DomainForm({"domain": "example.net"} | {field: typed})
    assert not form.is_valid()
    assert says in str(form.errors)


def test_a_hostile_address_is_looked_at_and_shown_harmlessly(client: Client, dns_server: DnsServer) -> None:
    response = client.post("/check/", {"domain": '"<img src=x>\u200b"@example.net'}, follow=True)
    html = response.content.decode()
    assert response.status_code == 200
    assert "<img" not in html


def test_the_page_says_what_is_wrong_worst_first_and_how_many_looked(client: Client, dns_server: DnsServer) -> None:
    dns_server.add('example.net. MX 0 .\nexample.net. TXT "v=spf1 ip4:192.0.2.1 ~all"\n;! _dmarc.example.net servfail')
    html = client.post("/check/", {"domain": "example.net", "sending_ip": "192.0.2.99"}, follow=True).content.decode()
    wrong = html[html.index('class="wrong"') : html.index("</ul>", html.index('class="wrong"'))]
    tones = re.findall(r"tag tag-(\w+)", wrong)
    assert tones == sorted(tones)  # "fail" before "wait"
    assert set(tones) == {"fail", "wait"}
    assert re.search(r"\d+ checks looked, \d+ could not look, \d+ lack something to look at\.", html)
    assert [title for title in re.findall(r'<h2 id="group-\d">([^<]+)<', html)] == ["Receiving mail", "Sending mail", "Reputation"]
