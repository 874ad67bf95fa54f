"""What the API tells everybody: explain, codes, causes, search."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import UNKNOWN_USER, Maker, Program, problem

DSN = Path(__file__).parents[2] / "samples" / "postfix-bounce.eml"


def of_the_command(path: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("explain", str(path), json=True, stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("kind", ["text/plain", "message/rfc822", "application/octet-stream", "text/plain; charset=utf-8", ""])
def test_explain_tells_what_the_command_tells(anybody: Program, kind: str) -> None:
    response = anybody.post("explain", DSN.read_bytes(), kind)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    assert response.json() == of_the_command(DSN) | {"file": None}
    assert response.json()["failures"][0]["causes"]


def test_explain_takes_json(anybody: Program) -> None:
    told = anybody.post("explain", {"text": UNKNOWN_USER}).json()
    assert told == anybody.post("explain", UNKNOWN_USER, "text/plain").json()
    assert told["failures"][0]["recipient"] == "anna@example.net"


def test_where_nothing_failed_it_says_why(anybody: Program) -> None:
    for text in (b"", b"hello", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 8, b"\xff\xfe\xfd", b"\0" * 50):
        told = anybody.post("explain", text, "application/octet-stream").json()
        assert told["failures"] == []
        assert told["notes"]


def test_what_curl_sends_by_itself_is_refused_with_a_hint(anybody: Program) -> None:
    response = anybody.post("explain", UNKNOWN_USER, "application/x-www-form-urlencoded")
    assert "Content-Type: text/plain" in problem(response, 415)["detail"]
    assert "message/rfc822" in response["Accept"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"text": NaN}', b"1" * 5000, b'{"text": "\\ud800"'])
def test_json_that_cannot_be_read_is_a_problem(anybody: Program, body: bytes) -> None:
    problem(anybody.post("explain", body), 400)


@pytest.mark.parametrize("body", [[], {}, {"text": 1}, {"text": "x", "file": "y"}, "text", None])
def test_json_of_another_form_is_a_problem(anybody: Program, body: object) -> None:
    assert problem(anybody.post("explain", json.dumps(body)), 422)["errors"][0]["pointer"] == "/text"


def test_a_lone_surrogate_is_read(anybody: Program) -> None:
    assert anybody.post("explain", b'{"text": "550 5.1.1 \\ud800 User unknown"}').status_code == 200


def test_more_than_25_mb_is_refused(anybody: Program) -> None:
    assert "25 MB" in problem(anybody.post("explain", b"x" * 25_000_001, "text/plain"), 413)["detail"]
    assert "25 MB" in problem(anybody.post("explain", b"x" * 33_000_000, "text/plain"), 413)["detail"]
    assert "25 MB" in problem(anybody.post("explain", b'{"text": "' + b"x" * 25_000_001 + b'"}'), 413)["detail"]


def test_codes_are_listed_in_pages(anybody: Program) -> None:
    response = anybody.get("codes?limit=2&q=5")
    told = response.json()
    assert told["total"] >= len(told["items"])
    assert told["limit"] == 2
    assert 'rel="first"' in response["Link"]
    everything = anybody.get("codes").json()
    assert [item["code"] for item in told["items"]] == [item["code"] for item in anybody.get("codes?q=5").json()["items"]][:2]
    assert everything["total"] >= told["total"]


def test_pages_are_linked(anybody: Program) -> None:
    total = anybody.get("causes").json()["total"]
    seen: list[str] = []
    address = "causes?limit=3"
    while address:
        response = anybody.get(address)
        seen += [item["cause"] for item in response.json()["items"]]
        following = [part for part in response["Link"].split(", ") if 'rel="next"' in part]
        address = following[0].partition("/api/v1/")[2].partition(">")[0] if following else ""
    assert len(seen) == len(set(seen)) == total


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "offset=-1", "class=9", "sort=odd"])
def test_a_wrong_parameter_is_named(anybody: Program, query: str) -> None:
    assert problem(anybody.get(f"codes?{query}"), 422)["errors"][0]["parameter"] == query.partition("=")[0]


def test_a_code_and_a_cause_are_told_in_full(anybody: Program) -> None:
    item = next(row for row in anybody.get("codes").json()["items"] if row["code"].startswith("5"))
    told = anybody.get(f"codes/{item['code']}").json()
    assert told["meanings"][0]["title"]
    assert told["url"] == f"http://testserver/codes/{item['code']}/"
    cause = anybody.get("causes/unknown-user").json()
    assert cause["steps"][0]["who"] == "sender"
    assert "{" not in cause["steps"][0]["text"]


@pytest.mark.parametrize("path", ["codes/999", "codes/%00", "causes/none", "causes/%FF", "nowhere", "codes/", "", "cases/x/y/z"])
def test_what_is_not_there_is_a_problem(anybody: Program, path: str) -> None:
    problem(anybody.get(path), 404)


def test_search_finds(anybody: Program) -> None:
    told = anybody.get("search?q=unknown+user").json()
    assert told["query"] == "unknown user"
    assert any(hit["title"] for group in told["groups"] for hit in group["hits"])
    assert anybody.get("search").json()["groups"] == []
    assert anybody.get("search?q=%00%FF").status_code == 200


def test_another_method_is_refused(anybody: Program) -> None:
    response = anybody.client.delete("/api/v1/codes")
    problem(response, 405)
    assert response["Allow"] == "GET"


def test_head_is_answered_as_get(anybody: Program) -> None:
    response = anybody.client.head("/api/v1/codes")
    assert response.status_code == 200
    assert "Link" in response


def test_the_database_is_asked_for_the_limit_and_the_token_alone(program: Maker) -> None:
    desk = program()
    desk.get("codes")
    for ask in (lambda: desk.get("causes"), lambda: desk.get("search?q=full"), lambda: desk.post("explain", UNKNOWN_USER, "text/plain")):
        with CaptureQueriesContext(connection) as asked:
            assert ask().status_code == 200
        statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
        assert len(statements) == 3, statements  # the token, taking from the limit, how it stands
        assert all("api_apitoken" in sql or "allowance" in sql for sql in statements)


def test_nothing_published_is_said(anybody: Program) -> None:
    from knowledge.current import forget
    from knowledge.models import KnowledgeRevision

    KnowledgeRevision.objects.all().delete()
    forget()
    for response in (anybody.get("codes"), anybody.post("explain", UNKNOWN_USER, "text/plain")):
        problem(response, 503)
        assert response["Retry-After"]


def test_a_fault_of_the_program_tells_nothing_of_itself(anybody: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("api.reading.read", broken)
    response = anybody.post("explain", UNKNOWN_USER, "text/plain")
    assert "secret" not in str(problem(response, 500))
    assert "a secret" in caplog.text
