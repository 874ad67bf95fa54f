"""The programs whose log lines are read. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whybounce.intake.logs import courier, dovecot, exim, filters, haraka, json_lines, opensmtpd, postfix, qmail, sendmail, tables
from whybounce.intake.logs.common import Entry, split_entry
from whybounce.intake.logs.event import LogEvent

LONGEST_LINE = 20_000
"""Characters of a line that are read; syslog daemons cut at 8,192 or before."""


@dataclass(frozen=True, slots=True)
class Program:
    """`parse` gives None for a line that another program wrote; `tags`: how the tag begins that the logger writes before its lines."""

    slug: str
    parse: Callable[[Entry], LogEvent | None]
    tags: tuple[str, ...] = ()


PROGRAMS = (
    Program("postfix", postfix.parse, ("postfix",)),
    Program("exim", exim.parse, ("exim",)),
    Program("sendmail", sendmail.parse, ("sendmail", "sm-mta", "sm-msp")),
    Program("qmail", qmail.parse, ("qmail",)),
    Program("opensmtpd", opensmtpd.parse, ("smtpd",)),
    Program("courier", courier.parse, ("courier",)),
    Program("haraka", haraka.parse, ("haraka",)),
    Program("dovecot", dovecot.parse, ("dovecot",)),
    Program("amavis", filters.parse_amavis, ("amavis",)),
    Program("rspamd", filters.parse_rspamd, ("rspamd",)),
)


def parse_line(line: str) -> LogEvent | None:
    """What a line of any of the programs says; None for a line of none of them. Never raises. `line` without its line end."""
    line = line[:LONGEST_LINE]
    if line[:1] == "{":
        record = json_lines.load(line)
        if record is None:
            return None
        inner = json_lines.wrapped(record)
        return _parse(inner) if inner else json_lines.parse(record)
    return _parse(split_entry(line)) or tables.parse_row(line)


def _parse(entry: Entry) -> LogEvent | None:
    if entry.tag:
        for program in PROGRAMS:
            if entry.tag.startswith(program.tags):
                return program.parse(entry)
    for program in PROGRAMS:
        event = program.parse(entry)
        if event is not None:
            return event
    return None
