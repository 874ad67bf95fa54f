"""`explain`: what a script gets for files, for standard input and for each line of a file, with what exit status."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from knowledge import models
from tests.engine.test_answer import FAILURE_KEYS

pytestmark = pytest.mark.django_db
REPLY = "550-5.1.1 The email account that you tried to reach does not exist. gsmtp"
BOUNCES = Path(__file__).parents[1] / "data" / "bounces"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("explain", *arguments, stdout=out)
    return out.getvalue()


def objects(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


@pytest.fixture
def reply(tmp_path: Path) -> str:
    path = tmp_path / "reply.txt"
    path.write_text(REPLY)
    return str(path)


def test_a_file_is_one_paste_and_gives_one_object_with_the_contracts_keys(reply: str) -> None:
    (answer,) = objects(reply)
    assert list(answer) == ["file", "format", "failures", "notes", "error"]
    assert (answer["file"], answer["error"]) == (reply, None)
    (failure,) = answer["failures"]
    assert list(failure) == FAILURE_KEYS
    assert list(failure["verdict"]) == ["permanent", "who_acts", "certainty"]
    assert (failure["code"], failure["enhanced"], failure["provider"]) == ("550", "5.1.1", "google")
    assert failure["verdict"] == {"permanent": True, "who_acts": ["sender", "recipient-admin"], "certainty": "proved"}
    assert failure["causes"][0]["cause"] == "recipient-unknown"
    assert list(failure["causes"][0]) == ["cause", "title", "category", "probability", "because"]


def test_a_bounce_is_read_with_its_recipient() -> None:
    (answer,) = objects(str(BOUNCES / "postfix-dsn.eml"))
    assert answer["failures"]
    assert all(failure["recipient"] for failure in answer["failures"])


@pytest.mark.parametrize("name", ["vacation.eml", "ordinary.eml", "read-receipt.eml", "delivered.eml"])
def test_where_nothing_failed_the_notes_say_why(name: str) -> None:
    (answer,) = objects(str(BOUNCES / name))
    assert answer["failures"] == []
    assert answer["notes"]


def test_several_files_give_an_object_each_in_their_order(reply: str) -> None:
    names = [reply, str(BOUNCES / "gmail.eml"), reply]
    assert [answer["file"] for answer in objects(*names)] == names


@pytest.mark.parametrize("arguments", [("-",), ()])
def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(REPLY.encode())))
    (answer,) = objects(*arguments)
    assert answer["failures"][0]["causes"][0]["cause"] == "recipient-unknown"


def test_each_line_of_a_file_is_a_paste_in_order(tmp_path: Path) -> None:
    path = tmp_path / "replies.txt"
    path.write_bytes(b"452 4.2.2 The user is over quota\r\n\n550 \xff no such user here\n" + REPLY.encode())
    answers = objects("--lines", str(path))
    tops = [answer["failures"][0]["causes"][0]["cause"] if answer["failures"] else None for answer in answers]
    assert tops == ["recipient-mailbox-full", None, "recipient-unknown", "recipient-unknown"]


def test_a_line_costs_no_query(tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    path = tmp_path / "replies.txt"
    path.write_text("550 5.1.1 no such user here\n" * 200)
    with django_assert_max_num_queries(4):
        assert len(objects("--lines", str(path))) == 200


def test_people_get_a_text(reply: str) -> None:
    said = run(reply)
    assert "This is why: The recipient's address does not exist" in said
    assert "To act: the sender, then the recipient's mail administrator." in said
    assert "  1. [the sender] Compare the recipient's address letter by letter" in said


def test_control_characters_of_a_paste_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "reply.txt"
    path.write_text("550 5.1.1 no such user \x1b[2J\u202e here")
    said = run(str(path))
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_a_file_that_is_not_there_is_said_and_the_others_are_answered(reply: str, tmp_path: Path) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("explain", str(tmp_path / "missing"), reply, "--json", stdout=out)
    assert caught.value.returncode == 2
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert "missing" in first["error"]
    assert second["failures"]


@pytest.mark.parametrize("arguments", [("--lines", "/nowhere/at-all"), ("--lines", "-", "file")])
def test_wrong_usage_has_exit_status_two(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2


def test_without_knowledge_it_says_what_to_run(reply: str) -> None:
    models.KnowledgeRevision.objects.all().delete()
    with pytest.raises(CommandError, match="load_knowledge") as caught:
        run(reply)
    assert caught.value.returncode == 2


@pytest.mark.parametrize("arguments", [(), ("-",), ("--lines", "-")])
def test_without_standard_input_it_says_so(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as Python leaves it where the descriptor is closed
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2


def test_a_file_over_the_limit_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"550 no\n" * 4_000_000)
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("explain", str(path), "--json", stdout=out)
    assert caught.value.returncode == 2
    assert "the limit is 25 MB" in json.loads(out.getvalue())["error"]
