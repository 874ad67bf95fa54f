"""What the knowledge lacks: the report, the filters of the lists, and how often patterns are met."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from knowledge import models, use
from knowledge.report import report_on
from knowledge.rows import to_snapshot
from whybounce.failure import DeliveryFailure
from whybounce.intake import read

pytestmark = pytest.mark.django_db


def listed(client: Client, kind: str, work: str) -> set[str]:
    """What the list shows with this filter."""
    response = client.get(reverse(f"admin:knowledge_{kind}_changelist"), {"work": work})
    assert response.status_code == 200
    return {str(row.slug if hasattr(row, "slug") else row) for row in response.context["cl"].queryset}


def bare_cause() -> models.Cause:
    return models.Cause.objects.create(
        slug="bare", title="Bare", category="policy", who_acts=["sender"], summary="x", status="published", sources=[{"title": "RFC 5321"}]
    )


def mute_question() -> models.Question:
    question = models.Question.objects.create(slug="mute", text="Mute?", why="x", status="published")
    for slug in ("yes", "no"):
        models.Answer.objects.create(question=question, slug=slug, text=slug)
    return question


def test_the_report_names_what_nothing_leads_to() -> None:
    bare_cause()
    mute_question()
    report = report_on(to_snapshot(), {"over-quota"})
    assert "bare" in report.without_steps
    assert report.unreachable_causes == ["bare", "delay-notice-only"]
    assert report.needless_questions == ["mute"]
    assert {"mute = yes", "mute = no"} <= set(report.mute_answers)
    assert report.never_matched == ["google-no-such-user", "listed-at"]
    assert "over-quota" in report.without_source["patterns"]
    assert report.oldest_sources[0][0] <= report.oldest_sources[-1][0]
    assert next(iter(report.examples.items())) == ("bare", 0)
    assert report.cases["recipient-unknown"] == 1


def test_the_command_prints_text_or_json() -> None:
    bare_cause()
    out = StringIO()
    call_command("knowledge_report", stdout=out)
    assert "2 causes that nothing speaks for:\n  bare" in out.getvalue()
    out = StringIO()
    call_command("knowledge_report", "--json", stdout=out)
    assert json.loads(out.getvalue())["unreachable_causes"] == ["bare", "delay-notice-only"]


def test_the_shipped_files_are_reported_without_a_database(django_assert_num_queries: Any) -> None:
    out = StringIO()
    with django_assert_num_queries(0):
        call_command("knowledge_report", "--files", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["rows"]["causes"] > 100
    assert report["never_matched"] is None


@pytest.mark.parametrize("work", ["no-steps", "unspoken", "no-case", "changed"])
def test_the_filters_of_causes_find_what_needs_work(curator: Client, work: str) -> None:
    bare_cause()
    found = listed(curator, "cause", work)
    assert "bare" in found
    assert "recipient-unknown" not in found


def test_evidence_for_a_cause_leads_to_it_and_evidence_against_it_does_not(curator: Client) -> None:
    cause, code = bare_cause(), models.StatusCode.objects.get(code="450")
    for strength, found in (("strongly against", True), ("slightly for", False)):
        models.Evidence.objects.update_or_create(cause=cause, code=code, defaults={"strength": strength})
        assert ("bare" in listed(curator, "cause", "unspoken")) == found
        assert ("bare" in report_on(to_snapshot()).unreachable_causes) == found


def test_a_source_that_was_checked_lately_is_not_old(curator: Client) -> None:
    cause = bare_cause()
    for day, old in (("2020-01-01", True), ("2999-01-01", False)):
        models.Cause.objects.filter(pk=cause.pk).update(sources=[{"title": "x", "checked": day}])
        assert ("bare" in listed(curator, "cause", "old-source")) == old
    models.Cause.objects.filter(pk=cause.pk).update(sources=[])
    assert "bare" in listed(curator, "cause", "no-source")


def test_the_filters_of_questions_and_patterns_find_what_needs_work(curator: Client) -> None:
    mute_question()
    assert listed(curator, "question", "needless") == {"mute"}
    assert "mute" in listed(curator, "question", "mute")
    models.ReplyPattern.objects.create(slug="new", pattern="new")
    assert listed(curator, "replypattern", "no-examples") == {"new"}
    assert listed(curator, "replypattern", "no-evidence") == {"new"}
    use.count(["over-quota"])
    assert listed(curator, "replypattern", "never") == {"new", "listed-at", "google-no-such-user"}


KINDS = ("provider", "cause", "question", "statuscode", "replypattern", "example", "blocklist", "article", "examplecase", "findingnote", "letter")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_counts_as_changed_right_after_publishing_and_what_was_changed_does(curator: Client, kind: str) -> None:
    assert listed(curator, kind, "changed") == set()
    model = models.Provider._meta.apps.get_model("knowledge", kind)
    rows = model.objects.filter(status="published")
    row = (rows.filter(pattern=None) if kind == "example" else rows).first()  # an example of a pattern is a part of the pattern
    model.objects.filter(pk=row.pk).update(status="draft")
    if kind != "cause":  # with a cause goes what speaks for it alone
        assert listed(curator, kind, "changed") == {str(row.slug if hasattr(row, "slug") else row)}


def test_a_pattern_is_counted_once_a_case(curator: Client) -> None:
    failures = [DeliveryFailure(text="552 over quota"), DeliveryFailure(text="552 5.2.2 over its quota"), DeliveryFailure()]
    use.count_in(failures)
    use.count_in(read(b"552 user is over quota").failures)
    row = models.PatternUse.objects.get()
    assert (row.pattern, row.count) == ("over-quota", 2)
    assert row.last_matched is not None
    page = curator.get(reverse("admin:knowledge_replypattern_changelist")).content.decode()
    assert '<td class="field-met">2</td>' in page


def test_nothing_found_counts_nothing() -> None:
    use.count([])
    use.count_in([DeliveryFailure(text="hello")])
    assert not models.PatternUse.objects.exists()


def test_opening_a_case_counts(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("paste"), {"text": "552 5.2.2 user is over quota"}, follow=True)
    assert models.PatternUse.objects.filter(pattern="over-quota").exists()
