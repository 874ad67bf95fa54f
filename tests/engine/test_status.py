"""Codes: what the grammars of RFC 5321 section 4.2 and RFC 3463 section 2 allow, and what the digits mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whybounce.status import EnhancedStatusCode, ReplyCode, is_enhanced_code, is_reply_code


@pytest.mark.parametrize("text", ["200", "211", "354", "421", "550", "559"])
def test_it_reads_a_reply_code(text: str) -> None:
    code = ReplyCode.parse(text)
    assert str(code) == text
    assert (code.severity, code.category) == (int(text[0]), int(text[1]))
    assert is_reply_code(text)


@pytest.mark.parametrize("text", ["", "55", "5500", "199", "600", "560", "5x0", " 550", "550 ", "550\n", "٥٥٠", "-550", "5.5"])
def test_it_refuses_what_is_no_reply_code(text: str) -> None:
    assert not is_reply_code(text)
    with pytest.raises(ValueError, match="not an SMTP reply code"):
        ReplyCode.parse(text)


@pytest.mark.parametrize(
    ("text", "permanent", "temporary"), [("250", False, False), ("354", False, False), ("450", False, True), ("550", True, False)]
)
def test_the_first_digit_says_whether_to_try_again(text: str, permanent: bool, temporary: bool) -> None:
    assert (ReplyCode.parse(text).permanent, ReplyCode.parse(text).temporary) == (permanent, temporary)


@pytest.mark.parametrize("text", ["5.1.1", "4.0.0", "2.1.5", "5.7.999", "5.999.999", "4.10.100"])
def test_it_reads_an_enhanced_code(text: str) -> None:
    code = EnhancedStatusCode.parse(text)
    assert str(code) == text
    assert code.registered_as == "X" + text[1:]
    assert (code.permanent, code.temporary) == (text[0] == "5", text[0] == "4")
    assert is_enhanced_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5.1",
        "5.1.1.1",
        "3.1.1",
        "1.0.0",
        "6.0.0",
        "5.01.1",
        "5.1.01",
        "5.1000.1",
        "5.1.1000",
        "5.1.x",
        " 5.1.1",
        "5.1.1\n",
        "X.1.1",
        "5.١.1",
    ],
)
def test_it_refuses_what_is_no_enhanced_code(text: str) -> None:
    assert not is_enhanced_code(text)
    with pytest.raises(ValueError, match="not an enhanced status code"):
        EnhancedStatusCode.parse(text)


def test_codes_sort_by_number_and_not_as_text() -> None:
    assert sorted(EnhancedStatusCode.parse(t) for t in ("5.7.10", "5.7.9", "4.9.9")) == [
        EnhancedStatusCode(4, 9, 9),
        EnhancedStatusCode(5, 7, 9),
        EnhancedStatusCode(5, 7, 10),
    ]
    assert ReplyCode(450) < ReplyCode(550)


@given(st.text(max_size=8))
def test_whatever_is_read_is_written_as_it_stood(text: str) -> None:
    for kind, known in ((ReplyCode, is_reply_code), (EnhancedStatusCode, is_enhanced_code)):
        try:
            assert str(kind.parse(text)) == text
        except ValueError:
            assert not known(text)
        else:
            assert known(text)


@given(st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(0, 999))
def test_every_enhanced_code_of_the_grammar_is_read(class_: int, subject: int, detail: int) -> None:
    assert EnhancedStatusCode.parse(f"{class_}.{subject}.{detail}") == EnhancedStatusCode(class_, subject, detail)
