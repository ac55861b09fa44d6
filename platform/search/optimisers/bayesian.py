"""Bayesian optimisation over starts: a Gaussian process predicts what a start relaxes to.

The process lives on invariant fingerprints (Yamashita et al., Phys. Rev. Mater. 2, 013803, 2018); it learns the
relaxed value under the fingerprint of the start and under that of the minimum, which relaxes to itself. Of a pool
of random starts and of variations of the lowest minima, made free of charge, the one of the largest expected
improvement (Jones, Schonlau and Welch, J. Glob. Optim. 13, 455, 1998) is relaxed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from fermiloop.platform.search.optimisers.protocol import Start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.search.optimisers.protocol import Minimum, SearchSpace
    from fermiloop.platform.search.oracle import Point

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class BayesianOptions:
    """The pool and the process.

    Parameters
    ----------
    first
        Random starts before the process is asked.
    pool
        Starts that it chooses from.
    random_share
        Of the pool; the rest are variations of the `parents` lowest minima.
    parents
        Minima that are varied.
    refit
        Minima after which the hyperparameters are found again.
    """

    first: int = 4
    pool: int = 40
    random_share: float = 0.3
    parents: int = 5
    refit: int = 6


class Bayesian:
    """Expected improvement over a pool."""

    name = "bayesian"

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: BayesianOptions | None = None) -> None:
        self._space, self._rng, self._options = space, rng, options or BayesianOptions()
        self._found: list[Minimum] = []
        self._prints: list[Array] = []
        self._values: list[float] = []
        self._kernel: Any = None

    def ask(self) -> list[Start]:
        """The start of the largest expected improvement."""
        if len(self._found) < self._options.first:
            return [Start(self._space.random(self._rng))]
        pool = self._pool()
        expected = self._expected_improvement(np.array([self._space.fingerprint(point) for point in pool]))
        return [Start(pool[int(np.argmax(expected))])]

    def tell(self, minima: Sequence[Minimum]) -> None:
        """Each minimum is learned twice: under its start's fingerprint and its own."""
        for found in minima:
            self._found.append(found)
            self._prints += [self._space.fingerprint(place) for place in (found.start.point, found.point)]
            self._values += [found.value, found.value]

    def _pool(self) -> list[Point]:
        n_random = max(1, round(self._options.random_share * self._options.pool))
        best = sorted(self._found, key=lambda found: found.value)[: self._options.parents]
        pool = [self._space.random(self._rng) for _ in range(n_random)]
        while len(pool) < self._options.pool:
            parent = best[int(self._rng.integers(len(best)))].point
            chance = int(self._rng.integers(4))
            if chance == 0:
                mate = best[int(self._rng.integers(len(best)))].point
                pool.append(self._space.cross(parent, mate, self._rng))
            elif chance == 1:
                pool.append(self._space.permute(parent, self._rng))
            elif chance == 2:
                pool.append(self._space.strain(parent, self._rng))
            else:
                pool.append(self._space.shake(parent, 1.5, self._rng))
        return pool

    def _expected_improvement(self, prints: Array) -> Array:
        """(n,) in standard deviations of the values seen."""
        from sklearn.exceptions import ConvergenceWarning  # seconds to import
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        known, values = np.array(self._prints), np.array(self._values)
        middle, spread = known.mean(axis=0), known.std(axis=0)
        scale = np.sqrt((spread**2).sum()) or 1.0  # one scale for all: a number that hardly changes stays small
        values = np.minimum(values, np.quantile(values, 0.9))  # what is hopeless need not be told from the worse
        values = (values - values.mean()) / (values.std() or 1.0)
        if self._kernel is None:
            self._kernel = ConstantKernel(1.0) * RBF(1.0, (0.05, 50.0)) + WhiteKernel(0.1, (1e-4, 2.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            again = (len(self._found) - self._options.first) % self._options.refit == 0
            process = GaussianProcessRegressor(self._kernel, optimizer="fmin_l_bfgs_b" if again else None)
            process.fit((known - middle) / scale, values)
        self._kernel = process.kernel_
        mean, deviation = process.predict((prints - middle) / scale, return_std=True)
        gain = values.min() - mean
        u = gain / np.maximum(deviation, 1e-9)
        return np.asarray(gain * ndtr(u) + deviation * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi))
