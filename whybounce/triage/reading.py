"""Reads one piece of a log, block by block, to a tally.

A block is searched by one expression, which passes over the lines that say nothing in compiled code and gives the others in their order:
most of a Postfix log is connections, logins and cleanings-up. What no Postfix server wrote goes to `OtherPrograms`, line by line.
"""

from __future__ import annotations

import numpy as np

from whybounce.intake.logs import Event, LogEvent
from whybounce.triage.batch import Batch
from whybounce.triage.clock import Clock
from whybounce.triage.counts import DEFERRED, FAILED
from whybounce.triage.lives import LATER, REFUSED, SENT, Fate, Life, Reason
from whybounce.triage.other_programs import OtherPrograms
from whybounce.triage.postfix_lines import KIND_OF, Attempt, Refusal, finder_of, refusals_of, stamp_of, unusual_attempt
from whybounce.triage.reasons import Reasons
from whybounce.triage.tally import MOST_OPEN, Tally

_LINE_FEED = 10


class _Open:
    """A message whose lines are coming in. `begun`: its first line was seen."""

    __slots__ = ("begun", "expired", "fates", "sender")

    def __init__(self, begun: bool, sender: bytes | None) -> None:
        self.begun = begun
        self.sender = sender
        self.fates: dict[bytes, Attempt] = {}  # by the recipient, lower case
        self.expired: Fate | None = None

    def take(self, attempt: Attempt) -> None:
        """A final word is not undone by a later deferral."""
        key = attempt.recipient.lower()
        before = self.fates.get(key)
        if before is None or attempt.kind >= REFUSED or before.kind < REFUSED:
            self.fates[key] = attempt


class _Host:
    """The messages of one server. `young`: those of which nothing but the beginning was seen -> sender; most are gone with the next line."""

    __slots__ = ("opened", "young")

    def __init__(self) -> None:
        self.young: dict[bytes, bytes] = {}
        self.opened: dict[bytes, _Open] = {}

    def message(self, queue_id: bytes) -> _Open:
        """The message, as one of which more is known."""
        found = self.opened.get(queue_id)
        if found is None:
            sender = self.young.pop(queue_id, None)
            found = self.opened[queue_id] = _Open(sender is not None, sender or None)
        return found


class Reading:
    """Takes the blocks of one piece in order; `finish` gives its tally."""

    def __init__(self, reasons: Reasons, clock: Clock, position: int = 0, most_open: int = MOST_OPEN, *, last: bool = False) -> None:
        """`position`: the piece's place among all pieces; `last`: none follows. `most_open`: messages whose end was not seen that are
        kept."""
        self.tally = Tally(spans=((position, position + 1),))
        self.reasons, self.position = reasons, position
        self._clock, self._most_open, self._last = clock, most_open, last
        self._hosts: dict[bytes, _Host] = {}
        self._waiting = self.tally.waiting
        self._hour = (b"\0", b"")  # no line begins so: one of another program has no time here
        self._batch = Batch(self.tally, reasons)
        self._others = OtherPrograms(self, clock, most_open)

    def block(self, data: bytes) -> None:
        """`data`: whole lines, each with a line feed before it and none after the last."""
        self.tally.lines += int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == _LINE_FEED))  # three times as fast as bytes.count
        finder = finder_of(data)
        hosts, sent, before, mainly, hour_ends = self._hosts, self._batch.sent, b"", finder.host, finder.hour
        server = _Host()
        young, opened = server.young, server.opened
        refusals: list[bytes] = []
        refused_at: list[tuple[bytes, bytes, bytes]] = []
        written, hour = self._hour
        for time, host, queue_id, begins, sender, again, to, relay, fields, gone, told, odd, other in finder.find(data):
            if time != written:
                if other:
                    self._others.line(other)
                    continue
                if time[:hour_ends] != written[:hour_ends]:
                    hour = self._clock.hour(time[:hour_ends])
                written = time
            if (host or mainly) != before:
                before = host or mainly
                server = hosts.setdefault(before, _Host())
                young, opened = server.young, server.opened
            if to:
                if gone:  # as most messages go
                    known = young.pop(queue_id, None)
                    if known is not None:
                        sent.append((hour, relay, to, known))
                        continue
                message = server.message(queue_id)
                if not told:
                    message.fates[to.lower()] = Attempt(SENT, hour, time, to, relay, b"", b"")
                    if gone:
                        del opened[queue_id]
                        self._ended(before, queue_id, message)
                elif (kind := KIND_OF.get(told[:8])) is not None:
                    message.take(Attempt(kind, hour, time, to, relay, fields, told))
            elif begins:
                if queue_id in opened:  # this id was in use before
                    self._ended(before, queue_id, opened.pop(queue_id))
                young[queue_id] = sender
            elif again:
                if queue_id in young:
                    young[queue_id] = again[6:]
                else:
                    server.message(queue_id).sender = again[6:]
            elif odd == b"removed":
                if young.pop(queue_id, None) is None and queue_id in opened:
                    self._ended(before, queue_id, opened.pop(queue_id))
            elif odd[:6] in (b"reject", b"milter"):
                refusals.append(odd)
                refused_at.append((hour, time, before))
            else:
                self._odd(hour, time, queue_id, odd, server)
        self._hour = (written, hour)
        if refusals:
            self._refused(refusals, refused_at)
        self._keep_bounded()

    def _failed(self, attempt: Attempt, sender: bytes | None, *, gave_up: bool) -> None:
        reason, ip = self.reasons.of_attempt(attempt)
        what = FAILED if attempt.kind == REFUSED or gave_up else DEFERRED
        self._batch.failed.append((what, attempt.hour, attempt.time, reason, attempt.recipient, ip.encode(), sender or b""))

    def _odd(self, hour: bytes, time: bytes, queue_id: bytes, odd: bytes, server: _Host) -> None:
        """The queue gave up on a message, or a recipient's line has an unusual form."""
        if odd.startswith(b"from=<"):
            if b"expired" in odd:
                message = server.message(queue_id)
                message.sender = odd[6 : odd.find(b">")]
                reason = self.reasons.of_event(LogEvent("postfix", Event.EXPIRED, text=_text(odd[odd.find(b"status=") :])))[0]
                message.expired = Fate(REFUSED, stamp_of(hour, time).decode(), reason)
            return
        attempt = unusual_attempt(odd, hour, time)
        if attempt is not None:
            server.message(queue_id).take(attempt)

    def _refused(self, lines: list[bytes], places: list[tuple[bytes, bytes, bytes]]) -> None:
        """Clients that were refused; `places`: hour, time, host."""
        of_refusal = self.reasons.of_refusal
        for found, line, (hour, time, host) in zip(refusals_of(lines), lines, places, strict=True):
            if found is None:
                self._others.read(_text(b"Jan  1 00:00:00 %s postfix/smtpd[1]: NOQUEUE: %s" % (host, line)), stamp_of(hour, time).decode())
                continue
            self.refused(hour, time, host, of_refusal(found, host), found, temporary=found[2][:1] == b"4")

    def refused(self, hour: bytes, time: bytes, host: bytes, reason: Reason, refusal: Refusal, *, temporary: bool) -> None:
        """A client that was refused. For good: counted. For now: counted once for this client, sender and recipient on one day."""
        _command, ip, _said, sender, recipient = refusal
        if temporary:
            client = b"\0".join((host, hour[:10], ip, sender, recipient)).lower()
            self._waiting[client] = (self.position, stamp_of(hour, time), reason)
        else:
            self._batch.failed.append((FAILED, hour, time, reason, recipient, ip, sender))

    def _ended(self, host: bytes, queue_id: bytes, message: _Open) -> None:
        """A message whose end was seen; where its beginning was not, it may lie in the piece before."""
        if message.begun or self.position == 0:
            self._settle(message)
        else:
            self._keep(host, queue_id, message, open_right=False)

    def _settle(self, message: _Open) -> None:
        """Counts each recipient's last word."""
        gave_up = message.expired is not None
        for attempt in message.fates.values():
            if attempt.kind == SENT:
                self._batch.sent.append((attempt.hour, attempt.relay, attempt.recipient, message.sender))
            else:
                self._failed(attempt, message.sender, gave_up=gave_up)
        if message.expired is not None and not message.fates:
            self.tally.settle(self._life(message, open_right=False))

    def _keep(self, host: bytes, queue_id: bytes, message: _Open, *, open_right: bool) -> None:
        """For the tally, which may find the other part of the message in another piece."""
        if not message.fates and message.expired is None and not (open_right and message.sender is not None):
            return
        self.tally.open.setdefault((_text(host), _text(queue_id)), []).append(self._life(message, open_right=open_right))

    def _life(self, message: _Open, *, open_right: bool) -> Life:
        fates = {_text(key): self._fate(attempt) for key, attempt in message.fates.items()}
        sender = None if message.sender is None else _text(message.sender)
        open_left = not message.begun and self.position > 0
        return Life(self.position, self.position + 1, open_left, open_right, sender, fates, message.expired)

    def _fate(self, attempt: Attempt) -> Fate:
        if attempt.kind == SENT:
            provider = self.reasons.provider_of(attempt.relay, attempt.recipient.rpartition(b"@")[2].lower())
            return Fate(SENT, attempt.stamp, Reason("", "", "", "", provider))
        return Fate(attempt.kind, attempt.stamp, *self.reasons.of_attempt(attempt))

    def delivered(self, stamp: str, remote: str, recipient: str, sender: str) -> None:
        """One delivery that another program's line told."""
        self._batch.sent.append((stamp[:13].encode(), remote.encode(), recipient.encode("utf-8", "replace"), sender.encode("utf-8", "replace")))

    def _keep_bounded(self) -> None:
        """The oldest open messages are counted as they stand where there are too many."""
        self._batch.count_if_full()
        for server in self._hosts.values():
            if len(server.young) > self._most_open:
                for queue_id in list(server.young)[: self._most_open // 2]:
                    server.message(queue_id)
        number = sum(len(server.opened) for server in self._hosts.values())
        if number > self._most_open:
            for server in self._hosts.values():
                for queue_id in list(server.opened)[: -(-len(server.opened) // 2)]:
                    message = server.opened.pop(queue_id)
                    self.tally.early += any(attempt.kind <= LATER for attempt in message.fates.values())
                    self._settle(message)
        if max(len(self.tally.open), len(self._waiting)) > self._most_open:
            self.tally.keep_bounded(self._most_open // 2)

    def finish(self) -> Tally:
        """The tally; what has no end yet is open in it."""
        self._others.finish()
        for host, server in self._hosts.items():
            for queue_id in list(server.young):
                server.message(queue_id)
            for queue_id, message in server.opened.items():
                if self._last:
                    self._ended(host, queue_id, message)
                else:
                    self._keep(host, queue_id, message, open_right=True)
        self._batch.count()
        used = {fate.reason for lives in self.tally.open.values() for life in lives for fate in life.fates.values()}
        used |= self.tally.reasons.rows.keys() | {reason for _position, _stamp, reason in self._waiting.values()}
        self.tally.examples = {reason: self.reasons.examples[reason] for reason in used if reason in self.reasons.examples}
        self.tally.keep_bounded(self._most_open)
        return self.tally


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
