"""An index in memory: which texts hold a word, and how much that says. Words as typed, beginnings, and words spelt wrong.

The weight of a word in a text is that of BM25 with fields: a word in the label or the title counts more than one in the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest

import numpy as np
import numpy.typing as npt

WORD = re.compile(r"[^\W_]+", re.UNICODE)
_LABEL, _TITLE = 6.0, 4.0
_K, _B = 1.2, 0.6
_BEGUN = 24
"""So many words that begin with what was typed are looked up, the most frequent first."""
_LIKE = 3
_LOOKED_AT = 24
_MAX_TYPED = 24
_RARE = 5
_LONG = 6
_MOST_UNKNOWN = 4
"""Of so many words of a query the right spelling is looked for."""
_LIKE_WEIGHT, _BEGUN_WEIGHT, _PHRASE = 0.5, 0.6, 1.6

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Spans = Mapping[str, tuple[int, int]]
Scored = tuple[int, float]


def letters(text: str) -> str:
    """Lower case without accents: "Größe" -> "grosse", "réponse" -> "reponse"."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))


@dataclass(frozen=True, slots=True)
class Text:
    """What can be found by its words."""

    label: str
    title: str
    text: str


class Postings:
    """The words of many texts. Read only once built."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._count = len(texts)
        self._phrases = [letters(f"{text.label} {text.title} {text.text}") for text in texts]
        found: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        lengths = []
        rows = []
        for text in texts:
            words = Counter(WORD.findall(letters(text.text)))
            rows.append(words)
            lengths.append(words.total())
        mean = max(sum(lengths) / max(len(lengths), 1), 1.0)
        for number, (text, words) in enumerate(zip(texts, rows, strict=True)):
            norm = _K * (1 - _B + _B * lengths[number] / mean)
            weights = {word: times * (_K + 1) / (times + norm) for word, times in words.items()}
            for field, boost in ((text.title, _TITLE), (text.label, _LABEL)):
                own = set(WORD.findall(letters(field)))
                for word in own:
                    weights[word] = weights.get(word, 0.0) + boost / (1 + 0.15 * len(own))
            for word, weight in weights.items():
                docs, values = found[word]
                docs.append(number)
                values.append(weight)
        self._words: dict[str, tuple[Ints, Floats]] = {
            word: (np.array(docs, np.int32), np.array(values, np.float32) * np.float32(self._idf(len(docs))))
            for word, (docs, values) in found.items()
        }
        self._sorted = sorted(self._words)
        self.size = len(self._sorted)
        self._spelling = Spelling({word: len(docs) for word, (docs, _values) in found.items() if len(word) > 3 and word.isalpha()})

    def _idf(self, frequency: int) -> float:
        return float(np.log(1 + (self._count - frequency + 0.5) / (frequency + 0.5)))

    def find(
        self, words: Sequence[str], spans: Mapping[str, tuple[int, int]], most: int
    ) -> tuple[dict[str, list[tuple[int, float]]], frozenset[str]]:
        """For each span of texts (from, to) the best: their numbers and scores; and the words that were found, to be marked.

        Texts that hold every word, misspelt or unfinished ones too; where there are none, those that hold some of them as typed.
        """
        words = self._fewer(words)
        unknown = 0 if len(words) <= _LONG else _MOST_UNKNOWN - 1
        looked: list[dict[str, float]] = []
        for word in dict.fromkeys(words):
            options = {word: 1.0} if word in self._words else {}
            if word == words[-1] and len(words) <= _LONG:  # the last word of a short query may be unfinished
                options |= {other: _BEGUN_WEIGHT for other in self._begun(word) if other not in options}
            if unknown < _MOST_UNKNOWN and (not options or self._rare(word)):
                unknown += 1
                like = self._spelling.like(word) if not options else self._swapped(word)
                options |= {other: _LIKE_WEIGHT / distance for other, distance in like}
            looked.append(options)
        hits = self._best(looked, spans, most, every=True, phrase=" ".join(words))
        if not hits:
            looked = self._telling([word for word in dict.fromkeys(words) if word in self._words])
            hits = self._best(looked, spans, most, every=False, phrase="")
        last = words[-1]
        begun = {f"{last}*"} if looked and len(looked[-1]) > 1 else set()
        return hits, frozenset({word for options in looked for word in options if not (begun and word.startswith(last))} | begun)

    def _fewer(self, words: Sequence[str]) -> Sequence[str]:
        """Of many words those that tell texts apart: what half of the texts hold costs much and says little."""
        if len(words) <= _LONG:
            return words
        return [word for word in words if word not in self._words or len(self._words[word][0]) * 2 < self._count] or words[:_LONG]

    def _rare(self, word: str) -> bool:
        return word in self._words and len(self._words[word][0]) <= _RARE

    def _swapped(self, word: str) -> list[tuple[str, int]]:
        """For a rare word the far more frequent ones that two swapped letters make of it: "gmial" stands in the examples of mistakes."""
        like = self._spelling.like(word)
        return [(other, n) for other, n in like if sorted(other) == sorted(word) and len(self._words[other][0]) > 10 * len(self._words[word][0])]

    def _telling(self, words: list[str]) -> list[dict[str, float]]:
        """Each word as typed; without those that a quarter of the texts hold, where there are others that say more."""
        rare = [word for word in words if len(self._words[word][0]) * 4 < self._count]
        return [{word: 1.0} for word in (rare if len(rare) > 1 else words)]

    def _best(self, looked: Sequence[Mapping[str, float]], spans: Spans, most: int, *, every: bool, phrase: str) -> dict[str, list[Scored]]:
        every_one = self._holding_every(looked) if every else None
        if every_one is not None and not every_one.any():
            return {}
        scores = np.zeros(self._count, np.float32)
        held = np.zeros(self._count, np.int32)
        for options in looked:
            self._add(options, scores, held)
        if every_one is not None:
            scores *= every_one
        else:
            scores *= held  # two of the words say more than one of them twice
        hits = {}
        for kind, (start, end) in spans.items():
            part = scores[start:end]
            numbers = np.flatnonzero(part)
            if len(numbers) > 2 * most:
                numbers = numbers[np.argpartition(part[numbers], len(numbers) - 2 * most)[-2 * most :]]
            scored = [(start + int(number), float(part[number])) for number in numbers]
            if phrase and " " in phrase:
                scored = [(number, score * _PHRASE if phrase in self._phrases[number] else score) for number, score in scored]
            if scored:
                hits[kind] = sorted(scored, key=lambda item: (-item[1], item[0]))[:most]
        return hits

    def _holding_every(self, looked: Sequence[Mapping[str, float]]) -> npt.NDArray[np.bool_]:
        """Which texts hold each word in one of its spellings. The rarest word is looked at first: most searches for many words end there."""
        alive = np.ones(self._count, np.bool_)
        for options in sorted(looked, key=lambda options: sum(len(self._words[word][0]) for word in options)):
            holding = np.zeros(self._count, np.bool_)
            for word in options:
                holding[self._words[word][0]] = True
            alive &= holding
            if not alive.any():
                break
        return alive

    def _add(self, options: Mapping[str, float], scores: Floats, held: Ints) -> None:
        """Adds one word of the query: of its spellings the one that says most in each text."""
        if len(options) == 1:
            word, weight = next(iter(options.items()))
            docs, values = self._words[word]
            scores[docs] += values * np.float32(weight)
            held[docs] += 1
        elif options:
            best = np.zeros(self._count, np.float32)
            for word, weight in options.items():
                docs, values = self._words[word]
                best[docs] = np.maximum(best[docs], values * np.float32(weight))
            scores += best
            held += best > 0

    def _begun(self, word: str) -> list[str]:
        """Longer words that begin with this one, the most frequent first."""
        if len(word) < 2 and word.isascii():
            return []
        start, end = bisect_left(self._sorted, word), bisect_left(self._sorted, word + "\U0010ffff")
        longer = self._sorted[start : min(end, start + 2000)]
        return nlargest(_BEGUN, (other for other in longer if other != word), key=lambda other: len(self._words[other][0]))


class Spelling:
    """Known words like a misspelt one: first by the letters they share, all at once, then the few that are left by edit distance."""

    def __init__(self, frequencies: Mapping[str, int]) -> None:
        self._known = list(frequencies)
        self._frequency = dict(frequencies)
        self._letters = np.array([_letter_bits(word) for word in self._known], np.uint64)
        self._pairs = np.array([_pair_bits(word) for word in self._known], np.uint64)
        self._lengths = np.array([len(word) for word in self._known], np.int16)
        self._like = lru_cache(maxsize=4096)(self._look)

    def like(self, word: str) -> list[tuple[str, int]]:
        """At most a few known words with their distances (1 or 2 letters wrong, missing, too many or swapped), nearest first."""
        return self._like(word) if 3 < len(word) <= _MAX_TYPED and word.isalpha() else []

    def _look(self, word: str) -> list[tuple[str, int]]:
        most = 1 if len(word) < 6 else 2
        near = np.flatnonzero(
            (np.abs(self._lengths - len(word)) <= most) & (np.bitwise_count(self._letters ^ np.uint64(_letter_bits(word))) <= 2 * most)
        )
        if not len(near):
            return []
        apart = np.bitwise_count(self._pairs[near] ^ np.uint64(_pair_bits(word)))
        if len(near) > _LOOKED_AT:
            near = near[np.argpartition(apart, _LOOKED_AT)[:_LOOKED_AT]]
        found = [(other, distance) for i in near if 0 < (distance := edit_distance(word, other := self._known[int(i)], most)) <= most]
        own = sorted(word)
        nearness = {other: (distance, sorted(other) != own) for other, distance in found}  # two letters swapped: the most frequent mistake
        nearest = min(nearness.values(), default=None)
        found = [item for item in found if nearness[item[0]] == nearest]
        return sorted(found, key=lambda item: (item[0][0] != word[0], -self._frequency[item[0]]))[:_LIKE]


def _letter_bits(word: str) -> int:
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % 61)
    return bits


def _pair_bits(word: str) -> int:
    bits = 0
    for first, second in zip(f"^{word}", f"{word}$", strict=True):
        bits |= 1 << ((ord(first) * 31 + ord(second)) % 61)
    return bits


def edit_distance(one: str, other: str, most: int) -> int:
    """Letters wrong, missing, too many, or two neighbours swapped, each 1 (optimal string alignment); over `most`, `most` + 1."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    one, other = one[start : len(one) - end], other[start : len(other) - end]
    if not one or not other:
        return min(len(one) + len(other), most + 1)
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
