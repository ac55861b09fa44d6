"""What a funnel keeps of what is known to be good, stage by stage.

Recall is the share of the good ones that is still there; the enrichment factor is how many times as frequent they
are among those that are left as among all that came in (Truchon and Bayly, J. Chem. Inf. Model. 47, 488, 2007). Both
need the truth of every crystal, so they judge a screening in retrospect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class StageRecall:
    """What one stage kept.

    Parameters
    ----------
    stage
        Its name.
    n_in, n_out
        Crystals before and after it.
    good_in, good_out
        Those of them that are good.
    good, n
        Good ones and crystals at the mouth of the funnel.
    """

    stage: str
    n_in: int
    n_out: int
    good_in: int
    good_out: int
    good: int
    n: int

    @property
    def recall(self) -> float | None:
        """Share of all good ones that is left; None where there is none."""
        return self.good_out / self.good if self.good else None

    @property
    def precision(self) -> float | None:
        """Share of the left ones that is good."""
        return self.good_out / self.n_out if self.n_out else None

    @property
    def enrichment(self) -> float | None:
        """Precision over the share of good ones at the mouth."""
        return self.precision * self.n / self.good if self.precision is not None and self.good else None


def recall_by_stage(kept: Mapping[str, ArrayLike], truth: ArrayLike) -> list[StageRecall]:
    """Judge the stages of a funnel.

    Parameters
    ----------
    kept
        Stage to (n,) whether the crystal was still there after it, in the order of the stages.
    truth
        (n,) whether the crystal is good.

    Raises
    ------
    InputError
        If the lengths differ or a crystal comes back after it was rejected.
    """
    good = np.asarray(truth, dtype=bool)
    alive: NDArray[np.bool_] = np.ones_like(good)
    rows = []
    for stage, flags in kept.items():
        left = np.asarray(flags, dtype=bool)
        if left.shape != good.shape:
            raise InputError(f"The stage {stage} judged {left.size} crystals where the truth of {good.size} is given.")
        if (left & ~alive).any():
            raise InputError(f"A crystal passed {stage} that was rejected before it; give the stages in their order.")
        before, after = int((good & alive).sum()), int((good & left).sum())
        rows.append(StageRecall(stage, int(alive.sum()), int(left.sum()), before, after, int(good.sum()), good.size))
        alive = left
    return rows


def enrichment_of_best(scores: ArrayLike, truth: ArrayLike, share: float) -> float | None:
    """Enrichment factor among the best-scored share of a list; None where nothing is good.

    Parameters
    ----------
    scores
        (n,) higher is better; NaN comes last.
    truth
        (n,) whether the crystal is good.
    share
        Of the list, in (0, 1].

    Raises
    ------
    InputError
        If the lengths differ or the share is not in (0, 1].
    """
    values, good = np.asarray(scores, dtype=float), np.asarray(truth, dtype=bool)
    if values.shape != good.shape or not 0 < share <= 1:
        raise InputError(
            f"{values.size} scores, {good.size} truths and a share of {share:g} give no enrichment factor."
        )
    if not good.any():
        return None
    best = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[: max(1, round(share * good.size))]
    return float(good[best].mean() / good.mean())
