"""The crystals that a model was trained on, as it remembers them: where designs start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Composition, Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.element_bins import N_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.protocol import Condition, Space, Target, TrainingSet
    from fermiloop.platform.representations.spectrum import SpectrumGrid

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """Known crystals.

    Parameters
    ----------
    ids, formulas, systems
        Material id, reduced formula and crystal system of each.
    labels
        (n, n_targets) properties, NaN where unknown.
    points
        (n, latent).
    grid
        Of the curves.
    curves
        (k, grid.n) of unit area.
    curve_rows
        (k,) the crystal of each curve.
    """

    ids: tuple[str, ...]
    formulas: tuple[str, ...]
    systems: tuple[str, ...]
    labels: Array
    points: Array
    grid: SpectrumGrid
    curves: Array
    curve_rows: NDArray[np.int64]

    @classmethod
    def of(cls, data: TrainingSet, labels: Array, points: Array) -> Known:
        """Of a training set; curves that are not finite or have no area are left out."""
        positive = np.maximum(data.curves, 0)
        rows = np.flatnonzero(np.isfinite(positive).all(axis=1) & (positive.sum(axis=1) > 0))
        curves = data.grid.normalise(positive[rows]) if len(rows) else np.zeros((0, data.grid.n))
        formulas = tuple(structure.composition.reduced_formula for structure in data.structures)
        return cls(data.ids, formulas, data.crystal_systems, labels, points, data.grid, curves, rows)

    def misses(self, target: Target, names: Sequence[str]) -> Array:
        """(n,) how far each is from the target in tolerances, the worst of all that is asked; infinite if unknown.

        Raises
        ------
        InputError
            If the target asks for a property that was not learned, or for a curve where none is known.
        """
        found = np.zeros(len(self.ids))
        if target.windows:
            places = window_places(target.windows, names)
            found = np.maximum(found, window_misses(self.labels[:, places], target.windows))
        if target.grid is not None and target.curve is not None:
            if not len(self.curves):
                raise InputError("ftcp was trained on crystals without curves; give property windows as the target.")
            cosine = target.similarity(self.curves, self.grid)
            far = np.full(len(self.ids), np.inf)
            far[self.curve_rows] = (1 - cosine) / max(1 - target.hit_similarity, 1e-6)
            found = np.maximum(found, far)
        return found

    def inside(self, space: Space) -> NDArray[np.bool_]:
        """(n,) whether composition and crystal system lie in the space."""
        allowed, (low, high) = set(space.elements), space.n_components
        compositions = [{e.symbol for e in Composition(formula).elements} for formula in self.formulas]
        return np.array(
            [
                symbols <= allowed and low <= len(symbols) <= high and system in space.crystal_systems
                for symbols, system in zip(compositions, self.systems, strict=True)
            ],
            dtype=bool,
        )

    def numbers(self) -> NDArray[np.bool_]:
        """(104,) atomic numbers that occur; networks know nothing of others."""
        return allowed_numbers({e.symbol for formula in set(self.formulas) for e in Composition(formula).elements})

    def config(self) -> dict[str, Any]:
        """The words, as JSON."""
        return {
            "ids": list(self.ids),
            "formulas": list(self.formulas),
            "systems": list(self.systems),
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """The numbers."""
        names = ("labels", "points", "curves", "curve_rows")
        return {f"known.{name}": getattr(self, name) for name in names}

    @classmethod
    def restore(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]], grid: SpectrumGrid) -> Known:
        """Of what `config` and `state` gave."""
        words = [tuple(config[name]) for name in ("ids", "formulas", "systems")]
        labels, points, curves, rows = (arrays[f"known.{n}"] for n in ("labels", "points", "curves", "curve_rows"))
        if not len(words[0]) == len(words[1]) == len(words[2]) == len(labels) == len(points):
            raise InputError("the known crystals are not as many as their numbers")
        return cls(words[0], words[1], words[2], labels, points, grid, curves, rows)


def window_places(windows: Sequence[Condition], names: Sequence[str]) -> list[int]:
    """Places of the windows' properties among those learned.

    Raises
    ------
    InputError
        If one was not learned.
    """
    for window in windows:
        if window.property not in names:
            learned = ", ".join(names) or "none"
            raise InputError(f"ftcp has not learned {window.property}; its training set had labels of {learned}.")
    return [list(names).index(window.property) for window in windows]


def window_misses(values: Array, windows: Sequence[Condition]) -> Array:
    """(n,) largest distance from the values aimed at, in scales; infinite where one is unknown.

    Of a bound and an objective everything beyond the aim is as good.
    """
    far = np.stack([window.aside(values[:, place]) for place, window in enumerate(windows)], axis=1)
    return np.asarray(np.where(np.isfinite(far), far, np.inf).max(axis=1, initial=0.0))


def allowed_numbers(symbols: Iterable[str]) -> NDArray[np.bool_]:
    """(104,) which atomic numbers the elements have; 0, no atom, always."""
    allowed = np.zeros(N_ELEMENTS + 1, dtype=bool)
    allowed[0] = True
    numbers = np.array([Element(symbol).Z for symbol in symbols], dtype=np.int64)
    allowed[numbers[numbers <= N_ELEMENTS]] = True
    return allowed
