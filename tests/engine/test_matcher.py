"""Which known wordings stand in a reply, where, and whose reply it is."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whybounce.failure import DeliveryFailure
from whybounce.matcher import ProviderFinder, ReplyMatcher
from whybounce.snapshot import Provider, ReplyPattern

PATTERNS = (
    ReplyPattern("unknown", "user unknown"),
    ReplyPattern("unknown-here", "user unknown in (virtual|local) table"),
    ReplyPattern("size", "größe .{0,20} überschritten"),
    ReplyPattern("slow", "(x+x+)+y"),
)
MATCHER = ReplyMatcher(PATTERNS)
FINDER = ProviderFinder(
    (
        Provider(
            "big",
            "Big",
            "mailbox",
            mx_suffixes=(".big.example", "mx.small.example"),
            domains=("Big.example", "mail.example"),
            reply_marks=(r"\bbigmta\b",),
        ),
        Provider("deep", "Deep", "gateway", mx_suffixes=(".gate.big.example",)),
    )
)


def found(text: str) -> list[tuple[str, str]]:
    return [(match.pattern.slug, text[match.span.start : match.span.end]) for match in MATCHER.find(text)]


def test_the_longest_match_comes_first() -> None:
    assert found("550 User Unknown in local table") == [("unknown-here", "User Unknown in local table"), ("unknown", "User Unknown")]


GAPS = (
    ReplyPattern("gap", r"\b(mailbox|account)\b(?:[^.;]|\.\w){0,40}\b(full|over ?quota)\b"),
    ReplyPattern("acme-gap", r"account .{0,20}full", "acme"),
    ReplyPattern("exim-gap", r"mailbox.{0,9}full", "exim"),
    ReplyPattern("own", r"mailbox of [^;]{1,30}: full", "big"),
    ReplyPattern("certain-of-nothing", r"(x{4,9}|[0-9]{7,8})"),
    ReplyPattern("plain", "try again"),
)
GAP_MATCHER = ReplyMatcher(GAPS, {"exim"})


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("552 MAILBOX anna is OVERQUOTA", {"gap"}),
        ("552 mailbox is full", {"gap", "exim-gap"}),
        ("552 account is full, try again", {"gap", "acme-gap", "plain"}),
        ("552 full mailbox", set()),
        ("552 mailbox. full", {"exim-gap"}),
        ("xxxx", {"certain-of-nothing"}),
        ("id 1234567", {"certain-of-nothing"}),
    ],
)
def test_patterns_with_counted_gaps_are_found_as_if_each_were_searched(text: str, slugs: set[str]) -> None:
    assert {match.pattern.slug for match in GAP_MATCHER.find(text)} == slugs
    assert {pattern.slug for pattern in GAPS if re.search(pattern.pattern, text, re.IGNORECASE)} == slugs


@pytest.mark.parametrize(
    ("text", "provider", "slugs"),
    [
        ("mailbox of anna: full", "big", {"own"}),
        ("mailbox of anna: full", "", {"gap"}),
        ("account is full", "acme", {"acme-gap"}),
        ("account is full", "", {"gap"}),
        ("account i_s_full", "", {"acme-gap"}),
        ("account i_s_full", "exim", {"acme-gap"}),
        ("account i_s_full", "big", set()),
        ("mailbox _full", "big", {"exim-gap"}),
    ],
)
def test_the_providers_own_patterns_count_then_anybodys_and_anothers_only_where_nobody_knows(text: str, provider: str, slugs: set[str]) -> None:
    assert {match.pattern.slug for match in GAP_MATCHER.usable(text, provider)} == slugs


def test_a_span_counts_characters_and_not_bytes() -> None:
    assert found("552 Die zulässige Größe wurde überschritten – leider") == [("size", "Größe wurde überschritten")]


def test_it_finds_nothing_in_other_words() -> None:
    assert found("250 ok") == []
    assert found("") == []


def test_without_patterns_there_is_nothing_to_find() -> None:
    assert ReplyMatcher(()).find("550 user unknown") == []


def test_a_thousand_patterns_are_searched_at_once() -> None:
    matcher = ReplyMatcher([ReplyPattern(f"p{i}", rf"reason {i} \w+ (happened|came)") for i in range(2000)])
    assert [match.pattern.slug for match in matcher.find("550 reason 1234 again happened")] == ["p1234"]
    began = time.perf_counter()
    for _ in range(200):
        matcher.find("550 5.1.1 an ordinary reply without any of these reasons, as most are")
    assert time.perf_counter() - began < 1


def test_no_pattern_can_make_it_hang() -> None:
    began = time.perf_counter()
    assert found("x" * 100_000) == []
    assert time.perf_counter() - began < 1


@given(st.text(), st.text())
def test_what_is_found_stands_where_it_is_said_to_stand(before: str, after: str) -> None:
    text = f"{before} user unknown {after}"
    match = next(match for match in MATCHER.find(text) if match.pattern.slug == "unknown")
    assert text[match.span.start : match.span.end].lower() == "user unknown"


def test_half_of_a_surrogate_pair_stops_nothing() -> None:
    assert found("550 \ud83d user unknown") == [("unknown", "user unknown")]
    assert FINDER.find(DeliveryFailure(text="550 \ud83d bigmta")) == "big"


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("in.big.example", "big"),
        ("IN.BIG.EXAMPLE.", "big"),
        ("big.example", "big"),
        ("notbig.example", ""),
        ("big.example.org", ""),
        ("a.gate.big.example", "deep"),
        ("mx.small.example", "big"),
        ("small.example", ""),
        ("[192.0.2.1]", ""),
        ("", ""),
        ("...", ""),
    ],
)
def test_a_host_belongs_to_the_longest_suffix_on_label_boundaries(host: str, slug: str) -> None:
    assert FINDER.by_host(host) == slug


def test_the_host_that_refused_comes_before_marks_and_marks_before_the_recipients_domain() -> None:
    assert FINDER.find(DeliveryFailure(remote_mta="x.gate.big.example", text="550 no bigmta", recipient="a@mail.example")) == "deep"
    assert FINDER.find(DeliveryFailure(remote_mta="mx.example.net", text="550 no BigMTA")) == "big"
    assert FINDER.find(DeliveryFailure(recipient="a@mail.example")) == "big"


def test_the_recipients_domain_says_nothing_where_another_host_refused() -> None:
    assert FINDER.find(DeliveryFailure(remote_mta="relay.example.net", recipient="a@mail.example")) == ""


def test_domains_are_compared_without_regard_to_case() -> None:
    assert FINDER.find(DeliveryFailure(recipient="a@BIG.example")) == "big"
