"""Finding an e-mail address in a line by plain string code: linear, whatever the line holds."""

from __future__ import annotations

import re

_STOP = frozenset(' \t\r\n<>()[]{},;:"\\|　「」：，；。、（）【】《》“”‘’«»')
LONGEST = 320
"""RFC 5321 section 4.5.3.1: 64 for the local part, 255 for the domain, and the @."""


# What an address may be made of, to the left of an @ (in a text turned round) and to the right of it.
_CLASS = "".join(map(re.escape, sorted(_STOP)))
_LEFT = re.compile(f"[^{_CLASS}]*+")
_RIGHT = re.compile(f"[^@{_CLASS}]*+")


def find_address(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of the first thing in text[start:end] that looks like an address, or None."""
    at = text.find("@", start, end)
    before, reached = -1, start  # the @ looked at before, and how far to the left of it an address went
    while at >= 0:
        limit = max(start, at - LONGEST)
        first = max(limit, before + 1)
        found = _LEFT.match(text[first:at][::-1])
        left = at - found.end() if found else at
        if left == first and limit <= before:  # what is to the left of the @ before is known
            left = max(reached, limit)
        before, reached = at, left
        found = _RIGHT.match(text, at + 1, min(end, at + LONGEST))
        right = found.end() if found else at + 1
        while right > at + 1 and text[right - 1] in ".?!*=`'":
            right -= 1
        while left < at and text[left] in "*-=`'":
            left += 1
        if left < at and right > at + 1:
            return left, right
        at = text.find("@", right, end)
    return None
