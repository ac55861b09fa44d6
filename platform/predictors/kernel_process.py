"""A Gaussian process whose kernel is a sum of parts, each on features of its own.

Scales and lengths are those of greatest posterior density, with a normal prior on their logarithms about what the data
suggest (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5): it fits from a few
tens of labels on, in a fraction of a second for a few hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

JITTER: Final = 1e-6
NOISE: Final = 0.03
"""Variance of what the features do not explain, in that of the labels, where the search for it starts."""
STEPS: Final = 25
"""Of the search for scales and lengths."""
SEARCHED: Final = 400
"""Labels that the search sees at most; its cost rises with their cube."""
IMPOSSIBLE: Final = 1e10
KINDS: Final = ("linear", "matern", "exponential")
ROOT5: Final = float(np.sqrt(5))


@dataclass(frozen=True)
class KernelPart:
    """One summand.

    Parameters
    ----------
    kind
        ``"linear"``, the inner product to a power, or of the distance ``"matern"`` (order 5/2, smooth) or
        ``"exponential"`` (order 1/2, rough).
    power
        Of the inner product.
    """

    kind: str
    power: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"{self.kind!r} is no kernel; known are {', '.join(KINDS)}.")

    def between(self, a: Array, b: Array) -> Array:
        """(n, m) powers of inner products of (n, d) with (m, d), or distances per root of the number of features."""
        products = a @ b.T
        if self.kind == "linear":
            return np.asarray(products**self.power)
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * products
        return np.asarray(np.sqrt(np.maximum(squares, 0) / a.shape[1]))

    def own(self, a: Array) -> Array:
        """(n,) value of a crystal with itself, before its scale."""
        return (a**2).sum(axis=1) ** self.power if self.kind == "linear" else np.ones(len(a))


class KernelProcess:
    """A process over crystals that are described once for each part of its kernel.

    Parameters
    ----------
    parts
        Of the kernel.
    """

    def __init__(self, parts: Sequence[KernelPart]) -> None:
        self.parts = tuple(parts)

    def fit(self, features: Sequence[Array], values: Array) -> None:
        """Learn the labels of some crystals.

        Parameters
        ----------
        features
            (m, d) of each part.
        values
            (m,) finite labels, at least two.

        Raises
        ------
        InputError
            If there are fewer than two labels or one is not finite.
        """
        if len(values) < 2 or len(features[0]) != len(values) or not np.isfinite(values).all():
            raise InputError(f"A process needs two or more finite labels, one a crystal; {len(values)} were given.")
        self.features = tuple(np.asarray(one, dtype=float) for one in features)
        self.middle, self.spread = float(values.mean()), float(values.std()) or 1.0
        self.scaled = (values - self.middle) / self.spread
        between = [part.between(one, one) for part, one in zip(self.parts, self.features, strict=True)]
        some = np.unique(np.linspace(0, len(values) - 1, min(len(values), SEARCHED)).astype(int))
        seen = [known[np.ix_(some, some)] for known in between]
        prior = self._prior(seen)
        found = minimize(
            self._loss, prior, (seen, self.scaled[some], prior), "L-BFGS-B", jac=True, options={"maxiter": STEPS}
        )
        self._condition(between, np.asarray(found.x))

    def predict(self, features: Sequence[Array]) -> tuple[Array, Array]:
        """Mean and standard deviation of a new label, noise included, (k,) each, in the unit of the labels.

        Parameters
        ----------
        features
            (k, d) of each part.

        Raises
        ------
        InputError
            If it is not fitted.
        """
        if not hasattr(self, "root"):
            raise InputError("The process has seen no labels; fit it first.")
        between = [p.between(a, b) for p, a, b in zip(self.parts, self.features, features, strict=True)]
        nothing = np.zeros((len(self.scaled), len(features[0])))
        kernel = sum((value for value, _ in self._kernels(between, self.logs)), nothing)
        explained = (solve_triangular(self.root, kernel, lower=True) ** 2).sum(axis=0)
        variance = np.maximum(self._own(features) - explained, 0) + self.noise
        return self.middle + self.spread * (kernel.T @ self.weights), self.spread * np.sqrt(variance)

    def held_out(self, groups: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean and standard deviation of each label as its process predicts it without those of the same group.

        In closed form from the inverse of the kernel (Rasmussen and Williams, section 5.4.2); scales and lengths stay
        those of all labels.

        Parameters
        ----------
        groups
            (m,) of the labels.
        """
        inverse = cho_solve((self.root, True), np.eye(len(self.scaled)))
        mean, variance = np.zeros(len(self.scaled)), np.zeros(len(self.scaled))
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            covariance = np.linalg.inv(inverse[np.ix_(rows, rows)])
            mean[rows] = self.scaled[rows] - covariance @ self.weights[rows]
            variance[rows] = np.diag(covariance)
        return self.middle + self.spread * mean, self.spread * np.sqrt(np.maximum(variance, 0))

    def state(self) -> dict[str, Array]:
        """Arrays from which `restore` makes the same process."""
        numbers = {"logs": self.logs, "scaled": self.scaled, "range": np.array([self.middle, self.spread])}
        return numbers | {f"features.{i}": one for i, one in enumerate(self.features)}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Become the process whose `state` is given.

        Raises
        ------
        KeyError, ValueError
            If the arrays are no such state.
        """
        self.features = tuple(np.asarray(arrays[f"features.{i}"], dtype=float) for i in range(len(self.parts)))
        self.scaled = np.asarray(arrays["scaled"], dtype=float)
        self.middle, self.spread = (float(x) for x in arrays["range"])
        between = [part.between(one, one) for part, one in zip(self.parts, self.features, strict=True)]
        self._condition(between, np.asarray(arrays["logs"], dtype=float))

    def _condition(self, between: list[Array], logs: Array) -> None:
        """Keep what predictions need, for scales and lengths by their logarithms."""
        self.logs, self.noise = logs, float(np.exp(logs[-1]))
        nothing = np.zeros((len(self.scaled),) * 2)
        kernel = sum((value for value, _ in self._kernels(between, logs)), nothing)
        self.root = cholesky(kernel + (self.noise + JITTER) * np.eye(len(self.scaled)), lower=True)
        self.weights = cho_solve((self.root, True), self.scaled)

    def _prior(self, between: list[Array]) -> Array:
        """Where the logarithms of scales and lengths are expected: every part alike, lengths at the median distance."""
        found = []
        for part, known in zip(self.parts, between, strict=True):
            if part.kind == "linear":
                found.append(np.log(0.3 / max(float(np.diag(known).mean()), 1e-12)))
            else:
                apart = known[known > 0]
                found += [np.log(0.5), np.log(float(np.median(apart)) if apart.size else 1.0)]
        return np.array([*found, np.log(NOISE)])

    def _kernels(self, between: list[Array], x: Array) -> list[tuple[Array, Array | None]]:
        """Value of each part and its derivative by the logarithm of its length, None where it has no length."""
        found: list[tuple[Array, Array | None]] = []
        place = 0
        for part, known in zip(self.parts, between, strict=True):
            scale = np.exp(x[place])
            if part.kind == "linear":
                found.append((scale * known, None))
                place += 1
                continue
            r = known / np.exp(x[place + 1]) * (ROOT5 if part.kind == "matern" else 1.0)
            decay = scale * np.exp(-r)
            if part.kind == "matern":
                found.append(((1 + r + r * r / 3) * decay, r * r * (1 + r) / 3 * decay))
            else:
                found.append((decay, r * decay))
            place += 2
        return found

    def _own(self, features: Sequence[Array]) -> Array:
        """(k,) prior variance of each crystal."""
        total, place = np.zeros(len(features[0])), 0
        for part, one in zip(self.parts, features, strict=True):
            total = total + np.exp(self.logs[place]) * part.own(one)
            place += 1 if part.kind == "linear" else 2
        return total

    def _loss(self, x: Array, between: list[Array], values: Array, prior: Array) -> tuple[float, Array]:
        """Negative logarithm of the posterior density, and its gradient."""
        parts, noise = self._kernels(between, x), np.exp(x[-1])
        kernel = sum((value for value, _ in parts), (noise + JITTER) * np.eye(len(values)))
        try:
            root = cholesky(kernel, lower=True)
        except LinAlgError:
            return IMPOSSIBLE, np.zeros_like(x)
        inverse = cho_solve((root, True), np.eye(len(values)))
        weights = inverse @ values
        steep = inverse - np.outer(weights, weights)
        slopes = []
        for value, by_length in parts:
            slopes.append(0.5 * (steep * value).sum())
            if by_length is not None:
                slopes.append(0.5 * (steep * by_length).sum())
        slopes.append(0.5 * noise * np.trace(steep))
        loss = 0.5 * values @ weights + np.log(np.diag(root)).sum() + 0.5 * ((x - prior) ** 2).sum()
        return float(loss), np.array(slopes) + x - prior
