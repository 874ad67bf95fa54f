"""`triage`: what a script gets for logs, with what exit status, and what a person reads."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "mail-log.txt"
KEYS = [
    "lines",
    "bytes",
    "unread",
    "failures",
    "deferred",
    "delivered",
    "first",
    "last",
    "by_cause",
    "by_code",
    "by_provider",
    "by_domain",
    "by_sending_ip",
    "by_sender_domain",
    "by_hour",
    "groups",
    "capped",
    "notes",
]


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("triage", *map(str, arguments), stdout=out)
    return out.getvalue()


def told(*arguments: object) -> dict[str, object]:
    (line,) = run(*arguments, "--json").splitlines()
    answer = json.loads(line)
    assert isinstance(answer, dict)
    return answer


def test_the_object_has_the_contracts_keys_and_counts() -> None:
    answer = told(SAMPLE)
    assert list(answer) == KEYS
    assert (answer["lines"], answer["bytes"]) == (16, SAMPLE.stat().st_size)
    assert (answer["failures"], answer["deferred"], answer["delivered"]) == (2, 2, 1)
    causes = answer["by_cause"]
    assert list(causes[0]) == ["cause", "title", "category", "count", "deferred", "first", "last", "example"]  # type: ignore[index]
    assert sum(row["count"] for row in causes) == 2  # type: ignore[attr-defined]
    assert {row["cause"] for row in causes} >= {"recipient-unknown"}  # type: ignore[attr-defined]


def test_an_example_holds_nobodys_address() -> None:
    examples = " ".join(row["example"] or "" for row in told(SAMPLE)["groups"])  # type: ignore[attr-defined]
    assert "Recipient address rejected" in examples
    assert "@" not in examples


def test_a_person_reads_first_what_is_wrong(tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    bounced = next(line for line in text.splitlines() if "87A9220E77A: to=" in line)
    path = tmp_path / "mail.log"
    more = [bounced.replace("87A9220E77A", f"97A9220E{n:03d}").replace(" 03:", " 05:") for n in range(20)]
    path.write_text(text + "\n".join(more))
    first, _, rest = run(path).partition("\n")
    assert first.startswith("95% of the failures have one cause: The recipient's address does not exist (21 of 22; 2 deferred, 1 delivered)")
    assert "failed  deferred" in rest
    assert "receiving domain" in rest


def test_nothing_wrong_is_said_too(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("\n".join(line for line in SAMPLE.read_text().splitlines() if "status=sent" in line))
    assert run(path).startswith("Nothing failed: 1 delivered.")
    path.write_text("hello\n")
    assert run(path).startswith("No line tells what became of a message.")


def test_what_is_new_since_an_earlier_tally(tmp_path: Path) -> None:
    earlier = tmp_path / "tally.json"
    lines = SAMPLE.read_text().splitlines(keepends=True)
    part = tmp_path / "part.log"
    part.write_text("".join(line for line in lines if "status=bounced" not in line or "5.1.1" in line))
    earlier.write_text(run(part, "--json"))
    new = told(SAMPLE, "--since", earlier)["new"]
    assert [(group["code"], group["enhanced"], group["count"]) for group in new] == [("552", "5.2.2", 1)]  # type: ignore[attr-defined]
    assert "New since the earlier tally" in run(SAMPLE, "--since", earlier)
    assert "Nothing is new" in run(part, "--since", earlier)


@pytest.mark.parametrize(
    "arguments",
    [
        ("none.log",),
        (SAMPLE, "none.log"),
        (SAMPLE, "--jobs", "0"),
        (SAMPLE, "--jobs", "many"),
        (SAMPLE, "--since", "none.json"),
        (SAMPLE, "--since", SAMPLE),
        (),
    ],
)
def test_what_cannot_be_read_is_status_two(arguments: tuple[object, ...]) -> None:
    with pytest.raises(CommandError) as raised:
        run(*arguments)
    assert raised.value.returncode == 2 or not arguments or "--jobs" in arguments  # argparse itself exits with 2


def test_the_readable_logs_are_tallied_beside_one_that_is_not() -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"none\.log: No such file"):
        call_command("triage", str(SAMPLE), "none.log", "--json", stdout=out)
    assert json.loads(out.getvalue())["failures"] == 2


def test_standard_input_and_packed_files_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    packed = tmp_path / "mail.log.1.gz"
    packed.write_bytes(gzip.compress(b"".join(lines[:6])))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(lines[6:]))))
    answer = told("-", packed)
    assert (answer["failures"], answer["deferred"], answer["delivered"], answer["lines"]) == (2, 2, 1, 16)
    assert {row["sender_domain"] for row in answer["by_sender_domain"]} == {"sender.example", "example.net"}  # type: ignore[attr-defined]


def test_control_characters_of_a_log_are_shown_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(SAMPLE.read_text().replace("Mailbox is full", "Mailbox \x1b[2J is full"))
    assert "\x1b" not in run(path)


def test_a_cause_that_began_later_is_measured_from_then_on(tmp_path: Path) -> None:
    lines = SAMPLE.read_text().splitlines()
    full = next(line for line in lines if "8E55920E77C: to=<full" in line)
    path = tmp_path / "mail.log"
    more = [full.replace("8E55920E77C", f"97A9220E{n:03d}").replace(" 03:", " 05:") for n in range(20)]
    path.write_text("\n".join(line for line in lines if line != full) + "\n" + "\n".join(more))
    first = run(path).partition("\n")[0]
    assert first.startswith("100% of the failures since ")
    assert " 05:00 have one cause: The recipient's mailbox is full (20 of 20;" in first
