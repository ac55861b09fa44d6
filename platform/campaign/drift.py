"""Whether the newest round's errors are those that came before: a two-sample test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import mannwhitneyu

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST: Final = 4
"""Errors that each side needs, below which nothing can be told at any usual level."""


def drifted(newest: Sequence[float], before: Sequence[float], level: float) -> tuple[bool, str]:
    """Whether absolute errors have grown, and a sentence with the p value.

    One-sided test of Mann and Whitney, Ann. Math. Stat. 18, 50 (1947): ranks only, so one wild error does not decide.

    Parameters
    ----------
    newest, before
        Predicted minus computed, any unit.
    level
        Significance level in (0, 1).
    """
    if min(len(newest), len(before)) < LEAST:
        return False, f"{len(newest)} errors of the newest round and {len(before)} before are too few to test."
    new, old = np.abs(newest), np.abs(before)
    p = float(mannwhitneyu(new, old, alternative="greater").pvalue)
    told = f"median error {np.median(new):.3g} against {np.median(old):.3g} before, p = {p:.2g}"
    return p < level, f"The errors have {'grown' if p < level else 'not grown'}: {told}."
