"""WHYBOUNCE_VISITORS=off: the wizard needs a login, the reference does not."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.browser.site import ROOT
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from tests.troubleshoot.test_checks import HTMX
from troubleshoot.models import Case, CheckRun

WRITES = ("answer/", "symptoms/", "take-back/", "choose/", "checks/", "close/", "reopen/", "steps/done/", "steps/undo/")


@pytest.fixture
def closed(settings: Any) -> None:
    settings.WHYBOUNCE_VISITORS = False


@pytest.mark.parametrize(("address", "back"), [("/paste/", "/"), ("/start/", "/"), ("/check/", "/")])
def test_a_visitor_who_begins_something_is_led_to_the_login(client: Client, closed: None, address: str, back: str) -> None:
    response = client.post(address, {"text": UNKNOWN_USER, "domain": "example.net"})
    assert response.status_code == 302
    assert response["Location"] == f"/login/?next={back}"
    assert not Case.objects.exists()
    assert not CheckRun.objects.exists()


def test_the_page_of_checks_comes_back_after_the_login(client: Client, closed: None) -> None:
    assert client.get("/check/?domain=example.net")["Location"] == "/login/?next=/check/%3Fdomain%3Dexample.net"


def test_htmx_is_led_there_as_a_whole_page(client: Client, closed: None) -> None:
    response = client.post("/check/", {"domain": "example.net"}, **HTMX)
    assert response["HX-Redirect"].startswith("/login/")


@pytest.mark.parametrize("page", WRITES)
def test_a_case_from_before_can_be_read_and_not_gone_on_with(client: Client, paste: Paster, settings: Any, page: str) -> None:
    case = paste()
    settings.WHYBOUNCE_VISITORS = False
    assert client.get(case.get_absolute_url()).status_code == 200
    assert client.post(f"{case.get_absolute_url()}{page}", {"question": "has-space", "answer": "yes"}).status_code == 302
    assert not case.observations.exists()


@pytest.mark.parametrize("address", ["/", "/codes/", "/causes/", "/search/?q=550", "/cases/", "/login/"])
def test_everything_else_stays_open(client: Client, closed: None, address: str) -> None:
    assert client.get(address).status_code == 200


def test_the_home_page_says_so_and_shows_no_form(client: Client, closed: None) -> None:
    html = client.get("/").content.decode()
    assert "Log in to paste a bounce" in html
    assert 'action="/paste/"' not in html
    assert 'action="/start/"' not in html


def test_who_is_logged_in_has_the_whole_wizard(closed: None, paste: Paster) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("kim"))
    assert 'action="/paste/"' in browser.get("/").content.decode()
    case = paste(by=browser)
    assert browser.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "yes"}).status_code == 302
    assert case.observations.exists()
    assert browser.get("/check/").status_code == 200


def test_a_paste_that_is_too_large_still_gets_its_page_where_the_site_is_open(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert client.post("/paste/", {"text": UNKNOWN_USER}, content_type="application/x-www-form-urlencoded").status_code in (413, 422)


@pytest.mark.parametrize(("value", "open_"), [("off", False), ("", True), ("on", True)])
def test_the_setting_is_read_from_the_environment(value: str, open_: bool) -> None:
    environment = {**os.environ, "DEBUG": "1", "WHYBOUNCE_VISITORS": value}
    if not value:
        del environment["WHYBOUNCE_VISITORS"]
    code = "from config import settings; print(settings.WHYBOUNCE_VISITORS)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(open_)
