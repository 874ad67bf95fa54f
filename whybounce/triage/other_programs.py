"""Lines of all other programs, and of Postfix under another prefix: read one by one by intake, joined by its Joiner, counted in the same tally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whybounce.intake.logs import Columns, Dialogues, Event, Joiner, LogEvent, Outcome, columns_of, parse_line, parse_row
from whybounce.intake.logs.registry import LONGEST_LINE
from whybounce.triage.clock import Clock
from whybounce.triage.lives import LATER, REFUSED, SENT, Fate, Life, Reason
from whybounce.triage.postfix_lines import Refusal

if TYPE_CHECKING:
    from whybounce.triage.reading import Reading

_OUTCOMES = (Event.FAILED, Event.DEFERRED, Event.DELIVERED, Event.REJECTED, Event.EXPIRED)
_ENDS = {"postfix": ": removed", "exim": " Completed"}
_NO_HEADER = frozenset("{<@0123456789")
_BEGIN = ("exim", "kumomta", "sendmail", "courier")
"""Programs whose line of receipt is the first of a message."""


class OtherPrograms:
    """Belongs to one Reading, whose tally it adds to."""

    def __init__(self, reading: Reading, clock: Clock, most_open: int) -> None:
        self._reading, self._clock, self._most_open = reading, clock, most_open
        self._columns: Columns | None = None
        self._dialogues = Dialogues(keep=False)
        self._joiners: dict[str, Joiner] = {}
        self._begun: set[tuple[str, str]] = set()
        self._stamps: tuple[str, str] = ("", "")
        self._number = 0

    def line(self, data: bytes) -> None:
        content = data.decode("utf-8", "replace").strip()[:LONGEST_LINE]
        if content[:1] == "#" or (self._columns is None and ("ecipient" in content or "etail" in content) and content[:1] not in _NO_HEADER):
            found = columns_of(content)
            if found:
                self._columns = found
                return
            if content[:1] == "#":
                return
        if not self.read(content):
            self._reading.tally.unread += 1

    def read(self, content: str, stamp: str | None = None) -> bool:
        """False for a line of no program. `stamp`: its time, where another one knows it."""
        events = self._events(content)
        for event in events:
            self._take(event, content, self._stamp(event.time) if stamp is None else stamp)
        return bool(events)

    def _events(self, content: str) -> list[LogEvent]:
        if self._columns is not None:
            row = parse_row(content, self._columns)
            if row:
                return [row]
        if content[4:5] == "-" and content.count(",") > 6:
            spoken = self._dialogues.events(content)
            if spoken is not None:
                return spoken
        event = parse_line(content)
        return [event] if event else []

    def _stamp(self, written: str) -> str:
        if written != self._stamps[0]:
            self._stamps = (written, self._clock.stamp(written))
        return self._stamps[1]

    def _take(self, event: LogEvent, content: str, stamp: str) -> None:
        if not event.queue_id and not event.delivery:
            if event.event in _OUTCOMES:
                self._alone(event, stamp)
            return
        self._number += 1
        joiner = self._joiners.setdefault(event.host, Joiner())
        old = joiner.key_of(event)
        begins = (event.event is Event.RECEIVED and event.program in _BEGIN) or (event.program == "postfix" and bool(event.message_id))
        if begins or (event.program == "qmail" and "new msg " in content):
            if old in joiner.messages:
                self._ended(event.host, old)
            self._begun.add((event.host, old))
        key = joiner.add(event._replace(time=stamp), self._number)
        end = _ENDS.get(event.program)
        if (end and content.endswith(end)) or (event.program == "qmail" and "end msg " in content):
            self._ended(event.host, key)
        elif self._number % 1000 == 0:
            self._keep_bounded()

    def _alone(self, event: LogEvent, stamp: str) -> None:
        """An outcome without a queue id: a client's refusal, or a line that nothing else belongs to."""
        reason, ip = self._reading.reasons.of_event(event)
        if event.event is Event.DELIVERED:
            self._reading.delivered(stamp, event.remote_mta, event.recipient, event.envelope_sender)
            return
        refusal: Refusal = (b"", _bytes(ip or event.client_ip), b"", _bytes(event.envelope_sender), _bytes(event.recipient))
        temporary = event.event is Event.DEFERRED or (event.event is Event.REJECTED and (event.code or "5")[0] == "4")
        self._reading.refused(stamp[:13].encode(), stamp.encode(), _bytes(event.host), reason, refusal, temporary=temporary)

    def _ended(self, host: str, key: str) -> None:
        begun = (host, key) in self._begun
        self._begun.discard((host, key))
        life = self._life(self._joiners[host].take(key), begun=begun, open_right=False)
        if not life.fates:
            return
        if life.open_left:
            self._reading.tally.open.setdefault((host, key), []).append(life)
        else:
            self._reading.tally.settle(life)

    def _life(self, outcomes: list[Outcome], *, begun: bool, open_right: bool) -> Life:
        fates: dict[str, Fate] = {}
        sender: str | None = None
        for outcome in outcomes:
            event = outcome.event
            sender = event.envelope_sender or sender
            if event.event is Event.DELIVERED:
                provider = self._reading.reasons.provider_of(_bytes(event.remote_mta), _bytes(event.recipient.rpartition("@")[2].lower()))
                fates[event.recipient.lower()] = Fate(SENT, event.time, Reason("", "", "", "", provider))
                continue
            waits = (event.event is Event.DEFERRED and not outcome.gave_up) or (event.event is Event.REJECTED and (event.code or "5")[0] == "4")
            reason, ip = self._reading.reasons.of_event(event, gave_up=outcome.gave_up)
            fates[event.recipient.lower()] = Fate(LATER if waits else REFUSED, event.time, reason, ip)
        position = self._reading.position
        return Life(position, position + 1, not begun and position > 0, open_right, sender, fates)

    def _keep_bounded(self) -> None:
        """The oldest messages are counted as they stand where there are too many."""
        number = sum(len(joiner.messages) for joiner in self._joiners.values())
        if number <= self._most_open:
            return
        for host, joiner in self._joiners.items():
            for key in list(joiner.messages)[: -(-len(joiner.messages) // 2)]:
                life = self._life(joiner.take(key), begun=True, open_right=False)
                self._begun.discard((host, key))
                self._reading.tally.early += any(fate.kind <= LATER for fate in life.fates.values())
                self._reading.tally.settle(life)

    def finish(self) -> None:
        """What has no end yet is open in the tally."""
        for host, joiner in self._joiners.items():
            for key in list(joiner.messages):
                life = self._life(joiner.take(key), begun=(host, key) in self._begun, open_right=True)
                if life.fates:
                    self._reading.tally.open.setdefault((host, key), []).append(life)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
