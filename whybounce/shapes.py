"""What is said of a line, kept by the line's shape, in which the local parts of addresses, long numbers and IPv4 addresses are places of
some length. The next line of that shape is told by filling in what stands in its own places.

Nothing that reads or ranks a line looks at such a piece but for its kind, its length and whether two of them are the same. That is
put to the test for each shape: what is said of a line, and of another that differs in every character of its places, may differ in these alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from whybounce.remembered import Remembered

_LONGEST = 1500  # characters; of a longer line not all is read
_LONGEST_WORD = 200
_MOST_SHAPES = 20_000  # of two or three kilobytes
_MOST_WORDS = 50_000

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# 127 is the machine itself. Of three digits a number may be a code; beside letters, dots and colons it is part of something else.
_SOME = rf"(?<![\w.:])(?!127\.){_OCTET}(?:\.{_OCTET}){{3}}(?![\w.])|(?<![\w.:-])\d{{4,12}}(?![\w:-]|\.\w)"
_SLOT = re.compile(f"({_SOME})", re.ASCII)
_SLOT_OF_ADDRESS = re.compile(rf"((?<![\w.+=-])[a-z0-9][a-z0-9_.+-]*(?=@[a-zA-Z0-9])|{_SOME}|(?<!\d)\d{{4,12}}(?!\d))", re.ASCII)
_DIGITS = str.maketrans("123456789", "0" * 9)

# Another letter and digit for each; no number comes to begin with a zero.
_TURNED = str.maketrans("abcdefghijklmnopqrstuvwxyz0123456789", "nopqrstuvwxyzabcdefghijklm5678912345")
_OCTETS = {1: "1234567", 2: ("51", "62", "73", "84", "95", "16", "27"), 3: ("198", "203", "187", "234", "176", "225", "219", "142")}


class Shapes:
    """Tells lines, and keeps what it needs to tell the next of the same shape sooner. For one thread."""

    def __init__(self, tell: Callable[[str], str]) -> None:
        """`tell`: what is said of a line, the pieces of the line in it as they are."""
        self._tell = tell
        self._words = Remembered(_MOST_WORDS)
        self._seen = Remembered(_MOST_SHAPES)
        self._kept = Remembered(_MOST_SHAPES)

    def tell(self, line: str) -> str:
        """The same as `tell(line)` of what this was made with."""
        words = line.split(" ")
        masked = list(map(self._words.get, words))
        slots: list[str] = []
        if None in masked:
            for i, known in enumerate(masked):
                if known is None:
                    masked[i] = self._mask(words[i], slots)
        if len(set(slots)) < len(slots):
            masked.append(repr([slots.index(slot) for slot in slots]))
        key = tuple(masked)
        kept = self._kept.get(key)
        if kept:
            return kept[0] % kept[1](slots)  # type: ignore[no-any-return]
        told = self._tell(line)
        if kept is None and len(line) <= _LONGEST:
            self._learn(key, words, slots, told)
        return told

    def _mask(self, word: str, slots: list[str]) -> str:
        """The word with a NUL and zeros for its slots, which are added to `slots`."""
        pieces = _pieces(word)
        if len(pieces) == 1:
            if len(word) <= _LONGEST_WORD:
                self._words[word] = word
            return word
        slots += pieces[1::2]
        pieces[1::2] = ["\0" + (piece.translate(_DIGITS) if piece[0].isdigit() else "a" * len(piece)) for piece in pieces[1::2]]
        return "".join(pieces)

    def _learn(self, key: tuple[Any, ...], words: Sequence[str], slots: Sequence[str], told: str) -> None:
        """From the second line of a shape on it is worth while to keep it."""
        if key not in self._seen:
            self._seen[key] = True
            return
        turned = [_turned(slot, slots.index(slot)) for slot in slots]
        distinct = len(set(turned)) == len(set(slots))
        self._kept[key] = (distinct and _template(told, self._tell(_filled(words, turned)), slots, turned)) or False


def _pieces(word: str) -> list[str]:
    """What stands around the slots of a word, at even places, and the slots."""
    if len(word) > _LONGEST_WORD:
        return [word]
    return _SLOT_OF_ADDRESS.split(word) if "@" in word else _SLOT.split(word)


def _filled(words: Sequence[str], stand_ins: Sequence[str]) -> str:
    """The line with these in its slots."""
    left = iter(stand_ins)
    return " ".join("".join(next(left) if i % 2 else piece for i, piece in enumerate(_pieces(word))) for word in words)


def _turned(slot: str, number: int) -> str:
    """Another piece of the same kind and length that differs from the slot in every place; `number`: of the slot, so that two
    addresses that are alike do not become one."""
    if slot.count(".") == 3 and slot.replace(".", "").isdigit():
        return ".".join(_other_octet(octet, number) for octet in slot.split("."))
    return slot.translate(_TURNED)


def _other_octet(octet: str, number: int) -> str:
    differing = [other for other in _OCTETS[len(octet)] if all(a != b for a, b in zip(octet, other, strict=True))]
    return differing[number % len(differing)]


def _template(one: str, other: str, slots: Sequence[str], turned: Sequence[str]) -> tuple[str, Callable[[Sequence[str]], Any]] | None:
    """What is said of a shape, with %s for the slots, and what picks these; None where the two tellings differ in more than slots."""
    if len(one) != len(other):
        return None
    parts: list[str] = []
    order: list[int] = []
    done = at = 0
    pairs = list(zip(slots, turned, strict=True))
    while at < len(one):
        if one[at] == other[at]:
            at += 1
            continue
        here = [i for i, (a, b) in enumerate(pairs) if one.startswith(a, at) and other.startswith(b, at)]
        if not here:
            return None
        number = max(here, key=lambda i: len(slots[i]))
        parts += [one[done:at].replace("%", "%%"), "%s"]
        order.append(number)
        at = done = at + len(slots[number])
    parts.append(one[done:].replace("%", "%%"))
    return "".join(parts), itemgetter(*order) if order else _nothing


def _nothing(_slots: Sequence[str]) -> tuple[()]:
    return ()
