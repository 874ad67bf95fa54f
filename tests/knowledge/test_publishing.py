"""Publishing: what curators marked as published serves as a whole, and nothing else does."""

import json
import zlib

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from knowledge import models
from knowledge.current import NoKnowledge, forget, knowledge, snapshot
from knowledge.publishing import KEEP, CannotPublish, compiled, publish, unpublished_changes
from knowledge.rows import to_snapshot
from whybounce.document import to_document
from whybounce.failure import DeliveryFailure
from whybounce.reasoning import rank
from whybounce.snapshot import Example, KnowledgeSnapshot
from whybounce.words import TextModel, fit

pytestmark = pytest.mark.django_db
STATUS = models.Row.Status


def published(reason: str = "test") -> KnowledgeSnapshot:
    revision = publish(by=None, reason=reason)
    forget()
    assert snapshot().revision == revision.pk
    return snapshot()


def change(number: int = 1) -> None:
    row = models.Cause.objects.get(slug="greylisting")
    row.summary = f"Summary {number}."
    row.save()


def test_a_revision_holds_all_that_the_rows_say() -> None:
    change()
    revision = publish(by=None, reason="test")
    rows = to_snapshot()
    stored = compiled(models.KnowledgeRevision.objects.get(pk=revision.pk)).snapshot
    assert stored.revision == revision.pk
    assert to_document(stored) == to_document(rows)
    for kind in ("causes", "questions", "patterns", "providers", "codes", "examples"):
        assert getattr(stored, kind) == getattr(rows, kind)
        assert getattr(rows, kind)


def test_who_published_and_why_is_kept() -> None:
    change()
    user = User.objects.create_user("cora")
    revision = publish(by=user, reason="A better summary")
    assert (revision.created_by, revision.reason) == (user, "A better summary")


def test_a_new_revision_serves_and_the_old_one_stays() -> None:
    old = snapshot()
    change()
    assert next(cause for cause in published().causes if cause.slug == "greylisting").summary == "Summary 1."
    assert models.KnowledgeRevision.objects.count() == 2
    assert compiled(models.KnowledgeRevision.objects.get(pk=old.revision)).snapshot.causes == old.causes


def test_unchanged_rows_make_no_new_revision() -> None:
    assert not unpublished_changes()
    first = models.KnowledgeRevision.objects.get()
    assert publish(by=None, reason="again") == first
    assert models.KnowledgeRevision.objects.count() == 1
    change()
    assert unpublished_changes()


@pytest.mark.parametrize("status", [STATUS.DRAFT, STATUS.WITHDRAWN])
def test_only_published_rows_are_part_of_it(status: str) -> None:
    cause = models.Cause.objects.get(slug="message-too-large")
    cause.status = status
    cause.save()
    for model, name in (
        (models.StatusCode, {"code": "450"}),
        (models.ReplyPattern, {"slug": "listed-at"}),
        (models.Question, {"slug": "who-is-affected"}),
    ):
        model.objects.filter(**name).update(status=status)
    models.Provider.objects.create(slug="acme", name="ACME", kind="mta", status=status)
    models.Example.objects.create(text="550 not yet", cause=models.Cause.objects.get(slug="greylisting"), status=status)
    document = str(to_document(published()))
    for name in ("message-too-large", "'450'", "listed-at", "who-is-affected", "acme", "550 not yet", "message size exceeds"):
        assert name not in document


def test_a_draft_example_of_a_published_pattern_is_no_part_of_it() -> None:
    pattern = models.ReplyPattern.objects.get(slug="over-quota")
    models.Example.objects.create(text="552 over quota, a draft", pattern=pattern, status=STATUS.DRAFT)
    models.Example.objects.create(text="552 over quota, published", pattern=pattern, status=STATUS.PUBLISHED)
    served = next(row for row in published().patterns if row.slug == "over-quota")
    assert "552 over quota, published" in served.examples
    assert "a draft" not in str(served.examples)


def test_a_pattern_that_speaks_for_drafts_alone_is_left_out() -> None:
    models.Cause.objects.filter(slug="ip-listed-spamhaus-xbl").update(status=STATUS.DRAFT)
    assert "listed-at" not in {row.slug for row in published().patterns}


def test_rows_that_contradict_each_other_are_not_published() -> None:
    models.ReplyPattern.objects.filter(slug="over-quota").update(pattern="under quota")
    models.RemedyStep.objects.filter(cause__slug="greylisting").delete()
    with pytest.raises(CannotPublish) as caught:
        publish(by=None, reason="test")
    assert [(problem.kind, problem.row) for problem in caught.value.problems] == [
        ("causes", "greylisting"),
        ("patterns", "over-quota"),
        ("patterns", "over-quota"),
    ]
    assert models.KnowledgeRevision.objects.count() == 1


def test_the_text_model_learns_what_was_published() -> None:
    cause = models.Cause.objects.get(slug="message-too-large")
    failure = DeliveryFailure(text="rejected: xylophone exceeded")
    before = next(h.probability for h in rank(knowledge(), failure).hypotheses if h.cause.slug == cause.slug)
    for text in ("552 xylophone exceeded", "552 the xylophone of this server"):
        models.Example.objects.create(text=text, cause=cause, status=STATUS.PUBLISHED)
    assert Example("552 xylophone exceeded", cause.slug) in published().examples
    ranking = rank(knowledge(), failure)
    assert ranking.top.cause.slug == cause.slug
    assert ranking.top.probability > 2 * before


def test_rows_that_change_while_the_model_is_fitted_are_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    def somebody_else_is_quicker(examples: object) -> TextModel:
        monkeypatch.setattr("knowledge.publishing.fit", fit)
        change(2)
        publish(by=None, reason="quicker")
        return fit(examples)

    monkeypatch.setattr("knowledge.publishing.fit", somebody_else_is_quicker)
    change(1)
    publish(by=None, reason="slower")
    newest = compiled(models.KnowledgeRevision.objects.first()).snapshot
    assert next(cause.summary for cause in newest.causes if cause.slug == "greylisting") == "Summary 2."
    assert not unpublished_changes()


def test_a_limited_number_of_revisions_is_kept() -> None:
    content = models.KnowledgeRevision.objects.get()
    for number in range(KEEP + 5):
        models.KnowledgeRevision.objects.create(reason=str(number), digest=str(number), content=content.content, weights=content.weights)
    change()
    newest = publish(by=None, reason="the last")
    kept = list(models.KnowledgeRevision.objects.values_list("reason", flat=True))
    assert len(kept) == KEEP
    assert kept[0] == newest.reason
    assert kept[1] == str(KEEP + 4)


def test_publishing_remembers_which_files_were_loaded() -> None:
    files = models.KnowledgeRevision.objects.get().shipped_files
    change()
    assert files
    assert publish(by=None, reason="test").shipped_files == files


def test_the_number_of_queries_does_not_grow_with_the_rows(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(20):
        to_snapshot()


def test_looking_again_at_once_asks_nothing_and_after_a_while_once(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = knowledge()
    with django_assert_num_queries(0):
        assert knowledge() is held
    monkeypatch.setattr("knowledge.current._SERVED_SECONDS", 0.0)
    with django_assert_num_queries(1):
        assert knowledge() is held


def test_without_a_revision_it_says_what_to_run() -> None:
    models.KnowledgeRevision.objects.all().delete()
    with pytest.raises(NoKnowledge, match="load_knowledge"):
        knowledge()


def test_what_was_dropped_is_no_longer_held(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge()
    models.KnowledgeRevision.objects.all().delete()
    monkeypatch.setattr("knowledge.current._SERVED_SECONDS", 0.0)
    with pytest.raises(NoKnowledge):
        knowledge()


def test_a_model_of_another_version_of_the_program_is_fitted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    revision = models.KnowledgeRevision.objects.get()
    reply = "550 5.2.2 mailbox full"
    before = compiled(revision).model.read(reply).log_probability
    monkeypatch.setattr("whybounce.words._FORMAT", 0)
    with pytest.raises(ValueError, match="another version"):
        TextModel.from_bytes(bytes(revision.weights))
    assert compiled(revision).model.read(reply).log_probability == pytest.approx(before, abs=0.5)


def test_a_revision_that_another_version_of_the_program_stored_is_no_hindrance_to_the_next() -> None:
    revision = models.KnowledgeRevision.objects.get()
    document = json.loads(zlib.decompress(bytes(revision.content)))
    document["causes"][0]["urgency"] = "high"
    revision.content = zlib.compress(json.dumps(document).encode())
    revision.save()
    models.Cause.objects.filter(slug="greylisting").update(summary="As we say it.")
    assert publish(by=None, reason="test").pk > revision.pk
