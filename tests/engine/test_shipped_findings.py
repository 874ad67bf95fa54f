"""The shipped words for what checks find, and for what they answer: all there, none empty, none for a finding that no check reports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import whybounce.checks
from tests.conftest import SMALL
from whybounce.checks.registry import CHECKS
from whybounce.checks.result import Severity, State
from whybounce.snapshot import AskedOf, KnowledgeSnapshot
from whybounce.yaml_knowledge import read_folder

SHIPPED = Path(__file__).parents[2] / "knowledge" / "data"
CONTRACT = {
    line.split()[0]: set(line.split()[1:]) for line in (SMALL.parent / "findings.txt").read_text().splitlines() if line and not line.startswith("#")
}
_REPORTED = re.compile(r'"((?:address|dane|dkim|dmarc|dns|dnsbl|dnssec|helo|mtasts|mx|ns|provider|ptr|smtp|spf|tlsrpt)\.[a-z0-9_]+)"')


@pytest.fixture(scope="module")
def shipped() -> KnowledgeSnapshot:
    return read_folder(SHIPPED)


def reported() -> set[str]:
    """The ids of findings that stand in the modules of the checks."""
    folder = Path(whybounce.checks.__file__).parent
    return {slug for path in folder.rglob("*.py") for slug in _REPORTED.findall(path.read_text(encoding="utf-8"))}


def test_every_finding_of_the_contract_has_words_and_is_as_grave_as_it_says(shipped: KnowledgeSnapshot) -> None:
    assert {note.slug: {str(severity) for severity in note.severities} for note in shipped.findings} == CONTRACT


def test_every_finding_that_a_check_can_report_has_words(shipped: KnowledgeSnapshot) -> None:
    assert "mx.null" in reported()
    assert reported() - {note.slug for note in shipped.findings} == set()


def test_what_is_wrong_says_what_to_do_and_who_does_it(shipped: KnowledgeSnapshot) -> None:
    grave = {Severity.ERROR, Severity.WARNING}
    told = {note.slug for note in shipped.findings if note.mend and note.who_acts}
    says_nothing_of_the_sender = {"smtp.client_blocked", "smtp.sender_rejected"}
    assert {note.slug for note in shipped.findings if grave & set(note.severities)} - told == says_nothing_of_the_sender


def test_every_finding_names_its_source(shipped: KnowledgeSnapshot) -> None:
    assert [note.slug for note in shipped.findings if not note.sources] == []


def test_every_finding_is_reported_by_a_check_that_there_is(shipped: KnowledgeSnapshot) -> None:
    assert {note.reported_by for note in shipped.findings} <= set(CHECKS)


def test_every_answer_of_every_check_has_words(shipped: KnowledgeSnapshot) -> None:
    questions = {question.check: question for question in shipped.questions if question.asked_of is AskedOf.CHECK}
    for name, check in CHECKS.items():
        words = {answer.slug: answer.text for answer in questions[name].answers}
        assert set(words) == {answer.slug for answer in check.answers}, name
        assert all(text.strip() for text in words.values()), name
        assert questions[name].why


def test_could_not_look_is_never_evidence(shipped: KnowledgeSnapshot) -> None:
    """Every answer of the state "unknown", and no other, is uninformative, in the check and in its question."""
    questions = {question.check: question for question in shipped.questions if question.asked_of is AskedOf.CHECK}
    for name, check in CHECKS.items():
        assert [a.slug for a in check.answers if (a.state is State.UNKNOWN) == a.informative] == [], name
        for answer in questions[name].answers:
            if not answer.informative:
                assert not answer.evidence, (name, answer.slug)
                assert answer.others is None, (name, answer.slug)
