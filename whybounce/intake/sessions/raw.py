"""A session without marks: what a terminal shows of telnet, nc or openssl s_client, JavaMail's debug output, a followed TCP stream."""

from __future__ import annotations

from collections.abc import Iterator

from whybounce.intake.page import lines_of
from whybounce.intake.sessions.dialogue import VERBS, Line, Side, is_reply, verb_of
from whybounce.intake.sessions.events import read_event

_SURE = ("ehlo ", "helo ", "lhlo ", "mail from", "rcpt to", "auth login", "auth plain", "auth cram-md5", "auth xoauth2", "starttls")
_NOISE = (
    "DEBUG", "Trying ", "Connected to", "Escape character", "CONNECTED(", "Connection ", "depth=", "verify", "read R BLOCK", "telnet", "\tat ", "*",
)  # fmt: skip
_LONE = frozenset({"DATA", "QUIT", "RSET", "NOOP", "HELP", "STARTTLS"})


def is_session(text: str) -> bool:
    """True where a command is followed by a reply, or a terminal tells of a connection and more."""
    head = text[:200_000]
    lowered = head.lower()
    terminal = "Escape character is" in head or "CONNECTED(" in head
    if not terminal and not any(mark in lowered for mark in _SURE):
        return False
    asked = False
    for start, end in lines_of(head, 0, len(head)):
        line = head[start : min(end, start + 200)].strip()
        if not line:
            continue
        if is_reply(line) and (asked or terminal):
            return True
        asked = line.lower().startswith(_SURE)
    return False


def raw_lines(text: str) -> Iterator[Line]:
    """The lines with the side that each must be from. After 354 all lines up to the dot are the message."""
    ranges = list(lines_of(text, 0, len(text)))
    replies = _next_is_reply(text, ranges)
    last_dot = max((number for number, (start, end) in enumerate(ranges) if text[start : min(end, start + 4)].rstrip() == "."), default=-1)
    content = secret = begun = False
    verb = ""
    for number, (start, end) in enumerate(ranges):
        said = text[start:end]
        short = said[:200].strip()
        if content:
            dot = short == "." and len(said) < 4
            content = not (dot or (number > last_dot and is_reply(short)))
            if content or dot:
                yield Line(Side.CLIENT, "." if dot else said, start, end)
                continue
        if not short:
            continue
        if is_reply(short):
            begun = True
            content = short.startswith("354") and verb == "DATA"
            secret = short.startswith("334")
            at = start + len(said) - len(said.lstrip())
            yield Line(Side.SERVER, said.strip(), at, end)
            continue
        found = _verb(short, begun=begun, answered=replies[number])
        if secret or found or (verb == "AUTH" and not short.startswith(_NOISE) and " " not in short):
            secret = False
            verb = found or verb
            at = start + len(said) - len(said.lstrip())
            yield Line(Side.CLIENT, said.strip(), at, start + len(said.rstrip()))
        else:
            yield Line(Side.EVENT, short, start, end)


def _verb(line: str, *, begun: bool, answered: bool) -> str:
    """The verb of a command, "" for a line that is none: an unknown word is one where the server complains right after it."""
    if line.startswith(_NOISE):
        return ""
    verb = verb_of(line)
    if verb in _LONE:
        return verb if line.upper() == verb or (begun and answered) else ""
    if line.lower().startswith(_SURE) or (verb in VERBS and begun and answered):
        return verb
    return verb if begun and answered and len(line.split()) <= 6 and read_event(line, 0, len(line), 0) is None else ""


def _next_is_reply(text: str, ranges: list[tuple[int, int]]) -> list[bool]:
    """For each line whether the next one that is not empty is a reply."""
    out = [False] * len(ranges)
    following = False
    for number in range(len(ranges) - 1, -1, -1):
        out[number] = following
        start, end = ranges[number]
        line = text[start : min(end, start + 200)].strip()
        if line:
            following = is_reply(line)
    return out
