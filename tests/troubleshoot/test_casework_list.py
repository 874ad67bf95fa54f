"""The staff's list of cases: filters in the address, search, pages, CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.utils import timezone

from tests.troubleshoot.conftest import UNCLEAR, UNKNOWN_USER, Paster
from tests.troubleshoot.test_checks import HTMX
from troubleshoot.case_filters import PAGE_SIZE
from troubleshoot.csv_export import safe
from troubleshoot.models import Case, CaseWord

FULL = (
    "Nov 24 10:12:13 out postfix/smtp[71]: 4F2A1C0D: to=<bert@sub.example.org>, relay=mx.example.org[2001:db8::25]:25, delay=1, dsn=4.2.2, "
    "status=deferred (host mx.example.org[2001:db8::25] said: 452 4.2.2 mailbox is full (in reply to RCPT TO command))"
)


@pytest.fixture
def sam(supporter: Client) -> User:
    return User.objects.get(username="sam")


def numbers(browser: Client, query: str = "") -> set[str]:
    """The numbers of the cases that the list shows."""
    response = browser.get(f"/cases/?{query}")
    assert response.status_code == 200
    return {row.case.public_id for row in response.context["rows"]}


@pytest.mark.parametrize(
    "query",
    ["domain=example.net", "domain=EXAMPLE.net.", "code=550", "code=5.1.1", "cause=unknown-user", "state=open&domain=example.net"],
)
def test_filters_stand_in_the_address(supporter: Client, paste: Paster, query: str) -> None:
    wanted, _other = paste(UNKNOWN_USER), paste(FULL)
    assert numbers(supporter, query) == {wanted.public_id}


def test_a_case_of_which_the_cause_is_unclear_is_found_as_that(supporter: Client, paste: Paster) -> None:
    paste(UNKNOWN_USER)
    supporter.post("/start/")
    assert numbers(supporter, "cause=unclear") == {Case.objects.get(format="none").public_id}


def test_it_filters_by_who_works_on_it(supporter: Client, sam: User, paste: Paster) -> None:
    mine, free = paste(), paste()
    Case.objects.filter(pk=mine.pk).update(assignee=sam)
    assert numbers(supporter, "owner=me") == numbers(supporter, f"owner={sam.pk}") == {mine.public_id}
    assert numbers(supporter, "owner=none") == {free.public_id}
    assert numbers(supporter, "owner=99999") == set()
    assert numbers(supporter, "owner=nonsense") == {mine.public_id, free.public_id}


def test_it_filters_by_age(supporter: Client, paste: Paster) -> None:
    new, old = paste(), paste()
    Case.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert numbers(supporter, "age=7") == {new.public_id}
    assert numbers(supporter, "age=over-7") == {old.public_id}


def test_it_filters_by_tag(supporter: Client, paste: Paster) -> None:
    tagged, _plain = paste(), paste()
    supporter.post(f"{tagged.get_absolute_url()}work/tag/", {"tag": "Big customer"})
    assert numbers(supporter, "tag=big+customer") == {tagged.public_id}


@pytest.mark.parametrize(
    "query",
    [
        "anna@example.net", "ANNA@Example.NET", "anna", "example.net", "mx.example.net", "192.0.2.7", "192.0.2", "550", "5.1.1", "rejected",
        "Recipient+address+rejected", "unknown-user", "Title of unknown-user", "reje", "anna+5.1.1",
    ],
)  # fmt: skip
def test_the_search_finds_by_address_domain_ip_code_and_words(supporter: Client, paste: Paster, query: str) -> None:
    wanted, _other = paste(UNKNOWN_USER), paste(FULL)
    assert numbers(supporter, f"q={query}") == {wanted.public_id}


@pytest.mark.parametrize("query", ["2001:db8::25", "2001:0DB8:0::25", "example.org", "sub.example.org", "bert@sub.example.org", "mailbox+full"])
def test_it_finds_an_ipv6_address_however_it_is_written_and_a_domain_above(supporter: Client, paste: Paster, query: str) -> None:
    paste(UNKNOWN_USER)
    wanted = paste(FULL)
    assert numbers(supporter, f"q={query}") == {wanted.public_id}


@pytest.mark.parametrize("query", ["nna", "an", "anna+bert", "192.0.22", "%25", "a%25", "_nna", "\u0000", "'", "--"])
def test_what_stands_in_no_case_is_not_found(supporter: Client, paste: Paster, query: str) -> None:
    paste(UNKNOWN_USER)
    paste(FULL)
    assert numbers(supporter, f"q={query}") == (set() if query != "\u0000" else {case.public_id for case in Case.objects.all()})


def test_it_finds_by_number_or_its_beginning(supporter: Client, paste: Paster) -> None:
    case, _other = paste(), paste()
    assert numbers(supporter, f"q={case.public_id}") == {case.public_id}
    assert numbers(supporter, f"q={case.public_id[:9].upper()}") == {case.public_id}


def test_every_recipient_of_a_case_is_found(supporter: Client, paste: Paster) -> None:
    lines = "".join(
        f"Final-Recipient: rfc822; user{n}@d{n}.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n\n"
        for n in range(120)
    )
    case = paste(f"Reporting-MTA: dns; out.example\n\n{lines}")
    assert case.failure_count == 120
    assert numbers(supporter, "q=user119@d119.example") == numbers(supporter, "domain=d77.example") == {case.public_id}


def test_what_was_added_by_hand_is_found(supporter: Client, paste: Paster, dns_server: object) -> None:
    case = paste(UNCLEAR)
    supporter.post(f"{case.get_absolute_url()}checks/", {"domain": "added.example", "sending_ip": "198.51.100.9", "name": "mx"}, **HTMX)
    assert numbers(supporter, "q=added.example") == numbers(supporter, "q=198.51.100.9") == numbers(supporter, "domain=added.example")
    assert numbers(supporter, "q=added.example") == {case.public_id}


def test_the_sentence_of_a_closing_is_found(supporter: Client, paste: Paster) -> None:
    case = paste()
    supporter.post(f"{case.get_absolute_url()}close/", {"cause": "none", "sentence": "A marmot gnawed the fibre."})
    assert numbers(supporter, "q=marmot") == {case.public_id}


def test_a_long_text_leaves_a_bounded_number_of_words(paste: Paster) -> None:
    case = paste(f"{UNKNOWN_USER}\n" + " ".join(f"word{n}" for n in range(5000)) + " " + "x" * 5000)
    assert CaseWord.objects.filter(case=case).count() < 1000


@pytest.mark.parametrize(("sort", "first"), [("", 1), ("oldest", 0), ("domain", 0), ("cause", 1), ("nonsense", 1)])
def test_it_sorts(supporter: Client, paste: Paster, sort: str, first: int) -> None:
    cases = [paste(UNKNOWN_USER), paste(FULL)]
    rows = supporter.get(f"/cases/?sort={sort}").context["rows"]
    assert rows[0].case == cases[first]


def test_what_leads_is_kept_with_each_answer(supporter: Client, paste: Paster) -> None:
    case = paste(FULL)
    supporter.post(f"{case.get_absolute_url()}answer/", {"question": "has-space", "answer": "no"})
    case.refresh_from_db()
    assert (case.cause, case.code, case.domain) == ("mailbox-full", "4.2.2", "sub.example.org")
    assert (case.share or 0) > 0.5
    supporter.post(f"{case.get_absolute_url()}take-back/", {"question": "has-space"})
    supporter.post(f"{case.get_absolute_url()}close/", {"cause": "ip-listed"})
    case.refresh_from_db()
    assert (case.cause, case.share) == ("ip-listed", None)
    supporter.post(f"{case.get_absolute_url()}reopen/")
    case.refresh_from_db()
    assert case.cause != "ip-listed"


def test_pages_keep_the_filters(supporter: Client, paste: Paster) -> None:
    for _number in range(PAGE_SIZE + 2):
        paste()
    html = supporter.get("/cases/?domain=example.net").content.decode()
    assert "?domain=example.net&amp;page=2" in html
    assert len(numbers(supporter, "domain=example.net&page=2")) == 2


def test_the_whole_page_takes_at_most_twelve_queries(supporter: Client, paste: Paster, django_assert_max_num_queries: Any) -> None:
    for _number in range(6):
        supporter.post(f"{paste().get_absolute_url()}work/tag/", {"tag": "x"})
    with django_assert_max_num_queries(12):
        supporter.get("/cases/?q=anna&tag=x&domain=example.net&code=550&owner=none&age=7&sort=owner")


def test_a_visitor_and_a_person_without_the_group_keep_their_simple_list(client: Client, paste: Paster) -> None:
    paste()
    kim = Client()
    kim.force_login(User.objects.create_user("kim", is_staff=True))
    for browser in (client, kim):
        html = browser.get("/cases/?q=anna").content.decode()
        assert "Your cases" in html
        assert "casework.js" not in html


def test_htmx_gets_the_rows_alone(supporter: Client, paste: Paster) -> None:
    paste()
    assert supporter.get("/cases/", **HTMX).content.decode().strip().startswith('<div id="rows"')


# --- CSV ---


def exported(browser: Client, query: str = "") -> list[dict[str, str]]:
    same = AsyncClient()
    same.cookies = browser.cookies

    async def read() -> str:
        response = await same.get(f"/cases/export.csv?{query}")
        assert response.status_code == 200
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in response["Content-Disposition"]
        return b"".join([piece async for piece in response.streaming_content]).decode("utf-8-sig")

    return list(csv.DictReader(io.StringIO(async_to_sync(read)())))


@pytest.mark.django_db(transaction=True)
def test_the_csv_holds_what_is_filtered(supporter: Client, sam: User, paste: Paster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troubleshoot.csv_export._AT_ONCE", 2)
    cases = [paste(UNKNOWN_USER) for _number in range(5)]
    paste(FULL)
    supporter.post(f"{cases[0].get_absolute_url()}work/assign/", {"to": "me"})
    supporter.post(f"{cases[0].get_absolute_url()}work/tag/", {"tag": "big customer"})
    supporter.post(f"{cases[0].get_absolute_url()}close/", {"cause": "none", "sentence": '=HYPERLINK("http://evil.example")'})
    rows = exported(supporter, "domain=example.net")
    assert [row["number"] for row in rows] == [case.public_id for case in reversed(cases)]
    assert rows[-1]["owner"] == "sam"
    assert rows[-1]["tags"] == "big_customer"
    assert rows[-1]["in_words"].startswith("'=HYPERLINK")
    assert rows[0]["recipient"] == "anna@example.net"
    assert rows[0]["code"] == "5.1.1"
    assert exported(supporter, "domain=nowhere.example") == []


@pytest.mark.django_db(transaction=True)
def test_only_staff_get_the_csv(client: Client, paste: Paster) -> None:
    paste()
    same = AsyncClient()
    same.cookies = client.cookies
    assert async_to_sync(same.get)("/cases/export.csv").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_cell_that_begins_a_formula_is_disarmed(text: str) -> None:
    assert safe(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert safe("anna@example.net") == "anna@example.net"
    assert safe(5) == "5"


# --- after new knowledge, and for cases from before ---


def test_refresh_cases_does_anew_what_lists_show_and_find_by(supporter: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    CaseWord.objects.all().delete()
    Case.objects.update(cause="", share=None, domain="", code="")
    assert numbers(supporter, "q=anna") == set()
    before = Case.objects.get(pk=case.pk).updated_at
    call_command("refresh_cases")
    case.refresh_from_db()
    assert (case.cause, case.domain, case.updated_at) == ("unknown-user", "example.net", before)
    assert numbers(supporter, "q=anna") == {case.public_id}


def test_the_group_admins_may_everything_and_support_may_not_delete() -> None:
    admins = set(Group.objects.get(name="Admins").permissions.values_list("content_type__app_label", "codename"))
    assert {("troubleshoot", "delete_case"), ("auth", "add_user"), ("knowledge", "change_cause"), ("api", "add_apitoken")} <= admins
