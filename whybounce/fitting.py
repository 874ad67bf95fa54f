"""Fitting the text model: weighted ridge regression on the causes as ones and zeros, solved over the texts instead of the features.

There are several times more features than texts, so the system to solve has a row for each text: one Cholesky decomposition, no
iteration, seconds for ten thousand texts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_REGULARISATION = 0.8
_BLOCK = 500

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
    from scipy.linalg import cho_factor, cho_solve

    rows = _matrix(texts, features, idf, least_length)
    targets = np.zeros((len(texts), int(labels.max()) + 1), np.float32)
    targets[np.arange(len(texts)), labels] = 1
    bias = np.average(targets, axis=0, weights=shares).astype(np.float32)
    system = _products(rows)
    system[np.diag_indices_from(system)] += (_REGULARISATION / shares).astype(np.float32)
    factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    solution = cho_solve(factor, targets - bias, overwrite_b=True, check_finite=False)
    return np.asarray(rows.T @ solution, np.float32), bias


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


def _products(rows: Any) -> Matrix:
    """Every row times every row. In blocks: the sparse product of all at once takes several times the memory of the result."""
    out = np.empty((rows.shape[0], rows.shape[0]), np.float32, order="F")
    turned = rows.T.tocsr()
    for start in range(0, rows.shape[0], _BLOCK):
        out[:, start : start + _BLOCK] = (rows[start : start + _BLOCK] @ turned).toarray().T
    return out
