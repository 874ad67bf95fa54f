"""Fitting the text model: weighted ridge regression on the causes as ones and zeros, solved over texts instead of features.

There are several times more features than texts, and both are sparse: the system is solved by conjugate gradients, which only needs
products with the texts' rows. Thirty steps, a few seconds and little memory for ten thousand texts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_REGULARISATION = 0.8
_CLOSE = 2e-3  # what is left, as a share of the targets; further steps change no verdict
_MOST_STEPS = 100

Matrix = npt.NDArray[np.float32]


def ridge(
    texts: Sequence[Sequence[tuple[str, float]]],
    features: Sequence[str],
    idf: Matrix,
    labels: npt.NDArray[np.intp],
    shares: npt.NDArray[np.float64],
    least_length: float,
) -> tuple[Matrix, Matrix]:
    """Weights (feature x cause) and bias (cause) of texts given by their features. `labels`: each text's cause; `shares`: how much
    it counts."""
    targets = np.zeros((len(texts), int(labels.max()) + 1), np.float32)
    targets[np.arange(len(texts)), labels] = 1
    bias = np.average(targets, axis=0, weights=shares).astype(np.float32)
    roots = np.sqrt(shares).astype(np.float32)
    rows = _matrix(texts, features, idf, least_length).multiply(roots[:, None]).tocsr()
    turned = rows.T.tocsr()
    return np.asarray(turned @ _solve(rows, turned, (targets - bias) * roots[:, None]), np.float32), bias


def _solve(rows: Any, turned: Any, targets: Matrix) -> Matrix:
    """(rows @ rows.T + regularisation)^-1 @ targets, each column for itself, by conjugate gradients."""
    solution = np.zeros_like(targets)
    left = targets.copy()
    step = left.copy()
    squares = (left * left).sum(axis=0)
    enough = _CLOSE**2 * float(squares.sum())
    for _ in range(_MOST_STEPS):
        image = rows @ (turned @ step) + _REGULARISATION * step
        length = squares / np.maximum((step * image).sum(axis=0), 1e-20)
        solution += length * step
        left -= length * image
        now = (left * left).sum(axis=0)
        if float(now.sum()) <= enough:
            break
        step = left + now / np.maximum(squares, 1e-20) * step
        squares = now
    return solution


def _matrix(texts: Sequence[Sequence[tuple[str, float]]], features: Sequence[str], idf: Matrix, least_length: float) -> Any:
    """The texts as rows over the features (scipy CSR), scaled as `TextModel.read` scales: each unit counts for itself."""
    from scipy.sparse import csr_matrix

    index = {name: (i, float(idf[i])) for i, name in enumerate(features)}
    starts, columns, values = [0], [], []
    for text in texts:
        known = [(index[name][0], weight * index[name][1]) for name, weight in text if name in index]
        norm = math.sqrt(least_length + sum(value * value for _column, value in known))
        columns += [column for column, _value in known]
        values += [value / norm for _column, value in known]
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(texts), len(features)), dtype=np.float32)
