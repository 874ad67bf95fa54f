"""The start without a text: symptoms first, then narrowing; skipping; never a dead end."""

import re

from django.test import Client

from tests.troubleshoot.conftest import UNCLEAR, Paster
from tests.troubleshoot.test_guided import HTMX, answer, given
from troubleshoot.models import Case, CaseEvent


def begun(client: Client) -> Case:
    return Case.objects.get(public_id=client.post("/start/")["Location"].split("/")[2])


def page(client: Client, case: Case, query: str = "") -> str:
    return client.get(case.get_absolute_url() + query).content.decode()


def choose(client: Client, case: Case, **extra: str) -> str:
    response = client.post(f"{case.get_absolute_url()}symptoms/", extra)
    assert response.status_code == 302
    return response["Location"]


def test_the_start_offers_the_symptoms_that_the_knowledge_has(client: Client) -> None:
    html = page(client, begun(client))
    assert "Begin with what you see" in html
    assert 'name="symptom-who-is-affected" value="one"' in html
    assert "free space" not in html.split("</form>")[1].split('class="symptoms"')[0]


def test_what_was_chosen_is_kept_and_the_next_question_follows(client: Client) -> None:
    case = begun(client)
    location = choose(client, case, **{"symptom-who-is-affected": "one"})
    assert given(case) == {"who-is-affected": "one"}
    assert location == f"{case.get_absolute_url()}?ask=has-space#question"
    assert 'class="causes"' in page(client, case)
    assert CaseEvent.objects.get(case=case, kind="answered").data == {"question": "who-is-affected", "answer": "one"}


def test_who_sees_none_of_it_is_asked_one_question(client: Client) -> None:
    case = begun(client)
    location = choose(client, case, **{"symptom-who-is-affected": ""})
    assert given(case) == {}
    html = client.get(location).content.decode()
    assert re.search(r'data-asked="[a-z-]+"', html)


def test_who_sees_none_of_it_is_asked_one_question_by_htmx_too(client: Client) -> None:
    response = client.post(f"{begun(client).get_absolute_url()}symptoms/", {}, **HTMX)
    assert re.search(r'data-asked="[a-z-]+"', response.content.decode())


def test_a_symptom_that_does_not_exist_changes_nothing(client: Client) -> None:
    case = begun(client)
    sent = {"symptom-who-is-affected": "one", "symptom-has-space": "no-such"}
    response = client.post(f"{case.get_absolute_url()}symptoms/", sent)
    assert response.status_code == 409
    assert given(case) == {}


def test_several_symptoms_cost_at_most_twelve_queries(client: Client, django_assert_max_num_queries: object) -> None:
    case = begun(client)
    with django_assert_max_num_queries(12):
        client.post(f"{case.get_absolute_url()}symptoms/", {"symptom-who-is-affected": "one", "symptom-has-space": "yes"}, **HTMX)
    assert given(case) == {"who-is-affected": "one", "has-space": "yes"}


def test_the_page_says_how_far_it_got(client: Client) -> None:
    case = begun(client)
    choose(client, case, **{"symptom-who-is-affected": "one"})
    assert re.search(r"1 answer so far; \d of 4 causes (is|are) still likely\.", page(client, case))


def test_skipping_is_not_not_knowing_it_is_asked_again_when_nothing_else_is_left(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    assert 'data-asked="has-space"' in page(client, case)
    answer(client, case, "has-space", "skipped")
    html = page(client, case)
    assert 'data-asked="who-is-affected"' in html
    assert "Skipped; it comes again at the end" in html
    answer(client, case, "who-is-affected", "dont-know")
    html = page(client, case)
    assert 'data-asked="has-space"' in html
    assert "You skipped this one" in html


def test_what_was_skipped_says_nothing_about_causes(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    share = 'class="cause-share">'
    before = page(client, case).split(share)[1][:6]
    answer(client, case, "has-space", "skipped")
    assert page(client, case).split(share)[1][:6] == before


def test_what_was_skipped_can_be_answered_at_any_time(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "has-space", "skipped")
    html = page(client, case, "?ask=has-space")
    assert "Answer now" in html
    assert "Change your answer" not in html
    answer(client, case, "has-space", "no")
    assert given(case) == {"has-space": "no"}


def test_where_all_is_asked_and_nothing_is_clear_it_says_what_can_help(client: Client) -> None:
    case = begun(client)
    for question in ("who-is-affected", "has-space"):
        answer(client, case, question, "dont-know")
    html = page(client, case)
    assert "It is still open what it is. What can help now:" in html
    assert 'href="#close"' in html


def test_each_answer_says_when_and_by_whom(supporter: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(supporter, case, "who-is-affected", "one")
    html = page(supporter, case)
    at = case.observations.get().at
    assert f"{at:%Y-%m-%d %H:%M} UTC</time>, sam" in html
