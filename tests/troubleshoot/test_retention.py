"""What was pasted is erased: when somebody asks for it, and when it is too old. The tally stays; nothing of it is in a log or a title."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot import casework, merging, retention, services, sharing
from troubleshoot.case_history import history_of
from troubleshoot.case_search import word_query
from troubleshoot.erasing import CaseIsErased, erase_case
from troubleshoot.models import Case, CaseWord, CheckRun, Outcome
from troubleshoot.people import Person
from troubleshoot.refusal import Refused
from troubleshoot.steps_done import tick_off
from whybounce.checks.result import CheckResult, State, Subject

SECRETS = ("anna", "example.net", "brinkmann", "lighthouse")
"""What was pasted or written: a name, a domain, and words that stand nowhere else."""


@pytest.fixture
def full(client: Client, paste: Paster) -> Case:
    """A case of the visitor with something in every table that belongs to a case."""
    sam = User.objects.create_superuser("olga")
    person = Person(user=sam)
    case = paste(UNKNOWN_USER + "\nRegards, Brinkmann of the lighthouse")
    services.record_answer(case=case, question="who-is-affected", answer="one", person=person)
    run = services.plan_checks(case=case, names=["mx"], person=person, supplied={"domain": "example.net", "mail_from": "brinkmann@example.net"})
    found = CheckResult("mx", "ok", State.GOOD, "example.net has one MX", (), {"mx": ["mx.example.net"]}, 3)
    services.store_check_results(run=run, results=[found])
    casework.note(case=case, text="Brinkmann rang: anna@example.net is new", person=person)
    casework.tag(case=case, name="rang", person=person)
    tick_off(case=case, cause="unknown-user", step="compare", note="as Brinkmann said", person=person)
    sharing.share_case(case=case, person=person, label="for Brinkmann")
    services.close_case(case=case, cause="unknown-user", sentence="Brinkmann mistyped anna", person=person)
    case.refresh_from_db()
    return case


def told_in_database() -> str:
    """Everything that stands in any table, but for the knowledge, in lower case."""
    rows: list[Any] = []
    binary = memoryview | bytes
    for model in apps.get_models():
        if model._meta.app_label not in {"knowledge", "auth", "contenttypes"} or model.__name__ == "UnrecognisedReply":
            for row in model._default_manager.values():
                rows.append({name: bytes(value).decode("utf-8", "replace") if isinstance(value, binary) else value for name, value in row.items()})
    return json.dumps(rows, default=str).lower()


def test_before_it_is_erased_all_of_it_stands_in_the_database(full: Case) -> None:
    told = told_in_database()
    assert all(secret in told for secret in SECRETS)


def test_nothing_that_names_anybody_is_left_in_any_table(client: Client, full: Case) -> None:
    assert client.post(f"{full.get_absolute_url()}erase/").status_code == 302
    told = told_in_database()
    assert not [secret for secret in SECRETS if secret in told]


def test_the_tally_stays(client: Client, full: Case) -> None:
    erase_case(case=full, person=Person())
    case, outcome, failure = Case.objects.get(), Outcome.objects.get(), full.failures.get()
    assert (case.state, case.cause, case.code, case.failure_count) == ("closed", "unknown-user", "5.1.1", 1)
    assert (outcome.cause, outcome.first_guess) == ("unknown-user", "unknown-user")
    assert (failure.code, failure.enhanced, failure.facts["stage"]) == ("550", "5.1.1", "rcpt")
    assert sorted(case.observations.values_list("question", "answer")) == [("check-mx", "ok"), ("who-is-affected", "one")]
    assert [tag.name for tag in case.tags.all()] == ["rang"]


def test_it_is_still_found_by_its_number_and_by_no_word(full: Case) -> None:
    erase_case(case=full, person=Person())
    assert list(CaseWord.objects.values_list("word", flat=True)) == [full.public_id]
    assert Case.objects.filter(word_query(full.public_id[:6])).exists()


def test_its_page_says_what_became_of_it_and_every_other_page_too(client: Client, full: Case) -> None:
    client.post(f"{full.get_absolute_url()}erase/")
    page = client.get(full.get_absolute_url())
    assert page.status_code == 200
    assert "This case was erased" in page.content.decode()
    assert "Title of unknown-user" in page.content.decode()
    for name in ("report/", "report.md", "report.json", "pasted/", "letters/"):
        response = client.get(full.get_absolute_url() + name)
        assert response.status_code == 410, name
        assert "This case was erased" in response.content.decode()


def test_a_shared_link_says_that_it_was_erased(client: Client, paste: Paster) -> None:
    case = paste()
    _link, token = sharing.share_case(case=case, person=Person())
    erase_case(case=case, person=Person())
    response = Client().get(f"/r/{token}/")
    assert response.status_code == 410
    assert "This report was erased" in response.content.decode()


def test_it_takes_no_changes_any_more(client: Client, full: Case, paste: Paster) -> None:
    erase_case(case=full, person=Person())
    for page, fields in (
        ("answer/", {"question": "who-is-affected", "answer": "many"}),
        ("take-back/", {"question": "who-is-affected"}),
        ("checks/", {"name": "mx", "domain": "example.net"}),
        ("close/", {"cause": "mailbox-full"}),
        ("reopen/", {}),
    ):
        response = client.post(full.get_absolute_url() + page, fields)
        assert response.status_code == 409, page
        assert "was erased. Paste it again" in response.content.decode()
        part = client.post(full.get_absolute_url() + page, fields, headers={"HX-Request": "true"})
        assert part.status_code == 200
        assert 'id="case"' in part.content.decode()
    with pytest.raises(Refused):
        casework.note(case=full, text="Brinkmann", person=Person())
    with pytest.raises(Refused):
        merging.merge(case=full, into=paste(), person=Person())
    with pytest.raises(CaseIsErased):
        sharing.share_case(case=full, person=Person())
    assert not [secret for secret in SECRETS[2:] if secret in told_in_database()]


def test_what_a_check_finds_after_the_erasing_is_not_kept(paste: Paster) -> None:
    case = paste()
    run = services.plan_checks(case=case, names=["mx"], person=Person())
    erase_case(case=Case.objects.get(), person=Person())
    services.store_check_results(run=run, results=[CheckResult("mx", "ok", State.GOOD, "example.net", (), {}, 1)])
    assert not run.outcomes.exists()


def test_checks_planned_at_the_moment_of_erasing_store_nothing(paste: Paster) -> None:
    case = paste()
    erase_case(case=Case.objects.get(), person=Person())
    with pytest.raises(CaseIsErased):
        services.plan_checks(case=case, names=["mx"], person=Person(), supplied={"domain": "example.net"})
    assert "example.net" not in told_in_database()


def test_an_open_case_is_closed_without_an_outcome(paste: Paster) -> None:
    case = paste()
    assert erase_case(case=case, person=Person())
    assert (case.state, case.outcomes.count(), case.cause) == ("closed", 0, "unknown-user")


def test_it_is_erased_once(paste: Paster) -> None:
    case = paste()
    also = Case.objects.get()
    assert [erase_case(case=case, person=Person()), erase_case(case=also, person=Person())] == [True, False]
    assert [line.text for line in history_of(case)].count("erased the text and the addresses") == 1


def test_a_refreshed_list_does_not_rank_it_anew(full: Case) -> None:
    erase_case(case=full, person=Person())
    call_command("refresh_cases", stdout=StringIO())
    case = Case.objects.get()
    assert (case.cause, case.code) == ("unknown-user", "5.1.1")


# --- who may ---


def test_its_own_visitor_is_asked_before_it_is_erased(client: Client, paste: Paster) -> None:
    case = paste()
    assert "Erase it now" in client.get(case.get_absolute_url()).content.decode()
    page = client.get(f"{case.get_absolute_url()}erase/").content.decode()
    assert "cannot be undone" in page
    case.refresh_from_db()
    assert not case.is_erased
    client.post(f"{case.get_absolute_url()}erase/")
    case.refresh_from_db()
    assert case.is_erased


def test_another_visitor_finds_nothing_to_erase(paste: Paster) -> None:
    case = paste()
    assert Client().post(f"{case.get_absolute_url()}erase/").status_code == 404
    case.refresh_from_db()
    assert not case.is_erased


def test_staff_that_work_on_cases_erase_any(supporter: Client, paste: Paster) -> None:
    case = paste()
    assert supporter.post(f"{case.get_absolute_url()}erase/").status_code == 302
    case.refresh_from_db()
    assert case.is_erased
    assert history_of(case)[0].who == "sam"
    assert supporter.get(f"{case.get_absolute_url()}work/").status_code == 200


def test_staff_that_only_look_may_not(paste: Paster) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("vera")
    user.user_permissions.add(Permission.objects.get(codename="view_case"))
    browser = Client()
    browser.force_login(user)
    case = paste()
    assert "can erase it" in browser.get(f"{case.get_absolute_url()}erase/").content.decode()
    assert browser.post(f"{case.get_absolute_url()}erase/").status_code == 403


# --- by age ---


def aged(case: Case, days: float) -> Case:
    Case.objects.filter(pk=case.pk).update(created_at=timezone.now() - timedelta(days=days))
    return case


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("erase_old", *arguments, stdout=out)
    return out.getvalue()


def test_only_what_is_too_old_is_erased(paste: Paster) -> None:
    old, young = aged(paste(), 91), aged(paste(), 89)
    assert "Older than 90 days: 1 cases erased" in said()
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.is_erased, young.is_erased) == (True, False)
    assert history_of(old)[0].who == "the program"
    assert "Older than 90 days: 0 cases erased" in said()


def test_a_dry_run_erases_nothing(paste: Paster) -> None:
    aged(paste(), 91)
    assert "1 cases would be erased" in said("--dry-run")
    assert Case.objects.filter(erased_at=None).count() == 1


def test_the_days_can_be_said(paste: Paster) -> None:
    aged(paste(), 8)
    assert "Older than 7 days: 1 cases erased" in said("--days", "7")
    with pytest.raises(CommandError):
        said("--days", "0")


def test_nothing_is_erased_where_all_is_kept_for_ever(paste: Paster, settings: Any) -> None:
    settings.WHYBOUNCE_KEEP_DAYS = 0
    aged(paste(), 9999)
    assert "for ever" in said()
    assert Case.objects.filter(erased_at=None).count() == 1


def test_a_change_does_not_make_it_be_kept_longer(client: Client, paste: Paster) -> None:
    case = aged(paste(), 91)
    client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"})
    assert retention.erase_old().cases == 1


def test_checks_without_a_case_go_too(db: None) -> None:
    old, _young = (services.plan_domain_check(subject=Subject(domain=f"{name}.example"), person=Person()) for name in ("old", "young"))
    CheckRun.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    assert retention.erase_old().runs == 1
    assert CheckRun.objects.get().subject == {"domain": "young.example"}


def test_at_most_so_many_are_erased_in_one_go(paste: Paster) -> None:
    for _number in range(3):
        aged(paste(), 91)
    assert [retention.erase_old(most=2).cases, retention.erase_old(most=2).cases] == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_it_happens_in_passing_after_a_response(client: Client, paste: Paster, monkeypatch: pytest.MonkeyPatch) -> None:
    case = aged(paste(), 91)
    monkeypatch.setattr(retention, "_pass", retention._Pass())
    client.get("/privacy/")
    case.refresh_from_db()
    assert case.is_erased
    also = aged(paste(), 91)
    client.get("/privacy/")  # not within the hour
    also.refresh_from_db()
    assert not also.is_erased


# --- said on a page ---


def test_the_page_says_what_the_settings_say(client: Client, settings: Any) -> None:
    settings.WHYBOUNCE_KEEP_DAYS = 30
    settings.WHYBOUNCE_CONTACT = "privacy@example.org"
    page = client.get("/privacy/").content.decode()
    assert "<strong>30 days</strong>" in page
    assert 'href="mailto:privacy@example.org"' in page
    settings.WHYBOUNCE_KEEP_DAYS = 0
    assert "until somebody erases them" in client.get("/privacy/").content.decode()
    assert 'href="/privacy/"' in client.get("/codes/").content.decode()


# --- not in logs, titles, addresses ---

ADDRESS = "josephine.tremblay@lantern-makers.example"
TEXT = (
    f"host mx.lantern-makers.example[192.0.2.7] said: 550 5.1.1 <{ADDRESS}>: Recipient address rejected: User unknown (in reply to RCPT TO command)"
)


def walk_all_pages(client: Client, case: Case) -> list[Any]:
    """Every page of a case, read and written."""
    at = case.get_absolute_url()
    client.raise_request_exception = False
    posts = [
        ("answer/", {"question": "who-is-affected", "answer": "one"}),
        ("answer/", {"question": ADDRESS, "answer": ADDRESS}),
        ("checks/", {"name": "mx", "domain": "lantern-makers.example", "mail_from": ADDRESS}),
        ("checks/", {"name": "mx", "domain": ADDRESS, "mail_from": ADDRESS}),
        ("take-back/", {"question": "who-is-affected"}),
        ("links/share/", {"label": ADDRESS, "days": "30", "whole": "on"}),
        ("work/note/", {"note": ADDRESS}),
        ("close/", {"cause": "none", "sentence": f"{ADDRESS} had left"}),
        ("reopen/", {}),
    ]
    gets = ["", "pasted/", "report/", "report/?masked=1", "report.md", "report.json", "links/", "work/", "causes/", "letters/", "erase/", "events/"]
    pages = [client.post(at + page, fields) for page, fields in posts]
    pages += [client.get(at + page) for page in gets]
    pages += [client.get("/cases/"), client.get("/cases/export.csv"), client.get("/cases/?q=lantern")]
    return [*pages, client.post(f"{at}erase/"), client.get(at)]


def test_what_was_pasted_is_in_no_log_record_and_in_no_title_or_address(
    supporter: Client, caplog: pytest.LogCaptureFixture, dns_server: object
) -> None:
    with caplog.at_level(logging.DEBUG):
        case = Case.objects.get(public_id=supporter.post("/paste/", {"text": TEXT})["Location"].split("/")[2])
        pages = walk_all_pages(supporter, case)
    records = [f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records if record.name != "django.db.backends"]
    assert not [record for record in records if "josephine" in record.lower() or "tremblay" in record.lower()]
    for page in pages:
        assert page.status_code < 500, page.request["PATH_INFO"]
        where = page.get("Location", "") + page.get("HX-Push-Url", "") + page.get("Content-Disposition", "")
        assert "josephine" not in where
        if not page.streaming and "<title>" in (html := page.content.decode()):
            title = html.split("<title>")[1].split("</title>")[0]
            assert "josephine" not in title
            assert "lantern" not in title


def test_erased_content_is_overwritten_in_a_sqlite_file(tmp_path: Any) -> None:
    """What `PRAGMA secure_delete` promises holds on the connection that erases."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does it at its next vacuum")
    case = Case.objects.create()
    erase_case(case=case, person=Person())
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1
