"""Loading knowledge files: what is new comes in, what is there stays, a mistake changes nothing."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from knowledge import models
from knowledge.current import snapshot
from knowledge.loading import Row, load
from knowledge.rows import VALUES, querysets, to_snapshot
from tests.conftest import SMALL
from tests.knowledge.conftest import Files
from whybounce.document import to_document
from whybounce.yaml_knowledge import KnowledgeError, read_folder

pytestmark = pytest.mark.django_db
NOW = models.Row.Status


def everything() -> dict[str, list[object]]:
    """All rows of all tables, as they are."""
    kinds = [
        *querysets().values(),
        models.RemedyStep.objects.all(),
        models.Answer.objects.all(),
        models.Evidence.objects.all(),
        models.Myth.objects.all(),
    ]
    return {queryset.model.__name__: list(queryset.order_by("pk").values()) for queryset in [*kinds, models.KnowledgeRevision.objects.all()]}


def empty() -> None:
    naming = (models.KnowledgeRevision, models.Blocklist, models.Article, models.ExampleCase, models.FindingNote, models.Letter)
    for model in (*naming, models.Example, models.ReplyPattern, models.StatusCode, models.Question, models.Cause, models.Provider):
        model.objects.all().delete()


def test_the_rows_say_what_the_files_say() -> None:
    wanted, rows = to_document(read_folder(SMALL)), to_document(to_snapshot())
    for document in (wanted, rows):
        document["codes"].sort(key=lambda code: (code["code"], code.get("provider", "")))
        for cause in document["causes"]:
            cause["see_also"] = sorted(cause.get("see_also", ()))
    assert rows == wanted


def test_what_was_loaded_serves() -> None:
    assert [cause.slug for cause in snapshot().causes] == [cause.slug for cause in read_folder(SMALL).causes]
    assert snapshot().revision == models.KnowledgeRevision.objects.get().pk


def test_an_empty_database_is_filled() -> None:
    empty()
    report = load(SMALL)
    assert {kind: count for kind, count in report.counts["new"].items()} == {
        "providers": 2,
        "causes": 8,
        "questions": 5,
        "patterns": 3,
        "codes": 10,
        "examples": 12,
        "blocklists": 2,
        "articles": 1,
        "cases": 2,
        "findings": 2,
        "letters": 2,
    }
    assert (report.changed, report.kept, report.gone, report.same, report.unchanged) == ((), (), (), 0, False)
    assert models.KnowledgeRevision.objects.get().pk == report.revision


def test_the_same_files_again_are_seen_at_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        report = load(SMALL)
    assert report.unchanged
    assert report.revision == models.KnowledgeRevision.objects.get().pk


def test_the_same_rows_in_other_files_change_nothing(files: Files) -> None:
    before = everything()
    (files.folder / "causes.yaml").rename(files.folder / "why.yaml")
    report = load(files.folder)
    assert (report.same, report.new, report.changed, report.kept, report.gone) == (49, (), (), (), ())
    after = everything()
    before["KnowledgeRevision"][0]["shipped_files"] = after["KnowledgeRevision"][0]["shipped_files"]
    assert after == before
    assert load(files.folder).unchanged


def test_every_row_is_known_as_shipped_right_after_loading() -> None:
    """Otherwise it would count as changed by a curator, and no upgrade would reach it."""
    from knowledge.upgrades import digest_of

    for kind, queryset in querysets().items():
        for row in queryset:
            assert digest_of(VALUES[kind](row)) == row.shipped_digest, row


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "causes",
            "see_also: [recipient-unknown]",
            "see_also: [nowhere]",
            "causes.yaml:33: recipient-mailbox-full: see_also names the cause 'nowhere'",
        ),
        ("causes", "slug: greylisting", "slug: spf-fail", "the slug 'spf-fail' is used 2 times"),
        ("causes", "permanent: true\n    summary: The sender's", "permanent: maybe\n    summary: The sender's", "causes.yaml:"),
        ("codes", "commands: [RCPT, MAIL]", "command: RCPT", "codes.yaml:2: StatusCode has no field 'command'"),
        ("codes", "title: Mailbox unavailable", "title: a\n    title: b", "codes.yaml:4: the key 'title' is given twice"),
        ("patterns", "proves}", "shows}", "patterns.yaml:2: evidence: 'shows' is none of"),
        ("patterns", "over (his |its )?quota", "over (his |its quota", "patterns.yaml:12: over-quota: the pattern does not compile: missing )"),
        ("patterns", "over (his |its )?quota", "(over quota)?", "patterns.yaml:12: over-quota: the pattern matches the empty text"),
        ("patterns", "over (his |its )?quota", "under quota", "patterns.yaml:12: over-quota: it does not match its own example"),
        (
            "questions",
            "{slug: cname, text: An alias, base_rate: rare}",
            "{slug: alias, text: An alias}",
            "questions.yaml:18: mx-of-recipient: the check can answer 'cname'",
        ),
        (
            "questions",
            "base_rate: usual, evidence: {message-too-large: rules out}",
            "others: rules out",
            "the answer 'nothing' rules out every cause",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_is_changed(files: Files, name: str, old: str, new: str, message: str) -> None:
    files.change(name, old, new)
    files.change("examples", "no such user here", "no such user there")
    before = everything()
    with pytest.raises(KnowledgeError) as caught:
        load(files.folder)
    assert any(message in problem for problem in caught.value.problems), caught.value.problems
    with pytest.raises(CommandError, match="nothing was changed") as refused:
        call_command("load_knowledge", folder=files.folder)
    assert refused.value.returncode == 2
    assert everything() == before


def test_check_only_reports(files: Files) -> None:
    files.change("causes", "There is no room left for another message.", "No room.")
    files.change("examples", "no such user here", "no such user there")
    before = everything()
    report = load(files.folder, only_report=True)
    assert report.changed == (Row("causes", "recipient-mailbox-full"),)
    assert report.new == (Row("examples", "550 no such user there"),)
    assert report.gone == (Row("examples", "550 no such user here"),)
    assert everything() == before


def test_a_load_that_fails_midway_leaves_the_old_knowledge(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.change("causes", "There is no room left for another message.", "No room.")
    files.change("providers", "Gmail and Google Workspace", "Google")
    before, serving = everything(), snapshot()
    monkeypatch.setattr("knowledge.rows.Writer.flush", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(files.folder)
    assert everything() == before
    assert snapshot() is serving
    monkeypatch.undo()
    assert len(load(files.folder).changed) == 2


def test_a_load_interrupted_before_it_published_is_ended_by_the_next(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.change("causes", "There is no room left for another message.", "No room.")
    revision = snapshot().revision
    monkeypatch.setattr("knowledge.publishing.fit", lambda pairs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(files.folder)
    assert models.KnowledgeRevision.objects.get().pk == revision
    monkeypatch.undo()
    report = load(files.folder)
    assert report.revision > revision
    assert next(cause for cause in snapshot_now().causes if cause.slug == "recipient-mailbox-full").summary == "No room."


def snapshot_now() -> object:
    from knowledge.current import forget

    forget()
    return snapshot()
