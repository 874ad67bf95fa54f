"""Exceptions of mail libraries, with the stack trace and the log line around them: what did the server say, to which command?"""

from __future__ import annotations

from whybounce.failure import IntakeReport
from whybounce.intake.exceptions.common import Found, Library, failure
from whybounce.intake.exceptions.dotnet import MAILKIT, SMTPCLIENT
from whybounce.intake.exceptions.java import JAVAMAIL
from whybounce.intake.exceptions.more import ELIXIR, GO, GO_LOG, PERL, RUBY, RUST
from whybounce.intake.exceptions.node import NODEMAILER
from whybounce.intake.exceptions.php import PHPMAILER, SYMFONY
from whybounce.intake.exceptions.python import BOTO, SMTPLIB

MAX_READ = 60_000
"""Characters of a paste in which an exception is looked for."""

# A new library is one entry; the first that recognises its words wins.
LIBRARIES: tuple[Library, ...] = (
    SMTPLIB, BOTO, SYMFONY, PHPMAILER, NODEMAILER, JAVAMAIL, MAILKIT, SMTPCLIENT, PERL, RUBY, RUST, ELIXIR, GO, GO_LOG,
)  # fmt: skip


def read_exception(text: str) -> IntakeReport | None:
    """The failures that an exception tells: one for each recipient that it names, else one; None: no exception of a known library."""
    shown = text[:MAX_READ]
    for library in LIBRARIES:
        found = library.find(shown)
        if found:
            return IntakeReport("exception", text, tuple(failure(text, item) for item in found), "", _notes(library, found))
    return None


def _notes(library: Library, found: list[Found]) -> tuple[str, ...]:
    notes = [f"This was read as an error of {library.name}."]
    if all(item.own for item in found):
        notes.append("It shows the program's own words, no reply of a mail server. The program's debug output of the session would tell more.")
    return tuple(notes)
