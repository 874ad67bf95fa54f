"""What became of the recipients of one message, when its lines lie in several pieces of a log.

A life is all that a piece says of one message. Its left side is open where its beginning may lie in the piece before, its right side
where lines may follow in the next. Lives of one queue id that meet with open sides are one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

NO_NEWS, LATER, REFUSED, SENT = range(4)
"""What one attempt came to: not tried again, deferred, failed for good, delivered. The last two are final."""


class Reason(NamedTuple):
    """Why a server did not take a message. `cause` and `category`: slugs; `code`, `enhanced`, `provider` may be ""."""

    cause: str
    category: str
    code: str
    enhanced: str
    provider: str


class Fate(NamedTuple):
    """The last word on one recipient. `stamp`: ISO time or ""; `reason`: of one that was delivered only the provider."""

    kind: int
    stamp: str
    reason: Reason
    sending_ip: str = ""


def final_word(before: Fate, after: Fate) -> Fate:
    """The last final word counts, else the last deferral that tells something. Associative."""
    if after.kind >= REFUSED or (before.kind < REFUSED and after.kind >= before.kind):
        return after
    return before


class Life(NamedTuple):
    """`start`, `stop`: the pieces that it covers, `stop` excluded. `sender`: envelope sender, None where no line told. `expired`: the queue
    gave up, with what was said where no attempt was seen; None: it did not."""

    start: int
    stop: int
    open_left: bool
    open_right: bool
    sender: str | None
    fates: dict[str, Fate]
    expired: Fate | None = None

    def followed_by(self, later: Life) -> Life:
        """The two as one."""
        fates = dict(self.fates)
        for recipient, fate in later.fates.items():
            before = fates.get(recipient)
            fates[recipient] = fate if before is None else final_word(before, fate)
        sender = self.sender if self.sender is not None else later.sender
        return Life(self.start, later.stop, self.open_left, later.open_right, sender, fates, self.expired or later.expired)


Spans = tuple[tuple[int, int], ...]
"""The pieces that a tally covers: (first, last + 1), ascending, none adjacent."""


def joined_spans(spans: Iterable[tuple[int, int]]) -> Spans:
    out: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return tuple(out)


def joined_lives(lives: Sequence[Life], spans: Spans) -> list[Life]:
    """Lives of one queue id, those that are one message made one. Between two that are joined no piece may be missing."""
    out: list[Life] = []
    for life in lives if len(lives) == 1 else sorted(lives, key=lambda life: (life.start, life.stop, not life.open_left)):
        before = out[-1] if out else None
        if before and before.open_right and life.open_left and before.stop <= life.start and _covered(spans, before.start, life.start):
            out[-1] = before.followed_by(life)
        else:
            out.append(life)
    return [life._replace(open_left=False) if life.open_left and _covered(spans, 0, life.start) else life for life in out]


def _covered(spans: Spans, start: int, stop: int) -> bool:
    return any(first <= start and stop <= last for first, last in spans)
