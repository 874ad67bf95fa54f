"""How common causes are: what the knowledge says, with what was seen where it is used.

The shares that curators chose are a Dirichlet distribution worth WORTH cases; the cases that were closed here are added to it. Two bounds
keep one site's habit from drowning the knowledge: all cases together count for at most as many as the knowledge is worth, and no cause
may gain on another more than CAP. So an odd site cannot talk itself out of what a text plainly says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

WORTH = 500.0
"""To how many closed cases the knowledge's own shares amount: with 120 causes a common one to a few dozen, a very rare one to two."""
CAP = 1.5
"""The most that closings change the odds between two causes, in nats: as much as an answer that a curator called "for"."""


def learned_log_prior(log_prior: Vector, counts: Vector) -> Vector:
    """The log prior after `counts` cases of each cause were seen; `log_prior` itself where there were none. Normalised, in nats."""
    seen = float(counts.sum())
    if not seen:
        return log_prior
    own = np.exp(log_prior) * WORTH
    counted = counts * min(1.0, WORTH / seen)
    weights = own + np.minimum(counted, (np.exp(CAP) - 1.0) * own)
    learned: Vector = np.log(weights / weights.sum())
    return learned
