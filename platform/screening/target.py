"""How near a crystal is foretold to come to the target: it scores, and rejects nothing.

For a curve the surrogate's ensemble gives mean and standard deviation of the cosine similarity. A property window
scores 1 / (1 + |x - value| / tolerance), 1/2 at its edge, as a computed crystal is scored: x is what the funnel has
computed by the cheap potential (energy per atom, formation energy, energy above the hull), else what the
property's ensemble foretells. The whole is the least of all of them; mean and standard deviation are taken over
even quantiles of each normal distribution, in an order of their own so that errors count as independent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.protocol import PropertyWindow
    from fermiloop.platform.screening.verdicts import Context, Crystal

    Array = NDArray[np.float64]

STAGE = "target"
CURVE: Final = "similarity"
DRAWS: Final = 256
SEED: Final = 0  # of the order of the quantiles, the same for every batch


def score_target(crystals: Sequence[Crystal], context: Context) -> list[Verdict]:
    """Score a batch at once: an ensemble is quicker that way.

    Raises
    ------
    ValueError
        If a surrogate gives another number of values than there are crystals.
    """
    foretold = _foretold(crystals, context)
    if not foretold:
        return [Verdict(STAGE, True, "the target has neither curve nor window", kind="unknown") for _ in crystals]
    if list(foretold) == [CURVE]:
        mean, std = foretold[CURVE]
    else:
        mean, std = _least(foretold, context.target.windows)
    unknown = [[name for name, (value, _) in foretold.items() if not np.isfinite(value[i])] for i in range(len(mean))]
    if CURVE in foretold:
        for crystal, similar, spread in zip(crystals, *foretold[CURVE], strict=True):
            _keep(crystal, CURVE, similar, spread)
    return [_verdict(*row) for row in zip(crystals, mean, std, unknown, strict=True)]


def _keep(crystal: Crystal, name: str, mean: float, std: float) -> None:
    """Keep what is known."""
    if np.isfinite(mean):
        crystal.scores[f"{name}_mean"], crystal.scores[f"{name}_std"] = float(mean), float(std)


def _verdict(crystal: Crystal, mean: float, std: float, unknown: list[str]) -> Verdict:
    reason = f"nothing foretells its {', '.join(unknown)}" if unknown else ""
    if not np.isfinite(mean):
        return Verdict(STAGE, True, reason, kind="unknown")
    _keep(crystal, "score", mean, std)
    return Verdict(STAGE, True, reason, value=float(mean))


def _foretold(crystals: Sequence[Crystal], context: Context) -> dict[str, tuple[Array, Array]]:
    """Mean and standard deviation, (n,) each, of all that the target asks for; NaN where nothing tells."""
    structures = [crystal.structure for crystal in crystals]
    nothing = np.full(len(crystals), np.nan)
    found = {}
    if context.target.curve is not None:
        found[CURVE] = (nothing, nothing)
        if context.surrogate is not None:
            mean, std = context.surrogate.similarity(structures, context.target)
            found[CURVE] = (_of_length(mean, len(crystals)), _of_length(std, len(crystals)))
    for window in context.target.windows:
        cheap = np.array([crystal.scores.get(window.property, np.nan) for crystal in crystals])
        spread = np.where(np.isfinite(cheap), 0.0, np.nan)
        if np.isnan(cheap).any() and window.property in context.ensembles:
            learnt = context.ensembles[window.property].predict(structures)
            mean, std = (_of_length(part, len(crystals)) for part in learnt)
            for row in zip(crystals, mean, std, strict=True):
                _keep(row[0], window.property, *row[1:])
            cheap, spread = np.where(np.isnan(cheap), mean, cheap), np.where(np.isnan(cheap), std, spread)
        found[window.property] = (cheap, spread)
    return found


def _least(foretold: dict[str, tuple[Array, Array]], windows: Sequence[PropertyWindow]) -> tuple[Array, Array]:
    """Mean and standard deviation of the least score; NaN where nothing is known at all."""
    quantiles = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    random = np.random.default_rng(SEED)
    by_name = {window.property: window for window in windows}
    scores = []
    for name, (mean, std) in foretold.items():
        drawn = mean[:, None] + std[:, None] * random.permutation(quantiles)
        if name in by_name:
            drawn = 1 / (1 + np.abs(drawn - by_name[name].value) / by_name[name].tolerance)
        scores.append(np.where(np.isfinite(drawn), drawn, np.inf))
    least = np.min(scores, axis=0)
    least = np.where(np.isfinite(least), least, np.nan)
    return least.mean(axis=1), least.std(axis=1)


def _of_length(values: Array, n: int) -> Array:
    found = np.asarray(values, dtype=float)
    if found.shape != (n,):
        raise ValueError(f"The surrogate gave values of shape {found.shape} for {n} crystals.")
    return found
