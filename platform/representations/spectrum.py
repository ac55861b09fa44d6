"""Spectra on a grid: resampling, normalisation and similarity.

A `SpectrumGrid` says where a curve is sampled and how it is aligned; a density of states, a phonon
DOS, a diffraction pattern or an absorption curve differ only in their grid. The grid of the
DOS-to-composition work is 151 points from -7.5 to 7.5 eV about the Fermi level, normalised to
unit area (Bang et al., J. Mater. Chem. A 12, 6004, 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


SLACK: Final = 1e-6  # of a coverage, in the unit of the axis


@dataclass(frozen=True)
class SpectrumGrid:
    """A uniform grid of one spectrum kind.

    Parameters
    ----------
    lo, hi
        First and last point, in `unit`.
    n
        Number of points.
    unit
        Unit of the axis, ``"eV"`` for a DOS.
    alignment
        What lies at zero: ``"fermi"`` for a DOS, by which an insulator's is the middle of its gap; ``"vbm"`` where it
        is the valence edge.
    """

    lo: float = -7.5
    hi: float = 7.5
    n: int = 151
    unit: str = "eV"
    alignment: str = "fermi"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.lo) and np.isfinite(self.hi) and self.hi > self.lo):
            raise InputError(f"A spectrum grid must rise, not go from {self.lo} to {self.hi} {self.unit}.")
        if self.n < 2:
            raise InputError(f"A spectrum grid needs at least 2 points, not {self.n}.")

    @property
    def step(self) -> float:
        """Distance between points, in `unit`."""
        return (self.hi - self.lo) / (self.n - 1)

    @property
    def points(self) -> NDArray[np.float64]:
        """(n,) grid points in `unit`."""
        return np.linspace(self.lo, self.hi, self.n)

    def resample(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Linear interpolation of a curve onto this grid.

        Parameters
        ----------
        x
            (m,) rising points in `unit`.
        y
            (m,) or (k, m) values.

        Raises
        ------
        InputError
            If the points do not rise, a value is not finite, lengths differ, or the curve does not
            cover the grid: nothing is extrapolated.
        """
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        check_curve(x, y)
        if x[0] > self.lo + SLACK or x[-1] < self.hi - SLACK:
            raise InputError(
                f"The curve covers {x[0]:g} to {x[-1]:g} {self.unit}, but the grid asks for {self.lo:g} to {self.hi:g}."
            )
        if y.ndim == 1:
            return np.interp(self.points, x, y)
        return np.stack([np.interp(self.points, x, row) for row in y])

    def normalise(self, y: ArrayLike) -> NDArray[np.float64]:
        """Scale curves (..., n) to unit area on this grid.

        Raises
        ------
        InputError
            If a curve has no area.
        """
        y = np.asarray(y, dtype=float)
        area = np.trapezoid(y, dx=self.step, axis=-1)
        if not np.all(area > 0):
            raise InputError("The curve has no area on the grid, so it cannot be normalised.")
        return np.asarray(y / np.expand_dims(area, -1))


DOS_GRID: Final = SpectrumGrid()


def check_curve(x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Refuse a curve that is no curve.

    Raises
    ------
    InputError
        If lengths differ, values are not finite, or the points do not rise.
    """
    if x.ndim != 1 or x.size < 2 or y.shape[-1:] != x.shape:
        raise InputError(f"A curve needs as many values as points, at least two; got {x.shape} and {y.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("A curve holds only finite numbers; this one has NaN or infinity in it.")
    if not (np.diff(x) > 0).all():
        raise InputError("The points of a curve must rise from each to the next.")


def step_means(
    x: NDArray[np.float64], y: NDArray[np.float64], points: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """(n,) means of a curve over even steps about (n,) points, so that no peak is lost; at its ends over what is there.

    Parameters
    ----------
    x, y
        (m,) rising points and values; linear in between.
    points, step
        (n,) rising points in steps of `step`, inside the curve.
    """
    area = np.concatenate(([0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)))
    bounds = np.clip(np.append(points - step / 2, points[-1] + step / 2), x[0], x[-1])
    # the integral is a parabola between two points
    place = np.clip(np.searchsorted(x, bounds, side="right") - 1, 0, len(x) - 2)
    within_step = bounds - x[place]
    slope = np.diff(y)[place] / np.diff(x)[place]
    upto = area[place] + y[place] * within_step + slope * within_step**2 / 2
    return np.asarray(np.diff(upto) / np.diff(bounds))


def cosine(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Cosine similarity along the last axis, 0 where a curve vanishes."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    dots = np.sum(a * b, axis=-1)
    return np.asarray(np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0))


def within(grid: SpectrumGrid, window: tuple[float, float] | None) -> NDArray[np.bool_]:
    """(grid.n,) which points of a grid lie inside a window, in the grid's unit; all of them without one."""
    lo, hi = window or (grid.lo, grid.hi)
    return np.asarray((grid.points >= lo - SLACK) & (grid.points <= hi + SLACK), dtype=bool)


def windowed_cosine(
    a: ArrayLike, b: ArrayLike, grid: SpectrumGrid, window: tuple[float, float] | None = None
) -> NDArray[np.float64]:
    """Cosine similarity of the parts of curves (..., grid.n) inside a window, 0 where one vanishes there.

    Parameters
    ----------
    a, b
        Curves on the grid, in any normalisation.
    grid
        Where they are sampled.
    window
        First and last point that count, in the grid's unit; all of them by default.
    """
    inside = within(grid, window)
    return cosine(np.asarray(a, dtype=float)[..., inside], np.asarray(b, dtype=float)[..., inside])


def wasserstein(a: ArrayLike, b: ArrayLike, step: float) -> NDArray[np.float64]:
    """Wasserstein-1 distance of unit-area curves along the last axis, in the unit of `step`."""
    difference = np.cumsum(np.asarray(a, dtype=float) - np.asarray(b, dtype=float), axis=-1) * step
    return np.asarray(np.abs(difference).sum(axis=-1) * step)
