"""Fitting the text model: weighted ridge regression on the causes as ones and zeros, solved over texts instead of features.

There are many more features than texts, so the unknowns are what each text adds to the scores of texts like it; a few thousand texts
spread over all of them stand for the others (the Nystroem method), so that time and memory grow with their number only linearly.
One Cholesky decomposition, no iteration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_REGULARISATION = 0.8
_BLOCK = 500
_MOST_CENTRES = 4000
_JITTER = 0.03

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
    from scipy.linalg.blas import ssyrk

    rows = _matrix(texts, features, idf, least_length)
    targets = np.zeros((len(texts), int(labels.max()) + 1), np.float32)
    targets[np.arange(len(texts)), labels] = 1
    bias = np.average(targets, axis=0, weights=shares).astype(np.float32)
    targets -= bias
    chosen = rows[np.linspace(0, len(texts) - 1, min(len(texts), _MOST_CENTRES)).astype(np.intp)]
    turned = chosen.T.tocsr()
    system = np.asfortranarray((chosen @ turned).toarray() * _REGULARISATION)
    system[np.diag_indices_from(system)] += _JITTER
    right = np.zeros((system.shape[0], targets.shape[1]), np.float32)
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        like = (rows[block] @ turned).toarray() * np.sqrt(shares[block, None]).astype(np.float32)
        system = ssyrk(1.0, like, beta=1.0, c=system, trans=1, lower=1, overwrite_c=1)
        right += like.T @ (targets[block] * np.sqrt(shares[block, None]).astype(np.float32))
    factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
    solution = cho_solve(factor, right, overwrite_b=True, check_finite=False)
    return np.asarray(turned @ solution, np.float32), bias


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
