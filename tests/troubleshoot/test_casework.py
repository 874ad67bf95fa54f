"""What staff do with a case: assign, tag, note; its history; others at its domain; who may do it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from tests.troubleshoot.test_checks import HTMX
from troubleshoot import casework
from troubleshoot.case_history import history_of
from troubleshoot.models import Case, CaseEvent, CaseNote
from troubleshoot.people import Person
from troubleshoot.refusal import Refused

CHANGES = ("assign/", "tag/", "untag/", "note/", "note/remove/", "merge/", "undo-merge/")


def work(browser: Client, case: Case, what: str = "", **data: str) -> Any:
    return browser.post(f"{case.get_absolute_url()}work/{what}", data) if what else browser.get(f"{case.get_absolute_url()}work/")


def told(case: Case) -> list[str]:
    """The history, oldest first, as `who text`."""
    return [f"{line.who} {line.text} {line.case}".strip() for line in reversed(history_of(case))]


# --- who may ---


@pytest.mark.parametrize("what", CHANGES)
def test_a_visitor_may_not_even_with_their_own_case(client: Client, paste: Paster, what: str) -> None:
    case = paste()
    assert work(client, case, what, to="me", tag="x", note="x", into="x").status_code == 403
    assert work(Client(), case, what).status_code == 404
    assert not CaseEvent.objects.exists()


def test_nothing_of_the_work_of_staff_stands_on_a_visitors_page(client: Client, supporter: Client, paste: Paster) -> None:
    case, _other = paste(), paste()
    work(supporter, case, "note/", note="The customer shouts.")
    work(supporter, case, "tag/", tag="shouting")
    html = client.get(case.get_absolute_url()).content.decode()
    for word in ("shout", "Owner:", "Others at", "casework.js", "/work/"):
        assert word not in html
    assert client.get(f"{case.get_absolute_url()}work/").status_code == 403


def test_who_may_only_look_at_cases_gets_no_forms_and_changes_nothing(paste: Paster) -> None:
    reader = User.objects.create_user("rita")
    reader.user_permissions.add(Permission.objects.get(codename="view_case"))
    browser = Client()
    browser.force_login(reader)
    case = paste()
    html = work(browser, case).content.decode()
    assert "Internal notes" in html
    assert "Add the note" not in html
    assert "Take it" not in browser.get("/cases/").content.decode()
    assert work(browser, case, "assign/", to="me").status_code == 403


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_is_changed_by_following_a_link(supporter: Client, paste: Paster, what: str) -> None:
    assert supporter.get(f"{paste().get_absolute_url()}work/{what}").status_code == 405


# --- assign ---


def test_a_case_is_taken_given_to_another_and_left(supporter: Client, paste: Paster) -> None:
    other = User.objects.create_user("olga")
    other.groups.add(Group.objects.get(name="Support"))
    case = paste()
    assert work(supporter, case, "assign/", to="me").status_code == 302
    assert Case.objects.get(pk=case.pk).assignee == User.objects.get(username="sam")
    work(supporter, case, "assign/", to=str(other.pk))
    assert Case.objects.get(pk=case.pk).assignee == other
    work(supporter, case, "assign/", to="")
    assert Case.objects.get(pk=case.pk).assignee is None
    assert told(case)[-3:] == ["sam assigned it to sam", "sam assigned it to olga", "sam left it to nobody"]


@pytest.mark.parametrize("to", ["kim", "999999", "-1", "99999999999999999999"])
def test_it_is_assigned_to_nobody_who_does_not_work_on_cases(supporter: Client, paste: Paster, to: str) -> None:
    kim = User.objects.create_user("kim", is_staff=True)
    case = paste()
    response = work(supporter, case, "assign/", to=str(kim.pk) if to == "kim" else to)
    assert response.status_code == 409
    assert Case.objects.get(pk=case.pk).assignee is None


def test_from_the_list_it_goes_back_to_the_list_and_htmx_gets_the_row(supporter: Client, paste: Paster) -> None:
    case = paste()
    address = f"{case.get_absolute_url()}work/assign/"
    assert supporter.post(address, {"to": "me", "back": "/cases/?state=open"})["Location"] == "/cases/?state=open"
    row = supporter.post(address, {"to": "me", "back": "/cases/?state=open"}, **HTMX).content.decode().strip()
    assert row.startswith(f'<tr id="row-{case.public_id}"')
    assert "sam" in row


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_it_goes_back_to_no_other_site(supporter: Client, paste: Paster, back: str) -> None:
    case = paste()
    assert work(supporter, case, "assign/", to="me", back=back)["Location"] == f"{case.get_absolute_url()}work/"


# --- tags and notes ---


def test_tags_are_put_on_once_and_taken_off(supporter: Client, paste: Paster) -> None:
    case = paste()
    for name in ("Big  Customer", "big customer", "spf"):
        work(supporter, case, "tag/", tag=name)
    assert [tag.name for tag in case.tags.all()] == ["big customer", "spf"]
    work(supporter, case, "untag/", tag="spf")
    assert [tag.name for tag in case.tags.all()] == ["big customer"]
    assert told(case)[1:] == ["sam put the tag “big customer” on it", "sam put the tag “spf” on it", "sam took the tag “spf” off"]


@pytest.mark.parametrize("name", ["", "   ", ",", "x" * 41])
def test_a_tag_that_is_none_is_refused_with_a_sentence(supporter: Client, paste: Paster, name: str) -> None:
    case = paste()
    response = work(supporter, case, "tag/", tag=name)
    assert response.status_code == 409
    assert 'role="alert"' in response.content.decode()


def test_a_case_has_a_bounded_number_of_tags(supporter: Client, paste: Paster) -> None:
    case, person = paste(), Person(user=User.objects.get(username="sam"))
    for number in range(casework.MOST_TAGS):
        casework.tag(case=case, name=f"t{number}", person=person)
    with pytest.raises(Refused):
        casework.tag(case=case, name="one more", person=person)


def test_a_note_is_shown_to_staff_and_can_be_removed(supporter: Client, paste: Paster) -> None:
    case = paste()
    work(supporter, case, "note/", note="Rang them <b>twice</b>.\x00")
    html = work(supporter, case).content.decode()
    assert "Rang them &lt;b&gt;twice&lt;/b&gt;." in html
    note = CaseNote.objects.get()
    work(supporter, case, "note/remove/", note=str(note.pk))
    assert not CaseNote.objects.exists()
    assert told(case)[-2:] == ["sam wrote an internal note", "sam removed an internal note"]


def test_a_note_of_another_case_is_not_removed(supporter: Client, paste: Paster) -> None:
    first, second = paste(), paste()
    work(supporter, first, "note/", note="Stays.")
    work(supporter, second, "note/remove/", note=str(CaseNote.objects.get().pk))
    assert CaseNote.objects.count() == 1


def test_notes_and_tags_stand_in_no_report(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste()
    work(supporter, case, "note/", note="The customer shouts.")
    work(supporter, case, "tag/", tag="shouting")
    for name in ("report/", "report.md", "report.json"):
        assert b"shout" not in supporter.get(f"{case.get_absolute_url()}{name}").content.lower()


# --- history ---


def test_the_history_tells_who_did_what(client: Client, supporter: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.replace("example.net. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.7\n")
    case = paste(UNKNOWN_USER)
    address = case.get_absolute_url()
    client.post(f"{address}answer/", {"question": "has-space", "answer": "yes"})
    supporter.post(f"{address}answer/", {"question": "has-space", "answer": "dont-know"})
    supporter.post(f"{address}take-back/", {"question": "has-space"})
    supporter.post(f"{address}take-back/", {"question": "has-space"})
    supporter.post(f"{address}checks/", {"name": "mx"})
    supporter.post(f"{address}close/", {"cause": "unknown-user"})
    client.post(f"{address}reopen/")
    supporter.post(f"{address}links/share/", {"days": "7", "label": "Postmaster"})
    lines = told(case)
    question = "Does the recipient say that there is free space?"
    assert lines[0] == "opened the case"
    assert lines[1] == f"answered “{question}” with “Yes, plenty”"
    assert lines[2] == f"sam answered “{question}” with “I don't know”"
    assert lines[3] == f"sam took back the answer to “{question}”"
    assert lines[4] == "sam had checks run: mx"
    assert lines[5].startswith("the checks found mx: ")
    assert lines[6:8] == ["sam closed the case: Title of unknown-user", "reopened the case"]
    assert lines[8] == "sam shared the report: Postmaster (not viewed yet)"
    assert len(lines) == 9
    html = work(supporter, case).content.decode()
    assert "The visitor" in html
    assert "sam" in html


def test_the_history_holds_nothing_that_was_pasted(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "yes"})
    work(supporter, case, "note/", note="anna")
    work(supporter, case, "assign/", to="me")
    assert not [event for event in CaseEvent.objects.all() if "anna" in str(event.data)]


def test_the_history_outlives_the_question_and_the_person(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste()
    work(supporter, case, "assign/", to="me")
    CaseEvent.objects.create(case=case, kind="answered", data={"question": "gone", "answer": "x"}, at=timezone.now())
    CaseEvent.objects.create(case=case, kind="later", data={}, at=timezone.now())
    User.objects.get(username="sam").delete()
    assert told(case)[1:] == ["assigned it to sam", "answered “gone” with “x”", "later"]


def test_a_refused_answer_leaves_no_trace(client: Client, paste: Paster) -> None:
    case = paste()
    client.post(f"{case.get_absolute_url()}answer/", {"question": "no-such", "answer": "x"})
    assert not case.events.exists()


# --- others at the domain ---


def bar(browser: Client, case: Case) -> str:
    return browser.get(case.get_absolute_url()).content.decode().split('id="case"')[0]


def test_others_at_the_domain_are_told_to_staff_with_their_outcomes(supporter: Client, paste: Paster) -> None:
    case = paste()
    assert "Others at" not in bar(supporter, case)
    for cause in ("unknown-user", "unknown-user", "ip-listed", ""):
        other = paste()
        if cause:
            supporter.post(f"{other.get_absolute_url()}close/", {"cause": cause})
    old = paste()
    Case.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    html = bar(supporter, case)
    assert "Others at example.net lately:" in html
    assert "4 cases</a>, 2 closed as “Title of unknown-user”, 1 closed as “Title of ip-listed”" in html
    assert "/cases/?domain=example.net&amp;age=90" in html


def test_the_page_of_a_case_takes_staff_at_most_twelve_queries(supporter: Client, paste: Paster, django_assert_max_num_queries: Any) -> None:
    case = paste()
    for _number in range(3):
        paste()
    work(supporter, case, "assign/", to="me")
    work(supporter, case, "tag/", tag="x")
    work(supporter, case, "note/", note="x")
    with django_assert_max_num_queries(12):
        supporter.get(case.get_absolute_url())
