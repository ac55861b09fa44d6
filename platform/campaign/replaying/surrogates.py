"""What foretells the answers of a replay from those known so far.

`Blend` is ours: the mean of a forest of extremely randomised trees (Geurts et al., Mach. Learn. 63, 3, 2006) on all
descriptors and of Gaussian processes with chemistry in the kernel. The trees are the better where labels are many and
alike, the processes where they are few; their errors differ, and the mean of both is ahead of either. `Forest` on the
composition alone is the plain baseline. `Boosted` follows the agent of CAMD (Montoya et al., Chem. Sci. 11, 8517,
2020): AdaBoost over scaled features, the spread that of its members by their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from fermiloop.platform.predictors.kernel_process import KernelPart, KernelProcess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.campaign.replaying.pool import Pool

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

TREES: Final = 60
BOOSTS: Final = 10
"""Members of CAMD's AdaBoost as it ships."""
FLOOR: Final = 0.02
"""Spread, in that of the labels, below which that of trees that agree is not trusted."""
SEEDS: Final = 2**31


class Surrogate(Protocol):
    """Foretells the crystals of one pool; it may keep what speeds up its next call."""

    def foretell(self, pool: Pool, rows: Rows, rng: np.random.Generator) -> tuple[Array, Array]:
        """Mean and standard deviation, (n,) each, of all crystals, from the answers of those in `rows`."""
        ...


class Forest:
    """Extremely randomised trees.

    Parameters
    ----------
    last
        Columns of the descriptors that are used, from the first; None for all.
    share
        Of the columns, tried at each split.
    """

    def __init__(self, last: int | None, share: float) -> None:
        self.last, self.share = last, share

    def foretell(self, pool: Pool, rows: Rows, rng: np.random.Generator) -> tuple[Array, Array]:
        """See `Surrogate`."""
        from sklearn import config_context
        from sklearn.ensemble import ExtraTreesRegressor

        x, y = np.ascontiguousarray(pool.single[:, : self.last]), pool.values[rows]
        forest = ExtraTreesRegressor(TREES, max_features=self.share, random_state=int(rng.integers(SEEDS)), n_jobs=1)
        with config_context(skip_parameter_validation=True, assume_finite=True):  # half the time of small trees
            forest.fit(x[rows], y)
            each = np.array([tree.predict(x, check_input=False) for tree in forest.estimators_])
        return each.mean(axis=0), np.sqrt(each.var(axis=0) + (FLOOR * y.std()) ** 2)


class Boosted:
    """AdaBoost over scaled features."""

    def foretell(self, pool: Pool, rows: Rows, rng: np.random.Generator) -> tuple[Array, Array]:
        """See `Surrogate`."""
        from sklearn.ensemble import AdaBoostRegressor
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(pool.descriptors[rows])
        x = scaler.transform(pool.descriptors)
        model = AdaBoostRegressor(n_estimators=BOOSTS, random_state=int(rng.integers(SEEDS)))
        model.fit(x[rows], pool.values[rows])
        each = np.array([member.predict(x) for member in model.estimators_])
        weights = model.estimator_weights_[: len(each)]
        spread = np.sqrt(np.average((each - np.average(each, axis=0, weights=weights)) ** 2, axis=0, weights=weights))
        return model.predict(x), spread


class Process:
    """A Gaussian process on descriptors, elements and bonds.

    Parameters
    ----------
    parts
        Makes the parts of its kernel for a pool.
    """

    def __init__(self, parts: Callable[[Pool], list[KernelPart]]) -> None:
        self.parts = parts
        self._process: KernelProcess | None = None

    def foretell(self, pool: Pool, rows: Rows, rng: np.random.Generator) -> tuple[Array, Array]:  # noqa: ARG002 - nothing is random in it
        """See `Surrogate`."""
        if self._process is None:
            self._process = KernelProcess(self.parts(pool))
        self._process.fit(rows, pool.values[rows])
        return self._process.predict(np.arange(len(pool)))


class Blend:
    """The mean of several, with the mean of their variances.

    Parameters
    ----------
    members
        Of the blend.
    """

    def __init__(self, *members: Surrogate) -> None:
        self.members = members

    def foretell(self, pool: Pool, rows: Rows, rng: np.random.Generator) -> tuple[Array, Array]:
        """See `Surrogate`."""
        told = [member.foretell(pool, rows, rng) for member in self.members]
        spread = np.sqrt(np.mean([std**2 for _, std in told], axis=0))
        return np.mean([mean for mean, _ in told], axis=0), spread
