"""What the lines of all programs have in common: the prefix that the logger wrote, fields, hosts, codes. Plain string code: it runs on every line."""

from __future__ import annotations

from typing import NamedTuple

MONTHS = frozenset(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"))
_DAYS = frozenset(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_CODE_STARTS = "2345"


class Entry(NamedTuple):
    """A line without its prefix: `Nov 25 02:23:46 mail postfix/smtp[158]: ...` -> time, host, tag "postfix/smtp", rest."""

    time: str
    host: str
    tag: str
    rest: str


def split_entry(line: str) -> Entry:
    """The prefix of a line: RFC 3164, RFC 5424, ISO times, journalctl, multilog's tai64n, `docker logs`; an unknown one is part of `rest`."""
    start = 0
    if line[:1] == "<" and ">" in line[:6]:  # the priority, as it goes over the wire
        start = line.index(">") + 1
        if line[start : start + 2] == "1 ":
            return _rfc5424(line, start + 2)
    if line[start : start + 3] in MONTHS and line[start + 9 : start + 10] == ":":  # RFC 3164
        return _after_time(line, start, start + 15)
    if line[start : start + 1] == "@" and line[start + 1 : start + 25].isalnum() and line[start + 25 : start + 26] == " ":  # tai64n
        return Entry(line[start : start + 25], "", "", line[start + 26 :])
    if line[start : start + 3] in _DAYS and line[start + 3 : start + 4] == " ":  # journalctl -o short-full
        parts = line[start:].split(" ", 4)
        if len(parts) == 5 and parts[1][4:5] == "-":
            return _named(line, " ".join(parts[:4]), len(line) - len(parts[4]))
        return Entry("", "", "", line)
    if _is_date(line, start):
        return _iso(line, start)
    if line[start : start + 10].isdigit() and line[start + 10 : start + 11] in ".:":  # seconds since 1970: splogger, tailed logs
        time, _, rest = line[start:].partition(" ")
        return Entry(time.rstrip(":"), "", "", rest)
    bar = line.find("| ", 0, 80)
    if bar > 0 and " " not in line[:bar].rstrip():  # docker compose
        inner = split_entry(line[bar + 2 :])
        if inner.time:
            return inner
    return Entry("", "", *_tag(line, 0))


def _is_date(line: str, at: int) -> bool:
    return line[at + 4 : at + 5] == "-" and line[at + 7 : at + 8] == "-" and line[at : at + 4].isdigit() and line[at + 10 : at + 11] in ("T", " ")


def _iso(line: str, start: int) -> Entry:
    if line[start + 10] == "T":
        stop = line.find(" ", start)
        if stop < 0:
            return Entry("", "", "", line)
        time = line[start:stop]
        for mark in ("stdout F ", "stderr F ", "stdout P ", "stderr P "):  # CRI, Kubernetes
            if line.startswith(mark, stop + 1):
                stop += len(mark)
                break
        if (line[stop + 1 : stop + 4] in MONTHS and line[stop + 10 : stop + 11] == ":") or _is_date(line, stop + 1):  # docker logs -t
            return split_entry(line[stop + 1 :])
        return _named(line, time, stop + 1)
    stop = start + 19
    while stop < len(line) and line[stop] not in " ":
        stop += 1
    if line[stop : stop + 2] in (" +", " -") and line[stop + 2 : stop + 6].isdigit():
        stop += 6
    time = line[start:stop]
    return Entry(time, "", "", line[stop + 1 :])


def _rfc5424(line: str, at: int) -> Entry:
    """`<22>1 TIME HOST APP PID MSGID [data] message` (RFC 5424 section 6)."""
    parts = line[at:].split(" ", 5)
    if len(parts) < 6:
        return Entry("", "", "", line)
    rest = parts[5]
    if rest.startswith("- "):
        rest = rest[2:]
    elif rest.startswith("["):
        close = rest.find("] ")
        rest = rest[close + 2 :] if close > 0 else rest
    return Entry(parts[0], parts[1], parts[2], rest.removeprefix("\ufeff"))


def _after_time(line: str, start: int, stop: int) -> Entry:
    time = line[start:stop]
    if line[stop : stop + 1] == ".":  # fractions
        while stop < len(line) and line[stop] != " ":
            stop += 1
        time = line[start:stop]
    return _named(line, time, stop + 1)


def _named(line: str, time: str, at: int) -> Entry:
    """`host tag[pid]: rest`, or `tag[pid]: rest` where no host is written."""
    space = line.find(" ", at)
    if space < 0 or line[space - 1] in ":]":
        return Entry(time, "", *_tag(line, at))
    return Entry(time, line[at:space], *_tag(line, space + 1))


def _tag(line: str, at: int) -> tuple[str, str]:
    """`postfix/smtp[158]: rest` -> ("postfix/smtp", "rest")."""
    stop = line.find(": ", at, at + 200)
    if stop < 0:
        return "", line[at:]
    tag = line[at:stop]
    if " " in tag or not tag or tag == "NOQUEUE" or (len(tag) >= 8 and tag.isalnum() and not tag.isalpha()):  # a queue id
        return "", line[at:]
    if tag[-1] == "]":
        bracket = tag.find("[")
        if bracket >= 0:
            tag = tag[:bracket]
    return tag, line[stop + 2 :]


def between(text: str, mark: str, close: str, start: int = 0) -> str:
    """What stands after `mark` and before `close`; "" where either is missing."""
    at = text.find(mark, start)
    if at < 0:
        return ""
    at += len(mark)
    stop = text.find(close, at)
    return text[at:stop] if stop >= 0 else ""


def host_and_ip(text: str) -> tuple[str, str]:
    """`mx.example.net[192.0.2.25]:25`, `mx.example.net. [192.0.2.25]` -> name and address; "none", "local" and the like have no address."""
    name, bracket, rest = text.partition("[")
    name = name.strip(" .()")
    if not bracket:
        return name, ""
    ip = rest.partition("]")[0].removeprefix("IPv6:")
    return ("" if name in ("unknown", "UNKNOWN") else name), ip


def quick_codes(text: str) -> tuple[str | None, str | None]:
    """The codes of the last reply that is quoted in `text`: at its head, or after a colon."""
    best = 0 if _is_code(text, 0) else -1
    at = text.find(": ")
    while at >= 0:
        if _is_code(text, at + 2):
            best = at + 2
        at = text.find(": ", at + 2)
    if best < 0:
        head = text[:12].partition(" ")[0]
        return None, head if is_enhanced(head) else None
    rest = text[best + 4 : best + 18]
    enhanced = rest.partition(" ")[0]
    return text[best : best + 3], enhanced if is_enhanced(enhanced) else None


def _is_code(text: str, at: int) -> bool:
    return text[at : at + 1] in _CODE_STARTS and text[at : at + 3].isdigit() and len(text) >= at + 3 and text[at + 3 : at + 4] in ("", " ", "-")


def is_enhanced(word: str) -> bool:
    """`5.1.1`, of class 2, 4 or 5 (RFC 3463 section 2)."""
    return (
        5 <= len(word) <= 9 and word[0] in "245" and word[1] == "." and word.count(".") == 2 and word.replace(".", "").isdigit() and word[-1] != "."
    )


def bare(address: str) -> str:
    """An address without its angle brackets."""
    return address.strip("<> ")


def number(text: str) -> int | None:
    """A size as written; None for anything that is no number of at most twelve digits."""
    return int(text) if len(text) <= 12 and text.isascii() and text.isdecimal() else None
