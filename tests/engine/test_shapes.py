"""A line of a known shape is told as if it had been read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.knowledge import KNOWLEDGE
from whybounce.answer import explain_text
from whybounce.intake import read_line
from whybounce.shapes import Shapes


def tell(line: str) -> str:
    return explain_text(KNOWLEDGE, read_line(line))


class Counting:
    """`tell`, and how often it was called."""

    def __init__(self, said: Callable[[str], str] = tell) -> None:
        self.said, self.calls = said, 0

    def __call__(self, line: str) -> str:
        self.calls += 1
        return self.said(line)


FRAMES = (
    "550 5.1.1 <{a}@example.net>: Recipient address rejected: User unknown",
    "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org",
    "to=<{a}@example.net>, relay=mx.acme.example[{ip2}]:25, delay={n}, dsn=5.2.2, status=bounced "
    "(host mx.acme.example[{ip2}] said: 552 5.2.2 over quota {n} (in reply to RCPT TO command))",
    "552 mailbox of {a}@d{n}.example.org over quota 100% ({n} of {n2})",
    '421 "{a}@example.net" [{ip}] -> [{ip2}] \\ {n}',
)
LOCAL = st.from_regex(r"[a-z0-9][a-z0-9_.+-]{0,11}", fullmatch=True)
NUMBER = st.integers(1000, 10**9).map(str)
ADDRESS = st.ip_addresses(v=4).map(str)
LINE = st.builds(
    lambda frame, **values: frame.format(**values), st.sampled_from(FRAMES), a=LOCAL, ip=ADDRESS, ip2=ADDRESS, n=NUMBER, n2=NUMBER
)  # fmt: skip


@given(st.lists(LINE, min_size=1, max_size=30))
def test_it_says_of_every_line_what_reading_it_says(lines: list[str]) -> None:
    shapes = Shapes(tell)
    for line in [*lines, *lines, *lines]:
        assert shapes.tell(line) == tell(line)


@given(st.lists(st.text(max_size=60), max_size=10))
def test_whatever_the_line(lines: list[str]) -> None:
    shapes = Shapes(tell)
    for line in lines * 3:
        assert shapes.tell(line) == tell(line)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_known_shape_is_not_read_again(frame: str) -> None:
    reading = Counting()
    shapes = Shapes(reading)
    lines = [frame.format(a=f"anna{i:03}", ip=f"192.0.2.{i + 10}", ip2=f"198.51.100.{i + 100}", n=10_000 + i, n2=20_000 + i) for i in range(40)]
    for line in lines[:2]:
        shapes.tell(line)
    reading.calls = 0
    assert [json.loads(shapes.tell(line)) for line in lines[2:]] == [json.loads(tell(line)) for line in lines[2:]]
    assert reading.calls == 0


def test_two_places_that_hold_the_same_are_another_shape() -> None:
    shapes = Shapes(lambda line: "same" if line.split()[0] == line.split()[1] else "not the same")
    assert [shapes.tell(f"{n} {n + 1}") for n in range(1000, 1004)] == ["not the same"] * 4
    assert [shapes.tell(f"{n} {n}") for n in range(1000, 1004)] == ["same"] * 4


def test_what_looks_into_a_place_is_not_kept() -> None:
    """A teller to whom the number itself matters: each line is told by it."""
    reading = Counting(lambda line: "even" if int(line.split()[1]) % 2 == 0 else "odd")
    shapes = Shapes(reading)
    assert [shapes.tell(f"number {n}") for n in range(1000, 1006)] == ["even", "odd"] * 3


def test_a_line_that_is_too_long_is_told_each_time() -> None:
    reading = Counting(len)  # type: ignore[arg-type]
    shapes = Shapes(reading)
    for _ in range(5):
        shapes.tell("550 " + "word " * 400)
    assert reading.calls == 5
