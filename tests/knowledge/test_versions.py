"""The versions of a row: what changed, by whom and why; going back; two curators at one row."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from knowledge import models, versions
from tests.knowledge.forms import read_form, save

pytestmark = pytest.mark.django_db


def cause() -> models.Cause:
    return models.Cause.objects.get(slug="greylisting")


def page(action: str, row: models.Row, *more: object) -> str:
    return reverse(f"admin:knowledge_{row._meta.model_name}_{action}", args=[row.pk, *more])


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode().replace("&#x27;", "'")


@pytest.fixture
def colleague(db: None) -> Client:
    user = User.objects.create_user("carl", is_staff=True)
    user.groups.add(Group.objects.get(name="Curators"))
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_change_is_shown_with_who_why_and_every_field_of_it(curator: Client) -> None:
    changed = save(curator, page("change", cause()), summary="Said better.", steps__0__text="Wait an hour.", change_reason="A reader asked")
    assert changed.status_code == 302
    said = text(curator, page("history", cause()))
    for part in ("cora", "A reader asked", "<strong>summary</strong>", "<ins>Said better.</ins>", "steps › wait › text"):
        assert part in said, part


def test_what_was_loaded_from_files_is_the_version_before_the_first_change(curator: Client) -> None:
    before = versions.document_of(cause())
    save(curator, page("change", cause()), summary="Said better.")
    new, old = cause().history.all()[:2]
    assert old.document == before
    assert [(change.where, change.new) for change in versions.changes(old.document, new.document)] == [("summary", "Said better.")]


@pytest.mark.parametrize(
    ("model", "name", "changes"),
    [
        (models.Cause, "greylisting", {"summary": "x", "steps__0__text": "y", "slug": "grey"}),
        (models.Question, "attachment", {"text": "x?", "answers__0__text": "y", "answers__0__evidence__0__strength": "against"}),
        (models.ReplyPattern, "over-quota", {"meaning": "x", "evidence__0__strength": "for", "examples__1__status": "draft"}),
        (models.Provider, "google", {"name": "x", "domains": "gmail.com"}),
        (models.Blocklist, "example-list", {"weight": "light", "codes": "127.0.0.9 | other"}),
        (models.Article, "reading-a-reply", {"title": "x", "causes": ""}),
        (models.Letter, "to-the-customer", {"title": "x", "to": "postmaster", "categories": "policy", "causes": ""}),
        (models.FindingNote, "spf.too_many_lookups", {"title": "x", "severities": "info", "who_acts": "sender"}),
        (models.ExampleCase, "plain-unknown-user", {"answers": "", "note": ""}),
    ],
)
def test_going_back_restores_the_row_with_all_that_belongs_to_it(curator: Client, model: type, name: str, changes: dict[str, str]) -> None:
    row = model.objects.get(slug=name)
    before = versions.document_of(row)
    response = save(curator, page("change", row), **changes)
    assert response.status_code == 302, response.context["errors"]
    assert versions.document_of(model.objects.get(pk=row.pk)) != before
    old = row.history.all()[1]
    assert "Go back to this version" in text(curator, page("simple_history", row, old.history_id))
    curator.post(page("simple_history", row, old.history_id), {"why": "It was right"})
    back = model.objects.get(pk=row.pk)
    assert versions.document_of(back) == before
    assert back.shipped_digest == row.shipped_digest
    newest = row.history.first()
    assert newest.history_change_reason.startswith("Back to the version of ")
    assert newest.history_change_reason.endswith("It was right")
    assert newest.document == before
    assert row.history.count() == 3


def test_a_code_and_an_example_go_back_too(curator: Client) -> None:
    for row, changes in (
        (models.StatusCode.objects.get(code="450"), {"title": "x", "code": "459"}),
        (models.Example.objects.get(text="552 mailbox full"), {"text": "552 mailbox is full"}),
    ):
        before = versions.document_of(row)
        assert save(curator, page("change", row), **changes).status_code == 302
        curator.post(page("simple_history", row, row.history.all()[1].history_id), {"why": ""})
        assert versions.document_of(type(row).objects.get(pk=row.pk)) == before
        assert type(row).objects.filter(**{name: value for name, value in changes.items() if name != "title"}).count() == 0


def test_a_draft_example_comes_back_as_a_draft(curator: Client) -> None:
    row = models.ReplyPattern.objects.get(slug="over-quota")
    models.Example.objects.create(pattern=row, text="552 over quota, perhaps", status="draft", position=7)
    before = versions.document_of(row)
    save(curator, page("change", row), examples__2__DELETE="on")
    assert row.examples.count() == 2
    curator.post(page("simple_history", row, row.history.all()[1].history_id), {"why": ""})
    assert row.examples.get(text="552 over quota, perhaps").status == "draft"
    assert versions.document_of(row) == before


def test_a_version_that_names_a_cause_that_is_gone_is_refused(curator: Client) -> None:
    row = models.ReplyPattern.objects.get(slug="listed-at")
    cause = models.Cause.objects.create(slug="short-lived", title="x", category="policy", who_acts=["sender"], summary="x")
    models.Evidence.objects.create(pattern=row, cause=cause, strength="for")
    save(curator, page("change", row), meaning="x")
    cause.delete()
    response = curator.post(page("simple_history", row, row.history.first().history_id), {"why": ""})
    assert "That version names “short-lived”, which is no longer there." in response.content.decode()


def test_a_version_whose_slug_is_another_rows_by_now_is_refused(curator: Client) -> None:
    row = cause()
    save(curator, page("change", row), slug="grey")
    models.Cause.objects.create(slug="greylisting", title="Another", category="policy", who_acts=["sender"], summary="x")
    response = curator.post(page("simple_history", row, row.history.all()[1].history_id), {"why": ""})
    assert "That version is named “greylisting”, and another row is called so now." in response.content.decode()
    row.refresh_from_db()
    assert row.slug == "grey"


def test_a_version_that_an_older_program_kept_otherwise_is_refused(curator: Client) -> None:
    row = cause()
    save(curator, page("change", row), summary="Said better.")
    old = row.history.all()[1]
    row.history.filter(history_id=old.history_id).update(document={**old.document, "urgency": "high"})
    response = curator.post(page("simple_history", row, old.history_id), {"why": ""})
    assert "An older version of the program kept that version otherwise" in response.content.decode()
    assert cause().summary == "Said better."


def test_a_version_from_outside_the_desk_says_that_it_cannot_come_back(curator: Client) -> None:
    row = cause()
    row.save()
    record = row.history.first()
    path = page("simple_history", row, record.history_id)
    assert "was not kept whole" in text(curator, path)
    assert curator.post(path, {"why": ""}).status_code == 200
    assert curator.get(page("simple_history", row, 987654)).status_code == 404


def test_who_may_not_change_sees_no_history_and_goes_nowhere(clerk: Client, curator: Client) -> None:
    save(curator, page("change", cause()), summary="Said better.")
    old = cause().history.all()[1]
    assert clerk.get(page("history", cause())).status_code == 403
    assert clerk.post(page("simple_history", cause(), old.history_id), {"why": ""}).status_code == 403
    assert cause().summary == "Said better."


def test_marking_many_keeps_why(curator: Client) -> None:
    path = reverse("admin:knowledge_cause_changelist")
    curator.post(path, {"action": "mark_draft", "_selected_action": [cause().pk], "why": "Not yet sure"})
    newest = cause().history.first()
    assert (newest.history_change_reason, newest.status, newest.document["status"]) == ("Not yet sure", "draft", "draft")


def test_marking_very_many_takes_few_statements_and_each_has_its_history(curator: Client) -> None:
    cause_ = cause()
    models.Example.objects.bulk_create(models.Example(text=f"450 later {number}", cause=cause_) for number in range(250))
    chosen = models.Example.objects.filter(text__startswith="450 later")
    action = {"action": "mark_published", "_selected_action": list(chosen.values_list("pk", flat=True)), "why": "All read"}
    with CaptureQueriesContext(connection) as asked:
        curator.post(f"{reverse('admin:knowledge_example_changelist')}?status__exact=draft", action)
    assert len(asked) < 60
    row = chosen.last()
    newest = row.history.first()
    assert (row.status, newest.status, newest.history_change_reason, newest.history_user.username) == ("published", "published", "All read", "cora")
    assert newest.updated_at == row.updated_at


def test_the_second_of_two_curators_is_told_and_loses_nothing(curator: Client, colleague: Client) -> None:
    path = page("change", cause())
    hers = read_form(curator.get(path))
    save(colleague, path, summary="Carl's words.", steps__0__text="Carl's step.")
    hers["explanation"] = ["Cora's words."]
    response = curator.post(path, hers)
    said = response.content.decode().replace("&#x27;", "'")
    assert "carl saved this row at" in said
    assert "summary: “An unknown sender is put off once.” → “Carl's words.”" in said
    assert "steps › wait › text" in said
    typed = read_form(response)
    assert typed["explanation"] == ["Cora's words."]
    assert cause().summary == "Carl's words."
    assert curator.post(path, typed).status_code == 302
    assert cause().explanation == "Cora's words."


def test_saving_twice_oneself_is_no_conflict(curator: Client) -> None:
    for words in ("One.", "Two."):
        assert save(curator, page("change", cause()), summary=words).status_code == 302


def test_the_way_to_the_public_page_is_shown_for_published_rows(curator: Client) -> None:
    assert f'href="{cause().get_absolute_url()}"' in text(curator, page("change", cause()))
    models.Cause.objects.filter(pk=cause().pk).update(status="draft")
    assert f'href="{cause().get_absolute_url()}"' not in text(curator, page("change", cause()))
