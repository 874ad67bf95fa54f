"""Differential tests are steps: tried, their result pressed, and the ranking follows."""

from dataclasses import replace

import pytest
from django.test import Client

from tests.troubleshoot.conftest import UNCLEAR, Paster
from tests.troubleshoot.knowledge import HAS_SPACE, SNAPSHOT
from tests.troubleshoot.publishing import publish
from tests.troubleshoot.test_guided import answer, given
from troubleshoot.models import Case
from whybounce.snapshot import Effort

OTHER = replace(HAS_SPACE, slug="other-account", text="Send from another account. What happens?", effort=Effort.TRY)


@pytest.fixture(autouse=True)
def trial(revision: object) -> None:
    publish(replace(SNAPSHOT, questions=(*SNAPSHOT.questions, OTHER)))


def page(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def steps(html: str) -> str:
    return html.split('id="steps"')[1].split("</section>")[0]


def test_a_test_is_a_step_with_its_results_as_buttons(client: Client, paste: Paster) -> None:
    html = steps(page(client, paste(UNCLEAR)))
    assert "Try this to tell the causes apart" in html
    assert "Send from another account. What happens?" in html
    assert 'name="question" value="other-account"' in html
    assert 'name="answer" value="no"' in html
    assert "I cannot try it" in html


def test_the_result_is_an_answer_and_turns_the_ranking(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "other-account", "no")
    assert given(case) == {"other-account": "no"}
    html = page(client, case)
    assert "Title of mailbox-full" in html.split("</h1>")[0]
    assert "What was tried" in steps(html)
    assert "No, it is full" in steps(html)


def test_what_could_not_be_tried_is_not_offered_again(client: Client, paste: Paster) -> None:
    case = paste(UNCLEAR)
    answer(client, case, "other-account", "dont-know")
    assert 'name="question" value="other-account"' not in steps(page(client, case))


def test_the_question_that_is_asked_is_not_offered_as_a_step_too(client: Client, paste: Paster) -> None:
    html = client.get(f"{paste(UNCLEAR).get_absolute_url()}?ask=other-account").content.decode()
    assert 'data-asked="other-account"' in html
    assert 'value="other-account"' not in steps(html)


def test_a_certain_case_needs_no_test(client: Client, paste: Paster) -> None:
    assert "Try this" not in page(client, paste("552 mailbox over quota"))
