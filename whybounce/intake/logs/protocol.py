"""Exchange's SMTP protocol logs: rows of date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context.

A row tells nothing alone: a reply belongs to the command before it, so the rows of a session are read as a dialogue (RFC 5321 section 3).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field

from whybounce.failure import Stage
from whybounce.intake.logs.common import between, quick_codes
from whybounce.intake.logs.event import Event, LogEvent
from whybounce.intake.sessions.dialogue import Line, Side
from whybounce.intake.stages import command_stage

MAX_SESSIONS = 10_000


@dataclass(slots=True)
class _Session:
    replies: str = ""  # "<" where this server is the client, ">" where it is the server
    sender: str = ""
    helo: str = ""
    commands: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    in_data: bool = False
    started: bool = False


class Dialogues:
    """Reads row after row; `events` gives what each row decided."""

    def __init__(self, *, keep: bool = True) -> None:
        """`keep`: for `lines_of`; else a session is forgotten at its end, and the oldest where there are too many: for logs of any length."""
        self._sessions: dict[str, _Session] = {}
        self._keep = keep

    def events(self, line: str) -> list[LogEvent] | None:
        """What the row says; None for a line that is no row of such a log."""
        if line.count(",") < 7 or line[4:5] != "-":
            return None
        try:
            cells = next(csv.reader([line]), [])
        except csv.Error:
            return None
        if len(cells) < 8 or cells[6] not in ("+", "-", ">", "<", "*") or not cells[3].isdigit():
            return None
        if len(self._sessions) > MAX_SESSIONS:
            if self._keep:
                return None
            del self._sessions[next(iter(self._sessions))]
        session = self._sessions.setdefault(cells[2], _Session())
        mark, data = cells[6], cells[7].strip()
        if mark == "-" and not self._keep:
            del self._sessions[cells[2]]
        if mark not in "<>":
            return [LogEvent("exchange-protocol", Event.OTHER, cells[0], queue_id=cells[2])]
        if not session.replies:
            session.replies = mark if data[:3].isdigit() else ">" if mark == "<" else "<"
        if mark != session.replies:
            return [self._command(session, cells, data)]
        return self._reply(session, cells, data)

    def lines_of(self, rows: Iterable[tuple[int, str]]) -> list[Line]:
        """The dialogue of the only session that was read, from (start in the text, row); empty where there were several."""
        if len(self._sessions) != 1:
            return []
        replies = next(iter(self._sessions.values())).replies
        found = []
        for start, row in rows:
            cells = next(csv.reader([row]), [])
            if len(cells) < 8 or cells[6] not in ("<", ">"):
                continue
            at = max(row.find(cells[7]), 0)
            found.append(Line(Side.SERVER if cells[6] == replies else Side.CLIENT, cells[7].strip(), start + at, start + at + len(cells[7])))
        return found

    def _command(self, session: _Session, cells: list[str], data: str) -> LogEvent:
        upper = data[:10].upper()
        if upper.startswith(("EHLO ", "HELO ")):
            session.helo = data[5:].strip()
        elif upper.startswith("MAIL FROM:"):
            session.sender, session.accepted = between(data, "<", ">"), []
        session.started = True
        session.commands.append(data)
        del session.commands[:-100]
        sender = session.sender if upper.startswith("MAIL FROM:") else ""
        recipient = between(data, "<", ">") if upper.startswith("RCPT TO:") else ""
        return LogEvent("exchange-protocol", Event.OTHER, cells[0], queue_id=cells[2], recipient=recipient, envelope_sender=sender)

    def _reply(self, session: _Session, cells: list[str], data: str) -> list[LogEvent]:
        other = [LogEvent("exchange-protocol", Event.OTHER, cells[0], queue_id=cells[2])]
        if data[3:4] == "-" and data[:3].isdigit():  # more lines follow
            return other
        if session.in_data:
            command, stage, session.in_data = "", Stage.MESSAGE, False
        elif session.commands:
            command = session.commands.pop(0)
            stage = Stage.MESSAGE if command[:5].upper() == "BDAT " else command_stage(command)
        elif not session.started:
            command, stage = "", Stage.CONNECT
        else:
            return other
        if data[:1] in "45" and data[:3].isdigit():
            about = (between(command, "<", ">"),) if stage is Stage.RCPT else tuple(session.accepted)
            return [_refused(session, cells, data, stage, recipient) for recipient in about or ("",)]
        if stage is Stage.RCPT:
            session.accepted.append(between(command, "<", ">"))
        elif stage is Stage.DATA:
            session.in_data = data.startswith("354")
        elif stage is Stage.MESSAGE and session.replies == "<":
            return [
                LogEvent("exchange-protocol", Event.DELIVERED, cells[0], queue_id=cells[2], recipient=recipient, text=data)
                for recipient in session.accepted[:1000]
            ] or other
        return other


def _refused(session: _Session, cells: list[str], data: str, stage: Stage, recipient: str) -> LogEvent:
    sending = session.replies == "<"
    remote = cells[5].rpartition(":")[0].strip("[]")
    code, enhanced = quick_codes(data)
    return LogEvent(
        program="exchange-protocol",
        event=Event.DEFERRED if data[0] == "4" else Event.FAILED if sending else Event.REJECTED,
        time=cells[0],
        queue_id=cells[2],
        recipient=recipient,
        envelope_sender=session.sender,
        remote_ip=remote if sending else "",
        client_ip="" if sending else remote,
        helo="" if sending else session.helo,
        code=code,
        enhanced=enhanced,
        stage=stage,
        text=data,
    )
