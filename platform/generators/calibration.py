"""How much each of several experts is worth, and whether probabilities mean what they say.

Experts score every row; the log probability of a row is the log softmax of their weighted sum, the
weights, none below zero, being those under which held-out samples are likeliest. With one expert
this is temperature scaling (Guo et al., ICML 2017); with more it is a logarithmic opinion pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def log_softmax(scores: Array) -> Array:
    """Log probabilities along the last axis."""
    return np.asarray(scores - logsumexp(scores, axis=-1, keepdims=True))


def pool_weights(experts: Array, truth: NDArray[np.int64], log_share: ArrayLike = 0.0, shrink: float = 1e-3) -> Array:
    """(n_experts,) weights that make the true rows likeliest.

    Parameters
    ----------
    experts
        (n_experts, n, n_rows) scores of held-out samples.
    truth
        (n,) place of the true row.
    log_share
        (n_rows,) logarithm of how many rows each stands for, where not all are there.
    shrink
        Strength of the pull towards zero, which keeps a useless expert from a random weight.
    """
    n = len(truth)
    at_truth = experts[:, np.arange(n), truth]

    def loss(weights: Array) -> tuple[float, Array]:
        scores = np.tensordot(weights, experts, axes=1) + np.asarray(log_share)
        normaliser = logsumexp(scores, axis=1)
        probabilities = np.exp(scores - normaliser[:, None])
        expected = np.einsum("enr,nr->e", experts, probabilities) / n
        value = float((normaliser - weights @ at_truth).mean() + shrink * (weights**2).sum())
        return value, expected - at_truth.mean(axis=1) + 2 * shrink * weights

    start = np.full(len(experts), 0.3)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, 3)] * len(experts), options={"maxiter": 60})
    return np.asarray(found.x)


def calibration_error(confidence: ArrayLike, hit: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: mean distance of confidence and hit rate over bins of confidence."""
    confidence, hit = np.asarray(confidence, dtype=float), np.asarray(hit, dtype=float)
    if not confidence.size:
        return 0.0
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[place == b].mean() - hit[place == b].mean()) * (place == b).sum() for b in set(place)]
    return float(sum(gaps) / confidence.size)
