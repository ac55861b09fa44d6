"""Which of many curves are nearest to one: by cosine, by Wasserstein distance, by fingerprint, in a window of the axis.

All three compare shapes: a curve counts by its part inside the window alone, whatever its scale.

* **cosine** of the two parts, 0 to 1;
* **Wasserstein** distance of the two parts at unit area, from their cumulative areas, in the unit of the axis (eV);
* **fingerprint**: Tanimoto coefficient of raster fingerprints after Kuban, Rigamonti, Scheidgen and Draxl (Sci. Data 9,
  646, 2022): areas in intervals that are narrow at the reference energy and widen away from it, each filled up to a
  level. Since a column of the raster is filled from below, two rasters share as many pixels as the lower of two levels,
  so levels are kept in place of bits. Other than in the paper the curve has unit area in the window and a column is
  full at `SATURATION` times the mean density, since curves of cells of any size are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from fermiloop.platform.representations.spectrum import SpectrumGrid

    Prepared = NDArray[np.float32] | NDArray[np.uint8]

SLACK: Final = 1e-6  # of a coverage, in the unit of the axis
FEWEST_POINTS: Final = 5  # of a window
LEVELS: Final = 56  # pixels of a column, as in the paper
SATURATION: Final = 8.0  # a column is full at so many times the mean density
WIDENING: Final = 7.0  # eV, the paper's W: how far from the reference the intervals stay narrow
WIDEST: Final = 1.05  # eV, of an interval far away


class Metric(StrEnum):
    """How two curves are compared."""

    COSINE = "cosine"
    WASSERSTEIN = "wasserstein"
    FINGERPRINT = "fingerprint"


SMALLER_IS_NEARER: Final = frozenset({Metric.WASSERSTEIN})


@dataclass(frozen=True)
class Window:
    """A part of a grid: its first point and the one after its last.

    Parameters
    ----------
    grid
        The whole grid.
    first, stop
        Indices into its points.
    """

    grid: SpectrumGrid
    first: int
    stop: int

    @classmethod
    def of(cls, grid: SpectrumGrid, bounds: tuple[float, float] | None = None) -> Window:
        """The points of a grid from `lo` to `hi`, all of them by default.

        Raises
        ------
        InputError
            If the window runs backwards, leaves the grid, or holds fewer points than a comparison needs.
        """
        lo, hi = bounds or (grid.lo, grid.hi)
        if not (np.isfinite([lo, hi]).all() and lo < hi):
            raise InputError(f"The window {lo:g}:{hi:g} runs backwards; write the smaller bound first.")
        if lo < grid.lo - SLACK or hi > grid.hi + SLACK:
            raise InputError(
                f"The window {lo:g}:{hi:g} leaves {grid.lo:g} to {grid.hi:g} {grid.unit}, where curves are compared."
            )
        first = int(np.ceil((lo - grid.lo) / grid.step - SLACK))
        stop = int(np.floor((hi - grid.lo) / grid.step + SLACK)) + 1
        if stop - first < FEWEST_POINTS:
            raise InputError(
                f"The window {lo:g}:{hi:g} holds {max(stop - first, 0)} points of step {grid.step:g} {grid.unit}; "
                f"it needs at least {FEWEST_POINTS}."
            )
        return cls(grid, first, stop)

    @property
    def lo(self) -> float:
        """First point, in the grid's unit."""
        return float(self.grid.points[self.first])

    @property
    def hi(self) -> float:
        """Last point, in the grid's unit."""
        return float(self.grid.points[self.stop - 1])

    def as_grid(self) -> SpectrumGrid:
        """The window as a grid of its own: what a curve must cover to be compared in it."""
        return replace(self.grid, lo=self.lo, hi=self.hi, n=self.stop - self.first)

    def whole(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """(n,) a curve on the whole grid, 0 outside the window.

        Raises
        ------
        InputError
            If it is no curve, or does not cover the window.
        """
        values = np.zeros(self.grid.n)
        values[self.first : self.stop] = self.as_grid().resample(x, y)
        return values

    def part(self, curves: ArrayLike) -> NDArray[np.floating]:
        """The part (..., m) of curves (..., n) that lies inside."""
        return np.asarray(curves)[..., self.first : self.stop]


def prepare(curves: ArrayLike, metric: Metric, window: Window) -> Prepared:
    """What a comparison needs of each curve, computed once for many queries.

    Parameters
    ----------
    curves
        (k, n) curves on the window's grid, in any normalisation.
    metric
        How they will be compared.
    window
        Where.

    Returns
    -------
    prepared
        (k, m): parts of unit length, cumulative areas, or levels 0 to 56. A curve that vanishes in the window is all 0.
    """
    return _PREPARE[metric](np.maximum(window.part(curves), 0.0), window)


def compare(prepared: Prepared, one: Prepared, metric: Metric, window: Window) -> NDArray[np.float64]:
    """Value of a metric between each of the prepared curves (k, m) and one, prepared too, of shape (m,): (k,)."""
    if metric is Metric.COSINE:
        return np.asarray(prepared @ one, dtype=np.float64)
    if metric is Metric.WASSERSTEIN:
        apart = np.abs(prepared - one).sum(axis=1, dtype=np.float32) * window.grid.step
        empty = ~prepared.any(axis=1)  # a vanishing curve has no unit area, and is as far as the window is wide
        return np.asarray(np.where(empty, window.hi - window.lo, apart), dtype=np.float64)
    shared = np.minimum(prepared, one).sum(axis=1, dtype=np.int64)
    either = prepared.sum(axis=1, dtype=np.int64) + int(one.sum(dtype=np.int64)) - shared
    return np.divide(shared, either, out=np.zeros(len(prepared)), where=either > 0)


def order(values: NDArray[np.float64], metric: Metric) -> NDArray[np.intp]:
    """Indices of values (k,), nearest first, equal ones as they came."""
    return np.argsort(values if metric in SMALLER_IS_NEARER else -values, kind="stable")


def fingerprint(curve: ArrayLike, grid: SpectrumGrid, bounds: tuple[float, float] | None = None) -> list[int]:
    """Levels, 0 to 56, of one curve (n,) on a grid, one an interval of `intervals`.

    Raises
    ------
    InputError
        If the window is invalid.
    """
    window = Window.of(grid, bounds)
    return [int(level) for level in prepare(np.asarray(curve)[None], Metric.FINGERPRINT, window)[0]]


def intervals(window: Window) -> NDArray[np.intp]:
    """(m + 1,) bounds of the fingerprint's intervals, as indices of points of the window, from both sides of zero."""
    last = window.stop - window.first - 1
    step = window.grid.step
    zero = int(np.clip(round(-window.lo / step), 0, last))
    return np.array(
        [*(zero - b for b in _outwards(zero, step)[::-1]), zero, *(zero + b for b in _outwards(last - zero, step))]
    )


def _outwards(reach: int, step: float) -> list[int]:
    """Bounds that widen from 0 to at most `reach`, in steps; the last interval ends there."""
    bounds, at = list[int](), 0
    while at < reach:
        share = 1.0 - np.exp(-0.5 * (at * step / WIDENING) ** 2)
        at = min(reach, at + max(1, int(share * (WIDEST / step - 1) + 1)))
        bounds.append(at)
    return bounds


def _unit_length(parts: NDArray[np.floating], window: Window) -> NDArray[np.float32]:  # noqa: ARG001 one signature for all
    lengths = np.sqrt(np.einsum("ij,ij->i", parts, parts))[:, None]
    return np.divide(
        parts, lengths, out=np.zeros(parts.shape, dtype=np.float32), where=lengths > 0, casting="same_kind"
    )


def _cumulative(parts: NDArray[np.floating], window: Window) -> NDArray[np.floating]:
    """(k, m) area up to each point by the trapezoid rule, as a share of the whole."""
    areas = np.zeros_like(parts)
    np.cumsum((parts[:, 1:] + parts[:, :-1]) * (window.grid.step / 2), axis=1, out=areas[:, 1:])
    whole = areas[:, -1:].copy()
    return np.divide(areas, whole, out=np.zeros_like(areas), where=whole > 0)


def _areas(parts: NDArray[np.floating], window: Window) -> NDArray[np.float32]:
    return _cumulative(parts, window).astype(np.float32)


def _levels(parts: NDArray[np.floating], window: Window) -> NDArray[np.uint8]:
    bounds = intervals(window)
    shares = np.diff(_cumulative(parts, window)[:, bounds], axis=1)
    full = SATURATION * np.diff(bounds) / (window.stop - window.first - 1)
    return np.minimum(np.floor(shares / full * LEVELS), LEVELS).astype(np.uint8)


_PREPARE: Final[Mapping[Metric, Callable[..., Prepared]]] = {
    Metric.COSINE: _unit_length,
    Metric.WASSERSTEIN: _areas,
    Metric.FINGERPRINT: _levels,
}
