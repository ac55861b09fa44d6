"""Forests as arrays of nodes: grown by scikit-learn, kept and followed without it, so that nothing is unpickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SEEDS: Final = 2**31


@dataclass(frozen=True)
class Forest:
    """Regression trees.

    Parameters
    ----------
    roots
        (trees,) place of each tree's root among the nodes.
    left, right
        (nodes,) where a row goes on; a leaf leads to itself.
    column, threshold
        (nodes,) a row goes left where its column is at most the threshold.
    value
        (nodes,) mean label of the rows that came there.
    depth
        Steps after which every row is at a leaf.
    """

    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    column: NDArray[np.int32]
    threshold: Array
    value: Array
    depth: int

    @classmethod
    def of(cls, trees: Sequence[Any]) -> Forest:
        """The same trees as scikit-learn's regressors."""
        parts = [tree.tree_ for tree in trees]
        starts = np.concatenate([[0], np.cumsum([part.node_count for part in parts])])[:-1]
        own = [np.arange(part.node_count) for part in parts]

        def joined(name: str) -> NDArray[np.int32]:
            sides = [getattr(part, name) for part in parts]
            moved = [np.where(s < 0, o, s) + start for s, o, start in zip(sides, own, starts, strict=True)]
            return np.concatenate(moved).astype(np.int32)

        return cls(
            starts.astype(np.int32),
            joined("children_left"),
            joined("children_right"),
            np.concatenate([np.maximum(part.feature, 0) for part in parts]).astype(np.int32),
            np.concatenate([part.threshold for part in parts]).astype(float),
            np.concatenate([part.value[:, 0, 0] for part in parts]).astype(float),
            max(int(part.max_depth) for part in parts),
        )

    def predict(self, rows: Array) -> Array:
        """(trees, n) label that each tree gives each of (n, columns) rows."""
        x = np.ascontiguousarray(rows, dtype=np.float32)  # as it was grown
        found = np.empty((len(self.roots), len(x)))
        everyone = np.arange(len(x))
        for tree, root in enumerate(self.roots):
            node = np.full(len(x), root, dtype=np.int32)
            going = everyone
            for _ in range(self.depth):
                at = node[going]
                onward = np.where(x[going, self.column[at]] <= self.threshold[at], self.left[at], self.right[at])
                node[going] = onward
                going = going[onward != at]
                if not len(going):
                    break
            found[tree] = self.value[node]
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Its arrays by name."""
        names = ("roots", "left", "right", "column", "threshold", "value")
        return {name: getattr(self, name) for name in names} | {"depth": np.array([self.depth])}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Forest:
        """What `state` gave.

        Raises
        ------
        KeyError, ValueError
            If it is no such state.
        """
        names = ("roots", "left", "right", "column", "threshold", "value")
        parts: dict[str, Any] = {name: arrays[name] for name in names}
        made = cls(**parts, depth=int(arrays["depth"][0]))
        n, inside = len(made.left), [made.roots, made.left, made.right]
        alike = len({len(arrays[name]) for name in names[1:]}) == 1
        if not alike or not len(made.roots) or any(one.min() < 0 or one.max() >= n for one in inside):
            raise ValueError("the nodes of the trees do not fit each other")
        return made


def grow(x: Array, y: Array, trees: int, share: float, seed: int) -> Forest:
    """Extremely randomised trees (Geurts et al., Mach. Learn. 63, 3, 2006).

    Parameters
    ----------
    x, y
        (n, columns) rows and their (n,) labels.
    trees
        How many.
    share
        Of the columns, tried at each split.
    """
    from sklearn import config_context
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(trees, max_features=share, random_state=seed % SEEDS, n_jobs=1)
    with config_context(skip_parameter_validation=True, assume_finite=True):  # half the time of small trees
        forest.fit(np.ascontiguousarray(x, dtype=np.float32), y)
    return Forest.of(forest.estimators_)
