"""Duplicates: merged, readable, undone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.troubleshoot.conftest import Paster
from tests.troubleshoot.test_casework import told, work
from tests.troubleshoot.test_casework_list import numbers
from troubleshoot import merging
from troubleshoot.models import Case
from troubleshoot.people import Person
from troubleshoot.refusal import Refused
from troubleshoot.services import CaseIsMerged, record_answer


@pytest.fixture
def two(supporter: Client, paste: Paster) -> tuple[Case, Case]:
    """A duplicate and the case that it was merged into."""
    duplicate, stays = paste(), paste()
    assert work(supporter, duplicate, "merge/", into=stays.public_id).status_code == 302
    duplicate.refresh_from_db()
    return duplicate, stays


def test_the_duplicate_points_to_the_case_that_stays_and_stays_readable(supporter: Client, two: tuple[Case, Case]) -> None:
    duplicate, stays = two
    assert (duplicate.state, duplicate.merged_into) == (Case.State.MERGED, stays)
    html = supporter.get(duplicate.get_absolute_url()).content.decode()
    assert "Merged into case" in html
    assert stays.public_id in html
    assert "anna@example.net" in html
    html = work(supporter, stays).content.decode()
    assert "1 duplicate" in html
    assert duplicate.public_id in html
    assert told(duplicate)[-1] == f"sam merged it into another case: {stays.public_id}"
    assert told(stays)[-1] == f"sam merged a duplicate into it: {duplicate.public_id}"


def test_a_duplicate_is_in_the_list_only_where_it_is_asked_for(supporter: Client, two: tuple[Case, Case]) -> None:
    duplicate, stays = two
    assert numbers(supporter) == {stays.public_id}
    assert numbers(supporter, "state=merged") == {duplicate.public_id}


@pytest.mark.parametrize("page", ["answer/", "take-back/", "choose/", "close/", "reopen/", "checks/"])
def test_a_duplicate_takes_no_changes(client: Client, two: tuple[Case, Case], page: str) -> None:
    duplicate, _stays = two
    data = {"question": "has-space", "answer": "yes", "position": "0", "cause": "unknown-user", "name": "mx"}
    response = client.post(f"{duplicate.get_absolute_url()}{page}", data)
    assert response.status_code == 409
    assert "merged with another one" in response.content.decode()
    duplicate.refresh_from_db()
    assert duplicate.state == Case.State.MERGED


def test_its_visitor_is_told_and_not_led_to_a_case_that_is_not_theirs(client: Client, supporter: Client, paste: Paster) -> None:
    duplicate, stays = paste(), paste(by=Client())
    work(supporter, duplicate, "merge/", into=stays.public_id)
    html = client.get(duplicate.get_absolute_url()).content.decode()
    assert "joined this case with another one" in html
    assert stays.public_id not in html


def test_undoing_it_makes_the_case_open_or_closed_as_it_was(supporter: Client, paste: Paster) -> None:
    was_open, was_closed, stays = paste(), paste(), paste()
    supporter.post(f"{was_closed.get_absolute_url()}close/", {"cause": "ip-listed"})
    for case, state in ((was_open, Case.State.OPEN), (was_closed, Case.State.CLOSED)):
        work(supporter, case, "merge/", into=stays.public_id)
        assert Case.objects.get(pk=case.pk).state == Case.State.MERGED
        work(supporter, case, "undo-merge/")
        again = Case.objects.get(pk=case.pk)
        assert (again.state, again.merged_into) == (state, None)
        assert told(case)[-1] == f"sam undid the merge with: {stays.public_id}"
    work(supporter, was_open, "undo-merge/")
    assert told(stays)[-1] == f"sam took a merged case out of it: {was_closed.public_id}"


def test_the_address_of_a_case_will_do_as_its_number(supporter: Client, paste: Paster) -> None:
    duplicate, stays = paste(), paste()
    work(supporter, duplicate, "merge/", into=f"https://bounce.example.org/cases/{stays.public_id.upper()}/?ask=x")
    assert Case.objects.get(pk=duplicate.pk).merged_into == stays


@pytest.mark.parametrize("into", ["", "nonsense", "aaaaaaaaaaaa", "self"])
def test_it_is_merged_into_no_case_that_there_is_not_and_not_into_itself(supporter: Client, paste: Paster, into: str) -> None:
    case = paste()
    response = work(supporter, case, "merge/", into=case.public_id if into == "self" else into)
    assert response.status_code == 409
    assert 'role="alert"' in response.content.decode()
    assert Case.objects.get(pk=case.pk).state == Case.State.OPEN


def test_no_ring_can_be_made(supporter: Client, two: tuple[Case, Case]) -> None:
    duplicate, stays = two
    person = Person(user=User.objects.get(username="sam"))
    with pytest.raises(Refused):
        merging.merge(case=stays, into=duplicate, person=person)
    with pytest.raises(Refused):
        merging.merge(case=duplicate, into=stays, person=person)


def test_a_case_in_memory_that_was_merged_meanwhile_takes_no_second_merge(supporter: Client, paste: Paster) -> None:
    stale, stays = paste(), paste()
    work(supporter, stale, "merge/", into=stays.public_id)
    assert stale.state == Case.State.OPEN  # as the other tab knows it
    with pytest.raises(Refused):
        merging.merge(case=stale, into=stays, person=Person(user=User.objects.get(username="sam")))


def test_a_duplicate_refuses_answers_with_a_reason(two: tuple[Case, Case]) -> None:
    with pytest.raises(CaseIsMerged):
        record_answer(case=two[0], question="has-space", answer="yes", person=Person())


def test_the_case_that_stays_deleted_leaves_the_duplicate_to_be_undone(supporter: Client, two: tuple[Case, Case]) -> None:
    duplicate, stays = two
    stays.delete()
    assert supporter.get(duplicate.get_absolute_url()).status_code == 200
    work(supporter, duplicate, "undo-merge/")
    assert Case.objects.get(pk=duplicate.pk).state == Case.State.OPEN
