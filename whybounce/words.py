"""The text model: which cause do these words mean? A linear model over words, pairs of words, codes and the character n-grams inside
words, fitted when knowledge is published (fitting.py) and applied here with numpy alone.

It decides in two steps, both sums over the same features: which category, and which of the category's causes. The features of a
unit (tokens.py) do not depend on its neighbours, so the sum of their weights is kept per unit: applying costs one row of numbers
for each word and pair.
"""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from whybounce.tokens import features_of, is_whole, tokens_of, units_of

# Of bench/accuracy.py: with these the probabilities of texts that were left out are as often right as they say.
_CATEGORY_SCALE = 10.5
_CAUSE_SCALE = 11.5
_LEAST_LENGTH = 50.0  # squared; a text of one or two words says less than its direction
_LEAST_LOG = -60.0  # below, a float32 has no logarithm left
_FORMAT = 2
_MOST_UNITS = 40_000
_ENOUGH_PIECES = 5  # n-grams by which a word is known that was never met whole: an inflection, a sentence of Japanese

Vector = npt.NDArray[np.float32]


class Lesson(NamedTuple):
    """A text and the cause that it means; `category` is the cause's ("": each cause is one of its own)."""

    text: str
    cause: str
    category: str = ""


@dataclass(frozen=True, slots=True)
class WordReading:
    """What the words of one reply say: `log_probability[i]` of the model's cause i; which words weighed, see `TextModel.why`.
    `known`: how many of the words the model knows, whole or by their pieces."""

    tokens: tuple[str, ...]
    norm: float
    log_probability: Vector
    known: int


class _Memory:
    """The sums of the units met so far, as rows of one table. Bounded: a full table is given up for a new one."""

    def __init__(self, width: int) -> None:
        self._width, self._most = width, _MOST_UNITS
        self._lock = Lock()
        self._renew()

    def _renew(self) -> None:
        """Row 0 stands for all that is not known."""
        self._state: tuple[dict[str, int], Vector, list[int]] = ({}, np.zeros((self._most, self._width + 2), np.float32), [1])

    def sums(self, units: Sequence[str], sum_of: Callable[[str], Vector | None]) -> Vector:
        """A row for each unit; `sum_of` works out those not met before."""
        rows, table, _used = self._state
        try:
            return table.take([rows[unit] for unit in units], axis=0)
        except KeyError:
            with self._lock:
                return self._learn(units, sum_of)

    def _learn(self, units: Sequence[str], sum_of: Callable[[str], Vector | None]) -> Vector:
        rows, table, used = self._state
        if used[0] + len(units) > self._most or len(rows) > 4 * self._most:
            self._renew()
            rows, table, used = self._state
        for unit in units:
            if unit not in rows:
                found = sum_of(unit)
                if found is None:
                    rows[unit] = 0
                else:  # the row is written before its number can be found
                    table[used[0]] = found
                    rows[unit] = used[0]
                    used[0] += 1
        return table.take([rows[unit] for unit in units], axis=0)


class TextModel:
    """Fitted weights. Immutable but for a cache of the sums per unit."""

    def __init__(
        self,
        causes: Sequence[str],
        categories: Sequence[str],
        features: Sequence[str],
        idf: Vector,
        weights: npt.NDArray[np.int8],
        scale: Vector,
        bias: Vector,
    ) -> None:
        """`weights[f, c] * scale[f]`: what feature f adds to the score of cause c, `bias[c]` what every text has. `categories`: of
        each cause."""
        self.causes = tuple(causes)
        self.categories = tuple(categories)
        self._features = tuple(features)
        self._index = {feature: i for i, feature in enumerate(features)}
        self._domains = frozenset(feature for feature in features if feature[0] == "@" and ":" in feature)
        self._idf, self._weights, self._scale, self._bias = idf, weights, scale, bias
        names = sorted(set(categories))
        self._group = np.array([names.index(category) for category in categories], np.intp)
        self._member = np.zeros((len(causes), len(names)), np.float32)
        self._member[np.arange(len(causes)), self._group] = 1
        self._memory = _Memory(len(causes))

    def _sum_of(self, unit: str) -> Vector | None:
        """The weights of a unit's known features summed per cause; then the square of its length, and 1 for a known word. None where
        nothing of it is known."""
        rows = [(self._index[name], weight) for name, weight in features_of(unit) if name in self._index]
        if not rows:
            return None
        indices = np.array([row for row, _weight in rows])
        values = np.array([weight for _row, weight in rows], np.float32) * self._idf[indices]
        out = np.empty(len(self.causes) + 2, np.float32)
        out[:-2] = (values * self._scale[indices]) @ self._weights[indices].astype(np.float32)
        out[-2] = values @ values
        out[-1] = " " not in unit and unit[0].isalpha() and (unit in self._index or len(rows) >= _ENOUGH_PIECES)
        return out

    def tokens(self, text: str) -> tuple[str, ...]:
        """The tokens of a reply as the model tells them apart: a host in a domain that it does not know is any host."""
        return tuple([token.partition(":")[0] if token[0] == "@" and token not in self._domains else token for token in tokens_of(text)])

    def read(self, text: str) -> WordReading:
        """The model's reading of a reply."""
        return self.read_tokens(self.tokens(text))

    def read_tokens(self, tokens: tuple[str, ...]) -> WordReading:
        """The same of its tokens."""
        if not self.causes:
            return WordReading((), 1.0, self._bias, 0)
        sums = self._memory.sums(units_of(tokens), self._sum_of).sum(axis=0)
        norm = math.sqrt(_LEAST_LENGTH + float(sums[-2]))
        return WordReading(tokens, norm, self._log_probability(self._bias + sums[:-2] / norm), int(sums[-1]))

    def _log_probability(self, scores: Vector) -> Vector:
        """P(category) * P(cause | category): the first by the sum of the scores of the category's causes."""
        of_category = _CATEGORY_SCALE * (scores @ self._member)
        of_category -= of_category.max()
        of_category -= np.log(np.exp(of_category).sum())
        of_cause = np.maximum(_CAUSE_SCALE * (scores - scores.max()), _LEAST_LOG)
        return np.asarray((of_category - np.log(np.exp(of_cause) @ self._member))[self._group] + of_cause, np.float32)

    def why(self, reading: WordReading, cause: str, most: int = 6) -> list[tuple[str, float]]:
        """The words and pairs that spoke most for (positive) or against `cause`, beside the other causes: (unit, weight in nats)."""
        if cause not in self.causes:
            return []
        column = self.causes.index(cause)
        group = self._group[column]
        shares = []
        units = units_of(reading.tokens)
        for unit, vector in zip(units, self._memory.sums(units, self._sum_of)[:, :-2], strict=True):
            sums = vector @ self._member
            within = vector[self._group == group]
            nats = _CATEGORY_SCALE * float(sums[group] - sums.mean()) + _CAUSE_SCALE * float(vector[column] - within.mean())
            shares.append((unit, nats / reading.norm))
        return sorted((share for share in shares if abs(share[1]) > 0.02), key=lambda share: -abs(share[1]))[:most]

    def to_bytes(self) -> bytes:
        """For storing with a revision; `from_bytes` reads it."""
        buffer = io.BytesIO()
        names = np.frombuffer(json.dumps([_FORMAT, self.causes, self.categories, self._features], ensure_ascii=False).encode(), np.uint8)
        np.savez_compressed(buffer, names=names, idf=self._idf, weights=self._weights, scale=self._scale, bias=self._bias)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TextModel:
        """ValueError for what another version of this program stored: the knowledge must then be published again."""
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            version, *names = json.loads(stored["names"].tobytes())
            if version != _FORMAT:  # the first version wrote no number
                raise ValueError("This text model was fitted by another version of the program. Publish the knowledge again.")
            causes, categories, features = names
            return cls(causes, categories, features, stored["idf"], stored["weights"], stored["scale"], stored["bias"])

    @classmethod
    def empty(cls) -> TextModel:
        """A model that knows no words: for knowledge without two labelled causes."""
        nothing = np.zeros(0, np.float32)
        return cls((), (), (), nothing, np.zeros((0, 0), np.int8), nothing, nothing)


def fit(lessons: Iterable[Lesson | tuple[str, str]]) -> TextModel:
    """Fits the model on lessons, or on (text, cause slug) pairs. Seconds for thousands; the same lessons give the same model."""
    from whybounce.fitting import ridge

    rows = sorted({Lesson(*lesson) for lesson in lessons})
    category_of = {row.cause: row.category or row.cause for row in rows}
    causes = sorted(category_of)
    if len(causes) < 2:
        return TextModel.empty()
    texts = [[feature for unit in units_of(tokens_of(row.text)) for feature in features_of(unit)] for row in rows]
    counts = Counter(name for text in texts for name in {name for name, _weight in text})
    features = sorted(name for name, count in counts.items() if count > 1 or is_whole(name))
    idf = np.array([1 + math.log((1 + len(rows)) / (1 + counts[name])) for name in features], np.float32)
    labels = np.array([causes.index(row.cause) for row in rows])
    groups = Counter(category_of[row.cause] for row in rows)
    # Between every text and every category alike: the rare categories are not drowned, the common ones still lead.
    shares = np.array([groups[category_of[row.cause]] ** -0.5 for row in rows])
    weights, bias = ridge(texts, features, idf, labels, shares / shares.mean(), _LEAST_LENGTH)
    scale = np.maximum(np.abs(weights).max(axis=1), 1e-12) / 127
    small = np.rint(weights / scale[:, None]).astype(np.int8)
    return TextModel(causes, [category_of[cause] for cause in causes], features, idf, small, scale.astype(np.float32), bias)
