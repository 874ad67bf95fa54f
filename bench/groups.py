"""The labelled texts of a snapshot in groups that are left out together, and how much two texts read alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from whybounce.compiled import NATS
from whybounce.snapshot import KnowledgeSnapshot
from whybounce.tokens import tokens_of

ALIKE = 0.75  # from this share of common words (Jaccard) two general texts are left out together


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text and where it comes from: `pattern` is the slug of the pattern it is an example of, or ""."""

    text: str
    cause: str
    provider: str
    pattern: str


def texts_of(snapshot: KnowledgeSnapshot) -> list[Text]:
    """Every example text with its cause, once."""
    rows = [Text(example.text, example.cause, example.provider, "") for example in snapshot.examples]
    for pattern in snapshot.patterns:
        best = max(pattern.evidence, key=lambda item: NATS[item.strength], default=None)
        if best and NATS[best.strength] > 0:
            rows += [Text(text, best.cause, pattern.provider, pattern.slug) for text in pattern.examples]
    return list({(row.text, row.cause): row for row in rows}.values())


def folds_of(texts: Sequence[Text], number: int) -> list[list[Text]]:
    """The texts in `number` folds of about the same size; groups stay whole."""
    groups: dict[str, list[Text]] = {}
    for text, key in zip(texts, _groups(texts), strict=True):
        groups.setdefault(key, []).append(text)
    folds: list[list[Text]] = [[] for _ in range(number)]
    for key in sorted(groups, key=lambda key: (-len(groups[key]), key)):
        min(folds, key=len).extend(groups[key])
    return folds


def _groups(texts: Sequence[Text]) -> list[str]:
    """A provider's texts are one group; general ones are joined by their pattern and by reading alike."""
    general = [i for i, text in enumerate(texts) if not text.provider]
    parent = list(range(len(general)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for number, i in enumerate(general):
        if texts[i].pattern:
            parent[root(number)] = root(first.setdefault(texts[i].pattern, number))
    words = _words([texts[i].text for i in general])
    for start in range(0, len(general), 500):
        rows, columns = np.nonzero(_likeness(words[start : start + 500], words) >= ALIKE)
        for row, column in zip(rows + start, columns, strict=True):
            parent[root(int(row))] = root(int(column))
    keys = [text.provider for text in texts]
    for number, i in enumerate(general):
        keys[i] = f"~{texts[general[root(number)]].text}"
    return keys


def nearest(texts: Sequence[str], others: Sequence[str]) -> npt.NDArray[np.float64]:
    """For each text how much of its words the most similar one of the others shares (Jaccard)."""
    both = _words([*texts, *others])
    mine, theirs = both[: len(texts)], both[len(texts) :]
    return np.concatenate([_likeness(mine[start : start + 500], theirs).max(axis=1) for start in range(0, len(texts), 500)])


def _words(texts: Sequence[str]) -> Any:
    """Which word stands in which text, as rows of ones. Codes and what is masked are left out unless there is nothing else."""
    index: dict[str, int] = {}
    rows, columns = [], []
    for row, text in enumerate(texts):
        tokens = set(tokens_of(text))
        for token in {token for token in tokens if token[0].isalpha()} or tokens or {""}:
            rows.append(row)
            columns.append(index.setdefault(token, len(index)))
    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(texts), len(index)))


def _likeness(some: Any, others: Any) -> npt.NDArray[np.float64]:
    common = np.asarray((some @ others.T).todense())
    sizes = np.asarray(some.sum(axis=1)) + np.asarray(others.sum(axis=1)).T
    return np.asarray(common / (sizes - common), np.float64)
