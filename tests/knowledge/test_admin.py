"""The curators' desk: every kind of row is listed, shown, changed and made there, with all that belongs to it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from knowledge import models
from knowledge.rows import VALUES, querysets
from knowledge.upgrades import digest_of
from tests.knowledge.forms import errors, read_form, save

pytestmark = pytest.mark.django_db
KINDS = (
    "provider",
    "cause",
    "question",
    "statuscode",
    "replypattern",
    "example",
    "blocklist",
    "article",
    "examplecase",
    "findingnote",
    "letter",
    "knowledgerevision",
)
ROWS = KINDS[:-1]
STATUS = models.Row.Status


def page(kind: str, action: str, *arguments: object) -> str:
    return reverse(f"admin:knowledge_{kind}_{action}", args=arguments)


def saved(client: Client, path: str, **changes: str | list[str]) -> None:
    response = save(client, path, **changes)
    assert response.status_code == 302, errors(response)


@pytest.mark.parametrize("kind", KINDS)
def test_a_curator_sees_every_list_and_every_row(curator: Client, kind: str) -> None:
    response = curator.get(page(kind, "changelist"))
    assert response.status_code == 200
    model = models.Cause._meta.apps.get_model("knowledge", kind)
    for row in model.objects.all():
        assert curator.get(page(kind, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("kind", ROWS)
def test_a_list_can_be_searched(curator: Client, kind: str) -> None:
    response = curator.get(page(kind, "changelist"), {"q": "xylophone"})
    assert response.status_code == 200
    assert "0 " in response.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_staff_without_rights_sees_nothing(clerk: Client, kind: str) -> None:
    assert clerk.get(page(kind, "changelist")).status_code == 403


@pytest.mark.parametrize("kind", ROWS)
def test_staff_without_rights_makes_nothing(clerk: Client, kind: str) -> None:
    assert clerk.get(page(kind, "add")).status_code == 403
    assert clerk.post(page(kind, "add"), {}).status_code == 403


def test_who_is_not_logged_in_is_asked_to(client: Client) -> None:
    response = client.get(page("cause", "changelist"))
    assert response.status_code == 302
    assert "login" in response["Location"]


@pytest.mark.parametrize(
    "kind", ["providers", "causes", "questions", "patterns", "codes", "examples", "blocklists", "articles", "cases", "findings", "letters"]
)
def test_saving_a_row_as_it_is_changes_nothing(curator: Client, kind: str) -> None:
    """An upgrade must not take it for a curator's change."""
    for row in querysets()[kind]:
        saved(curator, page(row._meta.model_name, "change", row.pk))
    for row in querysets()[kind]:
        assert digest_of(VALUES[kind](row)) == row.shipped_digest, row


def test_a_change_has_its_history_with_who_made_it(curator: Client) -> None:
    cause = models.Cause.objects.get(slug="greylisting")
    saved(curator, page("cause", "change", cause.pk), summary="As we say it.")
    newest = cause.history.first()
    assert (newest.summary, newest.history_user.username) == ("As we say it.", "cora")
    response = curator.get(page("cause", "history", cause.pk))
    assert response.status_code == 200
    assert "cora" in response.content.decode()


def test_a_cause_is_made_with_its_steps(curator: Client) -> None:
    saved(
        curator,
        page("cause", "add"),
        slug="office-flooded",
        title="The server room is under water",
        category="remote_system",
        who_acts="recipient-admin\r\nnobody",
        frequency="very rare",
        permanent="false",
        summary="There is water in it.",
        sources="RFC 5321 section 4.2.2 | https://www.rfc-editor.org/rfc/rfc5321 | 2026-11-23\r\nExperience",
        steps__TOTAL_FORMS="2",
        steps__0__slug="pump",
        steps__0__who="recipient-admin",
        steps__0__position="1",
        steps__0__text="Pump the water out of {recipient_domain}.",
        steps__0__links="How to pump | https://example.org/pump",
        steps__1__slug="wait",
        steps__1__who="nobody",
        steps__1__position="2",
        steps__1__text="Wait.",
    )
    cause = models.Cause.objects.get(slug="office-flooded")
    assert cause.status == STATUS.DRAFT
    assert cause.who_acts == ["recipient-admin", "nobody"]
    assert cause.sources == [
        {"title": "RFC 5321 section 4.2.2", "url": "https://www.rfc-editor.org/rfc/rfc5321", "checked": "2026-11-23"},
        {"title": "Experience"},
    ]
    assert [(step.slug, step.links) for step in cause.steps.all()] == [
        ("pump", [{"text": "How to pump", "url": "https://example.org/pump"}]),
        ("wait", []),
    ]


def test_a_question_is_made_with_answers_and_their_evidence_on_one_page(curator: Client) -> None:
    unknown, full = (str(models.Cause.objects.get(slug=slug).pk) for slug in ("recipient-unknown", "recipient-mailbox-full"))
    answers = {
        "answers-TOTAL_FORMS": "2",
        "answers-INITIAL_FORMS": "0",
        "answers-0-slug": "yes",
        "answers-0-text": "Yes",
        "answers-0-position": "1",
        "answers-0-base_rate": "common",
        "answers-0-informative": "on",
        "answers-0-evidence-TOTAL_FORMS": "2",
        "answers-0-evidence-INITIAL_FORMS": "0",
        "answers-0-evidence-0-cause": full,
        "answers-0-evidence-0-strength": "strongly for",
        "answers-0-evidence-1-cause": unknown,
        "answers-0-evidence-1-strength": "rules out",
        "answers-1-slug": "no",
        "answers-1-text": "No",
        "answers-1-position": "2",
        "answers-1-base_rate": "usual",
        "answers-1-informative": "on",
        "answers-1-others": "slightly against",
        "answers-1-evidence-TOTAL_FORMS": "1",
        "answers-1-evidence-INITIAL_FORMS": "0",
        "answers-1-evidence-0-cause": full,
        "answers-1-evidence-0-strength": "against",
    }
    saved(
        curator,
        page("question", "add"),
        slug="has-room",
        text="Is there room?",
        why="It tells.",
        **{name.replace("-", "__"): value for name, value in answers.items()},
    )
    question = next(row for row in querysets()["questions"] if row.slug == "has-room")
    yes, no = VALUES["questions"](question).answers
    assert [(item.cause, item.strength.value) for item in yes.evidence] == [
        ("recipient-mailbox-full", "strongly for"),
        ("recipient-unknown", "rules out"),
    ]
    assert [(item.cause, item.strength.value) for item in no.evidence] == [("recipient-mailbox-full", "against")]
    assert no.others == "slightly against"


def test_an_answers_evidence_is_changed_on_the_questions_page(curator: Client) -> None:
    question = models.Question.objects.get(slug="attachment")
    saved(curator, page("question", "change", question.pk), answers__0__evidence__0__strength="for", answers__0__text="Yes, a large one")
    answer = question.answers.get(slug="large")
    assert (answer.text, answer.evidence.get().strength) == ("Yes, a large one", "for")


def test_what_a_question_is_asked_for_is_not_the_reason_of_its_change(curator: Client) -> None:
    question = models.Question.objects.get(slug="attachment")
    told = "It tells. " * 30
    saved(curator, page("question", "change", question.pk), why=told, change_reason="Said at length")
    question.refresh_from_db()
    assert (question.why, question.history.first().history_change_reason) == (told.strip(), "Said at length")


def _many_causes(count: int) -> list[models.Cause]:
    like = models.Cause.objects.first()
    fields = {"category": like.category, "frequency": like.frequency, "who_acts": like.who_acts}
    return models.Cause.objects.bulk_create(models.Cause(slug=f"many-{number}", title=f"Cause {number}", **fields) for number in range(count))


def test_a_question_with_hundreds_of_pieces_of_evidence_is_shown_quickly_and_saved(curator: Client) -> None:
    answer = models.Question.objects.get(slug="attachment").answers.first()
    path = page("question", "change", answer.question_id)
    with CaptureQueriesContext(connection) as few:
        curator.get(path)
    causes = _many_causes(260)
    models.Evidence.objects.bulk_create(models.Evidence(answer=answer, cause=cause, strength="for") for cause in causes)
    with CaptureQueriesContext(connection) as many:
        shown = curator.get(path).content.decode()
    assert f'<option value="{causes[7].pk}" selected>Cause 7</option>' in shown
    assert len(many) <= len(few) + 3
    saved(curator, path, answers__0__evidence__0__strength="against")
    assert answer.evidence.order_by("pk").first().strength == "against"


@pytest.mark.parametrize("name", ["cause", "statuscode", "replypattern", "example", "provider"])
def test_an_add_page_opens(curator: Client, name: str) -> None:
    assert read_form(curator.get(page(name, "add")))["status"] == ["draft"]


def test_a_code_is_made_with_a_myth_and_evidence(curator: Client) -> None:
    saved(
        curator,
        page("statuscode", "add"),
        code="553",
        title="Mailbox name not allowed",
        meaning="A name.",
        commands="RCPT\r\nMAIL",
        myths__TOTAL_FORMS="1",
        myths__0__claim="It is spam.",
        myths__0__truth="It is the name.",
        myths__0__position="0",
        evidence__TOTAL_FORMS="1",
        evidence__0__cause=str(models.Cause.objects.get(slug="recipient-unknown").pk),
        evidence__0__strength="for",
    )
    code = models.StatusCode.objects.get(code="553")
    assert (code.commands, code.myths.get().truth, code.evidence.get().strength) == (["RCPT", "MAIL"], "It is the name.", "for")


def test_a_pattern_is_made_with_evidence_and_examples_that_go_live_with_it(curator: Client) -> None:
    saved(
        curator,
        page("replypattern", "add"),
        slug="no-room",
        pattern="no room",
        evidence__TOTAL_FORMS="1",
        evidence__0__cause=str(models.Cause.objects.get(slug="recipient-mailbox-full").pk),
        evidence__0__strength="strongly for",
        examples__0__text="452 no room for anna@example.net",
    )
    pattern = models.ReplyPattern.objects.get(slug="no-room")
    assert pattern.status == STATUS.DRAFT
    assert pattern.evidence.get().cause.slug == "recipient-mailbox-full"
    assert (pattern.examples.get().text, pattern.examples.get().status) == ("452 no room for anna@example.net", STATUS.PUBLISHED)


def test_a_provider_is_made_with_its_lists(curator: Client) -> None:
    saved(
        curator,
        page("provider", "add"),
        slug="acme",
        name="ACME",
        kind="mailbox",
        mx_suffixes=".acme.example\r\n\r\n .acme.test ",
        reply_marks=r"\bACME\b",
    )
    provider = models.Provider.objects.get(slug="acme")
    assert (provider.mx_suffixes, provider.reply_marks, provider.domains) == ([".acme.example", ".acme.test"], [r"\bACME\b"], [])


def test_an_example_is_made_for_a_cause(curator: Client) -> None:
    cause = models.Cause.objects.get(slug="greylisting")
    saved(curator, page("example", "add"), text="450 come back later", cause=str(cause.pk))
    assert models.Example.objects.get(text="450 come back later").cause == cause


def test_rows_are_marked_as_published_and_back_each_with_its_history(curator: Client) -> None:
    rows = models.Example.objects.filter(pattern=None)[:2]
    for action, status in (("mark_draft", STATUS.DRAFT), ("mark_published", STATUS.PUBLISHED)):
        response = curator.post(page("example", "changelist"), {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)
        assert "2 rows marked as" in response.content.decode()
        for row in rows:
            row.refresh_from_db()
            assert (row.status, row.history.first().status) == (status, status)
