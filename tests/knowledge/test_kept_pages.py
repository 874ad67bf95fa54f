"""Reference pages are kept in memory, the same for all who are not logged in, and answered with 304 to who has them."""

import gc
import re
from email.utils import parsedate_to_datetime

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import constants
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory

from knowledge import models, pages
from knowledge.current import forget, published_at, snapshot
from knowledge.publishing import publish
from whybounce.snapshot import KnowledgeSnapshot

pytestmark = pytest.mark.django_db
PAGE = "/codes/550/"


def rename(title: str) -> None:
    models.StatusCode.objects.filter(code="550").update(title=title)
    publish(by=None, reason="test")
    forget()


def test_a_page_holds_nothing_of_one_visitor(client: Client) -> None:
    response = client.get(PAGE)
    assert not response.cookies
    assert "csrf" not in response.content.decode().lower()
    assert response["Cache-Control"] == "no-cache"
    assert "Cookie" in response["Vary"]


def test_a_page_that_was_made_is_not_made_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get(PAGE)
    monkeypatch.setattr("knowledge.views.reference.code_page", None)
    assert Client().get(PAGE).content == first.content


def test_who_has_the_page_gets_304_until_a_revision_changes_it(client: Client) -> None:
    etag = client.get(PAGE)["ETag"]
    again = client.get(PAGE, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == etag
    rename("Another title")
    changed = client.get(PAGE, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert "Another title" in changed.content.decode()
    assert changed["ETag"] != etag


def test_last_modified_is_when_the_revision_was_published_or_the_program_started(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    published = published_at()
    assert published is not None
    monkeypatch.setattr(pages, "_STARTED", published.replace(year=2020))
    modified = client.get(PAGE)["Last-Modified"]
    assert parsedate_to_datetime(modified) == published.replace(microsecond=0)
    assert client.get(PAGE, headers={"If-Modified-Since": modified}).status_code == 304
    monkeypatch.setattr(pages, "_STARTED", published.replace(year=2100))
    assert client.get(PAGE, headers={"If-Modified-Since": modified}).status_code == 200


def test_every_address_that_a_page_is_asked_by_has_its_own_links(client: Client) -> None:
    assert 'href="http://testserver/codes/550/"' in client.get(PAGE).content.decode()
    assert 'href="https://testserver/codes/550/"' in client.get(PAGE, secure=True).content.decode()


def test_who_is_logged_in_gets_the_page_with_what_is_theirs_and_nobody_else_does(client: Client) -> None:
    etag = client.get(PAGE)["ETag"]
    staff = Client()
    staff.force_login(User.objects.create_user("sam", is_staff=True))
    own = staff.get(PAGE, headers={"If-None-Match": etag})
    assert own.status_code == 200
    assert "Log out sam" in own.content.decode()
    assert "Cases" in own.content.decode()
    assert own["Cache-Control"] == "private, no-store"
    assert "ETag" not in own
    assert "sam" not in client.get(PAGE).content.decode()


def test_a_visitor_with_a_session_gets_the_shared_page(client: Client) -> None:
    shared = client.get(PAGE)
    session = client.session
    session["visitor"] = "token"
    session.save()
    assert client.get(PAGE).content == shared.content


def test_a_waiting_message_is_shown_and_not_kept(client: Client) -> None:
    storage = CookieStorage(RequestFactory().get("/"))
    storage.add(constants.INFO, "Something was done.")
    client.cookies["messages"] = storage._encode(storage._queued_messages)
    assert "Something was done." in client.get(PAGE).content.decode()
    assert "Something was done." not in Client().get(PAGE).content.decode()


def test_an_error_page_is_not_kept(client: Client) -> None:
    assert client.get("/codes/551/").status_code == 404
    models.StatusCode.objects.create(code="551", title="User not local", meaning="x", status="published")
    publish(by=None, reason="test")
    forget()
    assert client.get("/codes/551/").status_code == 200


def test_a_filtered_list_is_not_taken_for_the_whole_one(client: Client) -> None:
    part = client.get("/codes/?q=mailbox").content.decode()
    whole = client.get("/codes/?utm_source=x").content.decode()
    assert len(whole) > len(part)
    assert client.get("/codes/?q=mailbox").content.decode() == part


def test_no_more_is_kept_than_may_be(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(client.get(PAGE).content)
    monkeypatch.setattr(pages, "_MOST_BYTES", 3 * size)
    for code in snapshot().codes:
        client.get(f"/codes/{code.code}/")
    assert 0 < pages._shelf._bytes <= 3 * size
    assert pages._shelf._bytes == sum(len(kept.content) for kept in pages._shelf._pages.values())


def _kept() -> set[int]:
    """The revisions of the snapshots in memory; 0 is none."""
    return {item.revision for item in gc.get_objects() if type(item) is KnowledgeSnapshot} - {0}


def test_revisions_that_no_longer_serve_do_not_stay_in_memory(client: Client) -> None:
    before = _kept()
    row = snapshot()
    pages_of_all_kinds = [
        *(f"/{kind}/" for kind in ("codes", "causes", "replies", "providers", "blocklists", "articles", "checks")),
        *(f"/{kind}/{getattr(row, kind)[0].slug}/" for kind in ("causes", "providers", "blocklists", "articles")),
        *(f"/replies/{row.causes[0].slug}/", PAGE, "/search/?q=550+5.1.1+user+unknown", "/sitemap.xml"),
    ]
    row = None
    for number in range(5):
        rename(f"Title {number}")
        for path in pages_of_all_kinds if number < 3 else [PAGE, "/search/?q=550"]:
            assert client.get(path).status_code == 200, path
    gc.collect()
    assert len(_kept() - before) <= 2


def test_a_page_larger_than_all_that_may_be_kept_is_served(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_MOST_BYTES", 10)
    assert client.get(PAGE).status_code == 200
    assert client.get(PAGE).status_code == 200
    assert pages._shelf._bytes == 0


def test_the_look_for_a_new_revision_follows_the_response(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(PAGE)
    models.StatusCode.objects.filter(code="550").update(title="Published meanwhile")
    publish(by=None, reason="test")
    monkeypatch.setattr("knowledge.current._FRESH_SECONDS", 1e-9)
    assert "Published meanwhile" not in client.get(PAGE).content.decode(), "what is a second old is still served"
    assert "Published meanwhile" in client.get(PAGE).content.decode()


def test_a_process_that_was_idle_looks_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(PAGE)
    models.StatusCode.objects.filter(code="550").update(title="Published meanwhile")
    publish(by=None, reason="test")
    monkeypatch.setattr("knowledge.current._SERVED_SECONDS", 1e-9)
    assert "Published meanwhile" in client.get(PAGE).content.decode()


def test_the_head_of_a_page_is_answered_too(client: Client) -> None:
    assert client.head(PAGE)["ETag"] == client.get(PAGE)["ETag"]
    assert re.fullmatch(r'"\d+-[0-9a-f]{24}"', client.get(PAGE)["ETag"])
