"""A help desk drives a case through the API, from the paste to the outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from api.tokens import make_token
from tests.api.conftest import UNCLEAR, UNKNOWN_USER, Maker, Program, problem
from tests.servers.dns import DnsServer
from tests.troubleshoot.test_checks import ZONE
from tests.troubleshoot.test_recipients import DSN
from troubleshoot.models import Case, CheckRun
from troubleshoot.rates import Limits, Rate


def opened(desk: Program, text: str = UNKNOWN_USER) -> dict[str, Any]:
    response = desk.post("cases", text, "text/plain")
    assert response.status_code == 201, response.content
    told: dict[str, Any] = response.json()
    assert response["Location"] == told["links"]["self"]
    return told


def test_a_paste_becomes_a_case_of_the_token_s_person(program: Maker, eva: User) -> None:
    desk = program()
    told = opened(desk)
    case = Case.objects.get()
    assert (case.owner, case.visitor, bytes(case.pasted)) == (eva, "", UNKNOWN_USER.encode())
    assert told["facts"]["recipient"] == "anna@example.net"
    assert told["verdict"]["certainty"] in ("proved", "likely")
    assert told["causes"][0]["cause"] == "unknown-user"
    assert told["causes"][0]["because"]
    assert told["steps_for"] == "unknown-user"
    assert "anna@example.net" in told["steps"][0]["text"]
    assert told["steps"][0]["verify"] is True
    assert told["recipients"] == [{"position": 0, "recipient": "anna@example.net", "chosen": True}]
    assert told["links"]["page"] == f"http://testserver/cases/{case.public_id}/"
    assert desk.client.get(f"/api/v1/cases/{case.public_id}", headers=desk.headers).json() == told
    browser = Client()
    browser.force_login(eva)
    assert browser.get(case.get_absolute_url()).status_code == 200


def test_without_a_person_a_case_belongs_to_the_token(program: Maker) -> None:
    desk, other = program(user=None), program(user=None)
    told = opened(desk)
    assert Case.objects.get().owner is None
    assert [item["id"] for item in desk.get("cases").json()["items"]] == [told["id"]]
    assert other.get("cases").json()["items"] == []
    problem(other.get(f"cases/{told['id']}"), 404)


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", "/reopen"), ("delete", "/answers/has-space")])
def test_another_s_case_is_as_if_it_did_not_exist(program: Maker, method: str, path: str) -> None:
    told = opened(program())
    ben = User.objects.create_user("ben")
    ben.groups.add(Group.objects.get(name="Support"))  # may see every case on the pages
    stranger = program(user=ben)
    there, nowhere = getattr(stranger, method)(f"cases/{told['id']}{path}"), getattr(stranger, method)(f"cases/{'a' * 12}{path}")
    assert problem(there, 404) == problem(nowhere, 404)
    assert stranger.get("cases").json()["total"] == 0


@pytest.mark.parametrize("name", ["x", "%00", "A" * 12, "a" * 500, "..%2Fx", "%F0%9F%98%80" * 12])
def test_what_is_no_number_of_a_case_is_not_there(program: Maker, name: str) -> None:
    problem(program().get(f"cases/{name}"), 404)


def test_from_the_first_question_to_the_outcome(program: Maker) -> None:
    desk = program()
    told = opened(desk, UNCLEAR)
    at = f"cases/{told['id']}"
    question = told["question"]
    assert question["why"]
    assert any(answer["effect"] for answer in question["answers"])
    assert told["finished"] == ""

    told = desk.post(f"{at}/answers", {"question": "has-space", "answer": "no"}).json()
    assert told["causes"][0]["cause"] == "mailbox-full"
    assert any(line["observation"].startswith("answer:has-space") for line in told["causes"][0]["because"])
    assert told["answered"][0] | {"at": ""} == {
        "question": "has-space",
        "text": "Does the recipient say that there is free space?",
        "answer": "no",
        "answer_text": "No, it is full",
        "at": "",
        "by": "eva",
    }
    told = desk.delete(f"{at}/answers/has-space").json()
    assert told["answered"] == []
    assert desk.get(f"{at}?ask=has-space").json()["question"]["question"] == "has-space"
    assert desk.post(f"{at}/answers", {"question": "has-space", "answer": "dont-know"}).json()["answered"][0]["answer"] == "dont-know"

    told = desk.post(f"{at}/close", {"cause": "mailbox-full"}).json()
    assert told["state"] == "closed"
    assert told["outcome"]["cause"] == "mailbox-full"
    assert told["question"] is None
    assert "Reopen" in problem(desk.post(f"{at}/answers", {"question": "has-space", "answer": "no"}), 409)["detail"]
    told = desk.post(f"{at}/reopen").json()
    assert (told["state"], told["outcome"]) == ("open", None)
    told = desk.post(f"{at}/close", {"sentence": "They changed their MX."}).json()
    assert told["outcome"]["sentence"] == "They changed their MX."


def test_a_case_without_a_text_asks_about_the_symptom(program: Maker) -> None:
    desk = program()
    for body, kind in ((b"", "text/plain"), ({"text": " "}, "application/json")):
        told = desk.post("cases", body, kind).json()
        assert told["facts"] is None
        assert told["causes"] == []
        assert told["question"]
        assert told["verdict"]["certainty"] == "unclear"


def test_what_tells_of_no_failure_has_no_causes(program: Maker) -> None:
    told = opened(program(), "Dear all, lunch is at noon.")
    assert told["facts"] is None
    assert told["causes"] == told["steps"] == []
    assert told["headline"]["text"]


def test_checks_of_a_case_are_evidence(program: Maker, dns_server: DnsServer) -> None:
    dns_server.add("example.net. 300 MX 0 .")
    desk = program()
    told = opened(desk)
    at = f"cases/{told['id']}"
    mx = next(row for row in told["checks"] if row["check"] == "mx")
    assert (mx["state"], mx["result"]) == ("ready", None)
    assert next(row for row in told["checks"] if row["check"] == "ptr")["needs"]

    told = desk.post(f"{at}/checks", {"names": ["mx"]}).json()
    mx = next(row for row in told["checks"] if row["check"] == "mx")
    assert (mx["state"], mx["result"]["answer"]) == ("done", "null-mx")
    assert mx["result"]["findings"][0]["finding"] == "mx.null"
    assert mx["effect"]
    assert "Title of unknown-user" in told["ruled_out"]

    dns_server.replace(ZONE)
    told = desk.post(f"{at}/checks", {"verify": "mx"}).json()
    assert told["causes"][0]["cause"] == "unknown-user"


def test_what_is_added_for_the_checks_is_kept(program: Maker, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    desk = program()
    at = f"cases/{opened(desk, '550 5.1.1 User unknown')['id']}/checks"
    told = desk.post(at, {"names": ["mx", "spf"], "domain": "Example.NET", "sending_ip": "192.0.2.25", "mail_from": "ben@example.org"}).json()
    assert told["subject"]["domain"] == "example.net"
    assert {row["check"]: row["result"]["answer"] for row in told["checks"] if row["result"]} == {"mx": "ok", "spf": "pass"}
    told = desk.post(at, {"names": ["mx"], "sending_ip": ""}).json()
    assert "sending_ip" not in told["subject"]
    assert told["subject"]["domain"] == "example.net"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"names": ["nose"]}, "/names"),
        ({"verify": "nose"}, "/names"),
        ({"domain": "two words"}, "/domain"),
        ({"domain": "a\0b.example"}, "/domain"),
        ({"sending_ip": "300.1.1.1"}, "/sending_ip"),
        ({"helo": "a\r\nQUIT"}, "/helo"),
        ({"selectors": ["a b/"]}, "/selectors"),
        ({"message_size": -1}, "/message_size"),
        ({"domian": "example.net"}, "/domian"),
        ({"names": "mx"}, "/names"),
    ],
)
def test_what_checks_cannot_look_at_is_named(program: Maker, body: dict[str, Any], pointer: str) -> None:
    desk = program()
    told = problem(desk.post(f"cases/{opened(desk)['id']}/checks", body), 422)
    assert told["errors"][0]["pointer"] == pointer
    assert not CheckRun.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("answers", {"question": "none", "answer": "x"}, 409),
        ("answers", {"question": "has-space", "answer": "x\0"}, 409),
        ("answers", {"question": "has-space"}, 422),
        ("answers", {"question": "q" * 81, "answer": "x"}, 422),
        ("answers", [], 422),
        ("close", {}, 409),
        ("close", {"cause": "none"}, 409),
        ("close", {"sentence": "\0"}, 200),
        ("close", {"sentence": "x" * 2001}, 422),
        ("recipient", {"position": 5}, 409),
        ("recipient", {"position": 10**30}, 422),
        ("recipient", {"position": "x"}, 422),
    ],
)
def test_what_cannot_be_done_is_said(program: Maker, path: str, body: Any, status: int) -> None:
    desk = program()
    response = desk.post(f"cases/{opened(desk)['id']}/{path}", body)
    assert response.status_code == status
    if status != 200:
        problem(response, status)


def test_a_body_of_another_form_is_refused(program: Maker) -> None:
    desk = program()
    at = f"cases/{opened(desk)['id']}/answers"
    problem(desk.post(at, "x", "text/plain"), 415)
    problem(desk.post(at, "{"), 400)
    problem(desk.post(at, "x" * 200_001), 413)


def test_a_pointer_names_a_member_in_its_place(program: Maker) -> None:
    desk = program()
    told = problem(desk.post("checks", {"selectors": ["a", 5], "a/b": 1}), 422)
    assert {error["pointer"] for error in told["errors"]} == {"/selectors/1", "/a~1b"}


def test_another_recipient_can_be_chosen(program: Maker) -> None:
    desk = program()
    told = opened(desk, DSN)
    assert [item["chosen"] for item in told["recipients"]] == [True, False]
    told = desk.post(f"cases/{told['id']}/recipient", {"position": 1}).json()
    assert [item["chosen"] for item in told["recipients"]] == [False, True]
    assert told["facts"]["recipient"] == told["recipients"][1]["recipient"]


def test_cases_are_listed_newest_first_in_pages(program: Maker) -> None:
    desk = program()
    ids = [opened(desk, UNKNOWN_USER.replace("anna", f"user{number}"))["id"] for number in range(3)]
    response = desk.get("cases?limit=2")
    told = response.json()
    assert [item["id"] for item in told["items"]] == ids[:0:-1]
    assert told["total"] == 3
    assert 'offset=2>; rel="next"' in response["Link"]
    assert [item["id"] for item in desk.get("cases?q=user0").json()["items"]] == ids[:1]
    desk.post(f"cases/{ids[0]}/close", {"cause": "unknown-user"})
    assert desk.get("cases?state=closed").json()["items"][0]["title"] == "Title of unknown-user"
    assert desk.get("cases?q=%00").json()["total"] == 3


def test_a_list_and_a_case_cost_a_fixed_number_of_queries(program: Maker) -> None:
    desk = program()
    told = opened(desk)
    for _number in range(5):
        opened(desk)
    for path in ("cases", f"cases/{told['id']}"):
        with CaptureQueriesContext(connection) as asked:
            desk.get(path)
        assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) <= 14


# --- checks without a case ---


def test_checks_tell_what_the_command_tells(program: Maker, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    response = program("checks").post("checks", {"domain": "Example.NET", "only": ["mx", "spf"]})
    told = response.json()
    assert told["subject"] == {"domain": "example.net"}
    assert [row["check"] for row in told["checks"]] == ["mx", "spf"]
    assert set(told["checks"][0]) == {"check", "answer", "state", "detail", "findings", "facts", "elapsed_ms"}
    assert told["queries"] > 0
    page = CheckRun.objects.get().get_absolute_url()
    assert told["url"] == f"http://testserver{page}"
    assert Client().get(page).status_code == 200


def test_the_subject_is_as_the_command_has_it(program: Maker, dns_server: DnsServer) -> None:
    dns_server.add(ZONE)
    desk = program("checks")
    told = desk.post("checks", {"recipient": "anna@example.net", "sending_ip": "192.0.2.25", "from": "a@example.org", "only": ["mx"]}).json()
    assert told["subject"] == {
        "domain": "example.net",
        "recipient": "anna@example.net",
        "sending_ip": "192.0.2.25",
        "mail_from": "postmaster@example.net",
        "header_from": "a@example.org",
    }
    assert desk.post("checks", {"sending_ip": "192.0.2.25"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": ""},
        {"domain": "localhost"},
        {"recipient": "anna"},
        {"recipient": "anna@two words"},
        {"domain": "example.net", "only": ["x"]},
        {"domain": "example.net", "nameserver": "192.0.2.1"},
    ],
)
def test_a_subject_that_cannot_be_looked_at_is_refused(program: Maker, body: dict[str, Any]) -> None:
    problem(program("checks").post("checks", body), 422)
    assert not CheckRun.objects.exists()


def test_checks_that_lack_something_are_refused(program: Maker) -> None:
    problem(program("checks").post("checks", {"domain": "example.net", "only": ["ptr"]}), 409)


def test_runs_count_against_the_limit_of_the_domain(program: Maker, dns_server: DnsServer, settings: Any) -> None:
    settings.WHYBOUNCE_LIMITS = Limits(user_domain=Rate(1, 3600), user=Rate(100, 600))
    dns_server.add(ZONE)
    assert program("checks").post("checks", {"domain": "a.example.net", "only": ["mx"]}).status_code == 200
    response = Program(make_token(name="another", scopes=["checks"], user=User.objects.create_user("ben"))[1]).post(
        "checks", {"domain": "b.example.net", "only": ["mx"]}
    )
    assert "example.net was checked very often" in problem(response, 429)["detail"]
    assert int(response["Retry-After"]) > 3000
