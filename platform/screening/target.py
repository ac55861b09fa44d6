"""How near a crystal is foretold to come to the target: it scores, and rejects nothing.

For a curve the surrogate's ensemble gives mean and standard deviation of the cosine similarity. For property
windows alone a property that the funnel itself has computed by the cheap potential (energy per atom, formation
energy, energy above the hull) scores exp(-((x - value) / tolerance)² / 2), the mean over the windows that can be
scored; a window on any other property stays unknown, and the reason says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "target"


def score_target(crystals: Sequence[Crystal], context: Context) -> list[Verdict]:
    """Score a batch at once: an ensemble is quicker that way.

    Raises
    ------
    ValueError
        If the surrogate gives another number of values than there are crystals.
    """
    if context.target.curve is None:
        return [_score_windows(crystal, context) for crystal in crystals]
    if context.surrogate is None:
        return [Verdict(STAGE, True, "no surrogate is trained yet", kind="unknown") for _ in crystals]
    mean, std = context.surrogate.similarity([crystal.structure for crystal in crystals], context.target)
    return [_score_curve(*row) for row in zip(crystals, np.asarray(mean), np.asarray(std), strict=True)]


def _score_curve(crystal: Crystal, mean: float, std: float) -> Verdict:
    if not np.isfinite(mean):
        return Verdict(STAGE, True, "the surrogate gives no finite similarity", kind="unknown")
    crystal.scores["similarity_mean"] = float(mean)
    crystal.scores["similarity_std"] = float(std)
    return Verdict(STAGE, True, value=float(mean))


def _score_windows(crystal: Crystal, context: Context) -> Verdict:
    windows = context.target.windows
    unknown = [window.property for window in windows if window.property not in crystal.scores]
    hits = [
        float(np.exp(-0.5 * ((crystal.scores[window.property] - window.value) / window.tolerance) ** 2))
        for window in windows
        if window.property not in unknown
    ]
    reason = f"no cheap value of {', '.join(unknown)}" if unknown else ""
    if not hits:
        return Verdict(STAGE, True, reason or "the target has neither curve nor window", kind="unknown")
    crystal.scores["similarity_mean"] = float(np.mean(hits))
    crystal.scores["similarity_std"] = 0.0
    return Verdict(STAGE, True, reason, crystal.scores["similarity_mean"])
