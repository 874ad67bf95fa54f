"""An upgrade of the shipped knowledge over what curators did: what they changed is kept and named, the rest follows."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from knowledge import models
from knowledge.current import forget, snapshot
from knowledge.loading import LoadReport, Row, load
from knowledge.publishing import CannotPublish, publish
from tests.knowledge.conftest import Files

pytestmark = pytest.mark.django_db
STATUS = models.Row.Status
OLD, NEW = "There is no room left for another message.", "The mailbox is full."
FULL = Row("causes", "recipient-mailbox-full")


def cause(slug: str = "recipient-mailbox-full") -> models.Cause:
    return models.Cause.objects.get(slug=slug)


def edit(slug: str = "recipient-mailbox-full", **values: object) -> models.Cause:
    row = cause(slug)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


def upgraded(files: Files) -> LoadReport:
    """Loads the changed files; afterwards nothing is left to do."""
    report = load(files.folder)
    again = load(files.folder, only_report=True)
    assert (again.new, again.changed, again.gone) == ((), (), ())
    assert again.kept == report.kept
    forget()
    return report


def served(kind: str = "causes") -> set[str]:
    return {getattr(row, "slug", "") or getattr(row, "code", "") or row.text for row in getattr(snapshot(), kind)}


def test_what_nobody_touched_is_replaced(files: Files) -> None:
    files.change("causes", OLD, NEW)
    report = upgraded(files)
    assert (report.changed, report.kept, report.new, report.gone) == ((FULL,), (), (), ())
    assert cause().summary == NEW
    assert next(row for row in snapshot().causes if row.slug == FULL.name).summary == NEW


def test_a_row_with_a_see_also_in_any_order_is_not_taken_for_a_curators(files: Files) -> None:
    files.change("causes", "The receiving server has no mailbox of that name.", "There is no such mailbox.")
    assert upgraded(files).changed == (Row("causes", "recipient-unknown"),)


def test_what_a_curator_changed_stays_though_the_files_changed_elsewhere(files: Files) -> None:
    edit(summary="As we say it.")
    files.change("causes", "Nothing has failed yet.", "Only late.")
    report = upgraded(files)
    assert report.changed == (Row("causes", "delay-notice-only"),)
    assert report.kept == ()
    assert cause().summary == "As we say it."


def test_what_both_changed_stays_the_curators_and_is_named(files: Files) -> None:
    edit(summary="As we say it.")
    files.change("causes", OLD, NEW)
    assert upgraded(files).kept == (FULL,)
    assert cause().summary == "As we say it."


def test_what_both_changed_to_the_same_is_the_files_again(files: Files) -> None:
    edit(summary=NEW)
    files.change("causes", OLD, NEW)
    assert upgraded(files).kept == ()
    files.change("causes", NEW, "Full.")
    assert upgraded(files).changed == (FULL,)


@pytest.mark.parametrize(
    ("touch", "row", "file", "old", "new"),
    [
        (
            lambda: models.RemedyStep.objects.filter(slug="free-space").update(text="Empty the bin."),
            FULL,
            "causes",
            OLD,
            NEW,
        ),
        (
            lambda: models.Evidence.objects.filter(answer__slug="large").update(strength="for"),
            Row("questions", "attachment"),
            "questions",
            "Was something attached?",
            "Is there an attachment?",
        ),
        (
            lambda: models.Answer.objects.filter(slug="large").update(others="against"),
            Row("questions", "attachment"),
            "questions",
            "Was something attached?",
            "Is there an attachment?",
        ),
        (lambda: models.Myth.objects.all().delete(), Row("codes", "550"), "codes", "Mailbox unavailable", "Refused"),
        (
            lambda: models.Example.objects.filter(pattern__slug="over-quota").first().delete(),
            Row("patterns", "over-quota"),
            "patterns",
            "recipient-unknown: against",
            "recipient-unknown: slightly against",
        ),
        (
            lambda: models.Example.objects.filter(pattern__slug="over-quota", position=0).update(status=STATUS.DRAFT),
            Row("patterns", "over-quota"),
            "patterns",
            "recipient-unknown: against",
            "recipient-unknown: slightly against",
        ),
    ],
    ids=["step", "evidence", "others", "myth", "example", "draft example"],
)
def test_a_change_of_what_belongs_to_a_row_counts(files: Files, touch: object, row: Row, file: str, old: str, new: str) -> None:
    touch()
    files.change(file, old, new)
    assert upgraded(files).kept == (row,)


@pytest.mark.parametrize("status", [STATUS.WITHDRAWN, STATUS.DRAFT])
def test_what_a_curator_took_out_of_service_does_not_come_back(files: Files, status: str) -> None:
    edit(status=status)
    files.change("causes", OLD, NEW)
    assert upgraded(files).kept == (FULL,)
    assert cause().status == status
    assert FULL.name not in served()


def test_what_is_shipped_no_longer_is_withdrawn_and_kept_in_the_database(files: Files) -> None:
    text = '  - {text: "550 no such user here", cause: recipient-unknown}\n'
    files.change("examples", text, "")
    report = upgraded(files)
    assert report.gone == (Row("examples", "550 no such user here"),)
    assert models.Example.objects.get(text="550 no such user here").status == STATUS.WITHDRAWN
    assert "550 no such user here" not in served("examples")

    files.add("examples", text)
    assert upgraded(files).new == report.gone
    assert "550 no such user here" in served("examples")
    assert models.Example.objects.filter(text="550 no such user here").count() == 1


def test_what_is_shipped_no_longer_stays_where_a_curator_changed_it(files: Files) -> None:
    example = models.Example.objects.get(text="550 no such user here")
    example.provider = models.Provider.objects.get(slug="postfix")
    example.save()
    files.change("examples", '  - {text: "550 no such user here", cause: recipient-unknown}\n', "")
    assert upgraded(files).gone == ()
    assert "550 no such user here" in served("examples")


def test_a_curators_own_rows_stay(files: Files) -> None:
    mine = models.Cause.objects.create(
        slug="office-flooded", title="Flood", category="remote_system", who_acts=["nobody"], summary="Water.", status=STATUS.PUBLISHED
    )
    models.RemedyStep.objects.create(cause=mine, slug="wait", who="nobody", text="Wait.")
    publish(by=None, reason="a flood")
    files.change("causes", OLD, NEW)
    report = upgraded(files)
    assert (report.gone, report.kept) == ((), ())
    assert "office-flooded" in served()


def test_a_curators_own_row_is_not_overwritten_by_a_shipped_one_of_its_name(files: Files) -> None:
    models.Provider.objects.create(slug="acme", name="ACME, as we know it", kind="mailbox", status=STATUS.PUBLISHED)
    files.add("providers", "  - {slug: acme, name: ACME, kind: gateway}\n")
    assert upgraded(files).kept == (Row("providers", "acme"),)
    assert models.Provider.objects.get(slug="acme").name == "ACME, as we know it"


def test_evidence_for_a_cause_that_is_shipped_no_longer_is_left_out(files: Files) -> None:
    models.Evidence.objects.filter(answer__slug="large").update(strength="proves")
    files.change("questions", "message-too-large: strongly for", "greylisting: for")
    files.change("questions", "evidence: {message-too-large: rules out}", "evidence: {greylisting: against}")
    files.change("questions", "evidence: {message-too-large: for}", "evidence: {}")
    files.change("codes", ", message-too-large: for}", "}")
    files.change("examples", '  - {text: "552 5.3.4 message size exceeds fixed limit", cause: message-too-large}\n', "")
    text = (files.folder / "causes.yaml").read_text()
    start, end = text.index("  - slug: message-too-large"), text.index("  - slug: null-mx-recipient")
    (files.folder / "causes.yaml").write_text(text[:start] + text[end:])
    report = upgraded(files)
    assert Row("causes", "message-too-large") in report.gone
    assert report.kept == (Row("questions", "attachment"),)
    assert "message-too-large" not in served()
    assert "attachment" in served("questions")


def test_an_upgrade_that_contradicts_a_curators_row_changes_nothing(files: Files) -> None:
    models.Evidence.objects.filter(pattern__slug="google-no-such-user").delete()
    files.change("causes", OLD, NEW)
    with pytest.raises(CannotPublish, match="google-no-such-user: "):
        load(files.folder)
    assert cause().summary == OLD


def test_rows_that_changed_have_their_history(files: Files) -> None:
    files.change("causes", OLD, NEW)
    upgraded(files)
    assert [row.summary for row in cause().history.all()[:2]] == [NEW, OLD]


class TestConflicts:
    """What an upgrade wanted of a row that a curator had changed stands side by side, until it is decided or the rows agree."""

    @pytest.fixture(autouse=True)
    def disputed(self, files: Files) -> None:
        edit(summary="As we say it.")
        files.change("causes", OLD, NEW)
        upgraded(files)

    def conflict(self) -> models.UpgradeConflict:
        return models.UpgradeConflict.objects.get()

    def page(self) -> str:
        return reverse("admin:knowledge_upgradeconflict_change", args=[self.conflict().pk])

    def test_it_is_kept_with_both_rows(self) -> None:
        conflict = self.conflict()
        assert (conflict.kind, conflict.name, conflict.state) == ("causes", FULL.name, "open")
        assert (conflict.shipped["summary"], conflict.ours["summary"]) == (NEW, "As we say it.")

    def test_only_a_report_keeps_nothing(self, files: Files) -> None:
        models.UpgradeConflict.objects.all().delete()
        load(files.folder, only_report=True)
        assert not models.UpgradeConflict.objects.exists()

    def test_it_is_listed_and_shown_field_by_field(self, curator: Client) -> None:
        assert FULL.name in curator.get(reverse("admin:knowledge_upgradeconflict_changelist")).content.decode()
        text = curator.get(self.page()).content.decode()
        assert "<del>As we say it.</del>" in text
        assert f"<ins>{NEW}</ins>" in text

    def test_ours_is_kept_and_asked_about_again_only_for_another_shipped_row(self, curator: Client, files: Files) -> None:
        curator.post(self.page(), {"_keep": "x"})
        conflict = self.conflict()
        assert (conflict.state, conflict.decided_by.username, cause().summary) == ("kept", "cora", "As we say it.")
        files.change("causes", "Nothing has failed yet.", "Only late.")
        assert load(files.folder).kept == ()
        assert self.conflict().state == "kept"
        files.change("causes", NEW, "Full up.")
        assert load(files.folder).kept == (FULL,)
        conflict = self.conflict()
        assert (conflict.state, conflict.shipped["summary"], conflict.decided_by) == ("open", "Full up.", None)

    def test_the_shipped_one_is_taken_and_ours_stays_in_the_history(self, curator: Client, files: Files) -> None:
        curator.post(self.page(), {"_take": "x"})
        assert (self.conflict().state, cause().summary) == ("taken", NEW)
        new, old = cause().history.all()[:2]
        assert (new.history_user.username, new.history_change_reason) == ("cora", "The shipped row was taken")
        assert old.document["summary"] == "As we say it."
        assert [row.slug for row in cause().steps.all()] == ["free-space"]
        files.change("causes", NEW, "Full up.")
        assert load(files.folder).changed == (FULL,)

    def test_several_are_decided_at_once(self, curator: Client) -> None:
        chosen = {"action": "take", "_selected_action": [self.conflict().pk]}
        curator.post(reverse("admin:knowledge_upgradeconflict_changelist"), chosen)
        assert cause().summary == NEW

    def test_it_is_gone_when_the_rows_agree_again(self, curator: Client, files: Files) -> None:
        edit(summary=NEW)
        assert FULL.name not in curator.get(reverse("admin:knowledge_upgradeconflict_changelist")).content.decode()
        assert not models.UpgradeConflict.objects.exists()
        files.change("causes", NEW, "Full up.")
        assert load(files.folder).changed == (FULL,)

    def test_it_is_gone_when_the_next_upgrade_ships_the_old_row_again(self, files: Files) -> None:
        files.change("causes", NEW, OLD)
        load(files.folder)
        assert not models.UpgradeConflict.objects.exists()

    def test_a_decision_cannot_be_made_twice(self, curator: Client) -> None:
        curator.post(self.page(), {"_keep": "x"})
        assert curator.post(self.page(), {"_take": "x"}).status_code == 200
        assert cause().summary == "As we say it."

    def test_a_shipped_row_that_names_what_is_gone_is_not_taken(self, curator: Client) -> None:
        models.UpgradeConflict.objects.all().delete()
        question = Row("questions", "attachment")
        document = {"slug": "attachment", "text": "?", "why": "x", "asked_of": "person", "answers": [{"slug": "a", "text": "A", "base_rate": "rare"}]}
        document["answers"][0]["evidence"] = {"nowhere": "for"}
        models.UpgradeConflict.objects.create(
            key="x", kind=question.kind, name=question.name, shipped=document, ours={}, wants="x", created_at=timezone.now()
        )
        text = curator.post(self.page(), {"_take": "x"}, follow=True).content.decode()
        assert "names “nowhere”, which is not here" in text
        assert models.Question.objects.get(slug="attachment").answers.count() > 1
        assert self.conflict().state == "open"

    def test_staff_without_rights_decides_nothing(self, clerk: Client) -> None:
        assert clerk.get(self.page()).status_code == 403
        assert clerk.post(self.page(), {"_take": "x"}).status_code == 403
        assert cause().summary == "As we say it."

    def test_many_are_listed_with_as_few_questions_to_the_database_as_one(self, curator: Client) -> None:
        path = reverse("admin:knowledge_upgradeconflict_changelist")
        slugs = list(models.ReplyPattern.objects.values_list("slug", flat=True))
        asked = []
        for some in (slugs[:1], slugs[1:]):
            fields = {"kind": "patterns", "shipped": {}, "ours": {}, "wants": "x", "created_at": timezone.now()}
            models.UpgradeConflict.objects.bulk_create(models.UpgradeConflict(key=slug, name=slug, **fields) for slug in some)
            with CaptureQueriesContext(connection) as queries:
                curator.get(path)
            asked.append(len(queries))
        assert models.UpgradeConflict.objects.count() == 1 + len(slugs) > 3
        assert asked[0] == asked[1]

    def test_staff_without_rights_settles_nothing_by_looking(self, clerk: Client) -> None:
        edit(summary=NEW)
        assert clerk.get(reverse("admin:knowledge_upgradeconflict_changelist")).status_code == 403
        assert models.UpgradeConflict.objects.exists()

    def test_who_may_only_look_decides_nothing(self, clerk: Client) -> None:
        rights = Permission.objects.filter(codename__in=["view_upgradeconflict", "change_cause"])
        User.objects.get(username="cleo").user_permissions.set(rights)
        assert clerk.get(self.page()).status_code == 200
        assert clerk.post(self.page(), {"_take": "x"}).status_code == 403
        assert cause().summary == "As we say it."
