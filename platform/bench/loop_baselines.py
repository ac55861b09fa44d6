"""Plain rules that the loop is compared with, each in the place of surrogate and acquisition: only the ranking differs.

They see the crystals of the whole pool and the answers of the known rows, as every strategy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.campaign.goal import CURVE, believe
from fermiloop.platform.campaign.replaying.baselines import nearness
from fermiloop.platform.predictors.descriptors import atomic_fractions
from fermiloop.platform.predictors.element_table import COLUMNS, element_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Composition, Structure

    from fermiloop.platform.campaign.replaying.loop import Oracle

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

ELEVEN: Final = (
    "number", "group", "row", "mendeleev", "electronegativity", "covalent radius", "molar volume", "melting point",
    "s electrons", "p electrons", "d electrons",
)  # fmt: skip
"""Numbers of the elements whose means over the composition are the eleven element statistics."""
TREES: Final = 100
NEAREST: Final = 5
"""Known crystals nearest to a target that is no material, which stand for its composition."""
TINY: Final = 1e-6
SEEDS: Final = 2**31


def element_statistics(items: Sequence[Structure | Composition]) -> Array:
    """(n, 11) means over the composition of the numbers `ELEVEN`."""
    return np.asarray(atomic_fractions(items) @ element_table()[1:][:, [COLUMNS.index(name) for name in ELEVEN]])


class Nearest:
    """Ranks by nearness of composition to the target's, ties at random.

    Parameters
    ----------
    composition
        Of the target; None where the target is no material: the nearest of the `NEAREST` known crystals that come
        nearest to the target stands for it.
    describe
        Crystals or compositions to (n, k) numbers.
    order
        Of the norm of their differences, 1 or 2.
    scaled
        Whether numbers are in standard deviations of the pool.
    """

    def __init__(
        self,
        composition: Composition | None,
        describe: Callable[[Sequence[Structure | Composition]], Array],
        order: int,
        *,
        scaled: bool,
    ) -> None:
        self.composition, self.describe, self.order, self.scaled = composition, describe, order, scaled
        self.places: Array | None = None

    def __call__(self, oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> list[int]:
        """Rows of the pool."""
        if self.places is None:
            self.places = self.describe(oracle.pool.structures)
            self.width = np.maximum(self.places.std(axis=0), 1e-9) if self.scaled else np.ones(self.places.shape[1])
        marks = self._marks(oracle, known)
        apart = (self.places[left][:, None] - marks) / self.width
        distance = np.linalg.norm(apart, ord=self.order, axis=2).min(axis=1)
        return [int(i) for i in left[np.lexsort((rng.random(len(left)), distance))[:n]]]

    def _marks(self, oracle: Oracle, known: Rows) -> Array:
        """(m, k) numbers of what is to be come near to."""
        assert self.places is not None
        if self.composition is not None:
            return self.describe([self.composition])
        near = nearness(oracle.target, {part: values[known] for part, values in oracle.computed.items()})
        return np.asarray(self.places[known[np.argsort(-near, kind="stable")[:NEAREST]]])


def nearest_composition(composition: Composition | None) -> Nearest:
    """By eleven element statistics."""
    return Nearest(composition, element_statistics, 2, scaled=True)


def nearest_fractions(composition: Composition | None) -> Nearest:
    """By atomic fractions, their differences added up."""
    return Nearest(composition, atomic_fractions, 1, scaled=False)


class ExtraTrees:
    """Ranks by the mean of extremely randomised trees on eleven element statistics of the composition.

    scikit-learn's as they are (Geurts et al., Mach. Learn. 63, 3, 2006). Each part of the target is predicted by
    itself; the campaign's score of all predictions ranks, and among equal scores, as those inside of a window are, how
    far inside they lie.

    Parameters
    ----------
    composition
        Of the target, where it counts as one more that is known, of similarity 1.
    """

    def __init__(self, composition: Composition | None = None) -> None:
        self.own = np.zeros((0, len(ELEVEN))) if composition is None else element_statistics([composition])
        self.x: Array | None = None

    def __call__(self, oracle: Oracle, known: Rows, left: Rows, n: int, rng: np.random.Generator) -> list[int]:
        """Rows of the pool."""
        from sklearn.ensemble import ExtraTreesRegressor

        if self.x is None:
            self.x = element_statistics(oracle.pool.structures)
        means = {}
        for part, answers in oracle.computed.items():
            told = known[np.isfinite(answers[known])]
            own = self.own if part == CURVE else self.own[:0]
            if len(told) + len(own):
                forest = ExtraTreesRegressor(TREES, random_state=int(rng.integers(SEEDS)), n_jobs=1)
                forest.fit(np.vstack([self.x[told], own]), np.append(answers[told], np.ones(len(own))))
                means[part] = forest.predict(self.x[left])
        if not means:
            return [int(i) for i in rng.permutation(left)[:n]]
        exact = {part: (mean, np.zeros(len(left))) for part, mean in means.items()}
        worth = np.nan_to_num(believe(oracle.target, exact).mean) + TINY * nearness(oracle.target, means)
        return [int(i) for i in left[np.argsort(-worth, kind="stable")[:n]]]
