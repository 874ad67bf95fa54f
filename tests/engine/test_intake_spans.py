"""Every span marks, in the readable text, the fact that it is named after."""

from __future__ import annotations

from pathlib import Path

import pytest

from whybounce.failure import IntakeReport, Stage
from whybounce.intake import read, read_line
from whybounce.intake.facts import one_line
from whybounce.intake.stages import command_stage, read_stage

FIXTURES = sorted((Path(__file__).parents[1] / "data" / "bounces").glob("*.eml")) + sorted((Path(__file__).parents[2] / "samples").iterdir())


def shown(report: IntakeReport) -> int:
    """Asserts that all spans show their facts; gives their number."""
    count = 0
    for failure in report.failures:
        for name, span in failure.spans.items():
            marked = report.text[span.start : span.end]
            if name == "command":  # a session's refused command, which is no field
                assert marked.strip()
                continue
            fact = getattr(failure, name)
            if name == "text":
                assert one_line(marked) == fact
            elif name == "stage":
                assert fact in (command_stage(marked.lstrip("> ")), read_stage(marked, 0, len(marked))[0])
                assert fact is not Stage.EMPTY
            else:
                assert marked == fact.strip("[]")
            count += 1
    return count


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_span_shows_its_fact(path: Path) -> None:
    report = read(path.read_bytes())
    assert shown(report) > 0 or not report.failures


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_recipient_text_and_codes_are_marked_wherever_they_stand_in_the_text(path: Path) -> None:
    report = read(path.read_bytes())
    for failure in report.failures:
        for name in ("recipient", "text", "code", "enhanced"):
            if getattr(failure, name):
                assert name in failure.spans


@pytest.mark.parametrize(
    "line",
    [
        "550 5.1.1 <a@example.net>: Recipient address rejected: User unknown",
        "smtp; 550-5.7.26 Bad 550 5.7.26 mail",
        "host mx.example.net[192.0.2.1] said: 554 5.7.1 Client host [198.51.100.7] blocked (in reply to RCPT TO command)",
        "sorry, no mailbox here by that name (#5.1.1)",
        "5.7.1",
    ],
)
def test_a_reply_alone_is_marked_too(line: str) -> None:
    assert shown(read_line(line)) > 0
