"""Champion and challenger: whether a newly trained generator takes the place of the one in use.

Both are scored on the same crystals, which neither has learned from; the decision is made on the paired differences.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.stats import t as student

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEVEL: Final = 0.975  # of each end of a 95 % interval
MARGIN: Final = 0.05
"""A challenger that has learned from more may lose this much of the score, and no more."""


@dataclass(frozen=True)
class Comparison:
    """Mean scores of both on one set, and the difference with its 95 % interval; None where they were not scored."""

    n: int
    challenger: float | None
    champion: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger is promoted, and why, in one sentence."""

    promote: bool
    reason: str
    test: Comparison
    recent: Comparison

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def compare(challenger: ArrayLike, champion: ArrayLike | None) -> Comparison:
    """Compare scores in 0 to 1 of the same crystals, (n,) each.

    The interval is Student's of the mean of paired differences, widened for small n by one pseudo-pair that is
    won and one that is lost, so that a handful of equal scores does not pass for certainty.

    Raises
    ------
    InputError
        If the rows differ in length or a score is out of its range.
    """
    new = _scores(challenger)
    if champion is None:
        return Comparison(len(new), _mean(new), None)
    old = _scores(champion)
    if new.shape != old.shape:
        raise InputError(f"Champion and challenger must be scored on the same crystals, not {len(old)} and {len(new)}.")
    if not len(new):
        return Comparison(0, None, None)
    gaps = np.concatenate([new - old, [1.0, -1.0]])
    spread = float(student.ppf(LEVEL, len(gaps) - 1)) * float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    mean = float((new - old).mean())
    return Comparison(len(new), _mean(new), _mean(old), mean, mean - spread, mean + spread)


def judge(test: Comparison, recent: Comparison, *, learned: int, champion_learned: int | None) -> Verdict:
    """Promote, or keep the champion.

    Parameters
    ----------
    test
        On the frozen test set.
    recent
        On outcomes of the last rounds; they can refuse, as what is asked of the generator now.
    learned, champion_learned
        Crystals that each has learned from; None without a champion.
    """
    if champion_learned is None:
        return Verdict(True, "There was no champion before.", test, recent)
    for name, one in (("the last rounds' outcomes", recent), ("the frozen test set", test)):
        if one.high is not None and one.high < 0:
            return Verdict(False, f"It is worse on {name}: {_told(one)}.", test, recent)
    if test.low is None:
        return Verdict(False, "Nothing could be tested, so the champion stays.", test, recent)
    if test.low > 0:
        return Verdict(True, f"It is better on the frozen test set: {_told(test)}.", test, recent)
    if test.difference is not None and test.difference >= -MARGIN and learned > champion_learned:
        why = f"it has learned from {learned} crystals and the champion from {champion_learned}"
        return Verdict(True, f"It is not told apart on the frozen test set ({_told(test)}), and {why}.", test, recent)
    return Verdict(False, f"It shows no gain on the frozen test set: {_told(test)}.", test, recent)


def _scores(values: ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not ((found >= 0) & (found <= 1)).all():
        raise InputError("Scores of a gate must be a row of numbers in 0 to 1.")
    return found


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    return float(values.mean()) if len(values) else None


def _told(one: Comparison) -> str:
    return (
        f"{one.challenger:.3f} against {one.champion:.3f} on {one.n} crystals, "
        f"difference {one.low:+.3f} to {one.high:+.3f}"
    )
