"""Knowledge as YAML: what is exported says the same when it is read; what is imported is looked at whole, and then done or not."""

from __future__ import annotations

from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from knowledge import models
from knowledge.current import forget, snapshot
from knowledge.exchange import carry_out, export_all, export_rows, plan_import, to_yaml
from knowledge.loading import SHIPPED, load
from knowledge.rows import to_snapshot
from tests.conftest import SMALL
from tests.knowledge.forms import read_form
from tests.knowledge.test_loading import everything
from whybounce.document import KINDS, to_document
from whybounce.yaml_knowledge import KnowledgeError, read_files, read_folder

pytestmark = pytest.mark.django_db
STATUS = models.Row.Status
LIST = "admin:knowledge_knowledgeimport_changelist"
EATEN = """\
causes:
  - slug: eaten
    title: The message was eaten
    category: remote_system
    who_acts: [nobody]
    frequency: rare
    summary: Mice ate it.
    steps:
      - {slug: cat, who: nobody, text: Get a cat.}
patterns:
  - slug: eaten
    pattern: 'eaten by mice'
    evidence: {eaten: strongly for, spf-fail: against}
    examples: ["550 eaten by mice"]
examples:
  - {text: "550 the mice had it", cause: eaten, provider: google}
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghij"))


def imported(text: str, *, publish: bool = False, why: str = "as told") -> None:
    carry_out(plan_import([("a.yaml", text.encode())], publish=publish), by=None, why=why)


def refused(text: str | bytes) -> tuple[str, ...]:
    before = everything()
    with pytest.raises(KnowledgeError) as caught:
        plan_import([("a.yaml", text if isinstance(text, bytes) else text.encode())], publish=True)
    assert everything() == before
    return caught.value.problems


def upload(browser: Client, *texts: str, publish: str = "", why: str = "from the other office") -> HttpResponse:
    files = [SimpleUploadedFile(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    return browser.post(reverse("admin:knowledge_knowledgeimport_add"), {"chosen": files, "publish": publish, "why": why})


def sorted_references(document: Any) -> Any:
    for cause in document["causes"]:
        cause["see_also"] = sorted(cause.get("see_also", ()))
    return document


def test_what_is_exported_says_the_same_when_it_is_read() -> None:
    text = to_yaml(export_all())
    rows = read_files([("all.yaml", text.encode())])
    assert rows.problems == ()
    assert to_document(rows.snapshot()) == to_document(to_snapshot())


def test_all_that_ships_says_the_same_after_export() -> None:
    ships = read_folder(SHIPPED)
    rows = read_files([("all.yaml", to_yaml(to_document(ships)).encode())])
    assert rows.problems == ()
    assert {kind: tuple(values) for kind, values in rows.by_kind.items()} == {kind: getattr(ships, kind) for kind in KINDS}


def test_the_same_rows_give_the_same_file_in_block_style() -> None:
    text = to_yaml(export_all())
    assert text == to_yaml(export_all())
    assert text.startswith("# Whybounce knowledge: 2 providers, 8 causes, 5 questions, ")
    assert "- slug: recipient-unknown\n  title: " in text
    assert "    wording: |-\n      Your server {remote_mta} said" in text


ODD = ["no", "1.0", " leading", "a: b", "tab\there", "trailing  \nline", "two\n\n  lines\n", "é 🍰 \u0085 x", "- x", "'\"", "\\d+\\.", "#1", "*a"]


@pytest.mark.parametrize("text", [*ODD, "2026-11-23"])
def test_any_text_comes_back(text: str) -> None:
    row = {"text": text.strip(), "cause": "spf-fail"}
    rows = read_files([("a.yaml", to_yaml({"examples": [row]}).encode())])
    assert [item.text for item in rows.by_kind["examples"]] == [text.strip()]


def test_drafts_are_exported_when_asked_for_and_withdrawn_rows_never() -> None:
    models.Provider.objects.filter(slug="google").update(status=STATUS.WITHDRAWN)
    models.Cause.objects.filter(slug="spf-fail").update(status=STATUS.DRAFT)
    assert "spf-fail" not in {row["slug"] for row in export_all()["causes"]}
    document = export_all(drafts=True)
    assert "spf-fail" in {row["slug"] for row in document["causes"]}
    assert "google" not in {row["slug"] for row in document["providers"]}


def test_of_a_pattern_that_serves_only_examples_that_serve_are_exported() -> None:
    pattern = models.ReplyPattern.objects.get(slug="over-quota")
    models.Example.objects.create(pattern=pattern, text="551 over quota, perhaps", status=STATUS.DRAFT)
    chosen = models.ReplyPattern.objects.filter(pk=pattern.pk)
    assert "551 over quota, perhaps" not in export_rows(models.ReplyPattern, chosen)["patterns"][0]["examples"]
    chosen.update(status=STATUS.DRAFT)
    assert "551 over quota, perhaps" in export_rows(models.ReplyPattern, chosen)["patterns"][0]["examples"]


def test_an_example_of_a_pattern_is_exported_with_its_pattern() -> None:
    document = export_rows(models.Example, models.Example.objects.filter(pattern__slug="over-quota"))
    assert document["examples"] == []
    assert [row["slug"] for row in document["patterns"]] == ["over-quota"]


class TestImport:
    def test_rows_come_in_as_drafts_or_published(self) -> None:
        imported(EATEN)
        assert models.Cause.objects.get(slug="eaten").status == STATUS.DRAFT
        assert "eaten" not in {cause.slug for cause in to_snapshot().causes}
        imported(EATEN, publish=True)
        assert "eaten" in {cause.slug for cause in to_snapshot().causes}
        assert [row.slug for row in to_snapshot().patterns if row.slug == "eaten"] == ["eaten"]

    def test_who_when_and_why_stand_in_the_history_of_each_row(self) -> None:
        cora = User.objects.create_user("cora")
        text = EATEN + "providers:\n  - {slug: google, name: Googol, kind: mailbox}\n"
        carry_out(plan_import([("a", text.encode())], publish=True), by=cora, why="as told")
        for model, name in ((models.Cause, "eaten"), (models.ReplyPattern, "eaten")):
            entry = model.objects.get(slug=name).history.get()
            assert (entry.history_user, entry.history_change_reason, entry.history_type) == (cora, "as told", "+")
            assert entry.document["slug"] == name
        assert models.Example.objects.get(text="550 the mice had it").history.get().document["cause"] == "eaten"
        new, old = models.Provider.objects.get(slug="google").history.all()[:2]
        assert (new.history_user, new.history_change_reason, new.document["name"]) == (cora, "as told", "Googol")
        assert (old.history_user, old.document["name"]) == (None, "Gmail and Google Workspace")

    def test_the_plan_says_what_is_new_what_changes_and_what_is_the_same(self) -> None:
        imported(EATEN, publish=True)
        text = EATEN.replace("Get a cat", "Get two cats").replace("550 the mice had it", "550 mice had it")
        plan = plan_import([("a", text.encode())], publish=True)
        assert [(row.kind, row.name) for row in plan.new] == [("examples", "550 mice had it")]
        assert [(row.kind, row.name) for row in plan.changed] == [("causes", "eaten")]
        assert [(change.where, change.old, change.new) for change in plan.changed[0].differences] == [
            ("steps › cat › text", "Get a cat.", "Get two cats.")
        ]
        assert plan.same == 1

    def test_what_is_exported_changes_nothing_when_it_is_imported(self) -> None:
        before = everything()
        for publish in (False, True):
            plan = plan_import([("a", to_yaml(export_all()).encode())], publish=publish)
            assert (plan.rows, plan.taken_out) == ((), 0)
        assert everything() == before

    def test_a_row_that_serves_and_would_become_a_draft_is_named(self) -> None:
        imported(EATEN, publish=True)
        assert plan_import([("a", EATEN.replace("Get a cat", "Get two").encode())], publish=False).taken_out == 1

    def test_an_imported_row_that_was_shipped_counts_as_changed_by_a_curator(self) -> None:
        imported("providers:\n  - {slug: google, name: Googol, kind: mailbox}\n", publish=True)
        assert load(SMALL, only_report=True).changed == ()
        assert models.Provider.objects.get(slug="google").name == "Googol"

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("spf-fail: against", "nowhere: against", "a.yaml:11: eaten: its evidence names the cause 'nowhere'"),
            ("provider: google", "provider: gogle", "a.yaml:16: 550 the mice had it: "),
            ("examples:\n", "  - {slug: eaten, pattern: mice, evidence: {eaten: for}}\nexamples:\n", "the slug 'eaten' is used 2 times"),
            ("who_acts: [nobody]", "who_acts: [somebody]", "a.yaml:2: who_acts: 'somebody' is none of"),
            ("title: The message was eaten", "title: 5", "a.yaml:2: title: 5 is no text; put it in quotes (in “eaten”)"),
            ("    title:", "\ttitle:", "a.yaml:3: "),
            ("'eaten by mice'", "'eaten by (mice'", "a.yaml:11: eaten: the pattern does not compile"),
            ("550 eaten by mice", "550 eaten by rats", "a.yaml:11: eaten: it does not match its own example"),
        ],
    )
    def test_a_mistake_is_named_with_file_line_and_row_and_nothing_changes(self, old: str, new: str, said: str) -> None:
        assert EATEN.count(old) == 1
        problems = refused(EATEN.replace(old, new))
        assert any(said in problem for problem in problems), problems

    def test_what_no_file_should_be_is_refused(self) -> None:
        assert refused(BOMB) == ("a.yaml:2: aliases (*name) are not allowed; write the part out",)
        assert refused(b"causes: [" + b"x, " * 17_000_000) == ("a.yaml: the file is longer than 20 MB; split it",)
        assert refused("[" * 100_000)[0].startswith("a.yaml:1: more than 20 lists")
        assert refused(b"\xff\xfe")[0].startswith("a.yaml: ")
        assert refused("") == ("There is no row in it.",)

    def test_a_mistake_that_was_there_before_is_no_hindrance(self) -> None:
        models.ReplyPattern.objects.filter(slug="over-quota").update(pattern="under quota")
        imported(EATEN, publish=True)
        assert models.Cause.objects.filter(slug="eaten").exists()

    def test_an_import_that_fails_midway_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = everything()
        monkeypatch.setattr("knowledge.rows.Writer.flush", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imported(EATEN)
        assert everything() == before


class TestCommands:
    def test_export_and_import(self, tmp_path: Path) -> None:
        out = StringIO()
        call_command("export_knowledge", tmp_path / "all.yaml", stdout=out)
        assert out.getvalue().startswith("Whybounce knowledge: 2 providers")
        call_command("export_knowledge", "--kind", "providers", stdout=out)
        assert "\ncauses:" not in out.getvalue()
        (tmp_path / "b.yaml").write_text(EATEN)
        call_command("import_knowledge", tmp_path / "b.yaml", "--check", stdout=out)
        assert not models.Cause.objects.filter(slug="eaten").exists()
        call_command("import_knowledge", tmp_path / "all.yaml", tmp_path / "b.yaml", "--publish", stdout=out)
        assert "3 rows new: 1 causes, 1 patterns, 1 examples" in out.getvalue()
        forget()
        assert "eaten" in {cause.slug for cause in snapshot().causes}
        assert models.Cause.objects.get(slug="eaten").history.get().history_change_reason == "Imported from all.yaml, b.yaml"

    def test_a_mistake_ends_the_command(self, tmp_path: Path) -> None:
        (tmp_path / "b.yaml").write_text(EATEN.replace("spf-fail", "nowhere"))
        with pytest.raises(CommandError, match="nothing was changed") as caught:
            call_command("import_knowledge", tmp_path / "b.yaml")
        assert caught.value.returncode == 2
        with pytest.raises(CommandError, match="No such file"):
            call_command("import_knowledge", tmp_path / "c.yaml")
        with pytest.raises(CommandError, match="No such file"):
            call_command("export_knowledge", tmp_path / "c" / "d.yaml")


class TestDesk:
    def test_all_and_chosen_rows_are_had_as_a_file(self, curator: Client) -> None:
        response = curator.get(reverse("admin:export-knowledge"))
        assert response["Content-Disposition"] == 'attachment; filename="knowledge.yaml"'
        assert response.content.decode() == to_yaml(export_all())
        chosen = list(models.Cause.objects.filter(slug__in=["spf-fail", "greylisting"]).values_list("pk", flat=True))
        response = curator.post(reverse("admin:knowledge_cause_changelist"), {"action": "export_rows", "_selected_action": chosen})
        assert response.content.decode().startswith("# Whybounce knowledge: 2 causes\n")

    def test_files_are_looked_at_and_then_carried_out(self, curator: Client) -> None:
        response = upload(curator, EATEN, "providers:\n  - {slug: google, name: Googol, kind: mailbox}\n", publish="yes")
        assert response.status_code == 302
        assert not models.Cause.objects.filter(slug="eaten").exists()
        page = curator.get(response["Location"])
        text = page.content.decode()
        assert "3 new, 1 changed, 0 as they are." in text
        assert "<ins>Googol</ins>" in text
        done = curator.post(response["Location"], read_form(page))
        assert done["Location"] == reverse(LIST)
        assert models.Cause.objects.get(slug="eaten").status == STATUS.PUBLISHED
        assert models.Cause.objects.get(slug="eaten").history.get().history_user.username == "cora"
        assert "3 new, 1 changed" in curator.get(reverse(LIST)).content.decode()
        again = curator.post(response["Location"], read_form(page))
        assert (again.status_code, models.Cause.objects.get(slug="eaten").history.count()) == (200, 1)

    def test_rows_that_changed_meanwhile_are_shown_again(self, curator: Client) -> None:
        address = upload(curator, "providers:\n  - {slug: google, name: Googol, kind: mailbox}\n")["Location"]
        fields = read_form(curator.get(address))
        models.Provider.objects.filter(slug="google").update(note="Changed meanwhile.")
        text = curator.post(address, fields).content.decode()
        assert "Rows have changed since you looked" in text
        assert "Changed" in text
        assert models.Provider.objects.get(slug="google").name != "Googol"

    def test_a_mistake_is_shown_and_nothing_is_kept(self, curator: Client) -> None:
        text = upload(curator, EATEN.replace("spf-fail", "nowhere")).content.decode()
        assert "0.yaml:11: eaten: its evidence names the cause &#x27;nowhere&#x27;" in text
        assert not models.KnowledgeImport.objects.exists()
        assert "This field is required" in upload(curator).content.decode()
        assert "longer than 20 MB" in upload(curator, "x" * 20_000_001).content.decode()

    def test_who_may_not_change_rows_by_hand_may_not_by_files(self) -> None:
        user = User.objects.create_user("pia", is_staff=True)
        user.user_permissions.add(*Permission.objects.filter(content_type__model="knowledgeimport"))
        browser = Client()
        browser.force_login(user)
        address = upload(browser, EATEN)["Location"]
        assert browser.post(address, read_form(browser.get(address))).status_code == 403
        assert not models.Cause.objects.filter(slug="eaten").exists()
        assert browser.get(reverse("admin:export-knowledge")).status_code == 403

    def test_staff_without_rights_comes_nowhere(self, clerk: Client) -> None:
        assert clerk.get(reverse(LIST)).status_code == 403
        assert clerk.get(reverse("admin:knowledge_knowledgeimport_add")).status_code == 403
        assert clerk.get(reverse("admin:export-knowledge")).status_code == 403
