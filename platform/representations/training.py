"""What is learned from, what is looked for and what a training reports: plain data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.conditions import Condition, PropertyWindow
from fermiloop.platform.representations.spectrum import DOS_GRID, windowed_cosine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.spectrum import SpectrumGrid

__all__ = ["Condition", "FitReport", "PropertyWindow", "Target", "TrainingSet"]

ZEROS: Final = {
    "fermi": "the middle of the gap (midgap)",
    "vbm": "the valence edge (vbm)",
    "none": "no level",
}
"""What lies at zero of a grid, in words."""


@dataclass(frozen=True)
class TrainingSet:
    """Crystals with their curves and labels, frozen.

    Parameters
    ----------
    ids
        Material ids, as many as rows.
    structures
        One crystal each.
    crystal_systems
        ``"cubic"``, ``"hexagonal"``, …
    prototypes
        Strukturbericht name or anonymous formula with space group.
    grid
        Grid of `curves`.
    curves
        (n, grid.n) curves as stored (for a DOS: states/eV/cell), not normalised; a row of NaN where there is none.
    labels
        Property name to (n,) values, NaN where unlabelled.
    """

    ids: tuple[str, ...]
    structures: tuple[Structure, ...]
    crystal_systems: tuple[str, ...]
    prototypes: tuple[str, ...]
    grid: SpectrumGrid
    curves: NDArray[np.float64]
    labels: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.ids)
        if not (len(self.structures) == len(self.crystal_systems) == len(self.prototypes) == n):
            raise InputError(f"A training set of {n} ids needs as many structures, crystal systems and prototypes.")
        if self.curves.shape != (n, self.grid.n):
            raise InputError(f"Curves must be ({n}, {self.grid.n}), not {self.curves.shape}.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_curve(self) -> NDArray[np.bool_]:
        """(n,) whether a row has a curve at all; one with single NaN has, and is refused where curves are learned."""
        return np.asarray(~np.isnan(self.curves).all(axis=1), dtype=bool)

    def with_curves(self) -> TrainingSet:
        """The rows that have a curve."""
        there = self.has_curve
        return self if there.all() else self.subset(np.flatnonzero(there).tolist())

    def check_curves(self) -> None:
        """Refuse curves that hold single NaN or infinity.

        Raises
        ------
        InputError
            If there is one.
        """
        if not np.isfinite(self.curves[self.has_curve]).all():
            raise InputError("A curve of the training set holds NaN or infinity; leave that material out.")

    def subset(self, rows: Sequence[int]) -> TrainingSet:
        """The rows asked for, in that order."""
        take = list(rows)
        return TrainingSet(
            ids=tuple(self.ids[i] for i in take),
            structures=tuple(self.structures[i] for i in take),
            crystal_systems=tuple(self.crystal_systems[i] for i in take),
            prototypes=tuple(self.prototypes[i] for i in take),
            grid=self.grid,
            curves=self.curves[take],
            labels={name: values[take] for name, values in self.labels.items()},
        )


@dataclass(frozen=True)
class Target:
    """What is looked for: a curve, conditions on properties, or both.

    Parameters
    ----------
    grid, curve
        Target curve of unit area: (grid.n,).
    hit_similarity
        Cosine similarity from which a computed curve counts as a hit.
    windows
        Conditions and objectives of properties that the campaign file names; all must hold.
    exclude_formulas
        Reduced formulas that may not be proposed, such as the target's own.
    window
        First and last point of the curve that count, in the grid's unit; None for the whole grid.
    stability
        Condition on the energy above the hull that is part of every hit, beside those that are named; None where it is
        off. Generators need not aim at it: the funnel and the choice look after it.
    crystal
        The crystal that the curve is of, where that is known: a crystal of similarity 1.
    """

    grid: SpectrumGrid | None = None
    curve: NDArray[np.float64] | None = None
    hit_similarity: float = 0.9
    windows: tuple[Condition, ...] = ()
    exclude_formulas: tuple[str, ...] = ()
    window: tuple[float, float] | None = None
    stability: Condition | None = None
    crystal: Structure | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that is asked of properties: what is named, and stability."""
        return (*self.windows, self.stability) if self.stability is not None else self.windows

    def curve_on(self, grid: SpectrumGrid) -> NDArray[np.float64]:
        """(grid.n,) unit-area curve on the grid of a model.

        Raises
        ------
        InputError
            If there is no curve, it does not cover the grid, or other energies lie at zero of the model's curves.
        """
        if self.grid is None or self.curve is None:
            raise InputError("This needs a target curve, and the target has none; add target.dos or target.xrd.")
        if grid.alignment != self.grid.alignment:
            raise InputError(
                f"The model was trained on curves about {ZEROS.get(grid.alignment, grid.alignment)}, but the target "
                f"lies about {ZEROS.get(self.grid.alignment, self.grid.alignment)}; train it again or set "
                "FERMILOOP_DOS_ALIGNMENT or target.dos.alignment back."
            )
        return grid.normalise(np.maximum(grid.resample(self.grid.points, self.curve), 0))

    def similarity(self, curves: ArrayLike, grid: SpectrumGrid | None = None) -> NDArray[np.float64]:
        """Cosine to the target's curve inside its window, of curves (..., grid.n) on its own grid or a model's.

        Raises
        ------
        InputError
            If there is no curve, or it cannot be had on that grid.
        """
        where = grid or self.grid or DOS_GRID
        return windowed_cosine(curves, self.curve_on(where), where, self.window)


@dataclass(frozen=True)
class FitReport:
    """What a training did: numbers only, JSON-ready.

    Parameters
    ----------
    metrics
        Name to value; held-out metrics bear the prefix ``held_out_``.
    history
        Loss by epoch.
    n_train, n_validation, n_test
        Rows of each part.
    core_seconds
        Processor time.
    detail
        Anything else worth keeping, JSON-ready.
    """

    metrics: Mapping[str, float]
    history: tuple[float, ...]
    n_train: int
    n_validation: int
    n_test: int
    core_seconds: float
    detail: Mapping[str, Any] = field(default_factory=dict)
