"""A paste of log lines -> the failures that they tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from whybounce.failure import Action, DeliveryFailure, IntakeReport, Span
from whybounce.intake.facts import Facts, bracketed, read_facts
from whybounce.intake.logs import exim, qmail
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.logs.join import Joiner, Outcome
from whybounce.intake.logs.protocol import Dialogues
from whybounce.intake.logs.registry import LONGEST_LINE, parse_line
from whybounce.intake.logs.tables import Columns, columns_of, parse_row
from whybounce.intake.mime import MAX_TEXT
from whybounce.intake.reply import code_notes
from whybounce.intake.sessions import read_lines

MAX_FAILURES = 500
"""Failures of one paste that are shown; a whole log is for `triage`."""
_NAMES = {
    "postfix": "Postfix",
    "exim": "Exim",
    "sendmail": "Sendmail",
    "opensmtpd": "OpenSMTPD",
    "courier": "Courier",
    "haraka": "Haraka",
    "dovecot": "Dovecot",
    "exchange-tracking": "Exchange message tracking",
    "exchange-protocol": "Exchange SMTP protocol",
    "message-trace": "message trace",
    "kumomta": "KumoMTA",
    "halon": "Halon",
}
_READABLE = {"exim": exim.readable, "qmail": qmail.readable}
"""Programs that write a reply's lines in a code of their own."""
# One of these occurs in every line that says something.
_MARKS = (
    "status=", "stat=", "reject", " ** ", " == ", " => ", "delivery ", "result=", "id=", "[outbound]", "saved mail", "save failed", "stored mail",
    "Blocked ", "task_write_log", '"type"', '"recipient', ",", "MESSAGE", '"log"', " said: ", "refused to talk", "connect to ",
)  # fmt: skip


def read(text: str) -> IntakeReport | None:
    """The report of a paste of log lines; None where it holds none that tells a delivery's fate.

    `text`: decoded, LF line ends. Lines between that are no log lines are passed over.
    """
    if not any(mark in text for mark in _MARKS):
        return None
    cut = len(text) >= MAX_TEXT
    if cut:  # the last line is not whole
        text = text[: text.rfind("\n") + 1] or text
    joiner = Joiner()
    programs: Counter[str] = Counter()
    starts: list[int] = []
    lines: list[str] = []
    columns: Columns | None = None
    dialogues = Dialogues()
    at = 0
    for line in text.split("\n"):
        starts.append(at)
        lines.append(line)
        at += len(line) + 1
        if len(line) < 12:
            continue
        content = line.strip()[:LONGEST_LINE]
        found = columns_of(content) if (content[:1] == "#" or "ecipient" in content or "etail" in content) and not programs else None
        if found:
            columns = found
            continue
        events = _events(content, columns, dialogues)
        for event in events:
            programs[event.program] += 1
            joiner.add(event, len(lines) - 1)
    if not programs:
        return None
    report = _report(text, lines, starts, joiner, programs)
    if report and cut:
        report = replace(report, notes=(*report.notes, f"Only the first {MAX_TEXT:,} characters were read."))
    return _with_session(report, dialogues, lines, starts) if report and set(programs) == {"exchange-protocol"} else report


def _with_session(report: IntakeReport, dialogues: Dialogues, lines: list[str], starts: list[int]) -> IntakeReport:
    """With the dialogue itself and what the client did wrong, where the rows are of one session."""
    rows = ((start, line) for start, line in zip(starts, lines, strict=True) if line[4:5] == "-")
    spoken = read_lines(report.text, dialogues.lines_of(rows), "exchange", "Exchange's protocol log")
    if spoken is None:
        return report
    if len(spoken.text) != len(report.text):
        return replace(report, session=spoken.session)
    return replace(report, session=spoken.session, text=spoken.text, hidden=spoken.hidden)


def _events(line: str, columns: Columns | None, dialogues: Dialogues) -> list[LogEvent]:
    if columns is not None:
        row = parse_row(line, columns)
        return [row] if row else []
    if line[4:5] == "-" and line.count(",") > 6:
        spoken = dialogues.events(line)
        if spoken is not None:
            return spoken
    event = parse_line(line)
    return [event] if event else []


def _report(text: str, lines: list[str], starts: list[int], joiner: Joiner, programs: Counter[str]) -> IntakeReport | None:
    outcomes = joiner.outcomes()
    failed = [outcome for outcome in outcomes if outcome.event.event is not Event.DELIVERED]
    delivered = len(outcomes) - len(failed)
    program = programs.most_common(1)[0][0]
    count = sum(programs.values())
    called = _NAMES.get(program, program)
    article = "an" if called[0] in "AEIOUaeio" else "a"
    name = f"{count} lines of {article} {called} log" if count > 1 else f"One line of {article} {called} log"
    if not failed:
        if not delivered:
            return None
        note = f"{name}: {_many(delivered, 'delivery', 'deliveries')} succeeded. Nothing failed."
        return IntakeReport("log", text, (), "delivered", (note,))
    shown = failed[:MAX_FAILURES]
    for outcome in shown:
        if outcome.event.program in _READABLE:
            lines[outcome.line] = _READABLE[outcome.event.program](lines[outcome.line])
            text = ""
    text = text or "\n".join(lines)
    failures = tuple(_failure(text, outcome, lines, starts) for outcome in shown)
    notes = [_summary(name, failures, delivered, len(failed))] if count > 1 else []
    if any(outcome.gave_up for outcome in shown):
        notes.append("The queue gave up on a message after its last attempt: the reason shown is that of the last attempt.")
    notes.extend(dict.fromkeys(note for failure in failures for note in code_notes(failure)))
    return IntakeReport("log", text, failures, "", tuple(notes))


def _summary(name: str, failures: tuple[DeliveryFailure, ...], delivered: int, count: int) -> str:
    delayed = sum(1 for failure in failures if failure.action is Action.DELAYED)
    words = [f"{count - delayed} failed"] if count - delayed else []
    words += [f"{delayed} delayed"] if delayed else []
    words += [f"{delivered} delivered"] if delivered else []
    more = f" The first {MAX_FAILURES} are shown." if count > MAX_FAILURES else ""
    return f"{name}: of the recipients {', '.join(words)}.{more}"


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {many}" if count > 1 else f"one {one}"


def failure_of(event: LogEvent, gave_up: bool = False) -> DeliveryFailure:
    """The failure that one event tells, without spans: for logs that are read line by line."""
    return _filled(event, read_facts(event.text, 0, len(event.text)) if event.text else Facts(), gave_up)


def _failure(text: str, outcome: Outcome, lines: list[str], starts: list[int]) -> DeliveryFailure:
    event = outcome.event
    said_in = outcome.sources.get("text", outcome.line)
    at = lines[said_in].find(event.text) if event.text else -1
    if at < 0:
        failure = failure_of(event, outcome.gave_up)
        spans: dict[str, Span] = {}
    else:
        start = starts[said_in] + at
        facts = read_facts(text, start, start + len(event.text))
        failure = _filled(event, facts, outcome.gave_up)
        spans = dict(facts.spans)
    for name in ("recipient", "envelope_sender", "remote_mta", "message_id", "queue_id", "sent_at", "helo", "sending_ip", "code", "enhanced", "text"):
        value = getattr(failure, name)
        if not value or (name in spans and text[spans[name].start : spans[name].end] == value.strip("[]")):
            continue
        if name == "text" and name in spans:
            continue
        spans.pop(name, None)
        told_in = outcome.sources.get({"sending_ip": "client_ip"}.get(name, name), outcome.line)
        shown = value.strip("[]") if name in ("remote_mta", "sending_ip") else value
        for number in dict.fromkeys((outcome.line, told_in)):
            place = _place(lines[number], name, shown)
            if place >= 0:
                spans[name] = Span(starts[number] + place, starts[number] + place + len(shown))
                break
    return replace(failure, spans=spans)


def _place(line: str, name: str, value: str) -> int:
    """Where a value stands in its line, by the field's mark first: the sender may be the recipient, too."""
    for mark in {"recipient": (" to=<", "to=<", " addr=<", "RCPT <"), "envelope_sender": ("from=<", "F=<", "<= ")}.get(name, ()):
        at = line.find(mark + value)
        if at >= 0:
            return at + len(mark)
    return line.find(value)


def _from_client(event: LogEvent) -> bool:
    """True where this server refused a client, for good or for now."""
    if event.event is Event.DEFERRED:
        return bool(event.client_ip) and not event.remote_ip and not event.queue_id
    return event.event is Event.REJECTED


def _filled(event: LogEvent, facts: Facts, gave_up: bool) -> DeliveryFailure:
    client_side = _from_client(event)
    code = facts.code or event.code
    temporary = code is not None and code[0] == "4"
    delayed = {
        Event.DEFERRED: not gave_up,
        Event.REJECTED: temporary,
        Event.OTHER: code is None or temporary,  # one server of several; the next may take the message
    }.get(event.event, False)
    enhanced = event.enhanced if facts.enhanced is None or (facts.enhanced.endswith(".0.0") and event.enhanced) else facts.enhanced
    remote = event.host if client_side else facts.remote_mta or event.remote_mta or bracketed(event.remote_ip)
    return DeliveryFailure(
        text=facts.text or event.text,
        recipient=event.recipient,
        original_recipient=event.orig_recipient,
        action=Action.DELAYED if delayed else Action.FAILED,
        code=code,
        enhanced=enhanced,
        stage=facts.stage or event.stage,
        remote_mta=remote,
        reporting_mta=event.host,
        sending_ip=(event.client_ip if client_side and not event.client_ip.startswith(("127.", "::1")) else "") or facts.sending_ip,
        envelope_sender=event.envelope_sender,
        helo=event.helo if client_side else "",
        message_id=event.message_id,
        queue_id=event.queue_id,
        sent_at=event.time,
        message_size=event.size if event.size is not None else facts.message_size,
    )
