"""Postfix: which lines of a block say something, in their order, found by one expression in compiled code.

Everything in it is possessive: the time is linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from whybounce.triage.lives import LATER, REFUSED, SENT


def _finder(time: bytes, host: bytes) -> re.Pattern[bytes]:
    """`host`: the one that most lines name. Groups: 1 the time, 2 the host where it is another, 3 queue id, and of the lines of that id

    4 "message-id", with 5 the sender where the line after it tells it; 6 "from=<" and the sender; 7 a recipient, 8 the relay's name, 9 all
    up to the status, 10 "removed" where it was sent and the line after it says so, 11 all after "status=" where it was not sent;
    12 another line that says something, from the id on. 13: the whole of a line that Postfix did not write.
    """
    follows = rb"\n" + time + rb" \S++ postfix[^: \n]*+: \3: "
    return re.compile(
        rb"\n(?:(" + time + rb") (?:" + re.escape(host) + rb"|(\S++)) postfix[^: \n]*+: ([0-9A-Za-z]{6,20}+): (?:"
        rb"(message-id)=[^\n]*+(?:" + follows + rb"from=<([^>\n]*+)>, size)?+"
        rb"|(from=<[^>\n]*+)>, size"
        rb"|to=<([^>\n]++)>(?:, orig_to=<[^>\n]*+>)?+, relay=([^\[,\n]*+)([^,\n]*+(?:, (?!status=)\w++=[^,\n]*+)*+), status="
        rb"(?:sent[^\n]*+(?:" + follows + rb"(removed))?+|([^\n]++))"
        rb"|(removed|(?:to=<|from=<[^>\n]*+>, status=|(?:milter-)?reject: )[^\n]*+))"
        rb"|(?!" + time + rb" \S++ postfix[^: \n]*+: )([^\n]++))"
    )


KIND_OF = {b"deferred": LATER, b"bounced ": REFUSED, b"undelive": REFUSED, b"expired,": REFUSED, b"expired ": REFUSED, b"force-ex": REFUSED}
"""The first eight bytes after "status=" -> what the attempt came to; "sent" is no matter here, "deliverable" says nothing."""


_HEAD = re.compile(rb"\n(?:.{15}|[\d-]{10}[T ][\d:]{8}\S*+) (\S++) postfix")
_HOSTS_TRIED = 4096


class Finder(NamedTuple):
    """`find`: block -> the groups of `_finder` for each line that says something; `host`: that of lines whose second group is empty;
    `hour`: how many bytes of a time tell the hour."""

    find: Callable[[bytes], list[tuple[bytes, ...]]]
    host: bytes
    hour: int


def finder_of(block: bytes) -> Finder:
    """What finds the lines of a block, by its first line of Postfix: RFC 3164 or ISO 8601."""
    head = _HEAD.search(block[:_HOSTS_TRIED])
    return _finder_for(block[5:6] == b"-", head[1] if head else b"")


@lru_cache(maxsize=256)
def _finder_for(iso: bool, host: bytes) -> Finder:
    time = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\S*+" if iso else rb".{15}"
    return Finder(_finder(time, host or b"-").findall, host or b"-", 13 if iso else 9)


class Attempt(NamedTuple):
    """One attempt at a recipient. `hour`: of its time, in ISO form; `time`: as written; `fields`: of the line from the relay's address up to
    the status; `told`: from the status on."""

    kind: int
    hour: bytes
    time: bytes
    recipient: bytes
    relay: bytes
    fields: bytes
    told: bytes

    @property
    def stamp(self) -> str:
        return stamp_of(self.hour, self.time).decode()


def stamp_of(hour: bytes, time: bytes) -> bytes:
    """`b"2026-11-25T03"` and `b"Nov 25 03:04:33"`, or an ISO time, -> `b"2026-11-25T03:04:33"`; b"" where the hour is not known."""
    return hour + (time[13:19] if time[4:5] == b"-" else time[9:15]) if hour else b""


_UNUSUAL = re.compile(rb"to=<(.*?)>, (?:orig_to=<.*?>, )?(?:relay=([^\[,]*+)([^,]*+))?(.{0,500}?), status=(.*)", re.DOTALL)


def unusual_attempt(line: bytes, hour: bytes, time: bytes) -> Attempt | None:
    """Of a line that the finder gives as "another": an address with ">" in it, or no relay."""
    parts = _UNUSUAL.match(line[:4000])
    if parts is None:
        return None
    recipient, relay, address, fields, told = parts.groups(b"")
    kind = SENT if told.startswith(b"sent") else KIND_OF.get(told[:8])
    return None if kind is None else Attempt(kind, hour, time, recipient, relay, address + fields, told)


Refusal = tuple[bytes, bytes, bytes, bytes, bytes]
"""A client that was refused before there was a queue id: what was refused, as the line names it, the client's address, the reply, sender,
recipient."""

# What most refusals look like: a line each.
_REFUSALS = re.compile(
    rb"((?:milter-)?reject: [A-Z-]++) from [^\[ \n]*+\[([^\]\n]*+)\](?::\d++)?+: ([^;\n]*+(?:;(?! from=<)[^;\n]*+)*+)"
    rb"; from=<([^>\n]*+)> to=<([^>\n]*+)>(?= |\n|$)[^\n]*+"
)


def refusals_of(lines: Sequence[bytes]) -> Iterator[Refusal | None]:
    """A Refusal for each of these `reject: RCPT from host[ip]: reply; from=<..> to=<..> ...`; None where it has none."""
    found = _REFUSALS.findall(b"\n".join(lines))
    return iter(found) if len(found) == len(lines) else map(_refusal_of, lines)


def _refusal_of(line: bytes) -> Refusal | None:
    found = _REFUSALS.match(line)
    if found is not None:
        return found[1], found[2], found[3], found[4], found[5]
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
