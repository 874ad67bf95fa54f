"""/metrics: what was done and what waits, for those who may read it, without a word about anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.metrics import exposition, may_read
from knowledge.models import PublishJob, UnrecognisedReply
from mailroom.models import Webhook
from troubleshoot.models import Case
from troubleshoot.people import Person
from troubleshoot.services import close_case, open_case, plan_domain_check, store_check_results
from whybounce.checks.guard import parse_networks
from whybounce.checks.result import CheckResult, State, Subject
from whybounce.failure import IntakeReport

ROOT = Path(__file__).resolve().parents[2]
Capture = Callable[..., object]
pytestmark = pytest.mark.django_db


def sample(text: str, name: str, **labels: str) -> float:
    """The value of one sample; 0 where there is none yet."""
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return next((one.value for one in samples if one.name == name and one.labels == labels), 0.0)


def metrics() -> str:
    return exposition().decode()


def new_case() -> Case:
    return open_case(pasted=b"", report=IntakeReport(""), person=Person(visitor="v" * 32))


def test_requests_are_counted_by_view_and_status(client: Client) -> None:
    before = client.get("/metrics").content.decode()
    client.get("/login/")
    client.get("/r/abcdefghijklmnopqrstuvwxyz-_0123/")
    client.get("/no/such/anna@example.net")
    after = client.get("/metrics").content.decode()
    for view, status in (("login", "200"), ("shared", "404"), ("none", "404")):
        counted = [sample(text, "whybounce_requests_total", view=view, status=status) for text in (before, after)]
        assert counted[1] == counted[0] + 1, view
    assert sample(after, "whybounce_request_seconds_count", view="login") >= 1
    assert "anna" not in after
    assert "abcdefghijklmnop" not in after


def test_cases_and_checks_are_counted_once_they_are_stored(django_capture_on_commit_callbacks: Capture) -> None:
    before = metrics()
    with django_capture_on_commit_callbacks(execute=True):
        case = new_case()
        close_case(case=case, cause="", sentence="It was the moon.", person=Person(visitor="v" * 32))
        run = plan_domain_check(subject=Subject(domain="example.test"), person=Person(visitor="v" * 32), names=["mx"])
        store_check_results(run=run, results=[CheckResult("mx", "has-mx", State.GOOD, "seen")])
    new_case()  # its transaction is not over
    after = metrics()
    for name, labels in (
        ("whybounce_cases_opened_total", {}),
        ("whybounce_cases_closed_total", {}),
        ("whybounce_checks_total", {"check": "mx", "state": "good"}),
    ):
        assert sample(after, name, **labels) == sample(before, name, **labels) + 1, name


def test_what_waits_is_told_by_the_database() -> None:
    Webhook.objects.create(name="desk", url="https://desk.example.net/", events=["case.opened"], secret="s")
    new_case()
    PublishJob.objects.create(active=True, reason="test")
    now = timezone.now()
    UnrecognisedReply.objects.create(key="k", text="550 anna was here", shape="550 … was here", first_seen=now, last_seen=now)
    text = metrics()
    assert sample(text, "whybounce_database_up") == 1
    assert sample(text, "whybounce_cases", state="open") == Case.objects.filter(state="open").count() > 0
    assert sample(text, "whybounce_queue_jobs", queue="publishing", state="queued") == 1
    assert sample(text, "whybounce_queue_jobs", queue="publishing", state="running") == 0
    assert sample(text, "whybounce_queue_jobs", queue="webhooks", state="waiting") == 1
    assert sample(text, "whybounce_unrecognised_replies", state="new") == 1
    assert sample(text, "whybounce_knowledge_revision") > 0
    assert "anna" not in text


@pytest.mark.parametrize(
    ("sent", "allowed"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "::1"}, True),
        ({"REMOTE_ADDR": "192.0.2.9"}, False),
        ({"REMOTE_ADDR": ""}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.9"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, False),
        ({"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "192.0.2.9"}, False),
        ({"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "192.0.2.9, 127.0.0.1"}, True),
        ({"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1, 192.0.2.9"}, False),
    ],
)
def test_only_those_of_the_setting_may_read_it(settings: object, sent: dict[str, str], allowed: bool) -> None:
    settings.WHYBOUNCE_TRUSTED_PROXIES = parse_networks(["198.51.100.1"])
    assert may_read(RequestFactory().get("/metrics", **sent)) is allowed


def test_for_others_there_is_no_such_page(client: Client) -> None:
    response = client.get("/metrics", REMOTE_ADDR="192.0.2.9")
    assert response.status_code == 404
    assert b"whybounce_requests" not in response.content


def test_processes_that_share_a_folder_are_counted_together(tmp_path: Path) -> None:
    """Two processes count; a third one tells of both."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "DEBUG": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3"}
    count = "import django; django.setup(); from config.metrics import OPENED; OPENED.inc()"
    tell = "import django; django.setup(); from config.metrics import exposition; print(exposition().decode())"
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=environment, cwd=ROOT, check=True, timeout=60)
    text = subprocess.run([sys.executable, "-c", tell], env=environment, cwd=ROOT, check=True, timeout=60, capture_output=True, text=True).stdout
    assert sample(text, "whybounce_cases_opened_total") == 2
    assert sample(text, "whybounce_database_up") == 0  # it has no tables: the rest is told all the same
