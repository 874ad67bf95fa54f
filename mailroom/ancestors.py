"""Which pages may show a report in a frame: a value of the settings."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A host source of CSP (Content Security Policy Level 3, section 2.3.1): with the scheme, and a wildcard for sub-domains at most.
_SOURCE = re.compile(r"https://(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?", re.IGNORECASE | re.ASCII)


def parse_ancestors(items: Iterable[str]) -> tuple[str, ...]:
    """`["self", "https://desk.example.org", "https://*.example.com"]` as sources of frame-ancestors. ValueError names the item that is none."""
    return tuple(_source(item.strip()) for item in items)


def _source(item: str) -> str:
    if item.strip("'") == "self":
        return "'self'"
    if not _SOURCE.fullmatch(item.rstrip("/")):
        raise ValueError(f"{item!r} is no site: one looks like https://desk.example.org, https://*.example.org or self")
    return item.rstrip("/").lower()
