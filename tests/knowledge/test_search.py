"""One search box: numbers as typed, words, beginnings, misspelt words, providers, and anything else that is typed."""

import time

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.explaining import explanation
from knowledge.postings import Postings, Spelling, Text, edit_distance
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


@pytest.mark.parametrize(
    ("query", "kind", "title"),
    [
        ("example list", "blocklist", "Example List"),
        ("bl.example.org", "blocklist", "Example List"),
        ("exmaple list", "blocklist", "Example List"),
        ("read a reply", "article", "How to read a reply"),
        ("three digits", "article", "How to read a reply"),
        ("postfix", "provider", "Postfix"),
        ("more than ten DNS look-ups", "check", "SPF needs more than ten DNS look-ups"),
        ("spf.too_many_lookups", "check", "SPF needs more than ten DNS look-ups"),
        ("too_many_lookups", "check", "SPF needs more than ten DNS look-ups"),
        ("does spf allow", "check", "SPF"),
    ],
)
def test_blocklists_articles_providers_and_checks_are_found_by_name_and_by_what_they_say(query: str, kind: str, title: str) -> None:
    assert titles(query, kind)[0] == title


def test_a_hit_leads_to_a_page_of_its_own(client: Client) -> None:
    for query in ("gmail", "example list", "three digits", "over quota", "550", "greylisting", "spf"):
        for group in search(query):
            for hit in group.hits:
                assert client.get(hit.url.partition("#")[0]).status_code == 200, hit.url


def test_the_group_that_fits_best_comes_first() -> None:
    assert search("gmail")[0].kind == "provider"
    assert search("example list")[0].kind == "blocklist"
    assert search("mailbox full")[0].kind == "cause"
    assert search("550 mailbox")[0].kind == "code"


def test_words_that_stand_together_as_typed_come_before_the_same_words_apart() -> None:
    apart, together = (
        Text("", "", "full of mail is the box, the mailbox is not"),
        Text("", "", "longer, but it says mailbox full at its end, that is all"),
    )
    hits, _marks = Postings([apart, together]).find(["mailbox", "full"], {"all": (0, 2)}, 8)
    assert hits["all"][0][0] == 1


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("mailbox", "mailbox", 0),
        ("mailbx", "mailbox", 1),
        ("fial", "fail", 1),
        ("blocklsit", "blocklist", 1),
        ("qouta", "quota", 1),
        ("ca", "abc", 3),
    ],
)
def test_letters_wrong_missing_too_many_or_swapped_are_one_mistake_each(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other, 3) == edit_distance(other, one, 3) == distance


def test_the_right_spelling_is_the_nearest_word_and_swapped_letters_are_the_likeliest_mistake() -> None:
    spelling = Spelling({"final": 90, "fail": 2, "quota": 5, "blocklist": 3, "blocked": 7})
    assert spelling.like("fial")[0] == ("fail", 1)
    assert spelling.like("qouta") == [("quota", 1)]
    assert spelling.like("blcoklits") == [("blocklist", 2)]
    assert spelling.like("xylophone") == spelling.like("ab") == []
    assert spelling.like("x" * 100_000) == []


@settings(max_examples=100)
@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(1, 3))
def test_a_distance_is_never_negative_and_never_over_what_was_asked_for(one: str, other: str, most: int) -> None:
    distance = edit_distance(one, other, most)
    assert distance == edit_distance(other, one, most)
    assert (distance == 0) == (one == other)
    assert distance <= most + 1
    assert distance >= min(abs(len(one) - len(other)), most + 1)


def test_accents_and_capitals_do_not_matter() -> None:
    assert titles("MÁILBOX füll") == titles("mailbox full")


@pytest.mark.parametrize(
    ("pasted", "cause"),
    [
        ("550-5.1.1 The email account that you tried to reach does not exist. gsmtp", "recipient-unknown"),
        ("552 5.2.2 mailbox over its quota", "recipient-mailbox-full"),
        ("the user mailbox is over quota", "recipient-mailbox-full"),
        ("over quota", "recipient-mailbox-full"),
    ],
)
def test_a_pasted_reply_is_explained_on_the_spot(pasted: str, cause: str) -> None:
    explained = explanation(pasted)
    assert explained is not None
    assert explained.causes[0].cause.slug == cause
    assert explained.text == pasted


def test_the_page_explains_a_pasted_reply_says_who_acts_and_opens_a_diagnosis(client: Client) -> None:
    pasted = "550-5.1.1 The email account that you tried to reach does not exist. gsmtp"
    html = client.get(reverse("search"), {"q": pasted}).content.decode()
    for part in (
        "reads like a server",
        "this is why",
        "permanent",
        "the sender",
        "/causes/recipient-unknown/",
        "/providers/google/",
        "Open a full diagnosis",
    ):
        assert part in html, part
    assert f'action="{reverse("paste")}"' in html
    opened = client.post(reverse("paste"), {"text": pasted})
    assert opened.status_code == 302
    part = client.get(reverse("search"), {"q": pasted}, headers={"HX-Request": "true"}).content.decode()
    assert "csrfmiddlewaretoken" in part


@pytest.mark.parametrize("typed", ["550", "5.1.1", "550 quota", "full mailbox", "gmail", "what is a blocklist", "", "\x00", "🙂 🙂 🙂 🙂", "." * 50])
def test_what_is_no_reply_is_only_searched_for(typed: str) -> None:
    assert explanation(typed) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(max_size=300))
def test_anything_may_be_pasted(text: str) -> None:
    explained = explanation(f"550 5.1.1 {text}")
    assert explained is None or explained.causes


def test_how_many_results_there_are_is_told(client: Client) -> None:
    html = client.get(reverse("search"), {"q": "googlemail.com"}).content.decode()
    assert "1 result<" in html


def test_what_stands_after_three_hundred_characters_is_not_looked_at() -> None:
    assert search(". " * 150 + "gmail") == []
    assert search(". " * 140 + "gmail")


def test_of_a_long_text_only_the_beginning_is_searched_and_the_page_says_so(client: Client) -> None:
    html = client.get(reverse("search"), {"q": "mailbox full " * 800}).content.decode()
    assert "only its beginning was searched" in html
    assert len(html) < 60_000


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
