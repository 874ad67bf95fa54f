"""Postfix: which lines of a block say something, in their order, found by one expression in compiled code.

Everything in it is possessive: the time is linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from whybounce.triage.lives import LATER, REFUSED, SENT


def _finder(time: bytes, plain_time: bytes) -> re.Pattern[bytes]:
    """`time`: as groups 1 and 2, up to the hour and the rest. Then 3 host, 4 queue id, and of the lines of that id

    5 "message-id", with 6 the sender where the line after it tells it; 7 "from=<" and the sender; 8 a recipient, 9 the relay's name, 10 all
    up to the status, 11 "removed" where it was sent and the line after it says so, 12 all after "status=" where it was not sent;
    13 another line that says something, from the id on. 14: the whole of a line that Postfix did not write.
    """
    follows = rb"\n" + plain_time + rb" \S++ postfix[^: \n]*+: \4: "
    return re.compile(
        rb"\n(?:" + time + rb" (\S++) postfix[^: \n]*+: ([0-9A-Za-z]{6,20}+): (?:"
        rb"(message-id)=[^\n]*+(?:" + follows + rb"from=<([^>\n]*+)>, size)?+"
        rb"|(from=<[^>\n]*+)>, size"
        rb"|to=<([^>\n]++)>(?:, orig_to=<[^>\n]*+>)?+, relay=([^\[,\n]*+)([^,\n]*+(?:, (?!status=)\w++=[^,\n]*+)*+), status="
        rb"(?:sent[^\n]*+(?:" + follows + rb"(removed))?+|([^\n]++))"
        rb"|(removed|(?:to=<|from=<[^>\n]*+>, status=|(?:milter-)?reject: )[^\n]*+))"
        rb"|(?!" + plain_time + rb" \S++ postfix[^: \n]*+: )([^\n]++))"
    )


_SYSLOG = _finder(rb"(.{9})(.{6})", rb".{15}")
_ISO = _finder(rb"(\d{4}-\d\d-\d\d[T ]\d\d)(:\d\d:\d\S*+)", rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\S*+")

KIND_OF = {b"deferred": LATER, b"bounced ": REFUSED, b"undelive": REFUSED, b"expired,": REFUSED, b"expired ": REFUSED, b"force-ex": REFUSED}
"""The first eight bytes after "status=" -> what the attempt came to; "sent" is no matter here, "deliverable" says nothing."""


def finder_of(block: bytes) -> re.Pattern[bytes]:
    """What finds the lines of a block, by the times of its first line (RFC 3164 or ISO 8601)."""
    return _ISO if block[5:6] == b"-" else _SYSLOG


class Attempt(NamedTuple):
    """One attempt at a recipient. `hour`, `rest`: its time; `fields`: of the line from the relay's address up to the status; `told`: from the
    status on."""

    kind: int
    hour: bytes
    rest: bytes
    recipient: bytes
    relay: bytes
    fields: bytes
    told: bytes

    @property
    def stamp(self) -> str:
        return (self.hour + self.rest[:6]).decode() if self.hour else ""


_UNUSUAL = re.compile(rb"to=<(.*?)>, (?:orig_to=<.*?>, )?(?:relay=([^\[,]*+)([^,]*+))?(.{0,500}?), status=(.*)", re.DOTALL)


def unusual_attempt(line: bytes, hour: bytes, rest: bytes) -> Attempt | None:
    """Of a line that the finder gives as "another": an address with ">" in it, or no relay."""
    parts = _UNUSUAL.match(line[:4000])
    if parts is None:
        return None
    recipient, relay, address, fields, told = parts.groups(b"")
    kind = SENT if told.startswith(b"sent") else KIND_OF.get(told[:8])
    return None if kind is None else Attempt(kind, hour, rest, recipient, relay, address + fields, told)


class Refusal(NamedTuple):
    """A client that was refused before there was a queue id. `command`: what was refused, as the line names it."""

    command: bytes
    client_ip: bytes
    text: bytes
    sender: bytes
    recipient: bytes


# What most refusals look like: a line each.
_REFUSALS = re.compile(
    rb"((?:milter-)?reject: [A-Z-]++) from [^\[ \n]*+\[([^\]\n]*+)\](?::\d++)?+: ([^;\n]*+(?:;(?! from=<)[^;\n]*+)*+)"
    rb"; from=<([^>\n]*+)> to=<([^>\n]*+)>(?= |\n|$)[^\n]*+"
)


def refusals_of(lines: Sequence[bytes]) -> Iterator[tuple[bytes, ...] | None]:
    """The fields of a Refusal for each of these `reject: RCPT from host[ip]: reply; from=<..> to=<..> ...`; None where it has none."""
    found = _REFUSALS.findall(b"\n".join(lines))
    return iter(found) if len(found) == len(lines) else map(_refusal_of, lines)


def _refusal_of(line: bytes) -> tuple[bytes, ...] | None:
    found = _REFUSALS.match(line)
    if found is not None:
        return found.groups()
    bracket = line.find(b"[")
    close = line.find(b"]", bracket)
    start = line.find(b": ", close)
    if bracket < 0 or close < 0 or start < 0 or b"; " in line[:start]:
        return None
    end = line.rfind(b"; from=<", start)
    if end < 0:
        end = min((stop for mark in (b"; to=<", b"; proto=", b"; helo=<") if (stop := line.rfind(mark, start)) >= 0), default=len(line))
    command = line[: line.find(b" from ")]
    return command, line[bracket + 1 : close], line[start + 2 : end].rstrip(), _within(line, b" from=<", end), _within(line, b" to=<", end)


def _within(line: bytes, mark: bytes, start: int) -> bytes:
    at = line.find(mark, start)
    return line[at + len(mark) : line.find(b">", at)] if at >= 0 else b""
