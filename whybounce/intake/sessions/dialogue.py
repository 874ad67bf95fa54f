"""An SMTP session as a list of exchanges: which command got which reply (RFC 5321 section 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from whybounce.failure import Span, Stage

LONGEST = 4000
"""Characters of one line that are read; its full length is still measured."""
MOST_LINES = 50_000
HIDDEN = "********"
_HIDDEN_ALREADY = ("[credentials", "<credentials", "***", "[hidden", "<hidden", "(secret", "logging suppressed")
VERBS = frozenset(
    ("EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS", "AUTH", "ETRN", "ATRN",
     "TURN", "SEND", "SOML", "SAML", "BURL", "XCLIENT", "XFORWARD")
)  # fmt: skip
_REPLY = re.compile(r"([2-5]\d\d)(?:([ -])(.*)|$)", re.ASCII)
_STAGES = {
    "EHLO": Stage.EHLO,
    "HELO": Stage.EHLO,
    "LHLO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS,
    "AUTH": Stage.AUTH,
    "MAIL": Stage.MAIL,
    "RCPT": Stage.RCPT,
    "DATA": Stage.DATA,
    "BDAT": Stage.MESSAGE,
    ".": Stage.MESSAGE,
}


class Side(StrEnum):
    """Who wrote a line; EVENT is what the program says itself ("Connection closed")."""

    CLIENT = "client"
    SERVER = "server"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a session: `text` without the program's marks and escapes, `start` to `end` where it stands in the paste.
    `bare`: it ended with LF alone (only where the program shows line ends)."""

    side: Side
    text: str
    start: int
    end: int
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command as written (credentials hidden). `verb` in capitals; "." is the end of the message, "" an answer within AUTH."""

    text: str
    verb: str
    argument: str
    span: Span
    length: int = 0
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `lines` is the text of each line without code and separator (RFC 5321 section 4.2.1)."""

    code: str
    lines: tuple[str, ...]
    span: Span

    @property
    def refused(self) -> bool:
        return self.code[0] in "45"

    @property
    def text(self) -> str:
        """As a server sends it, lines joined by LF."""
        last = len(self.lines) - 1
        return "\n".join(f"{self.code}{' ' if number == last else '-'}{line}" for number, line in enumerate(self.lines)).rstrip()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command and its reply; `command` None: the greeting, or a reply nobody asked for; `reply` None: none came.

    tls         the exchange was inside TLS that STARTTLS began
    pipelined   the command was sent before the reply to the one before it
    early       the command was sent before the server's greeting
    content     lines of the message, where they are shown, for the exchange of the final dot
    """

    command: Command | None
    reply: Reply | None
    stage: Stage = Stage.EMPTY
    tls: bool = False
    pipelined: bool = False
    early: bool = False
    content: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the client did against the grammar or the order of SMTP: a slug, where it stands, and a sentence with its RFC section."""

    slug: str
    span: Span
    sentence: str


@dataclass(frozen=True, slots=True)
class Event:
    """What the program says of the connection: kind "connected", "closed", "timeout", "refused", "unresolved", "tls", "tls-failed"."""

    kind: str
    text: str
    span: Span
    host: str = ""
    after: int = 0  # exchanges seen before it


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was pasted.

    dialect      slug of the program that showed it
    whole        it begins at its beginning: the order of commands can be judged
    extensions   what the server offered last, keyword in capitals -> its parameters (RFC 5321 section 4.1.1.1)
    secrets      where credentials stood
    """

    dialect: str
    exchanges: tuple[Exchange, ...]
    events: tuple[Event, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    tls: bool = False
    secrets: tuple[Span, ...] = ()


def is_reply(text: str) -> bool:
    """True for a line that a server could have sent as a reply."""
    return _REPLY.match(text[:8].rstrip()) is not None


def verb_of(text: str) -> str:
    """The first word in capitals: `"mail from:<a@b>"` -> `"MAIL"`."""
    words = text[:60].split(None, 1)
    return words[0].partition(":")[0].upper() if words else ""


def extensions_of(reply: Reply) -> dict[str, str]:
    """The keywords of a reply to EHLO and their parameters; the line of the greeting left out. `AUTH=LOGIN` is the form of old servers."""
    offered: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
        if keyword:
            offered[keyword.upper()] = " ".join(f"{offered.get(keyword.upper(), '')} {parameters}".split())
    return offered


@dataclass(slots=True)
class _Sent:
    command: Command
    stage: Stage
    tls: bool
    pipelined: bool
    early: bool
    content: tuple[Line, ...] = ()


@dataclass(slots=True)
class Dialogue:
    """Takes lines in order and pairs commands with replies."""

    exchanges: list[Exchange] = field(default_factory=list)
    secrets: list[Span] = field(default_factory=list)
    tls: bool = False
    greeted: bool = False
    content: list[Line] | None = None
    challenged: bool = False
    pending: list[_Sent] = field(default_factory=list)
    _open: list[Line] = field(default_factory=list)
    _data: Command | None = None

    def take(self, line: Line) -> None:
        if line.side is Side.SERVER:
            self._server(line)
            return
        if line.side is Side.CLIENT:  # an event may stand within a reply: curl tells of TLS records
            self._close()
            self._client(line)

    def finish(self) -> None:
        """The end of the paste: commands still without a reply get none."""
        self._close()
        for sent in self.pending:
            self._add(sent, None)
        self.pending = []

    # --- the client ---

    def _client(self, line: Line) -> None:
        if self.content is not None:
            if line.text.rstrip() == ".":
                self._send(_command(".", line, "."), tuple(self.content))
                self.content = None
            else:
                self.content.append(line)
            return
        verb = verb_of(line.text)
        last = self.pending[-1] if self.pending else None
        if self.challenged or (last and last.command.verb in ("AUTH", "") and verb not in VERBS):
            self.challenged = False
            if not line.text.lstrip().lower().startswith(_HIDDEN_ALREADY):
                self.secrets.append(Span(line.start, line.end))
            self._send(Command(HIDDEN, "", HIDDEN, Span(line.start, line.end)))
            return
        if not verb or (last and last.command.verb == "BDAT" and verb not in VERBS):
            return
        self._send(self._masked(line) if verb == "AUTH" else _command(verb, line))

    def _masked(self, line: Line) -> Command:
        """AUTH with its initial response hidden (RFC 4954 section 4)."""
        words = line.text[:LONGEST].split()
        if len(words) < 3 or words[2] == "=":
            return _command("AUTH", line)
        shown = " ".join([*words[:2], HIDDEN])
        # Where the program escapes, the last word of the line is still the last word of the text.
        self.secrets.append(Span(max(line.start, line.end - len(line.text.partition(words[1])[2].strip())), line.end))
        return Command(shown, "AUTH", " ".join(shown.split()[1:]), Span(line.start, line.end), len(line.text))

    def _send(self, command: Command, content: tuple[Line, ...] = ()) -> None:
        stage = Stage.AUTH if command.verb == "" else _STAGES.get(command.verb, Stage.EMPTY)
        pipelined = bool(self.pending) and bool(command.verb)
        early = not self.greeted and not self.exchanges
        self.pending.append(_Sent(command, stage, self.tls, pipelined, early, content))

    # --- the server ---

    def _server(self, line: Line) -> None:
        match = _REPLY.match(line.text[:LONGEST].strip())
        if match is None:
            if self._open:
                self._open.append(line)
            return
        if self._open and not line.text.lstrip().startswith(self._open[0].text.lstrip()[:3]):
            self._close()
        self._open.append(line)
        if match[2] != "-":
            self._close()

    def _close(self) -> None:
        if not self._open:
            return
        lines, self._open = self._open, []
        code = lines[0].text.lstrip()[:3]
        said = tuple(text[4:] if text.startswith(code) else text for line in lines if (text := line.text[:LONGEST].strip()) or True)
        self._answer(Reply(code, said, Span(lines[0].start, lines[-1].end)))

    def _answer(self, reply: Reply) -> None:
        if not self.greeted and reply.code == "220" and (not self.pending or self.pending[0].command.verb != "STARTTLS"):
            self.greeted = True
            for sent in self.pending:
                sent.early = True
            self.exchanges.append(Exchange(None, reply, Stage.CONNECT))
            return
        if self.content is not None and not self.pending:
            self._end_of_message()
        if not self.pending:
            self._unasked(reply)
            return
        sent = self.pending.pop(0)
        self._add(sent, reply)
        verb = sent.command.verb
        if verb == "DATA" and reply.code == "354":
            self.content, self._data = [], sent.command
        elif verb == "STARTTLS" and reply.code == "220":
            self.tls = True
        self.challenged = reply.code == "334"

    def _end_of_message(self) -> None:
        """The reply after the message of a program that does not show the final dot."""
        content = tuple(self.content or ())
        self.content = None
        data = self._data.span if self._data else Span(0, 0)
        span = Span(content[0].start, content[-1].end) if content else data
        self._send(Command(".", ".", "", span), content)

    def _unasked(self, reply: Reply) -> None:
        if not self.exchanges:
            self.greeted = True
            self.exchanges.append(Exchange(None, reply, Stage.CONNECT))
        elif reply.code == "421":  # RFC 5321 section 3.8: a server may close at any time with 421
            self.exchanges.append(Exchange(None, reply, Stage.EMPTY, self.tls))

    def _add(self, sent: _Sent, reply: Reply | None) -> None:
        early = sent.early and self.greeted
        self.exchanges.append(Exchange(sent.command, reply, sent.stage, sent.tls, sent.pipelined, early, sent.content))


def _command(verb: str, line: Line, text: str = "") -> Command:
    text = text or line.text[:LONGEST].strip()
    argument = text[len(verb) :].lstrip(" ") if verb != "." else ""
    return Command(text, verb, argument, Span(line.start, line.end), len(line.text), line.bare)


def converse(lines: Iterable[Line]) -> Dialogue:
    """The dialogue of `lines`, at most MOST_LINES of them."""
    dialogue = Dialogue()
    for number, line in enumerate(lines):
        if number >= MOST_LINES:
            break
        dialogue.take(line)
    dialogue.finish()
    return dialogue
