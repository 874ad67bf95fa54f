"""Log lines as JSON, by the number of the request, without a word about anybody."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client, RequestFactory

from config.logs import JsonFormatter, NumberFilter, masked, request_number
from config.request_log import RequestNumberMiddleware
from whybounce.checks.guard import parse_networks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program would write, as with WHYBOUNCE_LOG_FORMAT=json."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(NumberFilter())
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Internal Server Error: /cases/abcdefghij27/answer/", "Internal Server Error: /cases/…/answer/"),
        ("/api/v1/cases/abcdefghij27", "/api/v1/cases/…"),
        ("/check/abcdefghij27/events/", "/check/…/events/"),
        ("/logs/abcdefghij27/", "/logs/…/"),
        ("/cases/dashboard/", "/cases/dashboard/"),
    ],
)
def test_numbers_of_cases_are_left_out(text: str, said: str) -> None:
    assert masked(text) == said


def test_a_record_is_one_line_and_masked(log: io.StringIO) -> None:
    try:
        raise ValueError("cannot\nread <anna@example.net>")
    except ValueError:
        logging.getLogger("x").exception("of %s\nat /r/abcdefghijklmnopqrstuvwxyz-_0123/", "anna@example.net", extra={"request": "anna"})
    (told,) = lines(log)
    assert told["message"] == "of …@example.net\nat /r/…/"
    assert (told["level"], told["logger"]) == ("ERROR", "x")
    assert "ValueError: cannot\nread <…@example.net>" in str(told["exception"])
    assert str(told["time"]).endswith("Z")
    assert "anna" not in log.getvalue()
    assert "request" not in told


@pytest.mark.django_db
def test_a_request_has_its_line(client: Client, settings: object, log: io.StringIO) -> None:
    settings.WHYBOUNCE_LOG_REQUESTS = True
    response = client.get("/r/abcdefghijklmnopqrstuvwxyz-_0123/?q=anna@example.net")
    (told,) = [line for line in lines(log) if line["logger"] == "whybounce.requests"]
    assert (told["view"], told["status"]) == ("shared", 404)
    assert isinstance(told["ms"], int)
    assert told["request"] == response["X-Request-ID"]
    assert "anna" not in log.getvalue()
    assert "abcdefghij" not in log.getvalue()


def test_all_that_is_logged_meanwhile_has_the_number(log: io.StringIO) -> None:
    def view(request: object) -> object:
        logging.getLogger("x").warning("in the middle")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        RequestNumberMiddleware(view)(RequestFactory().get("/"))
    logging.getLogger("x").warning("afterwards")
    first, second = lines(log)
    assert len(str(first["request"])) == 16
    assert "request" not in second
    assert request_number.get() == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "given", "kept"),
    [
        ("198.51.100.1", "abcd-1234", True),
        ("198.51.100.1", "anna@example.net", False),
        ("198.51.100.1", "a" * 65, False),
        ("192.0.2.9", "abcd-1234", False),
    ],
)
def test_a_number_is_taken_from_a_trusted_proxy_alone(client: Client, settings: object, address: str, given: str, kept: bool) -> None:
    settings.WHYBOUNCE_TRUSTED_PROXIES = parse_networks(["198.51.100.1"])
    response = client.get("/no-such-page", REMOTE_ADDR=address, headers={"x-request-id": given})
    assert (response["X-Request-ID"] == given) is kept


@pytest.mark.parametrize(("wish", "begins"), [("json", "{"), ("", "2")])
def test_the_setting_chooses_the_form(wish: str, begins: str) -> None:
    program = "import django; django.setup(); import logging; logging.getLogger('x').warning('of anna@example.net')"
    environment = os.environ | {"WHYBOUNCE_LOG_FORMAT": wish, "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=True, timeout=60, capture_output=True, text=True)
    assert done.stderr.startswith(begins)
    assert "…@example.net" in done.stderr
    assert "anna" not in done.stderr
