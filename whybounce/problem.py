"""What is wrong with a row, and what makes an expression unfit for a pattern."""

from __future__ import annotations

from dataclasses import dataclass

import re2

_ANY = ("550 5.1.1 x", "450 y")  # replies that have nothing in common but a word's edges


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` and `row` name the row ("causes", "mailbox-full"); `message` is a sentence that says what is wrong."""

    kind: str
    row: str
    message: str


def re2_error(pattern: str) -> str:
    """Why `pattern` cannot be used as a reply pattern: "" where it can. It must compile and not match the empty text."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        message = error.args[0] if error.args else error
        return f"the pattern does not compile: {message.decode() if isinstance(message, bytes) else message}"
    if compiled.search(""):
        return "the pattern matches the empty text, and so every reply"
    for text in _ANY:
        match = compiled.search(text)
        if match and match.start() == match.end():
            return "the pattern matches without a single letter, and so every reply"
    return ""
