"""A Gaussian process from composition to density of states.

Curves are smoothed and written in their leading principal components, each a Gaussian process of
its own scale. The kernel of two crystals is the normalised overlap of their elements, element by
element, to a power, times the agreement of the crystal system and, where geometry is known, of the
geometry. Its predictive variance makes it invertible by Bayes' rule: the likelihood of a curve under
every composition of a table costs one matrix product (Rasmussen and Williams, Gaussian Processes
for Machine Learning, 2006, chapter 2).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.ndimage import gaussian_filter1d

from fermiloop.platform.representations.element_features import element_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class ProcessOptions:
    """Hyperparameters of the kernel and of the description of the curve.

    Parameters
    ----------
    length, identity
        See `element_kernel`.
    power
        Exponent of the overlap of two compositions: larger is more local.
    system_weight
        How much of the kernel needs the crystal systems to agree.
    geometry_length
        Length scale of the geometry features in their standard deviations.
    noise
        Variance of what composition does not explain, relative to the prior variance.
    components
        Principal components kept.
    smoothing
        Width of the Gaussian smoothing in grid points.
    """

    length: float = 1.0
    identity: float = 0.3
    power: float = 4.0
    system_weight: float = 0.3
    geometry_length: float = 2.0
    noise: float = 0.05
    components: int = 10
    smoothing: float = 2.0


@dataclass(frozen=True)
class Inputs:
    """What is known of m crystals.

    Parameters
    ----------
    fractions
        (m, n_elements) atomic fractions.
    systems
        (m,) crystal systems, the empty string where unknown.
    geometry
        (m, d) geometry features, d = 0 where only the composition is known.
    """

    fractions: Array
    systems: NDArray[np.str_]
    geometry: Array


class DosProcess:
    """Gaussian processes of the principal components of curves.

    Parameters
    ----------
    elements
        Atomic numbers of the columns of the fractions.
    options
        Hyperparameters.
    """

    def __init__(self, elements: tuple[int, ...], options: ProcessOptions) -> None:
        self.elements = elements
        self.options = options
        self._kernel = element_kernel(elements, options.length, options.identity)

    def fit(self, inputs: Inputs, curves: Array) -> DosProcess:
        """Condition on (m, n_points) unit-area curves; returns itself."""
        self.inputs = inputs
        self._set_geometry_scale()
        smooth = self.smooth(curves)
        self.mean_curve = smooth.mean(axis=0)
        _, _, directions = np.linalg.svd(smooth - self.mean_curve, full_matrices=False)
        self.basis = directions[: min(self.options.components, len(curves) - 1)]
        self.coefficients = self.project(curves)
        self._condition()
        return self

    def smooth(self, curves: Array) -> Array:
        """Curves as the process sees them, (m, n_points)."""
        return np.asarray(gaussian_filter1d(curves, self.options.smoothing, axis=-1, mode="nearest"))

    def project(self, curves: Array) -> Array:
        """(m, n_components) coefficients of curves."""
        return (self.smooth(curves) - self.mean_curve) @ self.basis.T

    def predict(self, inputs: Inputs) -> tuple[Array, Array]:
        """Mean and variance of the coefficients, (m, n_components) each."""
        cross = self.covariance(inputs, self.inputs)
        mean = cross @ self._weights
        root, lower = self._factor
        half = solve_triangular(root, cross.T, lower=lower, trans=0 if lower else "T")
        explained = np.einsum("ij,ij->j", half, half)  # half the work of solving for the whole inverse
        variance = np.maximum(1 + self.options.noise - explained, self.options.noise)
        return mean, variance[:, None] * self._scale[None]

    def log_likelihood(self, curves: Array, mean: Array, variance: Array) -> Array:
        """(k, m) log density of k curves under m predictions, up to a constant of each curve."""
        z = self.project(curves)
        precision = 1 / variance
        squares = (z**2) @ precision.T - 2 * z @ (mean * precision).T + (mean**2 * precision).sum(axis=1)
        return np.asarray(-0.5 * (squares + np.log(variance).sum(axis=1)))

    def draw(self, inputs: Inputs, n_draws: int, seed: int) -> Array:
        """(n_draws, m, n_points) curves from the predictive distribution, without the noise.

        The same random direction is used for all crystals of a draw, so that a draw is one
        consistent model.
        """
        mean, variance = self.predict(inputs)
        spread = np.sqrt(np.maximum(variance - self.options.noise * self._scale, 0))
        directions = np.random.default_rng(seed).standard_normal((n_draws, 1, len(self._scale)))
        directions -= directions.mean(axis=0)
        coefficients = mean[None] + spread[None] * directions
        return np.maximum(self.mean_curve + coefficients @ self.basis, 0)

    def covariance(self, a: Inputs, b: Inputs) -> Array:
        """(m_a, m_b) prior covariance, 1 between equal crystals."""
        overlap = a.fractions @ self._kernel @ b.fractions.T
        norm_a = np.einsum("ij,ij->i", a.fractions @ self._kernel, a.fractions)
        norm_b = np.einsum("ij,ij->i", b.fractions @ self._kernel, b.fractions)
        weight = self.options.system_weight
        value = _raised(overlap / np.sqrt(norm_a[:, None] * norm_b[None]), self.options.power)
        value *= np.where(_same(a.systems, b.systems), 1.0, 1 - weight)
        if a.geometry.shape[1] and b.geometry.shape[1]:
            difference = (a.geometry[:, None] - b.geometry[None]) / self._geometry_scale
            value = value * np.exp(-(difference**2).sum(axis=-1) / (2 * self.options.geometry_length**2))
        return np.asarray(value)

    def state(self) -> dict[str, Array]:
        """Arrays from which `restore` makes the same process."""
        return {
            "fractions": self.inputs.fractions,
            "geometry": self.inputs.geometry,
            "mean_curve": self.mean_curve,
            "basis": self.basis,
            "coefficients": self.coefficients,
        }

    def config(self) -> dict[str, Any]:
        """JSON-ready rest of the state."""
        return {
            "elements": list(self.elements),
            "options": asdict(self.options),
            "systems": [str(name) for name in self.inputs.systems],
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], state: Mapping[str, Array]) -> DosProcess:
        """The process that `config` and `state` tell of."""
        process = cls(tuple(config["elements"]), ProcessOptions(**config["options"]))
        process.inputs = Inputs(state["fractions"], np.array(config["systems"], dtype=str), state["geometry"])
        process.mean_curve, process.basis = state["mean_curve"], state["basis"]
        process.coefficients = state["coefficients"]
        process._set_geometry_scale()
        process._condition()
        return process

    def _set_geometry_scale(self) -> None:
        self._geometry_scale = np.maximum(self.inputs.geometry.std(axis=0), 1e-6)

    def _condition(self) -> None:
        prior = self.covariance(self.inputs, self.inputs)
        self._factor = cho_factor(prior + self.options.noise * np.eye(len(prior)))
        self._weights = cho_solve(self._factor, self.coefficients)
        self._scale = np.maximum((self.coefficients * self._weights).mean(axis=0), 1e-12)


def _raised(values: Array, power: float) -> Array:
    """Values to a power; 2 and 4, the usual ones, by products, which take a fifth of the time."""
    for _ in range({2.0: 1, 4.0: 2}.get(power, 0)):
        values = values * values
    return values if power in {2.0, 4.0} else values**power


def _same(a: NDArray[np.str_], b: NDArray[np.str_]) -> NDArray[np.bool_]:
    """(m_a, m_b) whether two crystal systems are known and the same; by numbers, since words compare slowly."""
    names, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    codes = np.where(names[codes] == "", -1, codes).astype(np.int8)
    first, second = codes[: len(a)], codes[len(a) :]
    return np.asarray((first[:, None] == second[None]) & (first >= 0)[:, None])
