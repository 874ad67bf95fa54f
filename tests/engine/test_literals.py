"""What a text must hold for an expression to match: never more than is certain."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whybounce.literals import required


def may_match(expression: str, text: str) -> bool:
    ways = required(expression)
    lowered = text.lower()
    return not ways or any(all(any(piece.lower() in lowered for piece in clause) for clause in way) for way in ways)


def sets(expression: str) -> list[list[set[str]]]:
    return [[set(clause) for clause in way] for way in required(expression)]


@pytest.mark.parametrize(
    ("expression", "ways"),
    [
        ("User Unknown", [[{"User Unknown"}]]),
        ("quota.{0,40}exceeded", [[{"quota"}, {"exceeded"}]]),
        (r"\b(mailbox|account)\b.{0,9}full", [[{"mailbox", "account"}, {"full"}]]),
        ("(user unknown|no such .{0,9}user)", [[{"user unknown"}], [{"no such "}, {"user"}]]),
        ("mail ?box", [[{"mail"}, {"box"}]]),
        ("(abc)*def", [[{"def"}]]),
        ("(abc)+", [[{"abc"}]]),
        ("(abc|.)def", [[{"def"}]]),
        ("(abc|x)def", [[{"def"}]]),
        (r"5\.1\.1", [[{"5.1.1"}]]),
        ("größe", [[{"größe"}]]),
    ],
)
def test_it_tells_the_pieces_of_each_way_to_match(expression: str, ways: list[list[set[str]]]) -> None:
    assert sets(expression) == ways


@pytest.mark.parametrize(
    "expression", ["", "a|b", ".*", "abc|.", "(abc)?", r"\pL+abc", "[[:alpha:]]abc", "(?i)abc", r"abc\z", "abc(", "a{2}", r"\Qabc\E"]
)
def test_where_nothing_is_certain_or_the_expression_is_strange_it_tells_nothing(expression: str) -> None:
    assert required(expression) == ()


PART = st.sampled_from(
    ["user", "Unknown", " ", "mail", ".", ".{0,3}", "[a-m]", "(no|not)", "(full|over(-| )?quota)", "x?", "(abc)*", "(def)+", r"\b", r"\w+", "|"]
)
WORDS = st.sampled_from(["user", "UNKNOWN", " ", "mail", "no", "not", "full", "overquota", "over-quota", "x", "abc", "def", "-", "b"])


@given(st.lists(PART, max_size=6).map("".join), st.lists(WORDS, max_size=8).map("".join))
def test_no_text_that_matches_is_held_back(expression: str, text: str) -> None:
    if re.search(expression, text, re.IGNORECASE):
        assert may_match(expression, text)
