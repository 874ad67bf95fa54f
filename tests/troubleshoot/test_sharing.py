"""A report is shared by a link that nobody guesses, that ends, and that is withdrawn."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot import sharing
from troubleshoot.models import Case, SharedLink
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

SECRETS = ("anna", "550 5.1.1 <")


def make(client: Client, case: Case, **fields: str) -> str:
    """Makes a link on the page and gives its path."""
    response = client.post(f"{case.get_absolute_url()}links/share/", {"days": "30"} | fields)
    assert response.status_code == 200, response.content.decode()
    found = re.search(r'id="made-link" href="http://testserver(/r/[^"]+/)"', response.content.decode())
    assert found
    return found[1]


@pytest.fixture
def stranger() -> Client:
    return Client()


def test_whoever_has_the_link_reads_the_report_and_cannot_do_more(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    path = make(client, case)
    html = stranger.get(path).content.decode()
    assert "Title of unknown-user" in html
    assert case.public_id in html
    assert "<form" not in html.split("<main", 1)[1]
    assert stranger.get(case.get_absolute_url()).status_code == 404


def test_addresses_are_masked_unless_told_not_to(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    masked = stranger.get(make(client, case)).content.decode()
    assert "anna" not in masked.lower()
    assert "…@example.net" in masked
    whole = stranger.get(make(client, case, whole="on")).content.decode()
    assert "anna@example.net" in whole


def test_no_address_stands_in_a_title_and_no_robot_or_other_site_learns_of_it(client: Client, stranger: Client, paste: Paster) -> None:
    response = stranger.get(make(client, paste(), whole="on"))
    title = re.search(r"<title>(.*?)</title>", response.content.decode(), re.DOTALL)[1]
    assert "@" not in title
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "private, no-store"
    assert '<meta name="robots" content="noindex' in response.content.decode()
    assert not response.cookies


def test_the_token_has_192_bits_and_is_kept_as_a_digest_alone(client: Client, paste: Paster) -> None:
    case = paste()
    tokens = {make(client, case).split("/")[2] for _ in range(3)}
    assert len(tokens) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in tokens)
    stored = " ".join(str(value) for row in SharedLink.objects.values() for value in row.values())
    assert not any(token in stored for token in tokens)
    assert not any(token in client.get(f"{case.get_absolute_url()}links/").content.decode() for token in tokens)


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 31 + "é", "%00" * 32, "A" * 5000])
def test_a_guessed_link_is_404_with_a_plain_page(stranger: Client, token: str) -> None:
    response = stranger.get(f"/r/{token}/")
    assert response.status_code == 404
    assert "There is no report at this address" in response.content.decode()
    assert not SharedLink.objects.exists()


def test_an_expired_link_is_410(client: Client, stranger: Client, paste: Paster) -> None:
    path = make(client, paste(), days="1")
    SharedLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = stranger.get(path)
    assert response.status_code == 410
    html = response.content.decode()
    assert "This link has expired" in html
    assert "unknown-user" not in html
    assert SharedLink.objects.get().views == 0


def test_a_withdrawn_link_is_410_and_stays_listed(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    path = make(client, case, label="the customer")
    link = SharedLink.objects.get()
    assert client.post(f"{case.get_absolute_url()}links/revoke/", {"link": str(link.pk)}).status_code == 302
    response = stranger.get(path)
    assert response.status_code == 410
    assert "no longer shared" in response.content.decode()
    listed = client.get(f"{case.get_absolute_url()}links/").content.decode()
    assert "the customer" in listed
    assert "withdrawn" in listed


def test_withdrawing_twice_keeps_the_first_time(client: Client, paste: Paster) -> None:
    case = paste()
    make(client, case)
    link = SharedLink.objects.get()
    sharing.revoke_link(case=case, link=link.pk, person=Person())
    first = SharedLink.objects.get().revoked_at
    sharing.revoke_link(case=case, link=link.pk, person=Person())
    assert SharedLink.objects.get().revoked_at == first


@pytest.mark.parametrize("link", ["", "x", "0", "99999999999999999999", "-1", "٣"])
def test_a_link_that_the_case_does_not_have_cannot_be_withdrawn(client: Client, paste: Paster, link: str) -> None:
    mine, other = paste(), paste()
    make(client, other)
    assert client.post(f"{mine.get_absolute_url()}links/revoke/", {"link": link}).status_code == 409
    theirs = SharedLink.objects.get()
    assert client.post(f"{mine.get_absolute_url()}links/revoke/", {"link": str(theirs.pk)}).status_code == 409
    assert SharedLink.objects.get().is_open


def test_views_are_counted_but_not_those_of_previews(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    path = make(client, case)
    stranger.head(path)
    assert SharedLink.objects.get().views == 0
    stranger.get(path)
    stranger.get(path)
    link = SharedLink.objects.get()
    assert link.views == 2
    assert link.last_viewed_at is not None
    assert "Read 2 times" in client.get(f"{case.get_absolute_url()}links/").content.decode()


def test_it_shows_the_case_as_it_stands_when_it_is_read(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    path = make(client, case)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "mailbox-full", "sentence": "anna@example.net had moved"})
    html = stranger.get(path).content.decode()
    assert "It proved to be" in html
    assert "…@example.net had moved" in html


def test_only_those_who_may_see_the_case_make_list_or_withdraw_links(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste()
    make(client, case)
    link = SharedLink.objects.get()
    assert stranger.get(f"{case.get_absolute_url()}links/").status_code == 404
    assert stranger.post(f"{case.get_absolute_url()}links/share/", {"days": "30"}).status_code == 404
    assert stranger.post(f"{case.get_absolute_url()}links/revoke/", {"link": str(link.pk)}).status_code == 404
    assert SharedLink.objects.get().is_open


def test_who_made_it_is_kept(supporter: Client, paste: Paster) -> None:
    make(supporter, paste())
    assert SharedLink.objects.get().by.username == "sam"


@pytest.mark.parametrize("days", ["", "0", "31", "-1", "x", "100000000000000000000"])
def test_only_the_offered_times_are_taken(client: Client, paste: Paster, days: str) -> None:
    assert client.post(f"{paste().get_absolute_url()}links/share/", {"days": days}).status_code == 422
    assert not SharedLink.objects.exists()


def test_a_link_is_open_for_thirty_days_unless_told(client: Client, paste: Paster) -> None:
    link, _token = sharing.share_case(case=paste(), person=Person())
    assert link.expires_at - link.created_at == timedelta(days=30)
    assert link.masks


def test_a_case_has_no_endless_number_of_links(client: Client, paste: Paster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_OPEN", 2)
    case = paste()
    for _number in range(2):
        make(client, case)
    with pytest.raises(Refused, match="2 open links"):
        sharing.share_case(case=case, person=Person())
    assert client.post(f"{case.get_absolute_url()}links/share/", {"days": "30"}).status_code == 409


def test_a_hostile_text_stays_text(client: Client, stranger: Client, paste: Paster) -> None:
    case = paste("550 5.7.1 <script>alert(1)</script> \u202eevil refused")
    html = stranger.get(make(client, case, whole="on", label="<b>x</b>")).content.decode()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "<b>x</b>" not in client.get(f"{case.get_absolute_url()}links/").content.decode()


def test_a_problem_without_text_can_be_shared_too(client: Client, stranger: Client) -> None:
    case = Case.objects.get(public_id=client.post("/start/")["Location"].split("/")[2])
    assert stranger.get(make(client, case)).status_code == 200


def test_the_page_of_a_case_leads_there(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    html = client.get(case.get_absolute_url()).content.decode()
    assert f'href="{case.get_absolute_url()}links/"' in html
    assert f'href="{case.get_absolute_url()}report/"' in html
