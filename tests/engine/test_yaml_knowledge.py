"""Knowledge files: what is read, and that every mistake is named with its file and line."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import SMALL
from whybounce.snapshot import Actor, Source, Strength
from whybounce.yaml_knowledge import KnowledgeError, folder_digest, read_folder

CAUSE = """\
causes:
  - slug: full
    title: Full
    category: mailbox_full
    who_acts: [recipient]
    frequency: common
    summary: No room.
    steps:
      - {slug: free, who: recipient, text: Delete old mail.}
"""


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghij"))


def problems(folder: Path, **files: str) -> tuple[str, ...]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        read_folder(folder)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_it_reads_every_kind_of_row() -> None:
    small = read_folder(SMALL)
    cause = small.causes[0]
    assert cause.slug == "recipient-unknown"
    assert cause.who_acts == (Actor.SENDER, Actor.RECIPIENT_ADMIN)
    assert cause.steps[0].wording == 'Your server {remote_mta} said "{reply}".\n\nIs {recipient} spelt right?'
    assert cause.steps[0].links[0].url == "https://support.google.com/mail/?p=NoSuchUser"
    assert cause.sources == (
        Source("RFC 5321 section 4.2.3", "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3", "2026-11-23"),
        Source("Experience"),
    )
    assert small.questions[0].answers[1].evidence[1].strength is Strength.RULES_OUT
    assert small.questions[2].answers[1].others is Strength.AGAINST
    assert small.patterns[0].decisive
    assert small.codes[0].myths[0].source == "RFC 5321 section 4.2.3"
    assert small.providers[0].mx_suffixes == (".google.com",)
    assert small.examples[0].provider == "postfix"
    assert small.revision == 0


def test_files_may_be_cut_in_any_way(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text('examples:\n  - {text: "552 full", cause: full}\n')
    (tmp_path / "z.yaml").write_text(CAUSE)
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    snapshot = read_folder(tmp_path)
    assert (len(snapshot.causes), len(snapshot.examples)) == (1, 1)


def test_a_date_stays_the_text_that_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CAUSE + "    sources: [{title: RFC, checked: 2026-11-23}]\n")
    assert read_folder(tmp_path).causes[0].sources[0].checked == "2026-11-23"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("causes:\n  - slug: a\n    slug: b\n", "a.yaml:3: the key 'slug' is given twice", id="a key twice"),
        pytest.param("causes: []\ncauses: []\n", "a.yaml:2: the key 'causes' is given twice", id="a list twice"),
        pytest.param("causes:\n  - slug: [\n", "a.yaml:3: ", id="no YAML"),
        pytest.param("causes:\n  - {{recipient}}: x\n", "a.yaml:2: the key {", id="a mapping as key"),
        pytest.param("causes:\n  - {550: x}\n", "a.yaml:2: the key 550 is no text; put it in quotes", id="a number as key"),
        pytest.param("- slug: a\n", "a.yaml:1: a file holds lists under the keys causes, ", id="a list alone"),
        pytest.param("only words\n", "a.yaml:1: a file holds lists under the keys causes, ", id="words alone"),
        pytest.param("cuases: []\n", "a.yaml: 'cuases' is none of causes, ", id="an unknown list"),
        pytest.param("causes:\n\t- slug: a\n", "a.yaml:2: ", id="tabs"),
        pytest.param(f"causes: {'[' * 200_000}", "a.yaml:1: more than 20 lists and mappings inside each other", id="brackets without end"),
        pytest.param("causes:\n" + "- " * 200_000 + "x", "a.yaml:2: more than 20 lists", id="dashes without end"),
        pytest.param(BOMB, "a.yaml:2: aliases (*name) are not allowed", id="a billion laughs"),
        pytest.param("causes: {slug: a}\n", "a.yaml: 'causes' is none of causes, ", id="no list"),
        pytest.param("examples:\n  - {text: !!int x, cause: a}\n", "a.yaml: invalid literal", id="a wrong tag"),
        pytest.param(
            "examples:\n  - {text: !!python/name:os.system x, cause: a}\n",
            "a.yaml:2: could not determine a constructor",
            id="a tag that would run code",
        ),
        pytest.param("examples:\n\n  - text: no cause\n", "a.yaml:3: Example lacks cause", id="a field missing"),
        pytest.param(
            "examples:\n  - {text: a, cause: b, weight: c}\n",
            "a.yaml:2: Example has no field 'weight'; it has text, cause, provider",
            id="unknown field",
        ),
        pytest.param("examples:\n  - just words\n", "'just words' is no Example: a mapping is expected", id="a row that is text"),
        pytest.param("codes:\n  - {code: 550, title: a, meaning: b}\n", "a.yaml:2: code: 550 is no text; put it in quotes", id="a number for a text"),
        pytest.param(
            "codes:\n  - {code: '550', title: no, meaning: b}\n", "a.yaml:2: title: False is no text; put it in quotes", id="a truth for a text"
        ),
        pytest.param(
            "codes:\n  - {code: '550', title: a, meaning: b, standard: 1}\n",
            "a.yaml:2: standard: 1 is neither true nor false",
            id="a number for a truth",
        ),
        pytest.param(
            "patterns:\n  - slug: a\n    pattern: b\n    evidence: [full]\n",
            "a.yaml:2: evidence must be a mapping of cause: strength",
            id="a list as evidence",
        ),
        pytest.param(
            "patterns:\n  - {slug: a, pattern: b, evidence: {full: strong}}\n",
            "a.yaml:2: evidence: 'strong' is none of 'proves', ",
            id="a bad strength",
        ),
        pytest.param(
            "codes:\n  - {code: '550', title: a, meaning: b, others: maybe}\n",
            "a.yaml:2: others: 'maybe' is none of 'proves', ",
            id="a bad strength for others",
        ),
    ],
)
def test_it_names_file_and_line_of_a_mistake(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, a=text)
    assert any(expected in problem for problem in found), found


def test_it_names_the_line_of_the_nested_row(tmp_path: Path) -> None:
    text = CAUSE.replace("      - {slug: free, who: recipient, text: Delete old mail.}", "      - slug: a\n        who: someone\n        text: b")
    wanted = "a.yaml:9: who: 'someone' is none of 'sender', 'sender-admin', 'recipient', 'recipient-admin', 'nobody' (in “full”)"
    assert problems(tmp_path, a=text) == (wanted,)


def test_it_names_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, a="examples:\n  - {text: a}\n  - {cause: b}\n", b=CAUSE.replace("mailbox_full", "full_mailbox"), c="]")
    assert [problem.split(": ")[0] for problem in found] == ["a.yaml:2", "a.yaml:3", "c.yaml:1", "b.yaml:2"]


def test_a_broken_rule_between_rows_is_named_where_the_row_stands(tmp_path: Path) -> None:
    found = problems(tmp_path, a=CAUSE, b='examples:\n  - {text: "552 full", cause: full}\n  - {text: "550 no", cause: unknown}\n')
    assert found == ("b.yaml:3: 550 no: it is labelled with the cause 'unknown', which does not exist",)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"causes: \xff\xfe")
    assert "a.yaml: 'utf-8' codec can't decode" in problems(tmp_path)[0]


def test_the_digest_of_a_folder_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CAUSE)
    first = folder_digest(tmp_path)
    assert folder_digest(tmp_path) == first
    (tmp_path / "note.txt").write_text("not read")
    assert folder_digest(tmp_path) == first
    (tmp_path / "a.yaml").write_text(CAUSE + " ")
    second = folder_digest(tmp_path)
    (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    assert len({first, second, folder_digest(tmp_path)}) == 3


def test_make_knowledge_says_what_there_is_or_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "whybounce.yaml_knowledge"]
    good = subprocess.run([*command, str(SMALL)], capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout.split(",")[0]) == (0, "8 causes")
    (tmp_path / "a.yaml").write_text("cuases: []\n")
    bad = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert "a.yaml: 'cuases'" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("causes: [\n" + "x,\n" * 17_000_000)
    with pytest.raises(KnowledgeError, match=r"^a.yaml: the file is longer than 20 MB; split it$"):
        read_folder(tmp_path)
