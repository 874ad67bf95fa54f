"""What the readers of mail libraries share: how a rule finds a reply in an exception, and how that becomes a failure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from whybounce.failure import DeliveryFailure, Span, Stage
from whybounce.intake.addresses import find_address
from whybounce.intake.facts import bracketed, one_line, read_facts
from whybounce.intake.page import trim

LONGEST = 4000
MAX_FOUND = 1000
_NOWHERE = (0, 0)
_ESCAPE = re.compile(r"\\(?:([nrtfv0])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_LINE_END = re.compile(r"(?:\\r)?\\n|\n|\"(?=\}|\]|, ?\")")  # or the end of a JSON string
_CODED = re.compile(r"([2-5]\d\d)([ -]|$)", re.ASCII)
_SAID = re.compile(r"[2-5]\d\d[ -]|[245]\.\d{1,3}\.\d{1,3} ", re.ASCII)
_HOST = r"\[?([A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|[0-9a-fA-F:]{2,45})\]?"
# Where libraries name the server that they could not reach.
_HOSTS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"(?:Couldn't connect to host, port|Could not connect to SMTP host|connect to SMTP host|SMTP host): {_HOST}, ",
        rf"Error connecting to {_HOST} on port",
        rf"established with host \"?(?:(?:ssl|tls|tcp)://)?{_HOST}(?=[\":  ])",
        rf"Connection to \"?(?:(?:ssl|tls|tcp)://)?{_HOST}:\d",
        rf"(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET) {_HOST}:\d",
        rf"ENOTFOUND {_HOST}",
        rf"EAI_AGAIN {_HOST}",
        rf"(?:lookup|getaddrinfo for) {_HOST} ",
        rf"dial tcp {_HOST}:\d",
        rf"nknownHostException: {_HOST}",
        rf"onnect to (?:(?:ssl|tls|tcp)://)?{_HOST}:\d",
        rf"remote name could not be resolved: '{_HOST}'",
        rf"SMTP connection to \({_HOST}\)",
        rf"for \"{_HOST}\" port \d",
        rf"valid for [^\n]{{1,200}}, not {_HOST}",
        rf"ctively refused it\.? \[?(?:::ffff:)?{_HOST}\]?:\d",
        rf"_failure, (?:\"|'|<<\"){_HOST}(?:\"|')",
    )
)
_TLS = ("certificate", "ssl", "tls", "handshake", "x509", "secure connection", "crypto", "altnames", "pkix", "wrong version number")
_CLOSED = ("reset", "broken pipe", "closed", "eof", "end of file", "disconnected", "empty response")  # at which command is not said
_AUTH = ("authenticat", "credentials", "login", "password", "auth extension", "oauth")


@dataclass(frozen=True, slots=True)
class Found:
    """What an exception tells of one recipient; pairs are ranges of the text, empty where not said.

    reply     what the server said; for `own` the sentence of the library itself (no reply came, or it is not shown)
    literal   the reply stands with backslash escapes, as in a string literal
    """

    reply: tuple[int, int]
    stage: Stage = Stage.EMPTY
    code: tuple[int, int] = _NOWHERE
    enhanced: tuple[int, int] = _NOWHERE
    recipient: tuple[int, int] = _NOWHERE
    sender: tuple[int, int] = _NOWHERE
    host: tuple[int, int] = _NOWHERE
    own: bool = False
    literal: bool = False
    implied: str = ""  # the code that the library's words stand for


@dataclass(frozen=True, slots=True)
class Rule:
    """How one sentence of a library is recognised.

    pattern   named groups as in Found. A group `reply` that matched nothing marks where the reply begins: it then ends at one of `closes`,
              else with its line (continuation lines are part of it)
    gate      must occur, which is quick to look for
    own       see Found
    stages    the text of the group `kind` -> stage
    """

    gate: str
    pattern: re.Pattern[str]
    stage: Stage = Stage.EMPTY
    closes: tuple[str, ...] = ()
    own: bool = False
    literal: bool = False
    stages: Mapping[str, Stage] = field(default_factory=dict)


def rule(
    gate: str,
    pattern: str,
    stage: Stage = Stage.EMPTY,
    *closes: str,
    own: bool = False,
    literal: bool = False,
    stages: Mapping[str, Stage] | None = None,
) -> Rule:
    return Rule(gate, re.compile(pattern, re.ASCII | re.MULTILINE), stage, closes, own, literal, stages or {})


@dataclass(frozen=True, slots=True)
class Library:
    """A mail library. `marks`: one of them must occur. `frames`: words of a stack trace -> stage, asked in order where the exception itself
    does not tell. `rules` are tried in order until one matches; `read`, where there is one, is asked first."""

    name: str
    marks: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    frames: tuple[tuple[str, Stage], ...] = ()
    read: Callable[[str], list[Found]] | None = None
    unsaid: Stage = Stage.CONNECT  # of an error of its own that does not tell the stage

    def find(self, text: str) -> list[Found]:
        """All that the library tells in `text`; empty where it is not this library's."""
        if not any(mark in text for mark in self.marks):
            return []
        found = self.read(text) if self.read else []
        for one in () if found else self.rules:
            found = apply(one, text)
            if found:
                break
        return [item if item.stage else replace(item, stage=self._stage(text, item)) for item in distinct(found, text)]

    def _stage(self, text: str, found: Found) -> Stage:
        if found.own:
            words = text[slice(*found.reply)].lower()
            if any(mark in words for mark in _TLS):
                return Stage.STARTTLS
            if any(mark in words for mark in _AUTH):
                return Stage.AUTH
        for frame, stage in self.frames:
            if frame in text:
                return stage
        words = text[slice(*found.reply)].lower()
        return self.unsaid if found.own and not any(mark in words for mark in _CLOSED) else Stage.EMPTY


def apply(one: Rule, text: str) -> list[Found]:
    """What a rule finds, at most MAX_FOUND."""
    if one.gate not in text:
        return []
    found: list[Found] = []
    for match in one.pattern.finditer(text):
        groups = {name: match.span(name) if value else _NOWHERE for name, value in match.groupdict().items()}
        start, end = match.span("reply")
        if start < 0:
            continue
        if start == end:
            end = closing(text, start, one.closes) if one.closes else reply_end(text, start)
        start, end = trim(text, start, min(end, start + LONGEST))
        if start == end:
            continue
        stage = one.stages.get(match["kind"] or "", one.stage) if "kind" in groups else one.stage
        code, enhanced, recipient, sender, host = (groups.get(name, _NOWHERE) for name in ("code", "enhanced", "recipient", "sender", "host"))
        found.append(Found((start, end), stage, code, enhanced, recipient, sender, host, one.own, one.literal))
        if len(found) >= MAX_FOUND:
            break
    return found


def distinct(found: Iterable[Found], text: str) -> list[Found]:
    """Without repetitions: stack traces name a cause again and again."""
    seen = set()
    kept = []
    for item in found:
        key = (text[slice(*item.reply)], text[slice(*item.recipient)])
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def reply_end(text: str, start: int) -> int:
    """Where the reply that begins at `start` ends: with its line, or with the last of its continuation lines (RFC 5321 section 4.2.1).
    A line may end with an escaped line end too, as in a string or in JSON."""
    limit = min(len(text), start + LONGEST)
    at = start
    while True:
        coded = _CODED.match(text, at, limit)
        ending = _LINE_END.search(text, at, limit)
        if ending is None:
            return limit
        following = _CODED.match(text, ending.end(), limit)
        if not coded or coded[2] != "-" or not following or following[1] != coded[1]:
            return ending.start()
        at = ending.end()


def closing(text: str, start: int, closes: tuple[str, ...]) -> int:
    """The first of `closes` after `start`, else the reply's own end."""
    limit = min(len(text), start + LONGEST)
    places = [at for mark in closes if (at := text.find(mark, start, limit)) >= 0]
    return min(places) if places else reply_end(text, start)


def unescape(raw: str) -> str:
    r"""`a\nb \'c\'` -> what the string literal holds."""
    if "\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda m: _CONTROLS[m[1]] if m[1] else chr(int(m[2] or m[3], 16)) if m[2] or m[3] else m[4], raw)


def failure(text: str, found: Found) -> DeliveryFailure:
    """The failure that an exception tells."""
    start, end = found.reply
    said = text[start:end]
    if found.literal or "\\r\\n" in said or "\\n" in said:
        said = unescape(said)
    spans = {"text": Span(start, end)}
    named = {name: text[slice(*place)] for name, place in (("recipient", found.recipient), ("envelope_sender", found.sender)) if place[1]}
    spans.update({name: Span(*place) for name, place in (("recipient", found.recipient), ("envelope_sender", found.sender)) if place[1]})
    if found.own:
        host, place = _host(text, found)
        if place[1]:
            spans["remote_mta"] = Span(*place)
        return DeliveryFailure(
            text=one_line(said),
            stage=found.stage,
            remote_mta=bracketed(host),
            spans=spans,
            recipient=named.get("recipient", ""),
            envelope_sender=named.get("envelope_sender", ""),
        )
    facts = read_facts(said, 0, len(said))
    codes = {"code": facts.code or "", "enhanced": facts.enhanced or ""}
    for name, place in (("code", found.code), ("enhanced", found.enhanced)):
        if place[1]:
            codes[name] = text[slice(*place)]
            spans[name] = Span(*place)
        elif codes[name] and (at := text.find(codes[name], start, end)) >= 0:
            spans[name] = Span(at, at + len(codes[name]))
    _address(text, found, named, spans)
    host = text[slice(*found.host)] if found.host[1] else ""
    if host:
        spans["remote_mta"] = Span(*found.host)
    elif facts.remote_mta and (at := text.find(facts.remote_mta.strip("[]"), start, end)) >= 0:
        spans["remote_mta"] = Span(at, at + len(facts.remote_mta.strip("[]")))
    if facts.sending_ip and (at := text.find(facts.sending_ip, start, end)) >= 0:
        spans["sending_ip"] = Span(at, at + len(facts.sending_ip))
    return DeliveryFailure(
        text=one_line(said), code=codes["code"] or found.implied or None, enhanced=codes["enhanced"] or None, stage=found.stage or facts.stage,
        remote_mta=bracketed(host) or facts.remote_mta, sending_ip=facts.sending_ip, spans=spans,
        recipient=named.get("recipient", ""), envelope_sender=named.get("envelope_sender", ""),
    )  # fmt: skip


def _address(text: str, found: Found, named: dict[str, str], spans: dict[str, Span]) -> None:
    """A reply to RCPT names the recipient, one to MAIL the sender, where it names an address."""
    said = text[slice(*found.reply)].lower()
    name = {Stage.RCPT: "recipient", Stage.MAIL: "envelope_sender"}.get(found.stage, "")
    if not found.stage:
        name = "recipient" if "recipient address" in said else "envelope_sender" if "sender address" in said else ""
    if not name or name in named:
        return
    place = find_address(text, *found.reply)
    if place:
        named[name] = text[slice(*place)]
        spans[name] = Span(*place)


def _host(text: str, found: Found) -> tuple[str, tuple[int, int]]:
    if found.host[1]:
        return text[slice(*found.host)], found.host
    start, end = found.reply
    for begin, stop in ((start, end), (max(0, start - 300), min(len(text), end + 300))):
        for pattern in _HOSTS:
            match = pattern.search(text, begin, stop)
            if match and ("." in match[1] or ":" in match[1]):
                return match[1].rstrip("."), (match.start(1), match.start(1) + len(match[1].rstrip(".")))
    return "", _NOWHERE


def is_reply(text: str, start: int) -> bool:
    """True where a reply begins at `start`: a code, basic or enhanced."""
    return _SAID.match(text, start) is not None
