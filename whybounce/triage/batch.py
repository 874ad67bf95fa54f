"""What was found line by line, added up before it is counted: most lines of a log share their values with many others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter

from whybounce.triage.counts import DEFERRED, DELIVERED, FAILED
from whybounce.triage.lives import Reason
from whybounce.triage.postfix_lines import stamp_of
from whybounce.triage.reasons import Reasons
from whybounce.triage.tally import Moments, Tally

_MOST = 50_000

Sent = tuple[bytes, bytes, bytes, bytes | None]
"""Hour, relay, recipient, sender."""
Failed = tuple[int, bytes, bytes, Reason, bytes, bytes, bytes]
"""FAILED or DEFERRED, hour, time as written, reason, recipient, sending address, sender."""


class Batch:
    """Deliveries and failures that wait to be counted. `sent` and `failed` are appended to."""

    def __init__(self, tally: Tally, reasons: Reasons) -> None:
        self.sent: list[Sent] = []
        self.failed: list[Failed] = []
        self._tally, self._reasons = tally, reasons

    def count_if_full(self) -> None:
        if len(self.sent) + len(self.failed) > _MOST:
            self.count()

    def count(self) -> None:
        """Adds all of it to the tally."""
        if self.sent:
            self._count_sent()
            self.sent.clear()
        for what in (FAILED, DEFERRED):
            rows = [row for row in self.failed if row[0] == what]
            if rows:
                self._count_failed(what, rows)
        self.failed.clear()

    def _count_sent(self) -> None:
        sent, tally = self.sent, self._tally
        tally.delivered += len(sent)
        domains = [_domain_of(row[2]) for row in sent]
        for hour, number in Counter(map(itemgetter(0), sent)).items():
            tally.tables["hour"].add((hour.decode(), ""), DELIVERED, number)
        _add(tally, "domain", Counter(domains).items())
        _add(tally, "sender_domain", ((_domain_of(sender or b""), number) for sender, number in Counter(map(itemgetter(3), sent)).items()))
        by_relay = Counter(zip(map(itemgetter(1), sent), domains, strict=True))
        providers: Counter[str] = Counter()
        for (relay, domain), number in by_relay.items():
            providers[self._reasons.provider_of(relay, domain.lower())] += number
        for provider, number in providers.items():
            tally.reasons.add(Reason("", "", "", "", provider), DELIVERED, number)

    def _count_failed(self, what: int, rows: list[Failed]) -> None:
        tally, tables = self._tally, self._tally.tables
        if what == FAILED:
            tally.failures += len(rows)
        else:
            tally.deferred += len(rows)
        times: dict[Reason, list[bytes]] = {}
        for row in rows:
            times.setdefault(row[3], []).append(stamp_of(row[1], row[2]))
        for reason, stamps in times.items():
            tally.reasons.add(reason, what, len(stamps))
            moments = Moments(min(filter(None, stamps), default=b"").decode(), max(stamps).decode())
            if reason in tally.reasons.rows:
                tally.moments[reason] = tally.moments[reason].merged(moments) if reason in tally.moments else moments
            if what == FAILED:
                tally.times = tally.times.merged(moments)
        for (hour, reason), number in Counter([(row[1], row[3]) for row in rows]).items():
            tables["hour"].add((hour.decode(), reason.cause), what, number)
        for (domain, cause), number in Counter([(_domain_of(row[4]), row[3].cause) for row in rows]).items():
            tables["domain"].add((_shown(domain), cause), what, number)
        for (domain, cause), number in Counter([(_domain_of(row[6]), row[3].cause) for row in rows]).items():
            tables["sender_domain"].add((_shown(domain), cause), what, number)
        for (ip, cause), number in Counter([(row[5], row[3].cause) for row in rows if row[5]]).items():
            tables["sending_ip"].add((ip.decode("utf-8", "replace"), cause), what, number)


def _add(tally: Tally, name: str, counted: Iterable[tuple[bytes, int]]) -> None:
    for domain, number in counted:
        tally.tables[name].add((_shown(domain), ""), DELIVERED, number)


def _domain_of(address: bytes) -> bytes:
    _local, at, domain = address.rpartition(b"@")
    return domain if at else b""


def _shown(domain: bytes) -> str:
    """What follows an address's @, as `domain_of` gives it."""
    return domain.decode("utf-8", "replace").strip("<> .").lower()
