"""What readers say of a page: taken with and without JavaScript, bounded, and read by curators."""

import pytest
from django.test import Client
from django.urls import reverse

from knowledge import feedback
from knowledge.models import Feedback

pytestmark = pytest.mark.django_db
ADDRESS = "/feedback/"
PAGE = "/causes/spf-fail/"
HTMX = {"HX-Request": "true"}


def test_every_page_of_the_reference_asks_whether_it_helped(client: Client) -> None:
    for page in ("/codes/550/", PAGE, "/providers/google/", "/replies/recipient-unknown/", "/blocklists/example-list/", "/articles/reading-a-reply/"):
        html = client.get(page).content.decode()
        assert f'name="page" value="{page}"' in html
        assert f'action="{ADDRESS}"' in html


def test_a_word_is_stored_and_thanked_for_on_a_page_of_its_own() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(ADDRESS, {"page": PAGE, "helpful": "no", "text": "It said 5.7.23 instead.\r\nTwice."}, follow=True)
    assert "Thank you" in response.content.decode()
    assert f'href="{PAGE}"' in response.content.decode()
    row = Feedback.objects.get()
    assert (row.page, row.helpful, row.text, row.state) == (PAGE, False, "It said 5.7.23 instead.\r\nTwice.", "new")


def test_htmx_gets_the_thanks_alone(client: Client) -> None:
    response = client.post(ADDRESS, {"page": PAGE, "helpful": "yes"}, headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    assert "Thank you" in response.content.decode()
    assert Feedback.objects.get().helpful is True


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"page": PAGE}, "Say yes or no"),
        ({"page": PAGE, "text": " \n "}, "Say yes or no"),
        ({"page": PAGE, "text": "x" * 2001}, "under 2000 characters"),
        ({"page": PAGE, "helpful": "perhaps"}, "perhaps"),
        ({"page": "/admin/", "helpful": "yes"}, "no page of the reference"),
        ({"page": "https://example.org/", "helpful": "yes"}, "no page of the reference"),
        ({"page": "javascript:alert(1)", "helpful": "yes"}, "no page of the reference"),
        ({"page": "/nowhere/", "helpful": "yes"}, "no page of the reference"),
        ({"helpful": "yes"}, "required"),
        ({"page": PAGE, "text": "a\x00b"}, "Null"),
    ],
)
def test_what_cannot_be_taken_is_said_and_what_was_typed_is_kept(client: Client, sent: dict[str, str], says: str) -> None:
    response = client.post(ADDRESS, sent)
    assert response.status_code == 422
    html = response.content.decode()
    assert says in html
    assert sent.get("text", "").strip().replace("\x00", "")[:50] in html.replace("\x00", "")
    assert "<script>" not in html
    assert not Feedback.objects.exists()
    part = client.post(ADDRESS, sent, headers=HTMX)
    assert part.status_code == 200, "htmx shows nothing of an error"
    assert says in part.content.decode()


def test_a_program_that_fills_in_every_field_is_thanked_and_not_stored(client: Client) -> None:
    response = client.post(ADDRESS, {"page": PAGE, "helpful": "yes", "text": "buy", "website": "https://example.com"}, follow=True)
    assert "Thank you" in response.content.decode()
    assert not Feedback.objects.exists()


def test_no_session_sends_more_than_twenty_an_hour(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"page": PAGE, "helpful": "yes"}
    for _number in range(20):
        assert client.post(ADDRESS, sent).status_code == 302
    refused = client.post(ADDRESS, sent)
    assert refused.status_code == 429
    assert "later" in refused.content.decode()
    assert Feedback.objects.count() == 20
    assert Client().post(ADDRESS, sent).status_code == 302
    later = feedback.time.time() + 3601
    monkeypatch.setattr(feedback.time, "time", lambda: later)
    assert client.post(ADDRESS, sent).status_code == 302


def test_all_together_send_no_more_than_is_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "_ALL", 2)
    codes = [Client().post(ADDRESS, {"page": PAGE, "helpful": "yes"}).status_code for _number in range(4)]
    assert codes == [302, 302, 429, 429]


def test_no_more_is_kept_than_curators_can_work_through(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "_UNREAD", 1)
    sent = {"page": PAGE, "helpful": "no"}
    assert [client.post(ADDRESS, sent).status_code for _number in range(2)] == [302, 429]
    Feedback.objects.update(state=Feedback.State.DONE)
    assert client.post(ADDRESS, sent).status_code == 302


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.testserver"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 302),
        ({"Origin": "http://testserver"}, 302),
        ({}, 302),
    ],
)
def test_a_page_of_another_site_cannot_send_in_a_readers_name(client: Client, headers: dict[str, str], status: int) -> None:
    assert client.post(ADDRESS, {"page": PAGE, "helpful": "yes"}, headers=headers).status_code == status
    assert Feedback.objects.count() == (status == 302)


@pytest.mark.parametrize("query", ["", "?page=/admin/", "?page=https://example.org/"])
def test_there_is_no_thanks_for_a_page_that_is_none(client: Client, query: str) -> None:
    assert client.get(ADDRESS + query).status_code == 404


def test_curators_read_it_mark_it_done_and_go_to_the_page(curator: Client) -> None:
    row = Feedback.objects.create(page=PAGE, helpful=False, text="<b>5.7.23</b> " + "x" * 300)
    Feedback.objects.create(page="/codes/550/", helpful=True)
    listed = reverse("admin:knowledge_feedback_changelist")
    html = curator.get(listed).content.decode()
    assert f'href="{PAGE}"' in html
    assert "&lt;b&gt;5.7.23" in html
    assert "x" * 200 not in html
    curator.post(listed, {"action": "mark_done", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.state == "done"
    assert "5.7.23" not in curator.get(f"{listed}?state__exact=new").content.decode()
    assert "5.7.23" in curator.get(reverse("admin:knowledge_feedback_change", args=[row.pk])).content.decode()


def test_who_has_no_rights_does_not_read_it(clerk: Client) -> None:
    assert clerk.get(reverse("admin:knowledge_feedback_changelist")).status_code == 403
