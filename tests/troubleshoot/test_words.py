"""Values of the engine in words and pieces for a page."""

import math

import pytest

from troubleshoot.facts import failure_from_json, failure_to_json, result_to_json, storable, subject_from_json, subject_to_json
from troubleshoot.ledger import _unit
from troubleshoot.marking import legend, segments
from troubleshoot.steps import passages
from troubleshoot.way import Place, place_of, way_of
from troubleshoot.wording import bar, percent, strength
from whybounce.checks.result import CheckResult, Finding, Severity, State, Subject
from whybounce.failure import Action, DeliveryFailure, Span, Stage
from whybounce.validate import CATEGORIES
from whybounce.visible import visible


def test_a_failure_survives_the_database() -> None:
    failure = DeliveryFailure(
        text="550 5.1.1 no",
        recipient="a@example.org",
        action=Action.DELAYED,
        code="550",
        stage=Stage.RCPT,
        message_size=7,
        spans={"code": Span(0, 3)},
    )
    again = failure_from_json(failure_to_json(failure))
    assert again == failure
    assert again.spans == {"code": Span(0, 3)}


def test_facts_that_are_no_longer_known_are_passed_over() -> None:
    assert failure_from_json({"code": "550", "colour": "blue"}) == DeliveryFailure(code="550")


def test_a_subject_survives_the_database_and_a_result_becomes_columns() -> None:
    subject = Subject(domain="example.org", selectors=("a", "b"), message_size=3)
    assert subject_from_json(subject_to_json(subject)) == subject
    result = CheckResult("mx", "ok", State.GOOD, "Fine.", (Finding("mx.ok", Severity.OK, {"hosts": ["a"]}),), {"ttl": 300}, 12)
    columns = result_to_json(result)
    assert (columns["check_name"], columns["answer"], columns["state"], columns["elapsed_ms"]) == ("mx", "ok", "good", 12)
    assert columns["findings"] == [{"finding": "mx.ok", "severity": "ok", "data": {"hosts": ["a"]}}]


def test_what_no_database_holds_is_replaced_without_changing_the_length() -> None:
    text = "a\x00b\ud800c"
    assert storable(text) == "a\u2400b\ufffdc"
    assert storable({"k\x00": ["\x00", 1, None]}) == {"k\u2400": ["\u2400", 1, None]}


def test_segments_put_together_are_the_text() -> None:
    text = "host mx said: 550 5.1.1 <a@b> unknown"
    spans = {"text": Span(14, 37), "code": Span(14, 17), "enhanced": Span(18, 23), "recipient": Span(25, 28)}
    pieces = segments(text, spans)
    assert "".join(piece.text for piece in pieces) == text
    assert [(piece.text, piece.label) for piece in pieces if piece.label][:3] == [
        ("550", "Reply code"),
        (" ", "Reply"),
        ("5.1.1", "Enhanced status code"),
    ]
    assert [entry.group for entry in legend(pieces)] == ["d", "a", "c"]


@pytest.mark.parametrize("span", [Span(-5, 3), Span(2, 99), Span(50, 60), Span(3, 3), Span(3, 1)])
def test_spans_that_do_not_fit_the_text_do_no_harm(span: Span) -> None:
    assert "".join(piece.text for piece in segments("abcdef", {"code": span})) == "abcdef"


@pytest.mark.parametrize(
    ("nats", "words"),
    [
        (6.0, "proves it"),
        (2.5, "strongly for"),
        (1.5, "for"),
        (0.7, "slightly for"),
        (0.0, "says little"),
        (-0.7, "slightly against"),
        (-1.5, "against"),
        (-2.5, "strongly against"),
        (-math.inf, "rules it out"),
    ],
)
def test_strengths_are_named_as_curators_name_them(nats: float, words: str) -> None:
    assert strength(nats) == words


def test_a_bar_stays_on_its_side_of_the_middle() -> None:
    assert (bar(3).x, bar(3).width) == (50, 25)
    assert (bar(-3).x, bar(-3).width) == (25, 25)
    assert (bar(-math.inf).x, bar(-math.inf).width) == (0, 50)
    assert bar(99).width == 50


def test_a_share_never_claims_all_or_nothing() -> None:
    assert [percent(p) for p in (1.0, 0.996, 0.87, 0.01, 0.004, 0.0)] == ["over 99 %", "over 99 %", "87 %", "1 %", "under 1 %", "under 1 %"]


def test_hidden_and_control_characters_are_made_visible() -> None:
    assert visible("a\x07\u200b\u202e\x7f\x85\n\tz") == "a\u2407[U+200B][U+202E]\u2421[U+0085]\n\tz"
    assert visible("gewöhnlich, 日本語, 🙂") == "gewöhnlich, 日本語, 🙂"


def test_every_category_of_the_contract_has_a_place_or_means_no_failure() -> None:
    without = {category for category in CATEGORIES if place_of(category, Stage.EMPTY) is None}
    assert without == {"not_a_bounce", "undetermined"}


def test_where_the_cause_is_unclear_the_stage_gives_the_place() -> None:
    assert place_of("", Stage.AUTH) is Place.SERVER
    assert place_of("", Stage.MESSAGE) is Place.FILTER
    assert place_of("", Stage.EMPTY) is None


def test_the_way_ends_at_the_place_of_failure() -> None:
    way = way_of(DeliveryFailure(recipient="a@example.org", remote_mta="mx.example.org"), None, Place.MX)
    assert [stop.state for stop in way.stops] == ["passed", "passed", "passed", "failed", "ahead", "ahead"]
    assert way.stops[3].name == "mx.example.org"
    assert way.stops[2].name == "example.org"


def test_commands_and_records_in_a_step_are_set_apart() -> None:
    text = "Look for the record:\ndig +short _dmarc.{sender_domain} TXT\nExactly one answer is right."
    found = passages(text, {"sender_domain": "example.org"})
    assert [(passage.code, "".join(part.text for part in passage.parts)) for passage in found] == [
        (False, "Look for the record:"),
        (True, "dig +short _dmarc.example.org TXT"),
        (False, "Exactly one answer is right."),
    ]


def test_a_single_line_is_never_code() -> None:
    assert [passage.code for passage in passages("Wait a day", {})] == [False]


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("mailbox full", "mailbox full"),
        ("mailbox _ full", "mailbox … full"),
        ("@addr rejected", "an address rejected"),
        ("@host:spamhaus.org", "spamhaus.org"),
        ("using @host", "using a host"),
        ("12:30", "12:30"),
    ],
)
def test_what_the_text_model_masks_is_named_in_words(unit: str, words: str) -> None:
    assert _unit(unit) == words
