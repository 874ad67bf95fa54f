"""`manage.py simulate`: what it prints of the published knowledge, and what it refuses."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from knowledge import current, models

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


def test_as_json_it_says_how_often_the_true_cause_came_out() -> None:
    found = json.loads(run("--json", "--walks", "3"))
    causes = models.Cause.objects.count()
    assert 3 * causes < found["walks"] <= 6 * causes
    for key in ("top1", "top3", "top1_without_reply", "top3_with_reply"):
        assert 0 <= found[key] <= 1
    assert found["top1"] <= found["top3"]
    assert found["median_questions_with_reply"] <= found["p90_questions_with_reply"]
    assert all(len(row) == 3 and 0 < row[2] <= 1 for row in found["confused"])
    assert set(found["categories"]) == set(models.Cause.objects.values_list("category", flat=True))


def test_the_same_seed_says_the_same() -> None:
    assert run("--json", "--walks", "2") == run("--json", "--walks", "2", "--seed", "1")


def test_pairs_that_nothing_tells_apart_are_listed() -> None:
    """The small knowledge of the tests has one question about few of its causes: most are alike."""
    found = json.loads(run("--json", "--walks", "1"))
    assert found["alike"]
    said = run("--walks", "1")
    assert f"{len(found['alike'])} pairs of causes that no question or check tells apart:" in said
    assert ", ".join(found["alike"][0]) in said


@pytest.mark.parametrize("arguments", [("--walks", "0"), ("--walks", "many"), ("--wrong", "1.5"), ("--unable", "nan"), ("--dont-know", "-1")])
def test_numbers_that_make_no_sense_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=f"{arguments[0]}: '{arguments[1]}' is no"):
        run(*arguments)


def test_without_knowledge_it_says_what_to_do() -> None:
    models.KnowledgeRevision.objects.all().delete()
    current.forget()
    with pytest.raises(CommandError, match="load_knowledge") as caught:
        run()
    assert caught.value.returncode == 2
    current.forget()
