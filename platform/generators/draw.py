"""Drawing without replacement, by probability, so that another seed gives another choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def draw_without_replacement(
    log_weights: ArrayLike, n: int, rng: np.random.Generator, temperature: float = 1.0
) -> list[int]:
    """Places of at most `n` entries, likeliest of the drawn first (Gumbel top-k, Kool et al., ICML 2019).

    Parameters
    ----------
    log_weights
        (m,) log weights; an entry of minus infinity is never drawn.
    temperature
        0 takes the best `n`; larger values spread the draw.
    """
    log_weights = np.asarray(log_weights, dtype=float)
    noise = rng.gumbel(size=log_weights.shape)
    keys = log_weights + temperature * noise
    chosen = np.argsort(-keys, kind="stable")[:n]
    chosen = chosen[np.isfinite(log_weights[chosen])]
    return [int(i) for i in chosen[np.argsort(-log_weights[chosen], kind="stable")]]
