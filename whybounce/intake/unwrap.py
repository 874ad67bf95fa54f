"""From what a mail server reports to what the server that refused said.

`host mx.example.net[192.0.2.1] said: 550 5.1.1 ... (in reply to RCPT TO command)` is Postfix quoting another server, and that
reply may quote a third. The innermost reply is the one with the cause, so the last mark in the text wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from whybounce.intake.page import trim

_HOST = r"(?P<host>[^\s\[\](),;<>\"']{1,255})"
_IP = r"(?P<ip>[^\]\s)]{2,64})"
_ANY_CASE = re.ASCII | re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A mark after which a quoted reply follows. `gate`: a word that must occur (lower case), which is quick to look for."""

    gate: str
    pattern: re.Pattern[str]
    closes: str = ""
    whole: bool = False  # the codes are the quoted reply's, the text stays whole


def _wrapping(gate: str, pattern: str, closes: str = "", whole: bool = False) -> Wrapping:
    return Wrapping(gate, re.compile(pattern, _ANY_CASE), closes, whole)


_WRAPPINGS = (
    # Postfix, smtp(8) and lmtp(8)
    _wrapping("host", rf"\bhost\s+{_HOST}\s*\[{_IP}\](?::\d{{1,5}})?\s+(?:said|refused\s+to\s+talk\s+to\s+me):\s*"),
    # Exim 4: the host after the command, or on the line before
    _wrapping(
        "server after",
        r"remote\s+(?:mail\s+)?server\s+after\s+[^:<>\[\]]{2,60}(?::\s*<[^>\n]{0,320}>[^:\n]{0,200})?:"
        rf"\s*(?:host\s+{_HOST}\s+\[{_IP}\](?::\d{{1,5}})?:\s*)?",
    ),
    _wrapping("]: ", rf"\bhost\s+{_HOST}\s+\[{_IP}\](?::\d{{1,5}})?:\s*(?=[45]\d\d[\s-])"),
    # GMX, 1&1, mail.com
    _wrapping(
        "remote server", rf"remote\s+server\s+(?:after|for)\s+[A-Za-z ]{{2,30}}command[:,]\s*host:\s*{_HOST}\s*(?:\({_IP}\))?\s*(?:reason:\s*)?"
    ),
    # qmail-remote
    _wrapping("host said", r"remote\s+host\s+said(?:\s*\[[^\]\n]{0,60}\])?:\s*"),
    # Gmail, Google Workspace and alike
    _wrapping("returned was", r"error\s+that\s+the\s+other\s+server\s+returned\s+was:\s*"),
    _wrapping("response", r"\bresponse(?:\s+from\s+the\s+remote\s+(?:mail\s+)?server)?(?:\s+was)?:\s+"),
    _wrapping("responded", r"server\s+responded(?:\s+with)?:\s*"),
    # Exchange: "Remote Server returned '550 5.1.1 ...'", "Remote Server at host (192.0.2.1) returned '...'"
    _wrapping("returned '", rf"remote\s+server\s+(?:at\s+{_HOST}\s+(?:\({_IP}\)\s+)?)?returned\s+(?:message\s+detected[^'\n]{{0,80}})?'", closes="'"),
    # Exchange: "[{LED=450 4.7.1 ...};{MSG=};{FQDN=mx.example.net};{IP=192.0.2.1};{LRT=...}]"
    _wrapping("{led=", r"\{LED=", closes="}"),
    # Exchange 2003 and 2007: "<mail.example.com #5.1.1 smtp;550 5.1.1 ...>", "#< #5.1.1 smtp;550 5.1.1 ...> #SMTP#"
    _wrapping("smtp;", r"#[245]\.\d{1,3}\.\d{1,3}\s+smtp;\s*(?=\d{3}[\s-])", closes=">"),
    # Exchange Online: "550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 No such user"
    _wrapping("->", r"->\s*(?=\d{3}[\s-])"),
    _wrapping("as follows", r"responded\s+as\s+follows:\s*\[?", closes="]"),
    _wrapping("], ", r"\[(?P<host>(?P<ip>[0-9A-Fa-f.:]{7,45}))\],\s+(?=[45]\d\d[\s-])"),  # SurfControl
    _wrapping("failed with", rf"\bserver\s+{_HOST}\s*\[{_IP}\]\s+failed\s+with:\s*"),
    _wrapping("smtp:", rf"\bSMTP:[A-Z]{{4,8}}\s+host\s+{_HOST}:\s*"),
    # DragonFly Mail Agent
    _wrapping("did not like", r"did\s+not\s+like\s+our\s+[A-Za-z ]{2,20}:\s*"),
    _wrapping("following error", r"with\s+the\s+following\s+error:\s*"),
    _wrapping("error_code", r"\bERROR_CODE\s?:\s?(?=[45]\d\d\b)"),
    _wrapping("error code", r"\bERROR\s+CODE\s?:\s?(?=[45]\d\d\b)"),  # Zoho
    _wrapping("(reason:", r"\(reason:\s*", closes=")\n"),  # sendmail
    _wrapping("talk to me", r"refused\s+to\s+talk\s+to\s+me:\s*"),
    _wrapping("...", r"\.\.\.\s+(?=[45]\d\d[\s-])"),  # sendmail: "554 <a@b>... 550 Host unknown"
    # Amazon SES: "554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.2 Connection timed out>"
    _wrapping("expired", r"expired:[^<>]{0,200}<(?=[45]\d\d[\s-])", closes=">", whole=True),
    _wrapping("message from", rf"last\s+error\s+message\s+from\s+{_HOST}:\s*"),
)
_HOST_BEFORE = re.compile(rf"(?:\bhost\s+)?{_HOST}\s+\[{_IP}\](?::\d{{1,5}})?\s*(?:SMTP\s+error|Delay\s+reason|did\s+not\s+like|:)", _ANY_CASE)
_QMAIL_HOST = re.compile(rf"(?:Connected\s+to\s+)?{_HOST}\s+(?:does\s+not\s+like|but\s+\w+|failed\s+(?:after|on))", _ANY_CASE)
_GOOGLE_HOST = re.compile(rf"\bby\s+(?:the\s+server\s+for\s+\S{{1,255}}\s+\S{{1,255}}\s+by\s+)?{_HOST}\.\s+\[{_IP}\]", _ANY_CASE)
_LED_HOST = re.compile(r"\{FQDN=(?P<host>[^\s{}]{1,255})\}(?:;\{IP=(?P<ip>[0-9A-Fa-f.:]{2,64})\})?", _ANY_CASE)
_CONNECT_HOST = re.compile(rf"\b(?:connect\s+to|conversation\s+with|connection\s+with|contact(?:ing)?)\s+{_HOST}\s*\[{_IP}\]", _ANY_CASE)
_SERVER_HOST = re.compile(rf"\bSMTP\s+server\s+<{_HOST}>", _ANY_CASE)
_QMAIL_END = re.compile(r"(?<!\s)\s++/?(?:I'm\s+not\s+going\s+to\s+try\s+again|Giving\s+up\s+on\s)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Inner:
    """Range of the innermost reply, and the range of the host name (or address) that sent it; an empty range: not said."""

    start: int
    end: int
    host: tuple[int, int] = (0, 0)
    ip: tuple[int, int] = (0, 0)
    wrapped: bool = False
    codes: tuple[int, int] = (0, 0)  # where the codes are to be read, if not in the range itself


def innermost(text: str, start: int, end: int, context: int | None = None) -> Inner:
    """The range of text[start:end] that the refusing server itself said; the words before it begin at `context`."""
    lowered = " ".join(text[start:end].lower().split())
    best: re.Match[str] | None = None
    kind = _WRAPPINGS[0]
    for wrapping in _WRAPPINGS:
        if wrapping.gate not in lowered:
            continue
        for match in wrapping.pattern.finditer(text, start, end):
            if match.end() < end and (best is None or match.end() > best.end()):
                best, kind = match, wrapping
    if best is None:
        host, ip = _named(_CONNECT_HOST, text, start, end) if "connect" in lowered or "conversation" in lowered else ((0, 0), (0, 0))
        return Inner(*_cut_tail(text, start, end), host, ip)
    groups = best.groupdict()
    host = best.span("host") if groups.get("host") else (0, 0)
    ip = best.span("ip") if groups.get("ip") else (0, 0)
    if not host[1]:
        host, ip = _host_around(text, start if context is None else min(context, start), best, end)
    stop = end
    if kind.closes:
        closing = text.find(kind.closes, best.end(), end) if kind.closes in ("}", ")\n") else text.rfind(kind.closes, best.end(), end)
        if closing < 0 and text[end - 1] == kind.closes[0]:
            closing = end - 1
        stop = closing if closing >= 0 else end
    if kind.whole:
        return Inner(*_cut_tail(text, start, end), host, ip, True, (best.end(), stop))
    begin, stop = _cut_tail(text, best.end(), stop)
    leave = _QMAIL_END.search(text, begin, stop)
    return Inner(*trim(text, begin, leave.start() if leave else stop), host, ip, True)


def _named(pattern: re.Pattern[str], text: str, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    last = None
    for match in pattern.finditer(text, start, end):
        last = match
    if last is None:
        return (0, 0), (0, 0)
    return last.span("host"), (last.span("ip") if last.groupdict().get("ip") else (0, 0))


def _host_around(text: str, start: int, mark: re.Match[str], end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The host where it stands before the mark (Exim, qmail, DragonFly, Google) or after it (Exchange)."""
    if "FQDN=" in text[mark.end() : end]:
        return _named(_LED_HOST, text, mark.end(), end)
    before = max(start, mark.start() - 600)
    for pattern in (_HOST_BEFORE, _GOOGLE_HOST, _QMAIL_HOST, _CONNECT_HOST, _SERVER_HOST):
        host, ip = _named(pattern, text, before, mark.start() + 12)
        if host[1]:
            return host, ip
    return (0, 0), (0, 0)


# What follows a reply, each with a mark that must occur in its last 200 characters.
_TAILS = (
    ("(", re.compile(r"\s*\((?:in\s+reply\s+to|state\s+\d)[^()]{0,80}\)?[).]*\s*$", _ANY_CASE)),
    ("##", re.compile(r"\s*##(?:rfc822;\S{0,320})?\s*$", _ANY_CASE)),
    ("]", re.compile(r"\s*\[(?:RCPT_TO|MAIL_FROM|DATA|CONNECT|EHLO|BODY)\]\s*$")),
    ("Giving", re.compile(r"\s*Giving\s+up\s+on\s+\S{1,255}\s*$")),
    ("STEP:", re.compile(r"\s*STEP:\s*[A-Z ]{2,30}\s*$")),
)


def _cut_tail(text: str, start: int, end: int) -> tuple[int, int]:
    start, end = trim(text, start, end)
    if text.startswith("#", start) and text[start + 1 : start + 4].isdigit():  # Exchange: "#550 5.1.1 ...; not found ##"
        start += 1
    for mark, tail in (*_TAILS, *_TAILS[:1]):  # a relay's own "(in reply to ...)" stands behind the one that it quotes
        match = tail.search(text, max(start, end - 200), end) if text.find(mark, max(start, end - 200), end) >= 0 else None
        if match and match.start() > start:
            end = match.start()
    return trim(text, start, end)
