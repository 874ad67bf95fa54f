"""Which blocklists a reply names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import re2

from whybounce.snapshot import Blocklist

# Longer than any reply; what follows is not looked at.
MAX_REPLY = 20_000


def named_lists(lists: Sequence[Blocklist], reply: str) -> tuple[Blocklist, ...]:
    """Those of which a mark stands in the reply. Where none does, those whose operator's domain does: a reply that names one list of an
    operator often means another one of it, which is a part of the zone that is asked."""
    if not reply:
        return ()
    text = reply[:MAX_REPLY]
    data = text.encode("utf-8", "replace")
    marked = tuple(item for item in lists if any(_compiled(mark).search(data) for mark in item.reply_marks))
    return marked or tuple(item for item in lists if (name := _operator(item.zone)) and name in text.lower())


def stands_for(asked: Blocklist, named: Blocklist) -> bool:
    """Whether an answer of the list `asked` tells about the list `named`: it is that list, or the zone of the same operator of which a
    list without a zone of its own is a part."""
    if asked.slug == named.slug:
        return True
    part = not named.zone and not named.closed and named.public
    return part and bool(named.operator) and (asked.operator, asked.kind) == (named.operator, named.kind)


@lru_cache(maxsize=1024)
def _compiled(mark: str) -> re2._Regexp:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(mark, options)


def _operator(zone: str) -> str:
    """`zen.spamhaus.org` -> `spamhaus.org`; "" where nothing would be left that names anybody."""
    parent = zone.partition(".")[2]
    return parent if "." in parent else ""
