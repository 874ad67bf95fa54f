"""Steps are ticked off with note, time and person, taken back, and stay on record."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest
from django.test import Client

from knowledge.current import forget
from knowledge.models import KnowledgeRevision
from tests.servers.dns import DnsServer
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from tests.troubleshoot.knowledge import SNAPSHOT, UNKNOWN
from troubleshoot.models import Case, StepDone
from troubleshoot.people import Person
from troubleshoot.refusal import Refused
from troubleshoot.services import CaseIsClosed
from troubleshoot.steps_done import take_back_step, tick_off
from whybounce.document import digest, to_document

HTMX = {"HTTP_HX_REQUEST": "true"}


def tick(client: Client, case: Case, step: str = "unknown-user/compare", note: str = "", **headers: str) -> int:
    return client.post(f"{case.get_absolute_url()}steps/done/", {"step": step, "note": note}, **headers).status_code


def html(client: Client, case: Case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def test_a_step_is_ticked_off_with_a_note_and_by_whom(supporter: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    assert tick(supporter, case, note="Rang them: <b>it was a typo</b>") == 302
    row = StepDone.objects.get()
    assert (row.cause, row.step, row.by.username, row.check_name) == ("unknown-user", "compare", "sam", "")
    assert row.text == "Compare anna@example.net letter by letter."
    text = html(supporter, case)
    assert "by sam" in text
    assert "Rang them: &lt;b&gt;it was a typo" in text
    assert "Not done after all" in text


def test_it_is_taken_back_and_both_stay_on_record(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case)
    done = StepDone.objects.get()
    assert client.post(f"{case.get_absolute_url()}steps/undo/", {"done": str(done.pk)}).status_code == 302
    assert "Not done after all" not in html(client, case)
    assert StepDone.objects.get().undone_at is not None
    tick(client, case)
    assert StepDone.objects.count() == 2


def test_htmx_gets_the_part_that_changed(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    response = client.post(f"{case.get_absolute_url()}steps/done/", {"step": "unknown-user/ask"}, **HTMX)
    assert response.status_code == 200
    text = response.content.decode()
    assert "<html" not in text
    assert 'id="done-2"' in text


def test_of_two_tabs_that_tick_the_same_step_the_first_stays(client: Client, supporter: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case, note="first")
    assert tick(supporter, case, note="second") == 302
    assert StepDone.objects.get().note == "first"


@pytest.mark.parametrize("step", ["", "/", "unknown-user", "unknown-user/none", "no-cause/compare", "compare/unknown-user", "\0/\0", "x" * 5000])
def test_a_step_that_does_not_exist_is_refused(client: Client, paste: Paster, step: str) -> None:
    assert tick(client, paste(UNKNOWN_USER), step) == 409
    assert not StepDone.objects.exists()


def test_too_long_a_note_is_refused(client: Client, paste: Paster) -> None:
    assert tick(client, paste(UNKNOWN_USER), note="x" * 2001) == 409


def test_a_null_character_in_a_note_is_kept_as_a_picture(client: Client, paste: Paster) -> None:
    tick(client, paste(UNKNOWN_USER), note="a\0b")
    assert StepDone.objects.get().note == "a\u2400b"


@pytest.mark.parametrize("done", ["", "x", "0", "-1", "9" * 30, "٣"])
def test_taking_back_what_was_not_done_changes_nothing(client: Client, paste: Paster, done: str) -> None:
    mine, other = paste(UNKNOWN_USER), paste(UNKNOWN_USER)
    tick(client, other)
    theirs = StepDone.objects.get()
    assert client.post(f"{mine.get_absolute_url()}steps/undo/", {"done": done}).status_code == 302
    assert client.post(f"{mine.get_absolute_url()}steps/undo/", {"done": str(theirs.pk)}).status_code == 302
    assert StepDone.objects.get().undone_at is None


def test_a_closed_case_takes_none_and_gives_none_back(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case)
    client.post(f"{case.get_absolute_url()}close/", {"cause": "unknown-user"})
    assert tick(client, case, "unknown-user/ask") == 409
    done = StepDone.objects.get()
    assert client.post(f"{case.get_absolute_url()}steps/undo/", {"done": str(done.pk)}).status_code == 409
    case.refresh_from_db()
    with pytest.raises(CaseIsClosed):
        tick_off(case=case, cause="unknown-user", step="ask", note="", person=Person())
    with pytest.raises(CaseIsClosed):
        take_back_step(case=case, done=done.pk, person=Person())
    assert "Not done after all" not in html(client, case)


def test_a_stranger_cannot_tick_or_take_back(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case)
    assert tick(Client(), case, "unknown-user/ask") == 404
    assert Client().post(f"{case.get_absolute_url()}steps/undo/", {"done": str(StepDone.objects.get().pk)}).status_code == 404


def test_a_check_that_finds_it_good_offers_to_tick_it_off_and_stands_in_the_record(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.replace("example.net. MX 0 .\n")
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}answer/", {"question": "who-is-affected", "answer": "one"})
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    assert "found it good" not in html(client, case)
    dns_server.replace("example.net. MX 10 mx.example.net.\nmx.example.net. A 1.2.3.4\n")
    client.post(f"{case.get_absolute_url()}checks/", {"verify": "mx"})
    assert "The check of MX found it good: tick it off" in html(client, case)
    tick(client, case)
    assert StepDone.objects.get().check_name == "mx"
    text = html(client, case)
    assert "the check found it good" in text
    assert "tick it off" not in text


def test_a_check_that_found_a_fault_is_no_proof(client: Client, paste: Paster, dns_server: DnsServer) -> None:
    dns_server.replace("example.net. MX 0 .\n")
    case = paste(UNKNOWN_USER)
    client.post(f"{case.get_absolute_url()}checks/", {"name": "mx"})
    tick_off(case=case, cause="unknown-user", step="compare", note="", person=Person())
    assert StepDone.objects.get().check_name == ""


def publish(revision: KnowledgeRevision, steps: tuple[object, ...]) -> None:
    causes = tuple(replace(cause, steps=steps) if cause.slug == UNKNOWN.slug else cause for cause in SNAPSHOT.causes)
    document = to_document(replace(SNAPSHOT, causes=causes))
    revision.content, revision.digest = zlib.compress(json.dumps(document).encode()), digest(document)
    revision.save()
    forget()


def test_a_step_that_the_knowledge_withdraws_stays_in_the_record(client: Client, paste: Paster, revision: KnowledgeRevision) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case, note="they had moved")
    publish(revision, UNKNOWN.steps[1:])
    with pytest.raises(Refused, match="no such step"):
        tick_off(case=case, cause="unknown-user", step="compare", note="", person=Person())
    for page in ("", "report/", "report.md", "report.json"):
        text = client.get(f"{case.get_absolute_url()}{page}").content.decode()
        assert "Compare anna@example.net letter by letter" in text, page
        assert "they had moved" in text, page


def test_the_report_tells_which_steps_were_done(client: Client, paste: Paster) -> None:
    case = paste(UNKNOWN_USER)
    tick(client, case, note="wrote to anna@example.net")
    text = client.get(f"{case.get_absolute_url()}report.md").content.decode()
    assert "- [x] **Sender:** Compare anna@example.net letter by letter." in text
    assert "- [ ] **Recipient's administrator:**" in text
    steps = json.loads(client.get(f"{case.get_absolute_url()}report.json?masked=1").content)["steps"]
    assert steps[0]["done"]["note"] == "wrote to …@example.net"
    assert steps[1]["done"] is None


def test_ticking_takes_few_queries(client: Client, paste: Paster, django_assert_max_num_queries: object) -> None:
    case = paste(UNKNOWN_USER)
    with django_assert_max_num_queries(12):
        client.get(case.get_absolute_url())
    with django_assert_max_num_queries(20):
        tick(client, case)
