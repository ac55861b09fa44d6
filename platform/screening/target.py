"""What is predicted of all that the target asks for: the stage keeps it, and rejects nothing.

For a curve the surrogate gives mean and standard deviation of the cosine similarity. A property is predicted by the
cheap potential where the funnel has computed it (energy per atom, formation energy, energy above the hull), with the
bias and the error that this potential is known to have against the engine, and by the property's ensemble; where
both say something, the one with the smaller standard deviation counts. What these numbers are worth, scores and the
probability of a hit, is made of them by `platform.campaign.goal` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.screening.verdicts import Context, Crystal

    Array = NDArray[np.float64]

STAGE = "target"
CURVE: Final = "similarity"
BIASED: Final = "energy_above_hull"  # what the bias of the potential is known of


def score_target(crystals: Sequence[Crystal], context: Context) -> list[Verdict]:
    """Predict for a batch at once: an ensemble is quicker that way.

    Raises
    ------
    ValueError
        If a surrogate gives another number of values than there are crystals.
    """
    predicted = _predicted(crystals, context)
    if not predicted:
        return [Verdict(STAGE, True, "the target has neither curve nor condition", kind="unknown") for _ in crystals]
    verdicts = []
    for i, crystal in enumerate(crystals):
        for name, (mean, std) in predicted.items():
            if np.isfinite(mean[i]):
                crystal.scores[f"{name}_mean"] = float(mean[i])
                if np.isfinite(std[i]):
                    crystal.scores[f"{name}_std"] = float(std[i])
        unknown = [name for name, (mean, _) in predicted.items() if not np.isfinite(mean[i])]
        reason = f"nothing predicts its {', '.join(unknown)}" if unknown else ""
        verdicts.append(Verdict(STAGE, True, reason, kind="unknown" if len(unknown) == len(predicted) else ""))
    return verdicts


def _predicted(crystals: Sequence[Crystal], context: Context) -> dict[str, tuple[Array, Array]]:
    """Mean and standard deviation, (n,) each, of all that the target asks for; NaN where nothing tells."""
    structures = [crystal.structure for crystal in crystals]
    nothing = np.full(len(crystals), np.nan)
    found = {}
    if context.target.curve is not None:
        found[CURVE] = (nothing, nothing)
        if context.surrogate is not None:
            mean, std = context.surrogate.similarity(structures, context.target)
            found[CURVE] = (_of_length(mean, len(crystals)), _of_length(std, len(crystals)))
    for name in dict.fromkeys(condition.property for condition in context.target.conditions):
        cheap = np.array([crystal.scores.get(name, np.nan) for crystal in crystals])
        bias = context.potential_bias if name == BIASED else 0.0
        found[name] = (cheap - bias, np.where(np.isfinite(cheap), context.potential_error, np.nan))
        if name in context.ensembles:
            mean, std = context.ensembles[name].predict(structures)
            found[name] = _surer(found[name], (_of_length(mean, len(crystals)), _of_length(std, len(crystals))))
    return found


def _surer(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """Of two predictions the one with the smaller standard deviation, crystal by crystal; the first among equals.

    One that tells no standard deviation comes after one that does, and before none.
    """
    stds = [np.where(np.isfinite(mean) & np.isfinite(std), std, np.inf) for mean, std in (one, other)]
    take = (stds[1] < stds[0]) | ~np.isfinite(one[0])
    return np.where(take, other[0], one[0]), np.where(take, other[1], one[1])


def _of_length(values: Array, n: int) -> Array:
    found = np.asarray(values, dtype=float)
    if found.shape != (n,):
        raise ValueError(f"The surrogate gave values of shape {found.shape} for {n} crystals.")
    return found
