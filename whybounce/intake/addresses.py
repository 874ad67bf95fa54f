"""Finding an e-mail address in a line by plain string code: linear, whatever the line holds."""

from __future__ import annotations

_STOP = frozenset(' \t\r\n<>()[]{},;:"\\|　「」《》“”‘’«»')
LONGEST = 320
"""RFC 5321 section 4.5.3.1: 64 for the local part, 255 for the domain, and the @."""


def find_address(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of the first thing in text[start:end] that looks like an address, or None."""
    at = text.find("@", start, end)
    before, reached = -1, start  # the @ looked at before, and how far to the left of it an address went
    while at >= 0:
        left = at
        limit = max(start, at - LONGEST)
        while left > limit and text[left - 1] not in _STOP:
            left -= 1
            if left == before:  # what is to the left of it is known
                left = max(reached, limit)
                break
        before, reached = at, left
        right = at + 1
        limit = min(end, at + LONGEST)
        while right < limit and text[right] not in _STOP and text[right] != "@":
            right += 1
        while right > at + 1 and text[right - 1] in ".?!*=`'":
            right -= 1
        while left < at and text[left] in "*-=`'":
            left += 1
        if left < at and right > at + 1:
            return left, right
        at = text.find("@", right, end)
    return None
