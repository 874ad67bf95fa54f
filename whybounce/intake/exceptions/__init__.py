"""Exceptions of mail libraries, with the stack trace and the log line around them: what did the server say, to which command?"""

from __future__ import annotations

import re

from whybounce.failure import IntakeReport
from whybounce.intake.exceptions.common import Found, Library, failure
from whybounce.intake.exceptions.dotnet import MAILKIT, SMTPCLIENT
from whybounce.intake.exceptions.java import JAVAMAIL
from whybounce.intake.exceptions.more import ELIXIR, GO, GO_LOG, PERL, RUBY, RUST
from whybounce.intake.exceptions.node import NODEMAILER
from whybounce.intake.exceptions.php import PHPMAILER, SYMFONY
from whybounce.intake.exceptions.python import BOTO, SMTPLIB
from whybounce.intake.mime import MAX_TEXT

# A new library is one entry; the first that recognises its words wins.
LIBRARIES: tuple[Library, ...] = (
    SMTPLIB, BOTO, SYMFONY, PHPMAILER, NODEMAILER, JAVAMAIL, MAILKIT, SMTPCLIENT, PERL, RUBY, RUST, ELIXIR, GO, GO_LOG,
)  # fmt: skip


_REPLY = re.compile(r"\s{0,20}[2-5]\d\d[ -]", re.ASCII)  # a paste that begins with a reply quotes no exception
# Passwords in the lines of code and the arguments that stack traces show: `login("news", "secret")`, `password => 'secret'`.
_CALL = re.compile(
    r"\b(?:log_?in|auth\w{0,12}|PlainAuth|setCredentials|NetworkCredential|Credentials|smtp_auth)\([^()\n]{1,300}\)", re.ASCII | re.IGNORECASE
)
_QUOTED = re.compile(r"(['\"])([^'\"\n]{0,200})\1")
_NAMED = re.compile(
    r"(?:pass|password|passwd|pwd|secret)['\"]?(?:\]|\))?\s{0,3}(?:=>|=|:|\()\s{0,3}(['\"])([^'\"\n]{1,200})\1", re.ASCII | re.IGNORECASE
)


def masked(text: str) -> str:
    """The text with asterisks instead of passwords that stand in lines of code, nothing else moved."""
    shown = text[:MAX_TEXT]
    places = [match.span(2) for match in _NAMED.finditer(shown)]
    for call in _CALL.finditer(shown):
        places += [match.span(2) for match in _QUOTED.finditer(shown, *call.span())][1:]
    pieces = []
    at = 0
    for start, end in sorted(places):
        if start >= at:
            pieces += [text[at:start], "*" * (end - start)]
            at = end
    return "".join([*pieces, text[at:]])


def read_exception(text: str) -> IntakeReport | None:
    """The failures that an exception tells: one for each recipient that it names, else one; None: no exception of a known library."""
    shown = text[:MAX_TEXT]
    if _REPLY.match(shown) or not any(mark in shown for library in LIBRARIES for mark in library.marks):
        return None
    hidden = masked(text)
    shown = hidden[:MAX_TEXT]
    for library in LIBRARIES:
        found = library.find(shown)
        if found:
            failures = tuple(failure(hidden, item) for item in found)
            return IntakeReport("exception", hidden, failures, "", _notes(library, found), hidden=hidden != text)
    return None


def _notes(library: Library, found: list[Found]) -> tuple[str, ...]:
    notes = [f"This was read as an error of {library.name}."]
    if all(item.own for item in found):
        notes.append("It shows the program's own words, no reply of a mail server. The program's debug output of the session would tell more.")
    return tuple(notes)
