"""How far an uncertainty can be trusted: figures of calibration for regression.

Coverage and sharpness after Gneiting, Balabdaoui and Raftery, J. R. Stat. Soc. B 69, 243 (2007); the expected
normalised calibration error after Levi et al., Sensors 22, 5540 (2022); the miscalibration area after Kuleshov, Fenner
and Ermon, ICML 2018. All take errors in any one unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import erfinv, ndtri

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEVELS: Final = np.linspace(0.05, 0.95, 19)
BINS: Final = 10


@dataclass(frozen=True)
class Reliability:
    """Figures of one model on one test set.

    Parameters
    ----------
    n
        Test crystals.
    mae, r2
        Mean absolute error, and share of the variance explained.
    covered
        How many lie within the normal 90 % interval.
    calibration_error
        Expected normalised calibration error: mean over ten bins of rising standard deviation of
        |root mean variance - root mean squared error| over the former; 0 is perfect.
    miscalibration_area
        Area between the curve of observed over expected coverage and its diagonal; 0 is perfect, 0.5 the worst.
    sharpness
        Root mean variance, in the unit of the errors: at equal calibration the smaller the better.
    nll
        Mean negative logarithm of the normal density.
    """

    n: int
    mae: float
    r2: float
    covered: int
    calibration_error: float
    miscalibration_area: float
    sharpness: float
    nll: float


def reliability(truth: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Reliability:
    """All figures of predictions with standard deviations, (n,) each.

    Raises
    ------
    InputError
        If lengths differ, fewer than two are given, or a number is not finite or a standard deviation not positive.
    """
    y, centre, width = (np.asarray(part, dtype=float) for part in (truth, mean, std))
    if not (y.ndim == 1 and y.shape == centre.shape == width.shape and len(y) > 1):
        raise InputError(
            f"Reliability needs three equal rows of two or more, not {y.shape}, {centre.shape}, {width.shape}."
        )
    if not (np.isfinite(y).all() and np.isfinite(centre).all() and np.isfinite(width).all() and (width > 0).all()):
        raise InputError("Reliability needs finite numbers and standard deviations above zero.")
    error = y - centre
    expected, observed = coverage_curve(error, width)
    return Reliability(
        n=len(y),
        mae=float(np.abs(error).mean()),
        r2=float(1 - (error**2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-300)),
        covered=int((np.abs(error) <= float(ndtri(0.95)) * width).sum()),
        calibration_error=calibration_error(error, width),
        miscalibration_area=float(np.trapezoid(np.abs(observed - expected), expected)),
        sharpness=float(np.sqrt((width**2).mean())),
        nll=float((0.5 * (error / width) ** 2 + np.log(width) + 0.5 * np.log(2 * np.pi)).mean()),
    )


def coverage_curve(error: Array, std: Array) -> tuple[Array, Array]:
    """Expected and observed share of errors within central normal intervals, (21,) each, from 0 to 1."""
    halves = np.sqrt(2) * erfinv(LEVELS)
    observed = (np.abs(error / std)[:, None] <= halves).mean(axis=0)
    return np.concatenate([[0.0], LEVELS, [1.0]]), np.concatenate([[0.0], observed, [1.0]])


def calibration_error(error: Array, std: Array, bins: int = BINS) -> float:
    """Expected normalised calibration error over bins of equal count."""
    order = np.argsort(std, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    predicted = np.array([np.sqrt((std[part] ** 2).mean()) for part in parts])
    found = np.array([np.sqrt((error[part] ** 2).mean()) for part in parts])
    return float((np.abs(predicted - found) / predicted).mean())


def stretch_and_floor(error: ArrayLike, std: ArrayLike) -> tuple[float, float]:
    """(a, b) for which errors are likeliest if their standard deviations are √((a·std)² + b²).

    Parameters
    ----------
    error
        (n,) held-out errors.
    std
        (n,) standard deviations before calibration, none negative.

    Raises
    ------
    InputError
        If there are none, or a number is not finite.
    """
    squares, variance = np.asarray(error, dtype=float) ** 2, np.asarray(std, dtype=float) ** 2
    if not squares.size or not (np.isfinite(squares).all() and np.isfinite(variance).all()):
        raise InputError("A calibration needs finite held-out errors and standard deviations, at least one of each.")

    def loss(logs: Array) -> tuple[float, Array]:
        parts = np.exp(2 * logs)[:, None] * np.stack([variance, np.ones_like(variance)])
        total = parts.sum(axis=0)
        slope = (1 - squares / total) / total
        return float(0.5 * (squares / total + np.log(total)).mean()), (parts * slope).mean(axis=1)

    usual = 0.5 * np.log(max(float(squares.mean()), 1e-12))
    start = np.array([usual - 0.5 * np.log(max(float(variance.mean()), 1e-12)), usual]) - 0.35  # half of each
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-14, 7)] * 2)
    stretch, floor = np.exp(found.x)
    return float(stretch), float(floor)
