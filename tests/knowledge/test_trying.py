"""Trying a row before it is saved: what it says, that it writes nothing and loses nothing that was typed."""

from dataclasses import replace

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from knowledge import models, versions
from knowledge.current import knowledge
from knowledge.trying import try_pattern, what_would_change
from tests.knowledge.forms import read_form, save
from whybounce.snapshot import Evidence, ReplyPattern, Strength

pytestmark = pytest.mark.django_db


def page(kind: str, pk: int) -> str:
    return reverse(f"admin:knowledge_{kind}_change", args=[pk])


def pattern() -> models.ReplyPattern:
    return models.ReplyPattern.objects.get(slug="over-quota")


def html(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode().replace("&#x27;", "'")


def test_a_pattern_is_put_beside_all_stored_texts() -> None:
    found = try_pattern("full|quota|mailbox", slug="over-quota", examples=["552 over quota", "450 busy"], causes=["recipient-mailbox-full"])
    assert (found.own, found.missed) == (("552 over quota",), ("450 busy",))
    assert {hit.text for hit in found.right} == {"552 mailbox full", "452 4.2.2 not enough room in the mailbox, quota exceeded"}
    (wrong,) = found.wrong
    assert (wrong.cause, "virtual mailbox table" in wrong.text) == ("The recipient's address does not exist", True)
    assert found.looked_at == models.Example.objects.exclude(pattern__slug="over-quota").count()


def test_a_patterns_texts_are_labelled_with_what_it_speaks_for_most() -> None:
    (hit,) = try_pattern("blocked using", slug="", examples=[], causes=["greylisting"]).wrong
    assert (hit.pattern, hit.cause) == ("listed-at", models.Cause.objects.get(slug="ip-listed-spamhaus-xbl").title)


def test_other_patterns_in_the_same_texts_are_named() -> None:
    assert try_pattern("quota", slug="", examples=[], causes=[]).others == (("over-quota", 2),)
    assert try_pattern("quota", slug="over-quota", examples=["552 over quota"], causes=[]).others == ()


def test_what_re2_cannot_compile_is_said_and_nothing_else_looked_at() -> None:
    found = try_pattern("(", slug="", examples=["x"], causes=[])
    assert ("does not compile" in found.error, found.looked_at) == (True, 0)


def test_a_new_pattern_moves_the_texts_that_it_matches() -> None:
    value = ReplyPattern("new", "no such user", decisive=True, evidence=(Evidence("message-too-large", Strength.PROVES),))
    change = what_would_change("patterns", value, "")
    (line,) = change.texts
    assert (line["name"], line["right"]) == ("550 no such user here", "worse")
    assert (line["before"]["cause"], line["after"]["cause"]) == ("recipient-unknown", "message-too-large")
    assert (change.looked_at, change.worse, change.sampled) == (1, 1, False)


def test_a_pattern_that_no_longer_matches_proves_nothing_more() -> None:
    value = versions.value_of(models.ReplyPattern.objects.get(slug="google-no-such-user"))
    (line,) = what_would_change("patterns", replace(value, pattern="not a wording of anybody"), value.slug).texts
    assert line["name"] == value.examples[0]
    assert line["before"]["certainty"] == "proved"
    assert line["after"]["certainty"] != "proved"


def test_a_changed_pattern_no_longer_finds_what_it_found() -> None:
    value = versions.value_of(pattern())
    dull = ReplyPattern(value.slug, "not a wording of anybody", evidence=value.evidence, examples=value.examples)
    assert what_would_change("patterns", dull, "over-quota").looked_at == 2
    assert "over-quota" in {match.pattern.slug for match in knowledge().matcher.find("552 over quota")}


def test_a_questions_evidence_moves_the_cases_that_were_answered_so() -> None:
    value = versions.value_of(models.Question.objects.get(slug="who-is-affected"))
    ruled_out = (Evidence("ip-listed-spamhaus-xbl", Strength.RULES_OUT),)
    answers = tuple(replace(answer, evidence=ruled_out) if answer.slug == "everyone" else answer for answer in value.answers)
    change = what_would_change("questions", replace(value, answers=answers), "who-is-affected")
    (line,) = change.cases
    assert (line["name"], line["right"], line["before"]["cause"]) == ("listed-by-answers", "worse", "ip-listed-spamhaus-xbl")
    assert (change.looked_at, change.cases_looked_at) == (0, 2)


def test_evidence_for_a_cause_that_is_not_published_is_left_out() -> None:
    models.Cause.objects.create(slug="draft", title="Draft", category="policy", who_acts=["sender"], summary="x")
    value = ReplyPattern("new", "no such user", evidence=(Evidence("draft", Strength.FOR),))
    assert what_would_change("patterns", value, "").moved == 0


def test_a_row_that_ranks_nothing_changes_nothing() -> None:
    assert what_would_change("providers", versions.value_of(models.Provider.objects.get(slug="google")), "google") is None


def test_the_button_shows_the_form_again_as_typed_and_stores_nothing(curator: Client) -> None:
    row = pattern()
    histories = row.history.count()
    response = save(curator, page("replypattern", row.pk), pattern="quota|mailbox", meaning="Typed.", change_reason="Maybe", _try="Try it")
    said = html(response)
    assert "RE2 compiles it" in said
    assert "It matches 2 of its own examples" in said
    assert "What would change" in said
    fields = read_form(response)
    assert (fields["pattern"], fields["meaning"], fields["change_reason"]) == (["quota|mailbox"], ["Typed."], ["Maybe"])
    row.refresh_from_db()
    assert (row.pattern, row.history.count()) == ("over (his |its )?quota", histories)


def test_a_form_with_mistakes_is_tried_as_far_as_it_goes(curator: Client) -> None:
    said = html(save(curator, page("replypattern", pattern().pk), pattern="user is over", _try="Try it"))
    assert "Its own examples that it misses" in said
    assert "552 5.2.2 mailbox over its quota" in said
    assert "once the mistakes marked above are mended" in said
    assert "does not compile" in html(save(curator, page("replypattern", pattern().pk), pattern="(", _try="Try it"))


def test_a_pattern_is_tried_before_it_exists(curator: Client) -> None:
    cause = str(models.Cause.objects.get(slug="message-too-large").pk)
    response = save(
        curator,
        reverse("admin:knowledge_replypattern_add"),
        slug="new",
        pattern="no such user",
        decisive="on",
        evidence__TOTAL_FORMS="1",
        evidence__0__cause=cause,
        evidence__0__strength="proves",
        examples__0__text="550 no such user",
        _try="Try it",
    )
    said = html(response)
    assert "Wrong hits" in said
    assert "550 no such user here" in said
    assert read_form(response)["examples-0-text"] == ["550 no such user"]
    assert not models.ReplyPattern.objects.filter(slug="new").exists()


@pytest.mark.parametrize(("kind", "model", "of"), [("cause", models.Cause, "greylisting"), ("question", models.Question, "who-is-affected")])
def test_causes_and_questions_can_be_tried(curator: Client, kind: str, model: type[models.Cause], of: str) -> None:
    row = model.objects.get(slug=of)
    assert "What would change" in html(save(curator, page(kind, row.pk), _try="Try it"))


def test_who_may_only_look_tries_nothing(clerk: Client) -> None:
    assert clerk.post(page("replypattern", pattern().pk), {"_try": "Try it"}).status_code == 403
