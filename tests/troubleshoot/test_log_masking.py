"""The log of the program names nobody, not even where an exception's message holds what was pasted."""

import logging

import pytest

from config.logs import MaskingFormatter, masked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("550 <anna@example.net>: unknown", "550 <…@example.net>: unknown"),
        ("to=anna.miller+x@example.net, relay", "to=…@example.net, relay"),
        ('"anna miller"@example.net', "…@example.net"),
        ("{'mail_from': 'anna@example.net'}", "{'mail_from': '…@example.net'}"),
        ("Gone: /r/abcdefghijklmnopqrstuvwxyz-_0123/", "Gone: /r/…/"),
        ("no address at all", "no address at all"),
        ("@decorated", "@decorated"),
    ],
)
def test_names_and_tokens_are_left_out(text: str, said: str) -> None:
    assert masked(text) == said


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError("cannot read <anna@example.net>")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "of %s", ("anna@example.net",), (ValueError, error, error.__traceback__))
    text = MaskingFormatter("%(message)s").format(record)
    assert "anna" not in text
    assert "ValueError: cannot read <…@example.net>" in text


def test_the_settings_use_it(settings: object) -> None:
    assert settings.LOGGING["formatters"]["masked"]["()"] == "config.logs.MaskingFormatter"
    assert {handler["formatter"] for handler in settings.LOGGING["handlers"].values()} == {"masked"}


def test_a_long_line_is_read_quickly() -> None:
    assert masked("a" * 2_000_000 + "@" + "b" * 2_000_000).startswith("a")
