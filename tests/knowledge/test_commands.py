"""`load_knowledge` and `prepare`: what they say and make, with what exit status."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError, call_command

from knowledge import loading, models
from knowledge.management.commands import load_knowledge
from tests.conftest import SMALL
from tests.knowledge.conftest import Files

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_loading_again_says_so() -> None:
    revision = models.KnowledgeRevision.objects.get().pk
    assert run("load_knowledge", "--from", str(SMALL)) == f"The shipped knowledge is loaded already.\nRevision {revision} serves.\n"


def test_it_says_what_changed_and_what_was_kept(files: Files) -> None:
    row = models.Cause.objects.get(slug="greylisting")
    row.summary = "As we say it."
    row.save()
    files.change("causes", "An unknown sender is put off once.", "Put off.")
    files.change("causes", "Nothing has failed yet.", "Only late.")
    files.change("examples", "no such user here", "no such user there")
    said = run("load_knowledge", "--from", str(files.folder)).splitlines()
    assert said[:5] == [
        "1 rows new: 1 examples",
        "1 rows changed: 1 causes",
        "1 rows changed by a curator and here: the curator's stay: 1 causes",
        "1 rows no longer shipped: withdrawn: 1 examples",
        "  kept: causes greylisting",
    ]
    assert said[-1] == f"Revision {models.KnowledgeRevision.objects.first().pk} serves."


def test_check_says_the_same_and_changes_nothing(files: Files) -> None:
    files.change("causes", "Nothing has failed yet.", "Only late.")
    said = run("load_knowledge", "--check", "--from", str(files.folder))
    assert "1 rows changed: 1 causes" in said
    assert "serves" not in said
    assert models.Cause.objects.get(slug="delay-notice-only").summary == "Nothing has failed yet."


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no folder") as caught:
        run("load_knowledge", "--from", str(tmp_path / "nowhere"))
    assert caught.value.returncode == 2


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "causes: []\n"])
def test_a_folder_without_any_row_withdraws_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "causes.yaml").write_text(text)
    with pytest.raises(CommandError, match="no knowledge in it") as caught:
        run("load_knowledge", "--from", str(tmp_path))
    assert caught.value.returncode == 2
    assert models.KnowledgeRevision.objects.count() == 1
    assert not models.Cause.objects.filter(status=models.Row.Status.WITHDRAWN).exists()


def test_rows_that_contradict_the_files_are_named_and_nothing_is_changed(files: Files) -> None:
    models.ReplyPattern.objects.filter(slug="over-quota").update(pattern="under quota")
    files.change("causes", "Nothing has failed yet.", "Only late.")
    with pytest.raises(CommandError, match="over-quota: it does not match its own example") as caught:
        run("load_knowledge", "--from", str(files.folder))
    assert caught.value.returncode == 2
    assert models.Cause.objects.get(slug="delay-notice-only").summary == "Nothing has failed yet."


def test_without_a_folder_it_is_the_shipped_knowledge() -> None:
    assert Path(__file__).resolve().parents[2] / "knowledge" / "data" == loading.SHIPPED
    assert load_knowledge.SHIPPED is loading.SHIPPED


def test_an_unknown_option_is_wrong_usage() -> None:
    done = subprocess.run([sys.executable, "manage.py", "load_knowledge", "--nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage:" in done.stderr


@pytest.fixture
def small_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """`prepare` loads the small knowledge in the place of the shipped one."""
    real = load_knowledge.load
    monkeypatch.setattr(load_knowledge, "load", lambda folder, **options: real(SMALL, **options))


@pytest.mark.usefixtures("small_is_shipped")
def test_prepare_makes_an_administrator_whose_password_it_shows_once() -> None:
    said = run("prepare")
    password = said.split("password", 1)[1].split()[0]
    user = authenticate(username="admin", password=password)
    assert user is not None
    assert user.is_superuser
    assert len(password) >= 16


@pytest.mark.usefixtures("small_is_shipped")
def test_prepare_again_makes_nothing() -> None:
    run("prepare")
    before = (list(get_user_model().objects.values()), models.KnowledgeRevision.objects.count())
    said = run("prepare")
    assert "Administrator" not in said
    assert "Preparing" not in said
    assert (list(get_user_model().objects.values()), models.KnowledgeRevision.objects.count()) == before


@pytest.mark.usefixtures("small_is_shipped")
def test_prepare_leaves_an_administrator_of_another_name_alone() -> None:
    get_user_model().objects.create_superuser("ada", password="a long password")
    assert "Administrator" not in run("prepare")
    assert get_user_model().objects.filter(is_superuser=True).count() == 1
