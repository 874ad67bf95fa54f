"""What the desk refuses, with a sentence that says what to mend; and publishing there."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from knowledge import models
from knowledge.current import forget, snapshot
from tests.knowledge.forms import errors, save

pytestmark = pytest.mark.django_db
PUBLISH = "admin:publish-knowledge"


@pytest.fixture(autouse=True)
def published_while_the_page_loads(settings: Any) -> None:
    """A thread would not see what a test has not committed; test_jobs.py runs the real one."""
    settings.KNOWLEDGE_PUBLISH_IN_THREAD = False


def html(response: HttpResponse) -> str:
    assert response.status_code == 200, "the form was not refused"
    return response.content.decode()


def change(kind: str, **of: str) -> str:
    model = {"cause": models.Cause, "replypattern": models.ReplyPattern, "provider": models.Provider, "question": models.Question}[kind]
    return reverse(f"admin:knowledge_{kind}_change", args=[model.objects.get(**of).pk])


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("user (unknown", "the pattern does not compile: missing ): user (unknown"),
        ("(?=ahead)", "the pattern does not compile: invalid perl operator: (?="),
        (r"(a)\1", r"the pattern does not compile: invalid escape sequence: \1"),
        ("(maybe)?", "the pattern matches the empty text, and so every reply"),
    ],
)
def test_a_pattern_that_re2_cannot_use_is_refused(curator: Client, pattern: str, sentence: str) -> None:
    assert sentence in errors(save(curator, change("replypattern", slug="over-quota"), pattern=pattern)).replace("&#x27;", "'")
    assert models.ReplyPattern.objects.get(slug="over-quota").pattern == "over (his |its )?quota"


def test_a_mark_that_re2_cannot_use_is_refused(curator: Client) -> None:
    assert "(: the pattern does not compile" in errors(save(curator, change("provider", slug="google"), reply_marks="gsmtp\r\n("))


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ("RFC | nowhere", "Enter a valid URL"),
        ("RFC | javascript:alert(1)", "Enter a valid URL"),
        ("a | https://example.org | b | c", "has more than 3 parts"),
    ],
)
def test_a_source_that_is_no_address_is_refused(curator: Client, sources: str, sentence: str) -> None:
    assert sentence in errors(save(curator, change("cause", slug="greylisting"), sources=sources))


@pytest.mark.parametrize(
    ("who", "sentence"),
    [("", "This field is required"), ("postman", "“postman” is none of sender, sender-admin"), ("sender\r\nsender", "“sender” stands twice")],
)
def test_who_acts_is_one_of_those_who_can(curator: Client, who: str, sentence: str) -> None:
    assert sentence in errors(save(curator, change("cause", slug="greylisting"), who_acts=who))


def test_the_order_of_who_acts_is_the_curators(curator: Client) -> None:
    assert save(curator, change("cause", slug="greylisting"), who_acts="recipient-admin\r\nsender").status_code == 302
    assert models.Cause.objects.get(slug="greylisting").who_acts == ["recipient-admin", "sender"]


def test_a_placeholder_that_does_not_exist_is_refused(curator: Client) -> None:
    assert "{recipent} is no placeholder. There are: code, " in errors(
        save(curator, change("cause", slug="greylisting"), steps__0__text="Ask {recipent}.")
    )


def test_the_same_cause_twice_under_one_answer_is_refused(curator: Client) -> None:
    cause = str(models.Cause.objects.get(slug="message-too-large").pk)
    path = change("question", slug="attachment")
    response = save(
        curator, path, answers__0__evidence__TOTAL_FORMS="2", answers__0__evidence__1__cause=cause, answers__0__evidence__1__strength="against"
    )
    assert "“The message is too large” has a strength here already." in html(response)
    assert models.Evidence.objects.filter(answer__slug="large").count() == 1


def test_the_same_cause_twice_under_one_pattern_is_refused(curator: Client) -> None:
    cause = str(models.Cause.objects.get(slug="greylisting").pk)
    fields = {f"evidence__{number}__{name}": value for number in (2, 3) for name, value in (("cause", cause), ("strength", "for"))}
    response = save(curator, change("replypattern", slug="over-quota"), evidence__TOTAL_FORMS="4", **fields)
    assert "“The receiving server asks to try again” has a strength here already." in html(response)


@pytest.mark.parametrize(("kind", "of", "prefix"), [("cause", "recipient-unknown", "steps"), ("question", "attachment", "answers")])
def test_the_same_slug_twice_on_one_page_is_refused(curator: Client, kind: str, of: str, prefix: str) -> None:
    response = save(curator, change(kind, slug=of), **{f"{prefix}__0__slug": "same", f"{prefix}__1__slug": "same"})
    assert "Please correct the duplicate data" in html(response)


def test_an_example_of_nothing_is_refused(curator: Client) -> None:
    response = save(curator, reverse("admin:knowledge_example_add"), text="450 lost")
    assert "An example belongs to a pattern or to a cause, not to both and not to neither." in errors(response)


@pytest.mark.parametrize("changes", [{"pattern": "under quota"}, {"examples__0__text": "552 mailbox full"}])
def test_an_example_that_its_own_pattern_misses_is_refused(curator: Client, changes: dict[str, str]) -> None:
    assert "The pattern does not match this example" in html(save(curator, change("replypattern", slug="over-quota"), **changes))
    assert models.ReplyPattern.objects.get(slug="over-quota").pattern == "over (his |its )?quota"


def test_the_same_text_twice_is_refused_with_its_label(curator: Client) -> None:
    cause = str(models.Cause.objects.get(slug="greylisting").pk)
    said = errors(save(curator, reverse("admin:knowledge_example_add"), text="552 mailbox full", cause=cause))
    assert "This text is there already, labelled with “The recipient's mailbox is full”" in said.replace("&#x27;", "'")


def test_the_same_code_twice_is_refused(curator: Client) -> None:
    response = save(curator, reverse("admin:knowledge_statuscode_add"), code="450", title="Twice", meaning="x")
    assert "This code is described already. Choose a provider, or change the row that there is." in errors(response)


def test_evidence_that_leaves_no_cause_possible_is_refused(curator: Client) -> None:
    causes = models.Cause.objects.values_list("pk", flat=True)
    fields = {f"evidence__{number}__cause": str(pk) for number, pk in enumerate(causes)}
    fields |= {f"evidence__{number}__strength": "rules out" for number in range(len(causes))}
    path = reverse("admin:knowledge_statuscode_add")
    response = save(curator, path, code="559", title="x", meaning="x", evidence__TOTAL_FORMS=str(len(causes)), **fields)
    assert "This rules out every cause" in html(response)
    assert "This rules out every cause" in html(
        save(
            curator,
            path,
            code="559",
            title="x",
            meaning="x",
            others="rules out",
            evidence__TOTAL_FORMS="1",
            **{"evidence__0__cause": str(causes[0]), "evidence__0__strength": "rules out"},
        )
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"answers": "who-is-affected"}, "“who-is-affected” is not of the form “name: value”."),
        ({"answers": "whatever: yes"}, "There is no question “whatever”."),
        ({"answers": "who-is-affected: nobody"}, "“nobody” is no answer to “who-is-affected”; there are one-recipient"),
        ({"answers": ""}, "A case needs a text or an answer."),
    ],
)
def test_a_case_that_cannot_be_worked_through_is_refused(curator: Client, fields: dict[str, str], sentence: str) -> None:
    cause = str(models.Cause.objects.get(slug="greylisting").pk)
    assert sentence in errors(save(curator, reverse("admin:knowledge_examplecase_add"), slug="new", cause=cause, **fields))


def test_a_slug_is_used_once(curator: Client) -> None:
    assert "already exists" in errors(save(curator, change("cause", slug="greylisting"), slug="spf-fail"))


def test_publishing_puts_the_changes_in_force(curator: Client) -> None:
    save(curator, change("cause", slug="greylisting"), summary="As we say it.")
    forget()
    assert "As we say it." not in str(snapshot().causes)
    assert "have changed since the newest revision" in curator.get(reverse(PUBLISH)).content.decode()
    response = curator.post(reverse(PUBLISH), {"reason": "Clearer words"}, follow=True)
    revision = models.KnowledgeRevision.objects.first()
    assert f"Revision {revision.pk} serves." in response.content.decode()
    assert (revision.reason, revision.created_by.username) == ("Clearer words", "cora")
    forget()
    assert "As we say it." in str(snapshot().causes)


def test_publishing_says_where_nothing_has_changed(curator: Client) -> None:
    assert "there is nothing new to publish" in curator.get(reverse(PUBLISH)).content.decode()
    curator.post(reverse(PUBLISH), {"reason": "Nothing"})
    assert models.KnowledgeRevision.objects.count() == 1


def test_publishing_needs_a_reason(curator: Client) -> None:
    save(curator, change("cause", slug="greylisting"), summary="As we say it.")
    assert "This field is required" in curator.post(reverse(PUBLISH), {"reason": " "}).content.decode()
    assert models.KnowledgeRevision.objects.count() == 1


def test_publishing_names_the_rows_that_contradict_each_other(curator: Client) -> None:
    models.ReplyPattern.objects.filter(slug="over-quota").update(pattern="<b>under quota</b>")
    html = curator.post(reverse(PUBLISH), {"reason": "Try"}, follow=True).content.decode()
    assert "Nothing was published." in html
    assert "<strong>over-quota</strong>: it does not match its own example" in html
    assert models.KnowledgeRevision.objects.count() == 1


def test_opening_the_page_publishes_nothing(curator: Client) -> None:
    save(curator, change("cause", slug="greylisting"), summary="As we say it.")
    curator.get(reverse(PUBLISH), {"reason": "Sneaked in"})
    assert models.KnowledgeRevision.objects.count() == 1


def test_the_list_of_revisions_leads_to_publishing_and_nobody_edits_one(curator: Client) -> None:
    html = curator.get(reverse("admin:knowledge_knowledgerevision_changelist")).content.decode()
    assert reverse(PUBLISH) in html
    assert curator.get(reverse("admin:knowledge_knowledgerevision_add")).status_code == 403
    revision = models.KnowledgeRevision.objects.get()
    assert curator.post(reverse("admin:knowledge_knowledgerevision_change", args=[revision.pk]), {"reason": "x"}).status_code == 403
    assert curator.post(reverse("admin:knowledge_knowledgerevision_delete", args=[revision.pk]), {"post": "yes"}).status_code == 403


def test_staff_without_rights_publishes_nothing(clerk: Client, client: Client) -> None:
    models.Cause.objects.filter(slug="greylisting").update(summary="x")
    for browser, status in ((clerk, 403), (client, 302)):
        assert browser.get(reverse(PUBLISH)).status_code == status
        assert browser.post(reverse(PUBLISH), {"reason": "Sneaked in"}).status_code == status
    assert models.KnowledgeRevision.objects.count() == 1


@pytest.mark.parametrize("action", ["mark_published", "mark_draft"])
def test_staff_who_may_only_look_change_no_status(clerk: Client, action: str) -> None:
    User.objects.get(username="cleo").user_permissions.add(Permission.objects.get(codename="view_cause"))
    row = models.Cause.objects.get(slug="greylisting")
    models.Cause.objects.filter(pk=row.pk).update(status=models.Row.Status.WITHDRAWN)
    clerk.post(reverse("admin:knowledge_cause_changelist"), {"action": action, "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.status == models.Row.Status.WITHDRAWN


def test_curators_change_the_status_of_many_rows_at_once(curator: Client) -> None:
    row = models.Cause.objects.get(slug="greylisting")
    curator.post(reverse("admin:knowledge_cause_changelist"), {"action": "mark_draft", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.status == models.Row.Status.DRAFT
