"""One question after the other, with and without htmx; each answer can be changed."""

import re

import pytest
from django.test import Client

from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from troubleshoot.models import Case

HTMX = {"HTTP_HX_REQUEST": "true"}


def answer(client: Client, case: Case, question: str, slug: str, **extra: str) -> str:
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": question, "answer": slug}, **extra)
    assert response.status_code in (200, 302)
    return response.headers.get("Location") or response.headers.get("HX-Push-Url") or ""


def given(case: Case) -> dict[str, str]:
    return dict(case.observations.values_list("question", "answer"))


def test_the_page_asks_the_most_worthwhile_question_and_says_why(client: Client, paste: Paster) -> None:
    html = client.get(paste(UNCLEAR).get_absolute_url()).content.decode()
    assert "Does the recipient say that there is free space?" in html
    assert "Tells a full mailbox from a wrong address." in html
    assert "I don't know" in html


def test_each_answer_says_what_it_would_change(client: Client, paste: Paster) -> None:
    html = client.get(paste(UNCLEAR).get_absolute_url()).content.decode()
    assert re.search(r"points to “Title of [a-z-]+” \(\d+ %\)", html)


def test_nothing_is_asked_where_the_text_is_conclusive(client: Client, paste: Paster) -> None:
    html = client.get(paste("552 mailbox over quota").get_absolute_url()).content.decode()
    assert "Nothing more needs to be asked." in html
    assert "Proved by what the server said" in html


def test_an_answer_is_kept_and_turns_the_ranking(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "all")
    assert given(case) == {"who-is-affected": "all"}
    html = client.get(case.get_absolute_url()).content.decode()
    assert html.index("Title of ip-listed") < html.index("Title of mailbox-full")
    assert "Ruled out: Title of unknown-user" in html


def test_without_htmx_an_answer_leads_to_the_address_of_the_next_question(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    assert answer(client, case, "who-is-affected", "all") == f"{case.get_absolute_url()}?ask=has-space#question"


def test_with_htmx_an_answer_gets_the_changed_part_and_the_same_address(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "all"}, **HTMX)
    html = response.content.decode()
    assert html.strip().startswith('<article id="case"')
    assert "<html" not in html
    assert response["HX-Push-Url"] == f"{case.get_absolute_url()}?ask=has-space"
    assert "Does the recipient say that there is free space?" in html


def test_the_address_of_a_question_shows_it_with_the_answer_given(client: Client, paste: Paster) -> None:
    """So that the back button returns to the question before."""
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "one")
    html = client.get(f"{case.get_absolute_url()}?ask=who-is-affected").content.decode()
    assert "Change your answer" in html
    assert "your answer" in html
    assert 'class="answer answer-chosen" id="answer-one" name="answer" value="one"' in html


def test_a_page_restored_from_history_is_sent_whole(client: Client, paste: Paster) -> None:
    response = client.get(paste().get_absolute_url(), **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert "<html" in response.content.decode()


def test_an_answer_can_be_changed(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "one")
    answer(client, case, "who-is-affected", "all")
    assert given(case) == {"who-is-affected": "all"}


def test_an_answer_can_be_taken_back(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "one")
    response = client.post(f"{case.get_absolute_url()}take-back/", {"question": "who-is-affected"})
    assert response.status_code == 302
    assert given(case) == {}


def test_taking_back_what_no_database_holds_does_no_harm(client: Client, paste: Paster) -> None:
    assert client.post(f"{paste().get_absolute_url()}take-back/", {"question": "a\0b"}).status_code == 302


def test_dont_know_counts_as_asked_and_leaves_the_ranking_as_it_was(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    before = client.get(case.get_absolute_url()).content.decode()
    answer(client, case, "who-is-affected", "dont-know")
    after = client.get(case.get_absolute_url()).content.decode()
    share = 'class="cause-share">'
    assert after.split(share)[1][:6] == before.split(share)[1][:6]
    assert "I don&#x27;t know" in after.split("Answered so far")[1]
    assert 'data-asked="who-is-affected"' not in after


@pytest.mark.parametrize(
    ("question", "slug"), [("no-such-question", "one"), ("who-is-affected", "no-such-answer"), ("check-spf", "pass"), ("stage", "rcpt"), ("", "")]
)
def test_an_answer_that_does_not_exist_is_refused_with_a_sentence(client: Client, paste: Paster, question: str, slug: str) -> None:
    case = paste(UNCLEAR)
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": question, "answer": slug})
    assert response.status_code == 409
    assert 'role="alert"' in response.content.decode()
    assert given(case) == {}


def test_htmx_gets_a_refusal_as_a_page_that_it_swaps(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    response = client.post(f"{case.get_absolute_url()}answer/", {"question": "x", "answer": "y"}, **HTMX)
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()


def test_an_answer_to_a_question_that_was_withdrawn_is_still_shown(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "who-is-affected", "one")
    case.observations.update(question="withdrawn-since")
    html = client.get(case.get_absolute_url()).content.decode()
    assert "withdrawn-since" in html


def test_without_any_text_it_starts_from_a_symptom(client: Client) -> None:
    response = client.post("/start/")
    html = client.get(response["Location"]).content.decode()
    assert "Let us find out" in html
    assert "Who is affected?" in html
    assert 'class="causes"' not in html


def test_after_the_first_answer_a_case_without_text_ranks_causes(client: Client) -> None:
    location = client.post("/start/")["Location"]
    client.post(f"{location}answer/", {"question": "who-is-affected", "answer": "all"})
    assert "Title of ip-listed" in client.get(location).content.decode()


def test_the_ledger_names_each_kind_of_evidence(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    answer(client, case, "who-is-affected", "one")
    html = client.get(case.get_absolute_url()).content.decode()
    for kind in ("How common it is", "Known wording", "The words", "Enhanced code", "Reply code", "Stage", "Answer"):
        assert f'class="ledger-kind">{kind}<' in html, kind
    assert "Who is affected? One address" in html


def test_a_code_that_contradicts_the_words_is_named_once(client: Client, paste: Paster) -> None:
    html = client.get(paste("550 5.1.1 mailbox over quota").get_absolute_url()).content.decode()
    assert html.count("The code 5.1.1 points to “Title of unknown-user” instead; the rest outweighs it.") == 1


def test_a_step_of_the_wizard_takes_at_most_twelve_queries(client: Client, paste: Paster, django_assert_max_num_queries: object) -> None:
    case = paste(UNCLEAR)
    with django_assert_max_num_queries(12):
        answer(client, case, "who-is-affected", "one", **HTMX)
    with django_assert_max_num_queries(12):
        answer(client, case, "has-space", "yes")
    with django_assert_max_num_queries(12):
        client.get(case.get_absolute_url())


def test_a_step_of_support_staff_takes_at_most_twelve_queries(
    supporter: Client, client: Client, paste: Paster, django_assert_max_num_queries: object
) -> None:
    case = paste(UNCLEAR)
    with django_assert_max_num_queries(12):
        answer(supporter, case, "who-is-affected", "one", **HTMX)
