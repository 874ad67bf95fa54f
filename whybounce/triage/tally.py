"""What a log, or a piece of one, adds up to."""

from __future__ import annotations

from dataclasses import dataclass, field

from whybounce.failure import domain_of
from whybounce.triage.counts import DEFERRED, DELIVERED, FAILED, Table
from whybounce.triage.lives import LATER, REFUSED, SENT, Fate, Life, Reason, Spans, joined_lives, joined_spans

MOST_VALUES = 50_000
"""Values of one kind (domains, addresses) that are counted apart, with their causes."""
MOST_REASONS = 5_000
MOST_OPEN = 100_000
"""Messages whose end was not seen that are kept."""

DIMENSIONS = ("domain", "sending_ip", "sender_domain", "hour")
"""By what failures are counted beside their reason; a key is (value, cause), of what was delivered (value, "")."""

Key = tuple[str, str]
"""Host and queue id."""

Stamp = bytes
"""An ISO time; within Tally `bytes` is a number."""

Client = bytes
"""A client that was told to come again: host, day, its address, sender, recipient, lower case, with zero bytes between."""


@dataclass(slots=True)
class Moments:
    """First and last time that something was counted; "" for never, or for lines without a time."""

    first: str = ""
    last: str = ""

    def add(self, stamp: str) -> None:
        if not stamp:
            return
        if not self.first or stamp < self.first:
            self.first = stamp
        if stamp > self.last:
            self.last = stamp

    def merged(self, other: Moments) -> Moments:
        both = Moments(self.first, self.last)
        both.add(other.first)
        both.add(other.last)
        return both


@dataclass(slots=True)
class Tally:
    """Counts of recipients, each once however often it was tried.

    lines, bytes       what was read; unread: lines that no program's form fits
    failures, deferred, delivered
    reasons            Reason -> counts; `moments`: Reason -> when it failed or was deferred; `times`: when anything failed
    tables             dimension -> counts by (value, cause)
    examples           Reason -> masked text of one
    notes              sentences on what could not be read as it stood -> how often
    early              messages that were counted before their end was seen, because too many were open
    open               lives whose other part may lie in another piece: settled when it is merged, or by `settled`
    waiting            clients that were told to come again -> piece, time, reason of the last time; counted by `settled`
    spans              the pieces that are covered
    """

    lines: int = 0
    bytes: int = 0
    unread: int = 0
    failures: int = 0
    deferred: int = 0
    delivered: int = 0
    reasons: Table = field(default_factory=lambda: Table(MOST_REASONS))
    moments: dict[Reason, Moments] = field(default_factory=dict)
    times: Moments = field(default_factory=Moments)
    tables: dict[str, Table] = field(default_factory=lambda: {name: Table(MOST_VALUES) for name in DIMENSIONS})
    examples: dict[Reason, str] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    early: int = 0
    open: dict[Key, list[Life]] = field(default_factory=dict)
    waiting: dict[Client, tuple[int, Stamp, Reason]] = field(default_factory=dict)
    spans: Spans = ()

    def note(self, sentence: str, times: int = 1) -> None:
        self.notes[sentence] = self.notes.get(sentence, 0) + times

    def count(self, recipient: str, sender: str | None, fate: Fate, *, gave_up: bool = False) -> None:
        """Counts one recipient's last word."""
        if fate.kind == SENT:
            self.delivered += 1
            self.count_delivered(fate.stamp[:13], fate.reason.provider, domain_of(recipient), domain_of(sender or ""))
            return
        what = FAILED if fate.kind == REFUSED or gave_up else DEFERRED
        self.count_failure(what, fate.stamp, fate.reason, domain_of(recipient), fate.sending_ip, domain_of(sender or ""))

    def count_failure(self, what: int, stamp: str, reason: Reason, domain: str, sending_ip: str, sender_domain: str) -> None:
        """`what`: FAILED or DEFERRED."""
        if what == FAILED:
            self.failures += 1
            self.times.add(stamp)
        else:
            self.deferred += 1
        self.reasons.add(reason, what)
        if reason in self.reasons.rows:
            moments = self.moments.get(reason)
            if moments is None:
                moments = self.moments[reason] = Moments()
            moments.add(stamp)
        cause, tables = reason.cause, self.tables
        tables["domain"].add((domain, cause), what)
        tables["hour"].add((stamp[:13], cause), what)
        tables["sender_domain"].add((sender_domain, cause), what)
        if sending_ip:
            tables["sending_ip"].add((sending_ip, cause), what)

    def count_delivered(self, hour: str, provider: str, domain: str, sender_domain: str, number: int = 1) -> None:
        """Not `delivered` itself."""
        self.reasons.add(Reason("", "", "", "", provider), DELIVERED, number)
        self.tables["domain"].add((domain, ""), DELIVERED, number)
        self.tables["hour"].add((hour, ""), DELIVERED, number)
        self.tables["sender_domain"].add((sender_domain, ""), DELIVERED, number)

    def merge(self, other: Tally) -> Tally:
        """The tally of both. As long as nothing is under a cap, order and grouping make no difference."""
        lives: dict[Key, list[Life]] = {key: list(found) for key, found in self.open.items()}
        for key, found in other.open.items():
            lives.setdefault(key, []).extend(found)
        merged = Tally(
            self.lines + other.lines,
            self.bytes + other.bytes,
            self.unread + other.unread,
            self.failures + other.failures,
            self.deferred + other.deferred,
            self.delivered + other.delivered,
            self.reasons.merged(other.reasons),
            _both(self.moments, other.moments),
            self.times.merged(other.times),
            {name: self.tables[name].merged(other.tables[name]) for name in DIMENSIONS},
            _shortest(self.examples, other.examples),
            {note: self.notes.get(note, 0) + other.notes.get(note, 0) for note in sorted(self.notes.keys() | other.notes.keys())},
            self.early + other.early,
            {},
            _latest(self.waiting, other.waiting),
            joined_spans((*self.spans, *other.spans)),
        )
        merged._take(lives)
        return merged

    def settled(self) -> Tally:
        """A tally in which all that is open is counted as it stands: nothing more will come."""
        whole = self.merge(Tally())
        whole.settle_all()
        return whole

    def settle_all(self) -> None:
        """The same with this tally itself."""
        for found in self.open.values():
            for life in found:
                self.settle(life)
        for client, (_piece, stamp, reason) in self.waiting.items():
            self._count_client(client, stamp, reason)
        self.open, self.waiting, self.spans = {}, {}, ()

    def settle(self, life: Life) -> None:
        """Counts the recipients of a message whose end was seen."""
        for recipient, fate in life.fates.items():
            self.count(recipient, life.sender, fate, gave_up=life.expired is not None)
        if life.expired is not None and not life.fates:
            self.count("", life.sender, life.expired, gave_up=True)

    def keep_bounded(self, most: int = MOST_OPEN) -> None:
        """Counts the oldest open messages and waiting clients as they stand where there are more than `most`."""
        for key in list(self.open)[: max(0, len(self.open) - most)]:
            for life in self.open.pop(key):
                self.settle(life)
                self.early += any(fate.kind <= LATER for fate in life.fates.values())
        for client in list(self.waiting)[: max(0, len(self.waiting) - most)]:
            _piece, stamp, reason = self.waiting.pop(client)
            self._count_client(client, stamp, reason)

    def _count_client(self, client: Client, stamp: Stamp, reason: Reason) -> None:
        _host, _day, ip, sender, recipient = client.decode("utf-8", "replace").split("\0", 4)
        self.count_failure(DEFERRED, stamp.decode(), reason, domain_of(recipient), ip, domain_of(sender))

    def _take(self, lives: dict[Key, list[Life]]) -> None:
        """Joins what belongs together, counts what has an end on either side and keeps the rest."""
        for key, found in lives.items():
            left = []
            for life in joined_lives(found, self.spans):
                if life.open_left or life.open_right:
                    left.append(life)
                else:
                    self.settle(life)
            if left:
                self.open[key] = left
        self.keep_bounded()


def _both(one: dict[Reason, Moments], other: dict[Reason, Moments]) -> dict[Reason, Moments]:
    out = dict(one)
    for reason, moments in other.items():
        out[reason] = out[reason].merged(moments) if reason in out else moments
    return out


def _shortest(one: dict[Reason, str], other: dict[Reason, str]) -> dict[Reason, str]:
    """Of two examples the shorter one: it says the same with less around it."""
    out = dict(one)
    for reason, example in other.items():
        mine = out.get(reason)
        if mine is None or (len(example), example) < (len(mine), mine):
            out[reason] = example
    return out


def _latest(one: dict[Client, tuple[int, bytes, Reason]], other: dict[Client, tuple[int, bytes, Reason]]) -> dict[Client, tuple[int, bytes, Reason]]:
    """Of two the one of the later piece."""
    out = dict(one)
    for client, told in other.items():
        mine = out.get(client)
        if mine is None or mine < told:
            out[client] = told
    return out
