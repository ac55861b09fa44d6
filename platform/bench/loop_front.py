"""Protocol ``front``: two objectives at once, formation energy as low and band gap as wide as possible.

There is no hit to count in a campaign file with objectives alone. Counted is what lies on the first fronts of
non-dominated crystals of the whole pool, as many fronts as hold `SHARE` of it (sorting as in NSGA-II, Deb et al., IEEE
Trans. Evol. Comput. 6, 182, 2002). The strategies do not know them. Beside it stands the hypervolume of what was asked
for, which the ends of the front decide more than its middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.bench.loop_cases import ENERGY, WINDOWS, Case, Course
from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import MAXIMISE, MINIMISE, Condition
from fermiloop.platform.representations.training import Target
from fermiloop.platform.search.pareto import hypervolume, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

FRONT: Final = "front"
GAP: Final = "band_gap"
SHARE: Final = 0.02
"""Of the pool that the first fronts hold at least."""
SAYS: Final = {
    "properties": [{"name": ENERGY, "minimise": True}, {"name": GAP, "maximise": True}],
    "stable_within": None,
}
TARGET: Final = Target(windows=(Condition(ENERGY, direction=MINIMISE), Condition(GAP, direction=MAXIMISE)))


def front_cases(crystals: TrainingSet, seeds: Sequence[int], course: Course = WINDOWS) -> list[Case]:
    """Cases of ``front`` on crystals that have both labels.

    Raises
    ------
    InputError
        If there are too few.
    """
    both = np.isfinite([crystals.labels.get(name, np.full(len(crystals), np.nan)) for name in (ENERGY, GAP)]).all(
        axis=0
    )
    data = crystals.subset(np.flatnonzero(both).tolist())
    if len(data) < course.known + course.calls:
        raise InputError(
            f"The protocol {FRONT} needs {course.known + course.calls} crystals with a formation energy and a band "
            f"gap, and {len(data)} are there; give another --data file."
        )
    values = np.column_stack([data.labels[ENERGY], -data.labels[GAP]])
    wanted = first_fronts(values, SHARE)
    oracle = Oracle(data, TARGET)
    known = [np.random.default_rng(seed).choice(len(data), course.known, replace=False) for seed in seeds]
    return [
        Case(FRONT, FRONT, seed, SAYS, oracle, rows, course, wanted=wanted, objectives=values)
        for seed, rows in zip(seeds, known, strict=True)
    ]


def first_fronts(values: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """(n,) whether a row of (n, k) values, smaller better, is on one of the first fronts that hold a share of all."""
    number = ranks(values)
    sizes = np.cumsum(np.bincount(number))
    return np.asarray(number <= int(np.searchsorted(sizes, share * len(values))))


def hypervolume_share(values: NDArray[np.float64], rows: Sequence[int]) -> float:
    """Hypervolume of some rows of (n, 2) values, smaller better, over that of all; from the worst value of each."""
    worst = values.max(axis=0)
    return hypervolume(values[list(rows)], worst) / hypervolume(values, worst)
