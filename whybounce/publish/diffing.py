"""Two texts compared word by word, ready for a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum


class Change(StrEnum):
    """What becomes of a word."""

    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Word:
    """One word (a term of SPF, a tag of DMARC, a key or a value of a policy file) without the white space around it."""

    text: str
    change: Change


def compare(old: Sequence[str], new: str) -> tuple[Word, ...]:
    """The words of `new` and those of the `old` texts that it no longer has, in reading order: where words are replaced the removed
    ones come first. Several old texts are read as one."""
    before = [word for text in old for word in text.split()]
    after = re.split(r"\s+", new.strip()) if new.strip() else []
    words: list[Word] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            words += [Word(text, Change.KEPT) for text in after[j1:j2]]
            continue
        words += [Word(text, Change.REMOVED) for text in before[i1:i2]]
        words += [Word(text, Change.ADDED) for text in after[j1:j2]]
    return tuple(words)
