"""The report of a case: the same content as a page, as Markdown and as JSON, whole or masked."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from knowledge.current import knowledge
from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from troubleshoot.discretion import Discretion
from troubleshoot.models import Case
from whybounce.failure import DeliveryFailure

VERP = """\
Return-Path: <bounces+anna.miller=example.net@sender.example>
Reporting-MTA: dns; out.sender.example
Final-Recipient: rfc822; anna.miller@example.net
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 User anna.miller (Anna Miller) unknown, see https://mx.example.net/?u=anna.miller%40example.net

From: Otto Bauer <otto.bauer@sender.example>
To: anna.miller@example.net
Subject: Divorce papers
Message-ID: <otto.bauer.77@sender.example>
"""
PERSONAL = ("anna", "miller", "otto", "bauer", "divorce")


def page(client: Client, case: Case, form: str = "report/", query: str = "") -> str:
    response = client.get(f"{case.get_absolute_url()}{form}{query}")
    assert response.status_code == 200
    return response.content.decode()


def work_on(client: Client, case: Case) -> None:
    client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"})
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx", "domain": "example.net"})


@pytest.fixture
def case(client: Client, paste: Paster, dns_server: DnsServer) -> Case:
    """A case with an answer and a check."""
    dns_server.replace("example.net. MX 10 mx.example.net.\nmx.example.net. A 192.0.2.7\n")
    found = paste(UNKNOWN_USER)
    work_on(client, found)
    return found


@pytest.mark.parametrize("form", ["report/", "report.md"])
def test_it_tells_what_happened_why_what_was_answered_and_checked_and_what_to_do(client: Client, case: Case, form: str) -> None:
    text = page(client, case, form)
    for part in (
        case.public_id,
        "anna@example.net",
        "mx.example.net",
        "Title of unknown-user",
        "strongly for",
        "Who is affected?",
        "One address",
        "UTC",
        "Compare anna@example.net letter by letter",
        "dig +short example.net MX",
    ):
        assert part in text, part
    assert "Your server mx.example.net refused" not in text, "letters and wording are not part of it"


def test_the_json_has_the_contracts_shapes_and_the_times(client: Client, case: Case) -> None:
    report = json.loads(page(client, case, "report.json"))
    assert report["case"] == case.public_id
    assert report["masked"] is False
    assert report["failure"]["recipient"] == "anna@example.net"
    assert report["failure"]["causes"][0]["cause"] == "unknown-user"
    assert {"observation", "strength"} == set(report["failure"]["causes"][0]["because"][0])
    assert "answer:who-is-affected:one" in json.dumps(report["failure"]["causes"])
    assert report["answers"][0] | {"at": ""} == {
        "question": "who-is-affected", "text": "Who is affected?", "answer": "One address", "at": "", "by": None
    }  # fmt: skip
    check = report["checks"][0]
    assert (check["check"], check["state"]) == ("mx", check["state"])
    assert check["at"].endswith("Z")
    assert [step["step"] for step in report["steps"]] == ["compare", "ask"]
    assert report["outcome"] is None
    assert sum(stop["state"] == "failed" for stop in report["way"]) == 1


def test_the_files_are_named_after_the_case_and_not_kept_by_proxies(client: Client, case: Case) -> None:
    for kind, content_type in (("md", "text/markdown"), ("json", "application/json")):
        response = client.get(f"{case.get_absolute_url()}report.{kind}")
        assert response["Content-Disposition"] == f'attachment; filename="case-{case.public_id}.{kind}"'
        assert response["Content-Type"].startswith(content_type)
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("form", ["report/", "report.md", "report.json"])
def test_masked_it_names_nobody_in_any_form(client: Client, paste: Paster, form: str) -> None:
    case = paste(VERP)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "none", "sentence": "anna.miller@example.net and Anna Miller moved"})
    whole = page(client, case, form).lower()
    assert "anna.miller@example.net" in whole
    text = page(client, case, form, "?masked=1").lower()
    assert not [name for name in PERSONAL if name in text]
    for kept in ("example.net", "mx.example.net", "5.1.1"):
        assert kept in text, kept


def test_masked_it_does_not_say_who_worked_on_it(supporter: Client, paste: Paster) -> None:
    case = paste()
    supporter.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"})
    assert ", sam)" in page(supporter, case, "report.md")
    assert json.loads(page(supporter, case, "report.json"))["answers"][0]["by"] == "sam"
    assert ", sam)" not in page(supporter, case, "report.md", "?masked=1")
    assert json.loads(page(supporter, case, "report.json", "?masked=1"))["answers"][0]["by"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to anna@example.net now", "to …@example.net now"),
        ("<bounce+anna=example.net@x.example>", "<…@x.example>"),
        ("prvs=1234abcd=otto@x.example", "…@x.example"),
        ('"anna miller"@example.net', "…@example.net"),
        ("o'neil@example.net", "…@example.net"),
        ("user ANNA unknown", "user … unknown"),
        ("see ?u=anna%40example.net", "see ?u=…"),
        ("hannah stays", "hannah stays"),
        ("info about a webmaster", "info about a webmaster"),
        ("info@example.net", "…@example.net"),
        ("ο.πέτρος@example.net", "…@example.net"),
        ("no address at all", "no address at all"),
        ("@example.net", "@example.net"),
        ("a" * 20_000 + "@example.net", "…@example.net"),
    ],
)
def test_what_is_masked_in_a_text(text: str, told: str) -> None:
    failure = DeliveryFailure(recipient="anna@example.net", envelope_sender="info@x.example")
    assert Discretion(knowledge(), failure, masks=True).text(text) == told
    assert Discretion(knowledge(), failure, masks=False).text(text) == text


def test_domains_and_servers_stay_where_an_address_repeats_them() -> None:
    failure = DeliveryFailure(
        recipient="anna@example.net", envelope_sender="bounce+anna=example.net@sender.example", header_from="sender@sender.example"
    )
    told = Discretion(knowledge(), failure, masks=True).text("mx.example.net refused anna from sender.example")
    assert told == "mx.example.net refused … from sender.example"


def test_a_long_text_without_an_address_costs_no_time() -> None:
    Discretion(knowledge(), DeliveryFailure(), masks=True).text("a" * 200_000 + " " + '"' * 20_000)


def test_markdown_of_strangers_is_no_markdown(client: Client, paste: Paster) -> None:
    case = paste("550 5.7.1 ```[x](javascript:alert(1)) # *hi* <img src=x> refused")
    client.post(f"{case.get_absolute_url()}close/", {"cause": "none", "sentence": "# a *b* <i> [c](d)\n\n# e"})
    text = page(client, case, "report.md")
    assert r"> \# a \*b\* \<i\> \[c\](d) \# e" in text
    assert "```` ``" not in text
    reply = next(line for line in text.splitlines() if line.startswith("- **Reply:**"))
    assert reply.startswith("- **Reply:** ```` ")
    assert reply.endswith(" ````")


def test_a_stranger_gets_no_report(paste: Paster) -> None:
    case = paste()
    for form in ("report/", "report.md", "report.json"):
        assert Client().get(f"{case.get_absolute_url()}{form}").status_code == 404


@pytest.mark.parametrize("text", ["", "Dear all,\n\nlunch is at noon.\n\nYours\nOtto"])
def test_a_case_that_tells_of_no_failure_has_a_short_report(client: Client, paste: Paster, text: str) -> None:
    case = paste(text) if text else Case.objects.get(public_id=client.post("/start/")["Location"].split("/")[2])
    for form in ("report/", "report.md"):
        assert "letter by letter" not in page(client, case, form)
    assert json.loads(page(client, case, "report.json"))["steps"] == []


def test_it_takes_a_fixed_number_of_queries(client: Client, case: Case, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(16):
        page(client, case)
