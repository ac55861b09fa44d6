"""What learns one column of labels: trees, Gaussian processes with chemistry in the kernel, and CAMD's boosted trees.

The trees are better where labels are many and alike, the processes where they are few; their errors differ, and the
mean of both is ahead of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from fermiloop.platform.predictors.kernel_process import KernelPart, KernelProcess
from fermiloop.platform.predictors.surrogates.features import N_COMPOSITION
from fermiloop.platform.predictors.surrogates.forest import SEEDS, Forest, grow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from fermiloop.platform.predictors.surrogates.features import Described, Scales

    Array = NDArray[np.float64]

TREES: Final = 60
SHARE: Final = 0.33
"""Of the columns, tried at each split."""
FLOOR: Final = 0.02
"""Spread, in that of the labels, below which that of trees that agree is not trusted."""
BOOSTS: Final = 10
"""Members of CAMD's AdaBoost as it ships."""
FOLDS: Final = 3
MOST_KERNEL_ROWS: Final = 1500
"""Labels that a process is conditioned on at most: its cost rises with their cube."""


@dataclass(frozen=True)
class TrainingRows:
    """Labels to learn.

    Parameters
    ----------
    described
        (m,) crystals.
    values
        (m,) finite labels.
    groups
        (m,) number of each crystal's composition: what is held out together.
    scales
        Of the descriptors.
    seed
        Of everything random.
    """

    described: Described
    values: Array
    groups: NDArray[np.int64]
    scales: Scales
    seed: int

    def subset(self, rows: NDArray[np.int64]) -> TrainingRows:
        """The rows asked for."""
        return TrainingRows(self.described.subset(rows), self.values[rows], self.groups[rows], self.scales, self.seed)

    def folds(self, n: int) -> NDArray[np.int64]:
        """(m,) fold of each row; a composition is in one fold."""
        kinds, place = np.unique(self.groups, return_inverse=True)
        order = np.random.default_rng(self.seed).permutation(len(kinds))
        return np.asarray(order[place] % n)


class Learner(Protocol):
    """Learns labels of crystals."""

    def fit(self, training: TrainingRows) -> None:
        """Learn."""
        ...

    def held_out(self, training: TrainingRows) -> tuple[Array, Array]:
        """Mean and standard deviation of each label it was fitted to, as predicted without its group."""
        ...

    def predict(self, described: Described) -> tuple[Array, Array]:
        """Mean and standard deviation, (n,) each."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `restore` makes the same learner."""
        ...

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become the learner whose `state` is given."""
        ...


class Trees:
    """A forest of extremely randomised trees.

    Parameters
    ----------
    last
        Columns of the descriptors that are used, from the first; None for all.
    """

    def __init__(self, last: int | None = None) -> None:
        self.last = last

    def fit(self, training: TrainingRows) -> None:
        """See `Learner`."""
        self.forest = grow(training.described.descriptors[:, : self.last], training.values, TREES, SHARE, training.seed)
        self.floor = FLOOR * float(training.values.std())

    def held_out(self, training: TrainingRows) -> tuple[Array, Array]:
        """See `Learner`; by cross-validation."""
        return cross_validated(lambda: Trees(self.last), training)

    def predict(self, described: Described) -> tuple[Array, Array]:
        """See `Learner`."""
        each = self.forest.predict(described.descriptors[:, : self.last])
        return each.mean(axis=0), np.sqrt(each.var(axis=0) + self.floor**2)

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Learner`."""
        return self.forest.state() | {"floor": np.array([self.floor])}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See `Learner`."""
        self.forest, self.floor = Forest.restore(arrays), float(arrays["floor"][0])


class Boosted:
    """CAMD's agent (Montoya et al., Chem. Sci. 11, 8517, 2020): AdaBoost.R2, its spread that of its members by weight.

    It scales the features of its labels, which a tree does not see; so they are left as they are.
    """

    def fit(self, training: TrainingRows) -> None:
        """See `Learner`."""
        from sklearn.ensemble import AdaBoostRegressor

        model = AdaBoostRegressor(n_estimators=BOOSTS, random_state=training.seed % SEEDS)
        model.fit(np.ascontiguousarray(training.described.descriptors, dtype=np.float32), training.values)
        self.forest = Forest.of(model.estimators_)
        self.weights = np.asarray(model.estimator_weights_[: len(model.estimators_)], dtype=float)

    def held_out(self, training: TrainingRows) -> tuple[Array, Array]:
        """See `Learner`; by cross-validation."""
        return cross_validated(Boosted, training)

    def predict(self, described: Described) -> tuple[Array, Array]:
        """See `Learner`: the weighted median, and the weighted standard deviation."""
        each = self.forest.predict(described.descriptors)
        order = np.argsort(each, axis=0)
        reached = np.cumsum(self.weights[order], axis=0) >= 0.5 * self.weights.sum()
        middle = np.take_along_axis(order, reached.argmax(axis=0)[None], axis=0)
        mean = np.average(each, axis=0, weights=self.weights)
        spread = np.sqrt(np.average((each - mean) ** 2, axis=0, weights=self.weights))
        return np.take_along_axis(each, middle, axis=0)[0], spread

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Learner`."""
        return self.forest.state() | {"weights": self.weights}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See `Learner`."""
        self.forest, self.weights = Forest.restore(arrays), np.asarray(arrays["weights"], dtype=float)


class Process:
    """A Gaussian process on descriptors, elements and bonds.

    Parameters
    ----------
    rough
        Whether it sees more descriptors, at shorter reach, and bonds; or products of up to three numbers of elements.
    """

    def __init__(self, *, rough: bool) -> None:
        self.rough = rough
        kernels = [KernelPart("exponential"), KernelPart("linear"), KernelPart("linear")]
        smooth = [KernelPart("matern"), *(KernelPart("linear", power) for power in (1, 2, 3))]
        self.process = KernelProcess(kernels if rough else smooth)

    def fit(self, training: TrainingRows) -> None:
        """See `Learner`."""
        self.scales = training.scales
        self.rows = _spread_out(len(training.values))
        some = training.subset(self.rows)
        self.process.fit(self._features(some.described), some.values)

    def held_out(self, training: TrainingRows) -> tuple[Array, Array]:
        """See `Learner`; in closed form, NaN beyond the labels that it is conditioned on."""
        mean, std = np.full(len(training.values), np.nan), np.full(len(training.values), np.nan)
        mean[self.rows], std[self.rows] = self.process.held_out(training.groups[self.rows])
        return mean, std

    def predict(self, described: Described) -> tuple[Array, Array]:
        """See `Learner`."""
        return self.process.predict(self._features(described))

    def state(self) -> dict[str, NDArray[Any]]:
        """See `Learner`."""
        scales = {f"scales.{name}": value for name, value in self.scales.state().items()}
        return scales | self.process.state()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See `Learner`."""
        from fermiloop.platform.predictors.surrogates.features import Scales

        self.scales = Scales(*(arrays[f"scales.{name}"] for name in ("middle", "width", "centre", "directions")))
        self.process.restore(arrays)

    def _features(self, described: Described) -> list[Array]:
        if self.rough:
            return [self.scales.components(described, 60), described.mixtures, described.bonds]
        return [self.scales.components(described, 30), *[described.mixtures] * 3]


LEARNERS: Final[dict[str, tuple[Callable[[], Learner], ...]]] = {
    "blend": (lambda: Process(rough=False), lambda: Process(rough=True), Trees),
    "process": (lambda: Process(rough=False), lambda: Process(rough=True)),
    "trees": (Trees,),
    "composition_trees": (lambda: Trees(N_COMPOSITION),),
    "camd": (Boosted,),
}
"""Members of each surrogate of labels; it predicts their mean, with the mean of their variances."""


def cross_validated(make: Callable[[], Learner], training: TrainingRows) -> tuple[Array, Array]:
    """Mean and standard deviation of each label by a learner that has not seen its fold.

    Of many labels those that a process would be conditioned on are taken; the others are NaN.
    """
    mean, std = np.full(len(training.values), np.nan), np.full(len(training.values), np.nan)
    rows = _spread_out(len(training.values))
    some = training.subset(rows)
    fold = some.folds(FOLDS)
    for number in np.unique(fold):
        rest, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if len(rest) < 2:
            continue
        learner = make()
        learner.fit(some.subset(rest))
        mean[rows[test]], std[rows[test]] = learner.predict(some.described.subset(test))
    return mean, std


def _spread_out(n: int) -> NDArray[np.int64]:
    """Evenly spaced places among `n`, at most `MOST_KERNEL_ROWS`; rows come in the order of their hashed ids."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_KERNEL_ROWS)).astype(int))
