"""A visitor's case belongs to the browser it was opened in; support staff see all."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.troubleshoot.conftest import Paster

PAGES = ("", "pasted/", "events/")
WRITES = ("answer/", "take-back/", "choose/", "checks/", "close/", "reopen/")


@pytest.mark.parametrize("page", PAGES)
def test_another_browser_gets_404(client: Client, paste: Paster, page: str) -> None:
    case = paste()
    assert Client().get(f"{case.get_absolute_url()}{page}").status_code == 404


@pytest.mark.parametrize("page", WRITES)
def test_another_browser_cannot_write(client: Client, paste: Paster, page: str) -> None:
    case = paste()
    stranger = Client()
    stranger.post("/start/")
    assert stranger.post(f"{case.get_absolute_url()}{page}", {"question": "who-is-affected", "answer": "one"}).status_code == 404
    assert not case.observations.exists()


@pytest.mark.parametrize("page", WRITES)
def test_nothing_is_written_by_following_a_link(client: Client, paste: Paster, page: str) -> None:
    assert client.get(f"{paste().get_absolute_url()}{page}").status_code == 405


def test_support_staff_see_and_work_on_every_case(supporter: Client, paste: Paster) -> None:
    case = paste()
    assert supporter.get(case.get_absolute_url()).status_code == 200
    supporter.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"})
    assert case.observations.get().by.username == "sam"


def test_a_superuser_sees_every_case(paste: Paster) -> None:
    case = paste()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    assert browser.get(case.get_absolute_url()).status_code == 200


def test_a_person_without_the_group_sees_only_their_own(paste: Paster) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("kim", is_staff=True))
    assert browser.get(paste().get_absolute_url()).status_code == 404
    assert browser.get(paste(by=browser).get_absolute_url()).status_code == 200


def test_a_person_finds_their_case_again_in_another_browser(paste: Paster) -> None:
    user = User.objects.create_user("kim")
    first, second = Client(), Client()
    first.force_login(user)
    second.force_login(user)
    assert second.get(paste(by=first).get_absolute_url()).status_code == 200


def test_a_visitor_who_logs_in_keeps_the_case(client: Client, paste: Paster) -> None:
    User.objects.create_user("kim", password="a long password")
    case = paste()
    client.post("/login/", {"username": "kim", "password": "a long password"})
    assert client.get(case.get_absolute_url()).status_code == 200


def test_logging_out_leaves_the_case_behind(client: Client, paste: Paster) -> None:
    User.objects.create_user("kim", password="a long password")
    client.post("/login/", {"username": "kim", "password": "a long password"})
    case = paste()
    client.post("/logout/")
    assert client.get(case.get_absolute_url()).status_code == 404


def test_a_case_has_an_address_that_cannot_be_guessed(paste: Paster) -> None:
    numbers = {paste().public_id for _ in range(5)}
    assert len(numbers) == 5
    assert all(len(number) == 12 and set(number) <= set("abcdefghijklmnopqrstuvwxyz234567") for number in numbers)


def test_the_session_key_is_not_stored_with_the_case(client: Client, paste: Paster) -> None:
    assert paste().visitor not in ("", client.session.session_key)


def test_the_group_support_may_work_on_cases() -> None:
    codenames = set(Group.objects.get(name="Support").permissions.values_list("codename", flat=True))
    assert {"view_case", "add_case", "change_case"} <= codenames
    assert "delete_case" not in codenames


def test_logging_in_leads_to_the_cases(client: Client) -> None:
    User.objects.create_user("kim", password="a long password")
    assert "Log in" in client.get("/login/").content.decode()
    assert client.post("/login/", {"username": "kim", "password": "a long password"})["Location"] == "/cases/"
