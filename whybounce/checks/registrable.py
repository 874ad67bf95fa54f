"""The part of a name that somebody has registered, by the Public Suffix List: for showing and for guessing at typing mistakes only.
Policies such as DMARC are found by walking the tree (RFC 9989), not by this."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


def registrable_domain(name: str) -> str:
    """`"mail.example.co.uk"` -> `"example.co.uk"`; "" where the name is a public suffix itself. A-labels, lower case.
    The last label of an unknown top-level domain counts as its suffix."""
    return _suffixes().privatesuffix(name) or ""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
