"""Reads one piece of a log, block by block, to a tally.

A block is searched by one expression, which passes over the lines that say nothing in compiled code and gives the others in their order:
most of a Postfix log is connections, logins and cleanings-up. What no Postfix server wrote goes to `OtherPrograms`, line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from whybounce.failure import domain_of
from whybounce.intake.logs import Event, LogEvent
from whybounce.triage.clock import Clock
from whybounce.triage.counts import DEFERRED, FAILED
from whybounce.triage.lives import LATER, REFUSED, SENT, Fate, Life, Reason
from whybounce.triage.other_programs import OtherPrograms
from whybounce.triage.reasons import Reasons, Refusal, refusal_of
from whybounce.triage.tally import MOST_OPEN, Tally


def _finder(prefix: bytes, plain_prefix: bytes) -> re.Pattern[bytes]:
    """`prefix`: the time, up to the hour and the rest as groups 1 and 2. Then 3 host, 4 queue id, and of the lines of that id

    5 "message-id", and 6 the sender where the line after it tells it; 7 "from=<" and the sender; 8 a recipient, with 9 the relay of a
    delivery, 10 "removed" where the line after it says so, or 11 all after "relay=" of what was not delivered; 12 another line that says
    something, from the id on. 13: the whole of a line that Postfix did not write. Everything possessive: the time is linear in the text.
    """
    follows = rb"\n" + plain_prefix + rb" \S++ postfix[^: \n]*+: \4: "
    return re.compile(
        rb"\n(?:" + prefix + rb" (\S++) postfix[^: \n]*+: ([0-9A-Za-z]{6,20}+): (?:"
        rb"(message-id)=[^\n]*+(?:" + follows + rb"from=<([^>\n]*+)>, size)?+"
        rb"|(from=<[^>\n]*+)>, size"
        rb"|to=<([^>\n]++)>(?:, orig_to=<[^>\n]*+>)?+, relay=(?:"
        rb"([^\[,\n]*+)[^,\n]*+(?:, (?!status=)\w++=[^,\n]*+)*+, status=sent[^\n]*+(?:" + follows + rb"(removed))?+|([^\n]++))"
        rb"|(removed|(?:to=<|from=<[^>\n]*+>, status=|(?:milter-)?reject: )[^\n]*+))"
        rb"|(?!" + plain_prefix + rb" \S++ postfix[^: \n]*+: )([^\n]++))"
    )


_SYSLOG = _finder(rb"(.{9})(.{6})", rb".{15}")
_ISO = _finder(rb"(\d{4}-\d\d-\d\d[T ]\d\d)(:\d\d:\d\S*+)", rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\S*+")
"""RFC 3164 and ISO 8601."""
_MOST_SENT = 50_000
_KINDS = {b"bounced": REFUSED, b"undeliverable": REFUSED, b"expired": REFUSED, b"force-expired": REFUSED, b"sent": SENT}

Fates = dict[bytes, tuple[int, bytes, bytes, bytes, bytes]]
"""Recipient, lower case -> kind, hour, rest of the time, recipient as written, relay and all after it (of a delivery the relay alone)."""


class _Open:
    """A message whose lines are coming in. `begun`: its first line was seen."""

    __slots__ = ("begun", "expired", "fates", "sender")

    def __init__(self, begun: bool, sender: bytes | None) -> None:
        self.begun = begun
        self.sender = sender
        self.fates: Fates = {}
        self.expired: Fate | None = None


class Reading:
    """Takes the blocks of one piece in order; `finish` gives its tally."""

    def __init__(self, reasons: Reasons, clock: Clock, position: int = 0, most_open: int = MOST_OPEN) -> None:
        """`position`: the piece's place among all pieces. `most_open`: messages whose end was not seen that are kept."""
        self.tally = Tally(spans=((position, position + 1),))
        self.reasons, self.position = reasons, position
        self._clock, self._most_open = clock, most_open
        self._hosts: dict[bytes, dict[bytes, _Open]] = {}
        self._waiting: dict[tuple[bytes, ...], tuple[str, Reason]] = {}
        self._hour = (b"\0", b"")  # no line begins so: one of another program has no time here
        self._days: list[str] = []
        self._sent: list[tuple[bytes, bytes, bytes, bytes | None]] = []
        self._others = OtherPrograms(self, clock, most_open)

    def block(self, data: bytes) -> None:
        """`data`: whole lines, each with a line feed before it and none after the last."""
        self.tally.lines += data.count(b"\n")
        finder = _ISO if data[5:6] == b"-" else _SYSLOG
        hosts, sent, before = self._hosts, self._sent, b""
        opened: dict[bytes, _Open] = {}
        written, hour = self._hour
        for moment, rest, host, queue_id, begins, sender, again, to, relay, gone, after_relay, odd, other in finder.findall(data):
            if moment != written:
                if other:
                    self._others.line(other)
                    continue
                written, hour = moment, self._new_hour(moment)
            if host != before:
                before, opened = host, hosts.setdefault(host, {})
            if to:
                message = opened.get(queue_id)
                if message is None:
                    message = opened[queue_id] = _Open(False, None)
                if after_relay:
                    self._attempt(message, hour, rest, to, after_relay)
                    continue
                if gone and message.begun and not message.fates and message.expired is None:  # as most messages go
                    del opened[queue_id]
                    sent.append((hour, relay, to, message.sender))
                    continue
                message.fates[to.lower()] = (SENT, hour, rest, to, relay)
                if gone:
                    del opened[queue_id]
                    self._ended(host, queue_id, message)
            elif begins:
                message = opened.get(queue_id)
                if message is not None:  # this id was in use before
                    self._ended(host, queue_id, message)
                opened[queue_id] = _Open(True, sender or None)
            elif again:
                message = opened.get(queue_id)
                if message is None:
                    opened[queue_id] = _Open(False, again[6:])
                else:
                    message.sender = again[6:]
            elif odd == b"removed":
                message = opened.pop(queue_id, None)
                if message is not None:
                    self._ended(host, queue_id, message)
            else:
                self._odd(hour, rest, host, queue_id, odd, opened)
        self._hour = (written, hour)
        self._keep_bounded()

    def _new_hour(self, moment: bytes) -> bytes:
        hour = self._clock.hour(moment)
        self.see_day(hour[:10].decode())
        return hour

    def see_day(self, day: str) -> None:
        """The first and the last day are open: who is told to come again on one of them may do so in another piece."""
        if day and day not in self._days[-1:]:
            self._days = [*self._days[:1], day]

    def _attempt(self, message: _Open, hour: bytes, rest: bytes, to: bytes, after_relay: bytes) -> None:
        """A recipient that was deferred or refused, or delivered in a line of unusual form."""
        at = after_relay.find(b", status=") + 9
        status = after_relay[at : at + 8] if at > 8 else b""
        kind = LATER if status == b"deferred" else _KINDS.get(after_relay[at : at + 25].split(b" ", 1)[0].rstrip(b",")) if status else None
        if kind is None:
            return
        key = to.lower()
        known = message.fates.get(key)
        if known is None or kind >= REFUSED or known[0] < REFUSED:
            message.fates[key] = (kind, hour, rest, to, after_relay if kind != SENT else after_relay.partition(b"[")[0].partition(b",")[0])

    def _failed(
        self, kind: int, hour: bytes, rest: bytes, recipient: bytes, after_relay: bytes, sender: bytes | None, *, gave_up: bool = False
    ) -> None:
        reason, ip = self.reasons.of_delivery(recipient, after_relay)
        what = FAILED if kind == REFUSED or gave_up else DEFERRED
        stamp = (hour + rest[:6]).decode() if hour else ""
        self.tally.count_failure(what, stamp, reason, domain_of(_text(recipient)), ip, domain_of(_text(sender or b"")))

    def _odd(self, hour: bytes, rest: bytes, host: bytes, queue_id: bytes, odd: bytes, opened: dict[bytes, _Open]) -> None:
        stamp = (hour + rest[:6]).decode() if hour else ""
        if odd.startswith(b"from=<"):
            if b"expired" in odd:
                message = opened.setdefault(queue_id, _Open(False, None))
                message.sender = odd[6 : odd.find(b">")]
                reason = self.reasons.of_event(LogEvent("postfix", Event.EXPIRED, text=_text(odd[odd.find(b"status=") :])))[0]
                message.expired = Fate(REFUSED, stamp, reason)
            return
        if odd.startswith(b"to=<"):  # an address with ">" in it, or no relay
            end = odd.find(b">, ")
            if end > 0:
                after = odd[end + 3 :]
                after = after[after.find(b"relay=") + 6 :] if b"relay=" in after[:300] else b"none, " + after
                self._attempt(opened.setdefault(queue_id, _Open(False, None)), hour, rest, odd[4:end], after)
            return
        refusal = refusal_of(odd)
        if refusal is None:
            line = b"%s %s %s postfix/smtpd[1]: %s: %s" % (b"Jan  1", b"00:00:00", host, queue_id, odd)
            self._others.read(_text(line), stamp)
            return
        self.refused(stamp, host, self.reasons.of_refusal(refusal, odd, host), refusal, temporary=refusal.text[:1] == b"4")

    def refused(self, stamp: str, host: bytes, reason: Reason, refusal: Refusal, *, temporary: bool) -> None:
        """A client that was refused. For good: counted. For now: counted once for this client, sender and recipient on one day."""
        _command, ip, _text_of, sender, recipient = refusal
        if temporary:
            self._waiting[(host, stamp[:10].encode(), ip, sender.lower(), recipient.lower())] = (stamp, reason)
        else:
            self.tally.count_failure(FAILED, stamp, reason, _domain(recipient.rpartition(b"@")[2]), _text(ip), _domain(sender.rpartition(b"@")[2]))

    def _ended(self, host: bytes, queue_id: bytes, message: _Open) -> None:
        """A message whose end was seen; where its beginning was not, it may lie in the piece before."""
        if message.begun or self.position == 0:
            self._settle(message)
        else:
            self._keep(host, queue_id, message, open_right=False)

    def _settle(self, message: _Open) -> None:
        """Counts each recipient's last word."""
        gave_up = message.expired is not None
        for kind, hour, rest, recipient, relay in message.fates.values():
            if kind == SENT:
                self._sent.append((hour, relay, recipient, message.sender))
            else:
                self._failed(kind, hour, rest, recipient, relay, message.sender, gave_up=gave_up)
        if message.expired is not None and not message.fates:
            self.tally.settle(self._life(message, open_right=False))

    def _keep(self, host: bytes, queue_id: bytes, message: _Open, *, open_right: bool) -> None:
        """For the tally, which may find the other part of the message in another piece."""
        if not message.fates and message.expired is None and not (open_right and message.sender is not None):
            return
        self.tally.open.setdefault((_text(host), _text(queue_id)), []).append(self._life(message, open_right=open_right))

    def _life(self, message: _Open, *, open_right: bool) -> Life:
        fates = {_text(key): self._fate(*fate) for key, fate in message.fates.items()}
        sender = None if message.sender is None else _text(message.sender)
        open_left = not message.begun and self.position > 0
        return Life(self.position, self.position + 1, open_left, open_right, sender, fates, message.expired)

    def _fate(self, kind: int, hour: bytes, rest: bytes, recipient: bytes, relay: bytes) -> Fate:
        stamp = (hour + rest[:6]).decode() if hour else ""
        if kind == SENT:
            return Fate(SENT, stamp, Reason("", "", "", "", self.reasons.provider_of(relay, recipient.rpartition(b"@")[2].lower())))
        return Fate(kind, stamp, *self.reasons.of_delivery(recipient, relay))

    def delivered(self, stamp: str, remote: str, recipient: str, sender: str) -> None:
        """One delivery that another program's line told."""
        self._sent.append((stamp[:13].encode(), remote.encode(), recipient.encode("utf-8", "replace"), sender.encode("utf-8", "replace")))

    def _count_sent(self) -> None:
        """The deliveries of a block, added up before they are counted."""
        if not self._sent:
            return
        self.tally.delivered += len(self._sent)
        counted = Counter(
            [(hour, relay, recipient.rpartition(b"@")[2], (sender or b"").rpartition(b"@")[2]) for hour, relay, recipient, sender in self._sent]
        )
        self._sent.clear()
        for (hour, relay, domain, sender_domain), number in counted.items():
            provider = self.reasons.provider_of(relay, domain.lower())
            self.tally.count_delivered(hour.decode(), provider, _domain(domain), _domain(sender_domain), number)

    def _keep_bounded(self) -> None:
        """The oldest open messages are counted as they stand where there are too many."""
        if len(self._sent) > _MOST_SENT:
            self._count_sent()
        number = sum(map(len, self._hosts.values()))
        if number > self._most_open:
            for host, queue_id in list(self._oldest(number - self._most_open // 2)):
                message = self._hosts[host].pop(queue_id)
                self.tally.early += any(fate[0] <= LATER for fate in message.fates.values())
                self._settle(message)
        if len(self._waiting) > self._most_open:
            for key in list(self._waiting)[: self._most_open // 2]:
                self._count_waiting(key, *self._waiting.pop(key))
        if len(self.tally.open) > self._most_open:
            self.tally.keep_bounded(self._most_open // 2)

    def _oldest(self, number: int) -> Iterator[tuple[bytes, bytes]]:
        """Of each host its share."""
        total = sum(map(len, self._hosts.values()))
        for host, messages in self._hosts.items():
            for queue_id in list(messages)[: -(-number * len(messages) // total)]:
                yield host, queue_id

    def _count_waiting(self, key: tuple[bytes, ...], stamp: str, reason: Reason) -> None:
        _host, _day, ip, sender, recipient = key
        self.tally.count_failure(DEFERRED, stamp, reason, _domain(recipient.rpartition(b"@")[2]), _text(ip), _domain(sender.rpartition(b"@")[2]))

    def finish(self) -> Tally:
        """The tally; what has no end yet is open in it."""
        self._others.finish()
        self._count_sent()
        for host, messages in self._hosts.items():
            for queue_id, message in messages.items():
                self._keep(host, queue_id, message, open_right=True)
        for key, (stamp, reason) in self._waiting.items():
            server, day, ip, sender, recipient = map(_text, key)
            if day in self._days:
                life = Life(self.position, self.position + 1, self.position > 0, True, sender, {recipient: Fate(LATER, stamp, reason, ip)})
                self.tally.open.setdefault((server, f"{day} {ip} {sender} {recipient}"), []).append(life)
            else:
                self._count_waiting(key, stamp, reason)
        used = self.tally.reasons.rows.keys() | {fate.reason for lives in self.tally.open.values() for life in lives for fate in life.fates.values()}
        self.tally.examples = {reason: self.reasons.examples[reason] for reason in used if reason in self.reasons.examples}
        self.tally.keep_bounded(self._most_open)
        return self.tally


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _domain(data: bytes) -> str:
    """What follows an address's @, as `domain_of` gives it."""
    return data.decode("utf-8", "replace").strip("<> .").lower()
