"""One search box: numbers as typed, words, beginnings, misspelt words, providers, and anything else that is typed."""

import time

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.search import KINDS, Group, search

pytestmark = pytest.mark.django_db


def labels(query: str) -> list[str]:
    return [hit.label for group in search(query) if group.kind == "code" for hit in group.hits]


def titles(query: str, kind: str = "cause") -> list[str]:
    return [hit.title for group in search(query) if group.kind == kind for hit in group.hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("550", "550"),
        ("550.", "550"),
        ("(550)", "550"),
        ("SMTP error 550", "550"),
        ("5.1.1", "5.1.1"),
        ("#5.1.1", "5.1.1"),
        ("status=5.1.1.", "5.1.1"),
        ("4.1.1", "4.1.1"),
        ("5.7.26", "5.7.26"),
        ("550-5.7.26", "5.7.26"),
        ("550 5.7.26 unauthenticated", "5.7.26"),
        ("354", "354"),
        ("X.2.2", "X.2.2"),
    ],
)
def test_a_code_is_found_as_it_is_typed(query: str, first: str) -> None:
    assert labels(query)[0] == first


def test_the_beginning_of_a_code_finds_those_that_begin_so() -> None:
    assert labels("55") == ["550", "552"]
    assert set(labels("5.7")) == {"5.7.1", "5.7.26"}
    assert set(labels("5.")) >= {"5.1.1", "5.2.2", "5.7.26"}


def test_a_code_and_its_reply_find_both() -> None:
    assert {"5.7.26", "550"} <= set(labels("550-5.7.26"))


def test_a_number_in_a_phrase_begins_no_code() -> None:
    assert "550" not in labels("again in 5 minutes")


@pytest.mark.parametrize("address", ["192.0.2.55", "2001:db8::5", "10.5.1.1"])
def test_an_address_is_no_code(address: str) -> None:
    assert "5.1.1" not in labels(address)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("mailbox full", "The recipient's mailbox is full"),
        ("MAILBOX FULL", "The recipient's mailbox is full"),
        ("mailbox ful", "The recipient's mailbox is full"),
        ("mailbx full", "The recipient's mailbox is full"),
        ("blocklsit", "The sending server is on a blocklist"),
        ("blockl", "The sending server is on a blocklist"),
        ("spf-fail", "SPF does not allow the sending server"),
        ("put off once", "The receiving server asks to try again"),
    ],
)
def test_a_cause_is_found_by_words_beginnings_and_misspelt_words(query: str, title: str) -> None:
    assert titles(query)[0] == title


def test_a_phrase_of_a_reply_finds_what_it_means() -> None:
    assert titles("email account that you tried to reach", "reply") == ["The recipient's address does not exist"]


def test_a_reply_is_shown_under_what_it_speaks_for_most() -> None:
    assert titles("user is over quota", "reply")[0] == "The recipient's mailbox is full"


@pytest.mark.parametrize("query", ["gmail", "Google", "googlemail.com"])
def test_a_provider_is_found_by_its_names(query: str) -> None:
    assert titles(query, "provider") == ["Gmail and Google Workspace"]


def test_what_fits_nothing_finds_nothing() -> None:
    assert search("xylophone zzzz") == []


@pytest.mark.parametrize(
    "query", ["", " ", "\t\n", "...", "-", "()", "\x00", "\u202e", "🙂", "'\"", "AND OR NOT", "title:", "*", "~2", "\\", "%", "[1 TO"]
)
def test_nothing_and_odd_characters_stop_nothing(query: str) -> None:
    assert isinstance(search(query), list)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(max_size=100))
def test_anything_may_be_typed(query: str) -> None:
    for group in search(query):
        assert group.kind in KINDS
        assert 1 <= len(group.hits) <= 8


@pytest.mark.parametrize("piece", ["a", "mailbox ", "550 ", "5.1.1 ", "会", "x y ", "\u0301", "550-"])
def test_ten_thousand_characters_are_answered_at_once(piece: str) -> None:
    search("warm")
    began = time.perf_counter()
    search((piece * 10_000)[:10_000])
    assert time.perf_counter() - began < 1


def test_the_words_that_were_searched_are_marked() -> None:
    groups: list[Group] = search("delayed nothing failed")
    parts = [part for group in groups for hit in group.hits if hit.title == "The message is only delayed" for part in hit.excerpt]
    assert [part.text for part in parts if part.hit] == ["Nothing", "failed"]
    assert "".join(part.text for part in parts) == "Nothing has failed yet."


def test_the_page_shows_what_was_found_and_what_was_typed(client: Client) -> None:
    html = client.get(reverse("search"), {"q": "mailbox full"}).content.decode()
    assert 'value="mailbox full"' in html
    assert reverse("cause", args=["recipient-mailbox-full"]) in html
    assert "<mark>" in html


def test_the_page_says_that_nothing_fits_and_shows_markup_as_text(client: Client) -> None:
    html = client.get(reverse("search"), {"q": "<script>xylophone</script>\u202e"}).content.decode()
    assert "&lt;script&gt;xylophone" in html
    assert "<script>xylophone" not in html
    assert "Nothing fits" in html
    assert "[U+202E]" in html


def test_a_space_of_another_kind_is_no_hidden_character(client: Client) -> None:
    html = client.get(reverse("search"), {"q": "xylo\u00a0phone\u3000xyz"}).content.decode()
    assert "U+00A0" not in html
    assert "U+3000" not in html


def test_htmx_gets_the_results_alone_and_a_restored_page_the_whole(client: Client) -> None:
    part = client.get(reverse("search"), {"q": "mailbox"}, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert reverse("cause", args=["recipient-mailbox-full"]) in part.content.decode()
    assert "HX-Request" in part["Vary"]
    restored = client.get(reverse("search"), {"q": "mailbox"}, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_a_query_of_any_length_gets_a_page(client: Client) -> None:
    assert client.get(reverse("search"), {"q": "x" * 10_000}).status_code == 200
    assert client.get(reverse("search"), {"q": "\x00"}).status_code == 200
