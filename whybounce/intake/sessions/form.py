"""The form "session": finds how a session is shown, reads it as a dialogue, judges it, and reports what was refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from whybounce.failure import DeliveryFailure, IntakeReport, Span, Stage
from whybounce.intake.facts import one_line
from whybounce.intake.mail import looks_like_mail, parse
from whybounce.intake.mime import MAX_TEXT, to_text
from whybounce.intake.page import Part, lines_of, unquote
from whybounce.intake.sessions.dialects import candidates
from whybounce.intake.sessions.dialogue import VERBS, Dialogue, Event, Line, Mistake, Session, Side, extensions_of, is_reply, verb_of
from whybounce.intake.sessions.events import FATAL, read_event
from whybounce.intake.sessions.grammar import judge_form
from whybounce.intake.sessions.order import Judge
from whybounce.intake.sessions.raw import is_session, raw_lines
from whybounce.intake.sessions.refusals import delivered, failures_of

_MOST_MISTAKES = 20
_MOST_EVENTS = 200
_BEGINNING, _ENDING = 140_000, 50_000
"""Bytes of a paste that are read as a session. A long message stands in the middle; what became of it is said at the end."""
_CONNECTION = (b"Trying ", b"telnet: ", b"CONNECTED(", b"Connection to ", b"nc: ", b"curl: (", b"connect: ", b"Ncat: ")
_REPLIES = (b"220", b"250", b"354", b"421", b"45", b"50", b"53", b"55")
TRANSCRIPT = b"Transcript of session follows."
_OPTIONS = (" --auth-password ", " -ap ", " --auth-password=", " --user ", " -u ", "--password=", " --password ")


def read_session(data: bytes) -> IntakeReport | None:
    """The report of a pasted session (bytes, LF line ends); None where the paste is none."""
    if looks_like_mail(data.lstrip(b"\n \t\0")) and TRANSCRIPT not in data[:20_000]:
        return None
    if not any(mark in data[:_BEGINNING] for mark in (*_REPLIES, *_CONNECTION)):
        return None
    text = to_text(_shortened(data))[:MAX_TEXT]
    if TRANSCRIPT in data[:_BEGINNING]:
        return _of_transcript(data, text)
    return _read(text) or (_read(plain) if (plain := unquote(text)) != text else None)


def _shortened(data: bytes) -> bytes:
    """The beginning and the end, cut at line ends."""
    if len(data) <= _BEGINNING + _ENDING:
        return data
    last = data.rfind(b"\n", 0, _BEGINNING)
    return data[: last + 1 if last > 0 else _BEGINNING] + b"[...]\n" + data[-_ENDING:].partition(b"\n")[2]


def read_lines(text: str, lines: Iterable[Line], dialect: str, name: str) -> IntakeReport | None:
    """The report of a session whose lines are known already, as a protocol log gives them; None where there is no exchange in them.

    `text` is what the ranges of the lines point into, `dialect` a slug, `name` the program's name for a person.
    """
    session = _session(text, lines, dialect)
    return _report(text, session, name) if session.exchanges else None


def _of_transcript(data: bytes, text: str) -> IntakeReport | None:
    """Postfix's mail to the postmaster about a session: `Out: 220 ...`, `In:  EHLO ...` (postconf(5), notify_classes)."""
    if " Out: " not in text:
        return None
    if not looks_like_mail(data.lstrip(b"\n \t\0")):
        return _read(text)
    mail = parse(data[: 2 * _BEGINNING].lstrip(b"\n \t\0"))
    text = next((mail.page.slice(section) for section in mail.page.of(Part.HUMAN) if " Out: " in mail.page.slice(section)), "")
    report = _read(text)
    subject = mail.headers.get("subject", "")
    client = subject.rpartition("[")[2].partition("]")[0]  # "Postfix SMTP server: errors from client.example.org[192.0.2.9]"
    if report is None or not client.replace(".", "").replace(":", "").isalnum():
        return report
    return replace(report, failures=tuple(replace(failure, sending_ip=failure.sending_ip or client) for failure in report.failures))


def _read(text: str) -> IntakeReport | None:
    best: tuple[int, str, str, list[Line]] = (0, "", "", [])
    for slug, name, lines in candidates(text):
        weight = _weight(text, lines) if slug != "perl" or _greets(lines) else 0  # sendmail's and Courier's bounces quote a part with the same marks
        if weight > best[0]:
            best = (weight, slug, name, lines)
    weight, slug, name, lines = best
    if not weight:
        if "while talking to" in text[:20_000] or not (is_session(text) or _only_connection(text)):
            return None
        slug, name = _terminal(text)
        lines = list(raw_lines(text))
    session = _session(text, lines, slug)
    if not session.exchanges and not any(event.kind in FATAL for event in session.events):
        return None
    return _report(text, session, name)


def _weight(text: str, lines: list[Line]) -> int:
    """How many lines speak SMTP; 0 where there is no reply, or no command and no word of a connection."""
    replies = sum(1 for line in lines if line.side is Side.SERVER and is_reply(line.text.lstrip()))
    commands = sum(1 for line in lines if line.side is Side.CLIENT and verb_of(line.text) in VERBS)
    if replies and (commands or any(mark.decode() in text for mark in _CONNECTION)):
        return replies + commands
    failed = any(line.side is Side.EVENT and line.text.startswith("*** Error connecting") for line in lines[:50])
    return int(bool(failed and not replies))


def _greets(lines: list[Line]) -> bool:
    return any(verb_of(line.text) in ("EHLO", "HELO", "LHLO") if line.side is Side.CLIENT else line.text[:4] == "220 " for line in lines)


def _only_connection(text: str) -> bool:
    """A terminal that shows nothing but a connection that failed."""
    if len(text) > 20_000 or ("@" in text[:2000] and "*** Error connecting" not in text):
        return False
    kinds = {event.kind for start, end in lines_of(text, 0, len(text)) if (event := read_event(text, start, end, 0))}
    return "connected" in kinds and bool(kinds & FATAL) and any(mark.decode() in text for mark in _CONNECTION)


def _terminal(text: str) -> tuple[str, str]:
    """Slug and name of what shows a session without marks."""
    if "DEBUG SMTP" in text:
        return "javamail", "JavaMail"
    if "CONNECTED(" in text:
        return "openssl", "openssl s_client"
    if "*** " in text and "=== " in text:
        return "swaks", "swaks"
    return ("telnet", "telnet") if "Escape character" in text or "telnet" in text[:500] else ("raw", "a terminal")


def _session(text: str, lines: Iterable[Line], dialect: str) -> Session:
    dialogue = Dialogue()
    events: list[Event] = []
    for number, line in enumerate(lines):
        if number >= 50_000:
            break
        if line.side is Side.EVENT and len(events) < _MOST_EVENTS:
            event = read_event(text, line.start, line.end, len(dialogue.exchanges) + len(dialogue.pending))
            if event:
                events.append(event)
                dialogue.tls = dialogue.tls or event.kind == "tls"
        dialogue.take(line)
    dialogue.finish()
    first = dialogue.exchanges[0] if dialogue.exchanges else None
    connected = any(event.kind == "connected" and event.after == 0 for event in events)
    whole = connected or dialogue.greeted or (first is not None and first.command is not None and first.early)
    judge = Judge(known=whole, tls=dialogue.tls and not any(item.command and item.command.verb == "STARTTLS" for item in dialogue.exchanges))
    mistakes: list[Mistake] = []
    for exchange in dialogue.exchanges:
        mistakes += judge_form(exchange)
        judge.follow(exchange)
    mistakes = sorted([*mistakes, *judge.mistakes], key=lambda mistake: mistake.span.start)
    offered = next((extensions_of(item.reply) for item in dialogue.exchanges[::-1] if _offers(item) and item.reply), {})
    return Session(
        dialect, tuple(dialogue.exchanges), tuple(events), tuple(mistakes), tuple(offered.items()), whole, dialogue.tls,
        (*dialogue.secrets, *_typed_secrets(text)),
    )  # fmt: skip


def _offers(item: object) -> bool:
    command, reply = getattr(item, "command", None), getattr(item, "reply", None)
    return bool(command and reply and command.verb in ("EHLO", "LHLO") and reply.code == "250")


def _typed_secrets(text: str) -> list[Span]:
    """Passwords on the command line of swaks or curl that was pasted with its output."""
    spans = []
    for start, end in lines_of(text, 0, min(len(text), 4000)):
        line = text[start:end]
        if "swaks" not in line and "curl" not in line:
            continue
        for option in _OPTIONS:
            at = line.find(option)
            if at >= 0:
                begin = start + at + len(option)
                spans.append(Span(begin, _word_end(text, begin, end)))
    return spans


def _word_end(text: str, start: int, end: int) -> int:
    """The end of a shell word, which may be quoted."""
    quote = text[start : start + 1]
    if quote in ("'", '"'):
        closing = text.find(quote, start + 1, end)
        return closing + 1 if closing >= 0 else end
    return next((at for at in range(start, end) if text[at] in " \t"), end)


def _report(text: str, session: Session, name: str) -> IntakeReport:
    masked = _masked(text, session.secrets)
    failures = failures_of(masked, session)
    kind = "" if failures else "delivered" if delivered(session) else "no-refusal"
    return IntakeReport(
        "session", masked, failures, kind, _notes(session, name, kind, failures, masked != text), hidden=masked != text, session=session
    )


def _masked(text: str, secrets: Iterable[Span]) -> str:
    """The text with credentials as asterisks of the same length, so that every span stays where it is."""
    pieces, at = [], 0
    for span in sorted(secrets, key=lambda item: item.start):
        if span.start < at:
            continue
        hidden = "".join("*" if letter not in "\n" else letter for letter in text[span.start : span.end])
        pieces += [text[at : span.start], hidden]
        at = span.end
    return "".join([*pieces, text[at:]])


def _notes(session: Session, name: str, kind: str, failures: tuple[DeliveryFailure, ...], hidden: bool) -> tuple[str, ...]:
    commands = sum(1 for item in session.exchanges if item.command and item.command.verb not in ("", "."))
    inside = ", inside TLS" if session.tls else ""
    notes = [f"Read as an SMTP session shown by {name}: {commands} command{'' if commands == 1 else 's'}{inside}."]
    if not session.exchanges:
        notes = [f"Read as the output of {name}: the connection failed before any reply."]
    if session.extensions:
        offered = ", ".join(f"{keyword} {value}".strip()[:80] for keyword, value in session.extensions[:30])
        notes.append(f"The server offers {offered}.")
    seen: set[str] = set()
    for mistake in session.mistakes:
        if mistake.sentence not in seen and len(seen) < _MOST_MISTAKES:
            seen.add(mistake.sentence)
            notes.append(mistake.sentence)
    told = {failure.stage for failure in failures}
    for item in session.exchanges[:500]:
        if item.stage in (Stage.AUTH, Stage.STARTTLS) and item.stage not in told and item.reply is not None and item.reply.refused:
            told.add(item.stage)
            notes.append(f"The server had refused {item.stage.upper()} before: {one_line(item.reply.text)[:200]}")
    if kind == "delivered":
        notes.append("The server accepted the message.")
    elif kind:
        notes.append("No command was refused in this session, and no message was sent.")
    if hidden:
        notes.append("The paste held a password or a token: it is hidden here. Change it if others have seen it.")
    return tuple(notes)
