"""The text model: which cause do these words mean? Multinomial logistic regression over words, word pairs and the character
n-grams inside words. Fitted with scikit-learn when knowledge is published; applied here with numpy alone.

A reply becomes tokens: lower case, codes kept ("550", "5.1.1"), and what differs from case to case masked (addresses, hosts,
IP addresses, URLs, long numbers). The features of a token do not depend on its neighbours, so the sum of their weights is kept
per token and pair: applying costs one row of numbers per word.
"""

from __future__ import annotations

import io
import ipaddress
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from whybounce.status import is_enhanced_code, is_reply_code

MAX_TOKENS = 160
_MAX_WORD = 24
_MAX_KEPT = 60  # a longer piece (base64, a URL) hardly comes twice: its tokens are not kept in memory
_NGRAMS = (3, 4, 5)
_NGRAM_WEIGHT = 0.45  # n-grams help with unseen inflections and other languages; whole words should lead
_PAIR_WEIGHT = 0.8
_REGULARISATION = 30.0
_TEMPER = 0.8
_EDGES = " \t\r\n\"'`´.,;:!?()[]{}<>«»“”„‘’*=|#~-_/\\"

Vector = npt.NDArray[np.float32]


def _words_of(piece: str) -> tuple[str, ...]:
    """The tokens of one piece of text without white space, lower case: `"<anna@example.net>:"` -> `("@addr",)`."""
    heads: list[str] = []
    core = piece.strip(_EDGES)
    while core[3:4] == "-" and is_reply_code(core[:3]):  # "550-5.1.1"
        heads.append(core[:3])
        core = core[4:].strip(_EDGES)
    return (*heads, *_unprefixed(core))


_common_words_of = lru_cache(maxsize=100_000)(_words_of)


def _unprefixed(core: str) -> tuple[str, ...]:
    if not core:
        return ()
    if is_reply_code(core) or is_enhanced_code(core):
        return (core,)
    if "://" in core or core.startswith("www."):
        return ("@url",)
    if "@" in core:
        return ("@addr",)
    if _is_address(core):
        return ("@ip",)
    if core.isdigit():
        return ("@num",) if len(core) > 3 else (core,)
    if _is_host(core):
        return ("@host",)
    words: list[str] = []
    word = ""
    for letter in core:
        if letter.isalnum() or letter == "'":
            word += letter
        elif word:
            words.append(word)
            word = ""
    words.append(word)
    return tuple(_mask_number(chunk) for item in words if item for chunk in _chunks(item))


def _chunks(word: str) -> Iterable[str]:
    """A word in pieces of bounded length: text without spaces (Japanese, Chinese, base64) must not make one endless token."""
    return (word[i : i + _MAX_WORD] for i in range(0, min(len(word), 4 * _MAX_WORD), _MAX_WORD))


def _mask_number(word: str) -> str:
    digits = sum(letter.isdigit() for letter in word)
    return "@num" if digits > 3 and digits * 2 > len(word) else word


def _is_address(text: str) -> bool:
    if not (text[0].isdigit() or ":" in text):
        return False
    try:
        ipaddress.ip_address(text.removeprefix("ipv6:").split("%")[0])
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    labels = text.split(".")
    return (
        len(labels) > 1
        and labels[-1].isalpha()
        and len(labels[-1]) > 1
        and all(label.replace("-", "").replace("_", "").isalnum() for label in labels)
    )


def tokens_of(text: str) -> list[str]:
    """The tokens of a reply in order, at most MAX_TOKENS."""
    out: list[str] = []
    for piece in text[: 40 * MAX_TOKENS].lower().replace("(", " ").replace("[", " ").replace("/", " / ").replace(": /  / ", "://").split():
        out += _common_words_of(piece) if len(piece) <= _MAX_KEPT else _words_of(piece)
        if len(out) >= MAX_TOKENS:
            break
    return out[:MAX_TOKENS]


def units_of(tokens: Sequence[str]) -> list[str]:
    """The distinct tokens and the distinct pairs of neighbours ("mailbox full"): what the model knows a reply by."""
    return list(dict.fromkeys([*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))]))


def _features_of(unit: str) -> list[tuple[str, float]]:
    """A unit's features with their weights: the unit itself and, of a single word, the n-grams inside it."""
    if " " in unit:
        return [(unit, _PAIR_WEIGHT)]
    if unit.startswith("@") or unit[0].isdigit():
        return [(unit, 1.0)]
    edged = f"^{unit}$"
    grams = {edged[i : i + n] for n in _NGRAMS for i in range(len(edged) - n + 1)}
    return [(unit, 1.0), *((f"~{gram}", _NGRAM_WEIGHT) for gram in sorted(grams))]


@dataclass(frozen=True, slots=True)
class WordReading:
    """What the words of one reply say: `log_probability[i]` of the model's cause i; which words weighed, see `TextModel.why`."""

    units: tuple[str, ...]
    norm: float
    log_probability: Vector
    known: int


class TextModel:
    """Fitted weights. Immutable but for a cache of the sums per token."""

    def __init__(self, causes: Sequence[str], features: Sequence[str], idf: Vector, weights: Vector, bias: Vector) -> None:
        self.causes = tuple(causes)
        self._index = {feature: i for i, feature in enumerate(features)}
        self._features = tuple(features)
        self._idf = idf
        self._weights = weights
        self._bias = bias
        self._unit = lru_cache(maxsize=60_000)(self._unit_sum)

    def _unit_sum(self, unit: str) -> tuple[Vector, float, bool]:
        """The weights of a unit's known features summed per cause, the square of its length, whether it is known as a whole."""
        rows = [(self._index[name], weight) for name, weight in _features_of(unit) if name in self._index]
        if not rows:
            return np.zeros(len(self.causes), np.float32), 0.0, False
        indices = np.array([row for row, _weight in rows])
        values = np.array([weight for _row, weight in rows], np.float32) * self._idf[indices]
        return values @ self._weights[indices].astype(np.float32), float(values @ values), unit in self._index

    def read(self, text: str) -> WordReading:
        """The model's reading of a reply."""
        if not self.causes:
            return WordReading((), 1.0, self._bias, 0)
        units = units_of(tokens_of(text))
        total = self._bias.copy()
        squares = 0.0
        known = 0
        sums = []
        for unit in units:
            vector, square, whole = self._unit(unit)
            if square:
                sums.append(vector)
                squares += square
                known += whole and unit[0].isalpha()
        norm = math.sqrt(squares) or 1.0
        if sums:
            total += np.sum(sums, axis=0) / norm
        total *= _TEMPER
        total -= total.max()
        return WordReading(tuple(units), norm, total - np.log(np.exp(total).sum()), known)

    def why(self, reading: WordReading, cause: str, most: int = 6) -> list[tuple[str, float]]:
        """The words and pairs that spoke most for (positive) or against `cause`, beside the other causes: (unit, weight in nats)."""
        if cause not in self.causes:
            return []
        column = self.causes.index(cause)
        weights = [(unit, self._unit(unit)[0]) for unit in reading.units]
        shares = [(unit, float(vector[column] - vector.mean()) / reading.norm * _TEMPER) for unit, vector in weights]
        return sorted((share for share in shares if abs(share[1]) > 0.02), key=lambda share: -abs(share[1]))[:most]

    def to_bytes(self) -> bytes:
        """For storing with a revision; `from_bytes` reads it."""
        buffer = io.BytesIO()
        names = np.frombuffer(json.dumps([self.causes, self._features], ensure_ascii=False).encode(), np.uint8)
        np.savez_compressed(buffer, names=names, idf=self._idf, weights=self._weights.astype(np.float16), bias=self._bias)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TextModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            causes, features = json.loads(stored["names"].tobytes())
            return cls(causes, features, stored["idf"], stored["weights"], stored["bias"])

    @classmethod
    def empty(cls) -> TextModel:
        """A model that knows no words: for knowledge without two labelled causes."""
        nothing = np.zeros(0, np.float32)
        return cls((), (), nothing, np.zeros((0, 0), np.float32), nothing)


def fit(labelled: Iterable[tuple[str, str]]) -> TextModel:
    """Fits the model on (text, cause slug) pairs. Seconds for thousands of texts; the same pairs give the same model."""
    pairs = sorted(set(labelled))
    causes = sorted({cause for _text, cause in pairs})
    if len(causes) < 2:
        return TextModel.empty()
    texts = [[_features_of(unit) for unit in units_of(tokens_of(text))] for text, _cause in pairs]
    counts = Counter(name for units in texts for name in {name for unit in units for name, _weight in unit})
    features = sorted(name for name, count in counts.items() if count > 1 or not (name.startswith("~") or " " in name))
    idf = np.array([1 + math.log((1 + len(pairs)) / (1 + counts[name])) for name in features], np.float32)
    weights, bias = _regression(_matrix(texts, features, idf), [causes.index(cause) for _text, cause in pairs])
    return TextModel(causes, features, idf, weights.T.astype(np.float32), bias.astype(np.float32))


def _matrix(texts: Sequence[Sequence[Sequence[tuple[str, float]]]], features: Sequence[str], idf: Vector) -> Any:
    """The examples as rows over the known features (scipy CSR), scaled as `TextModel.read` scales: each unit counts for itself."""
    from scipy.sparse import csr_matrix

    index = {name: i for i, name in enumerate(features)}
    rows, columns, values = [], [], []
    for number, units in enumerate(texts):
        known = [(index[name], weight * float(idf[index[name]])) for unit in units for name, weight in unit if name in index]
        norm = math.sqrt(sum(value * value for _column, value in known)) or 1.0
        rows += [number] * len(known)
        columns += [column for column, _value in known]
        values += [value / norm for _column, value in known]
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(features)), dtype=np.float32)


def _regression(matrix: Any, labels: Sequence[int]) -> tuple[Any, Any]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_REGULARISATION, max_iter=60, tol=1e-3, class_weight=None)
    model.fit(matrix, labels)
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        return np.vstack([-model.coef_, model.coef_]), np.concatenate([-model.intercept_, model.intercept_])
    return model.coef_, model.intercept_
