"""Curators see where the first guess was wrong, and what misled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from knowledge.models import Question
from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from troubleshoot import services
from troubleshoot.erasing import erase_case
from troubleshoot.misled import misled
from troubleshoot.models import Case, Outcome
from troubleshoot.people import Person


@pytest.fixture
def curator(db: None) -> Client:
    user = User.objects.create_user("cora", is_staff=True)
    user.groups.add(Group.objects.get(name="Curators"))
    browser = Client()
    browser.force_login(user)
    return browser


def closed(paste: Paster, cause: str, text: str = UNKNOWN_USER, sentence: str = "") -> Case:
    case = paste(text)
    services.record_answer(case=case, question="who-is-affected", answer="one", person=Person())
    services.close_case(case=case, cause=cause, sentence=sentence, person=Person())
    return case


def test_wrong_guesses_are_counted_by_what_was_said_and_what_proved(paste: Paster) -> None:
    for cause in ("mailbox-full", "unknown-user", "mailbox-full", "ip-listed"):
        closed(paste, cause)
    told = misled("90", "", may_edit=False)
    assert (told.closed, told.wrong, told.right) == (4, 3, "25 %")
    assert [(pair.guess, pair.truth, pair.count) for pair in told.pairs] == [
        ("Title of unknown-user", "Title of mailbox-full", 2),
        ("Title of unknown-user", "Title of ip-listed", 1),
    ]


def test_what_misled_stands_beside_what_it_weighed_for_the_truth(paste: Paster) -> None:
    closed(paste, "mailbox-full")
    terms = misled("90", "", may_edit=False).pairs[0].terms
    assert terms[0].misled
    assert "Known wording" in {term.kind for term in terms}
    assert [term.misled for term in terms] == sorted((term.misled for term in terms), reverse=True)


def test_an_answer_is_told_in_words_with_the_way_to_its_question(paste: Paster, curator: Client) -> None:
    Question.objects.get_or_create(slug="who-is-affected", defaults={"text": "Who is affected?", "asked_of": "person"})
    closed(paste, "ip-listed")
    page = curator.get("/cases/misled/").content.decode()
    number = Question.objects.get(slug="who-is-affected").pk
    assert f'<a href="/admin/knowledge/question/{number}/change/">Who is affected? One address</a>' in page
    assert "misled" in page


def test_they_are_filtered_by_period_and_cause(paste: Paster) -> None:
    old = closed(paste, "mailbox-full")
    Outcome.objects.filter(case=old).update(at=timezone.now() - timedelta(days=100))
    closed(paste, "ip-listed")
    assert [pair.truth for pair in misled("90", "", may_edit=False).pairs] == ["Title of ip-listed"]
    assert len(misled("all", "", may_edit=False).pairs) == 2
    assert [pair.truth for pair in misled("all", "mailbox-full", may_edit=False).pairs] == ["Title of mailbox-full"]
    assert {slug for slug, _title in misled("all", "", may_edit=False).choices} == {"unknown-user", "mailbox-full", "ip-listed"}


def test_reopened_cases_do_not_count(paste: Paster) -> None:
    services.reopen_case(case=closed(paste, "mailbox-full"))
    assert misled("90", "", may_edit=False).closed == 0


def test_an_erased_case_still_tells_what_misled_and_has_no_link(paste: Paster, supporter: Client) -> None:
    case, kept = closed(paste, "mailbox-full"), closed(paste, "mailbox-full")
    before = misled("90", "", may_edit=False).pairs[0].terms
    erase_case(case=case, person=Person())
    told = misled("90", "", may_edit=False).pairs[0]
    assert told.terms == before
    page = supporter.get("/cases/misled/").content.decode()
    assert f'href="/cases/{kept.public_id}/"' in page
    assert f'href="/cases/{case.public_id}/"' not in page
    assert case.public_id in page


def test_the_sentences_of_what_nobody_knew_are_listed(paste: Paster, supporter: Client) -> None:
    case = closed(paste, "", UNCLEAR, "A fox bit through <the> fibre.")
    page = supporter.get("/cases/misled/").content.decode()
    assert "A fox bit through &lt;the&gt; fibre." in page
    erase_case(case=case, person=Person())
    assert "(erased)" in supporter.get("/cases/misled/").content.decode()


def test_an_empty_page_says_so(curator: Client) -> None:
    page = curator.get("/cases/misled/").content.decode()
    assert "No case was closed with a known cause in this period." in page


@pytest.mark.parametrize("query", ["days=7&cause=nothing", "days=all&cause=%00", "days=&cause=" + "x" * 300])
def test_odd_filters_do_no_harm(curator: Client, paste: Paster, query: str) -> None:
    closed(paste, "mailbox-full")
    assert curator.get(f"/cases/misled/?{query}").status_code == 200


def test_curators_without_support_get_no_links_to_cases_and_support_none_to_the_desk(paste: Paster, curator: Client, supporter: Client) -> None:
    case = closed(paste, "mailbox-full")
    assert case.get_absolute_url() not in curator.get("/cases/misled/").content.decode()
    page = supporter.get("/cases/misled/").content.decode()
    assert case.get_absolute_url() in page
    assert "/admin/knowledge/" not in page


def test_nobody_else_sees_it(client: Client) -> None:
    assert client.get("/cases/misled/").status_code == 302
    nobody = Client()
    nobody.force_login(User.objects.create_user("nils"))
    assert nobody.get("/cases/misled/").status_code == 403


def test_it_asks_the_database_the_same_however_many_there_are(paste: Paster, curator: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        closed(paste, ["mailbox-full", "ip-listed", "spf-fail"][number % 3])
    with django_assert_max_num_queries(12):
        curator.get("/cases/misled/")
