"""Publishing in the background: what a job stores of its course, what stops it, and what happens when its process dies."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from knowledge import jobs, models
from knowledge.current import forget, snapshot
from knowledge.models import PublishJob
from knowledge.models.desk import DEAD_AFTER
from tests.conftest import SMALL
from tests.knowledge.test_processes import Desk

State = PublishJob.State


@pytest.fixture
def at_once(settings: Any, db: None) -> None:
    settings.KNOWLEDGE_PUBLISH_IN_THREAD = False


def change(summary: str = "As we say it.") -> None:
    models.Cause.objects.filter(slug="greylisting").update(summary=summary)


def break_a_case() -> None:
    """The plain case of an unknown user would from now on be expected to be, and was not, a full mailbox."""
    case = models.ExampleCase.objects.get(slug="plain-unknown-user")
    case.cause = models.Cause.objects.get(slug="recipient-mailbox-full")
    case.save()


def started(reason: str = "test", **more: Any) -> PublishJob:
    return PublishJob.objects.get(pk=jobs.start(by=None, reason=reason, **more).pk)


@pytest.mark.usefixtures("at_once")
def test_a_job_ends_with_the_revision_and_what_moved() -> None:
    change()
    job = started("Clearer")
    assert (job.state, job.active, job.progress) == (State.DONE, None, f"Revision {job.revision.pk} serves.")
    assert job.report["rows"]["causes"]["changed"] == ["greylisting"]
    assert job.revision.report == job.report
    forget()
    assert snapshot().revision == job.revision.pk


@pytest.mark.usefixtures("at_once")
def test_a_job_without_anything_new_says_so() -> None:
    assert "Nothing had changed" in started().progress


@pytest.mark.usefixtures("at_once")
def test_rows_that_contradict_each_other_end_a_job() -> None:
    models.ReplyPattern.objects.filter(slug="over-quota").update(pattern="under quota")
    job = started()
    assert (job.state, job.revision) == (State.FAILED, None)
    assert job.problems[0][0] == "over-quota"


@pytest.mark.usefixtures("at_once")
def test_a_case_that_would_end_elsewhere_stops_the_job_until_a_reason_is_given() -> None:
    break_a_case()
    job = started()
    assert (job.state, models.KnowledgeRevision.objects.count()) == (State.UNCONFIRMED, 1)
    (line,) = job.report["cases"]["broken"]
    assert (line["name"], line["expected"], line["after"]["cause"]) == ("plain-unknown-user", "The recipient's mailbox is full", "recipient-unknown")
    again = started(confirmed="It is so", confirmed_cases=("plain-unknown-user",))
    assert again.state == State.DONE
    assert again.revision.confirmed == "It is so"


@pytest.mark.usefixtures("at_once")
def test_a_confirmation_holds_for_the_cases_that_were_shown_alone() -> None:
    break_a_case()
    assert started(confirmed="It is so", confirmed_cases=("another",)).state == State.UNCONFIRMED


@pytest.mark.usefixtures("at_once")
def test_the_page_lists_the_cases_and_goes_on_with_a_reason(curator: Client) -> None:
    break_a_case()
    response = curator.post(reverse("admin:publish-knowledge"), {"reason": "Try"}, follow=True)
    path = response.redirect_chain[-1][0]
    assert "plain-unknown-user" in response.content.decode()
    assert "This field is required" in curator.post(path, {"confirmed": ""}).content.decode()
    assert models.KnowledgeRevision.objects.count() == 1
    html = curator.post(path, {"confirmed": "Full it is"}, follow=True).content.decode()
    revision = models.KnowledgeRevision.objects.first()
    assert f"Revision {revision.pk} serves." in html
    assert (revision.confirmed, revision.reason) == ("Full it is", "Try")
    shown = curator.get(reverse("admin:knowledge_knowledgerevision_change", args=[revision.pk])).content.decode()
    assert "Full it is" in shown
    assert "plain-unknown-user" in shown


@pytest.mark.django_db
def test_a_second_job_is_told_of_the_first(curator: Client) -> None:
    first = PublishJob.objects.create(active=True, state=State.RUNNING, reason="first")
    with pytest.raises(jobs.AlreadyPublishing) as caught:
        jobs.start(by=None, reason="second")
    assert caught.value.job == first
    response = curator.post(reverse("admin:publish-knowledge"), {"reason": "second"}, follow=True)
    assert response.redirect_chain[-1][0] == reverse("admin:publishing", args=[first.pk])
    assert "Somebody is publishing already" in response.content.decode()
    assert PublishJob.objects.count() == 1


@pytest.mark.usefixtures("at_once")
def test_a_job_whose_process_died_is_shown_as_interrupted_and_can_be_started_again(curator: Client) -> None:
    change()
    dead = PublishJob.objects.create(active=True, state=State.RUNNING, reason="died", heartbeat_at=timezone.now() - 2 * DEAD_AFTER)
    path = reverse("admin:publishing", args=[dead.pk])
    assert "Interrupted" in curator.get(path).content.decode()
    assert "Interrupted" in curator.get(reverse("admin:publish-knowledge")).content.decode()
    assert "serves." in curator.post(path, follow=True).content.decode()
    assert models.KnowledgeRevision.objects.first().reason == "died"


@pytest.mark.django_db
def test_a_job_that_beats_is_alive() -> None:
    job = PublishJob.objects.create(active=True, state=State.RUNNING, heartbeat_at=timezone.now() - DEAD_AFTER + timedelta(seconds=5))
    assert jobs.newest() == job
    assert jobs.newest().under_way


HELD = """import django; django.setup()
import threading
from django.db import connection, transaction
from django.utils import timezone
from knowledge import jobs
from knowledge.models import Cause, PublishJob
connection.settings_dict["OPTIONS"]["timeout"] = 0.1
jobs._HEARTBEAT_SECONDS = 0.1
job = PublishJob.objects.create(active=True, state="running", reason="test")
with jobs._heart(job.pk):
    with transaction.atomic():  # somebody writes for longer than a beat waits
        Cause.objects.update(summary="x")
        threading.Event().wait(1.0)
    released = timezone.now()
    threading.Event().wait(1.0)
print(PublishJob.objects.get().heartbeat_at > released)
"""


def test_a_job_lives_on_where_a_beat_finds_the_database_busy(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.manage("migrate", "-v0")
    said, _ = desk.start(HELD).communicate(timeout=60)
    assert said.split()[-1:] == ["True"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite lets one writer at a time in")
def test_a_beat_that_waits_its_turn_still_beats_in_time() -> None:
    assert 5 < connection.settings_dict["OPTIONS"]["timeout"] + jobs._HEARTBEAT_SECONDS < DEAD_AFTER.total_seconds()


@pytest.mark.django_db
def test_who_may_not_publish_sees_no_job(clerk: Client) -> None:
    job = PublishJob.objects.create(state=State.FAILED, reason="x")
    assert clerk.get(reverse("admin:publishing", args=[job.pk])).status_code == 403
    assert clerk.post(reverse("admin:publishing", args=[job.pk])).status_code == 403


@pytest.mark.usefixtures("at_once")
def test_a_fault_of_the_program_ends_the_job_and_the_old_knowledge_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.publishing.fit", lambda examples: 1 / 0)
    change()
    job = started()
    assert (job.state, job.active) == (State.FAILED, None)
    assert "Nothing was published" in job.progress


WATCHED = """import django; django.setup()
import time
from django.contrib.auth.models import User
from django.test import Client
from knowledge.current import snapshot
from knowledge.models import Cause, PublishJob
Cause.objects.filter(slug="greylisting").update(summary="Said by a thread.")
browser = Client(SERVER_NAME="localhost")
browser.force_login(User.objects.create_superuser("cora"))
page = browser.post("/admin/knowledge/knowledgerevision/publish/", {"reason": "In the background"})["Location"]
seen = [PublishJob.objects.get().state]
until = time.monotonic() + 90
while PublishJob.objects.get().active and time.monotonic() < until:
    assert browser.get(page).status_code == 200
    seen.append(PublishJob.objects.get().state)
    time.sleep(0.05)
print(" ".join(dict.fromkeys(seen)), PublishJob.objects.get().state, "Said by a thread." in str(snapshot().causes))
"""


def test_a_thread_of_the_process_publishes_while_the_page_is_watched(tmp_path: Path) -> None:
    """On a database file: the one in memory that tests share locks whole tables while another thread reads."""
    desk = Desk(tmp_path)
    desk.manage("migrate", "-v0")
    desk.manage("load_knowledge", "--from", str(SMALL))
    process = desk.start(WATCHED)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert said.split()[-2:] == ["done", "True"]
    assert "running" in said
