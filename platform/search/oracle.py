"""The costly function of a search, with its calls counted.

A budget is kept in oracle calls (Noh et al., Chem. Sci. 11, 4871, 2020, compare strategies by them): every
evaluation of an energy with its forces is one call, those inside a local relaxation or a molecular dynamics too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from fermiloop.platform.errors import FermiloopError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


GIGAPASCAL: Final = 1 / 160.21766208
"""eV/Å³."""


class BudgetSpent(FermiloopError):  # noqa: N818 - it ends a search as planned
    """All calls that an oracle had were made."""


@dataclass(frozen=True, eq=False)
class Point:
    """Where the atoms are; what they are, the search space knows.

    Parameters
    ----------
    sites
        (n, 3) fractional coordinates in a crystal; Cartesian ones where there is no cell.
    cell
        (3, 3) rows a, b, c, or None for a cluster.
    """

    sites: Array
    cell: Array | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one call answers.

    Parameters
    ----------
    energy
        Of the whole point, in the oracle's unit of energy.
    forces
        (n, 3) in energy per length.
    stress
        (3, 3) derivative of the energy by the strain over the volume; None without a cell.
    """

    energy: float
    forces: Array
    stress: Array | None = None


@dataclass(eq=False)
class Oracle:
    """Counts the calls of a function, and keeps what it answered.

    Parameters
    ----------
    function
        Evaluates a point.
    budget
        Calls allowed.

    Raises
    ------
    InputError
        If the budget is no positive number.
    """

    function: Callable[[Point], Evaluation]
    budget: int
    history: list[float] = field(default_factory=list, init=False)
    """Energy of every call, in order."""
    best: tuple[Point, float] | None = field(default=None, init=False)
    """Lowest point so far and its energy."""

    def __post_init__(self) -> None:
        if self.budget < 1:
            raise InputError(f"A budget of {self.budget} oracle calls is none; allow at least 1.")

    @property
    def calls(self) -> int:
        """Calls made."""
        return len(self.history)

    @property
    def left(self) -> int:
        """Calls still allowed."""
        return self.budget - len(self.history)

    def __call__(self, point: Point) -> Evaluation:
        """Evaluate a point.

        Raises
        ------
        BudgetSpent
            If no call is left.
        """
        if self.left <= 0:
            raise BudgetSpent(f"All {self.budget} oracle calls are spent; allow more to search longer.")
        found = self.function(point)
        self.history.append(found.energy)
        if self.best is None or found.energy < self.best[1]:
            self.best = (point, found.energy)
        return found

    def calls_to(self, energy: float) -> int | None:
        """Number of the first call that answered `energy` or less, None if none did."""
        return next((i for i, value in enumerate(self.history, start=1) if value <= energy), None)


def under_pressure(function: Callable[[Point], Evaluation], pressure: float) -> Callable[[Point], Evaluation]:
    """The enthalpy E + pV of a function that gives energies of cells, with its stress; the function itself at 0.

    Parameters
    ----------
    function
        Gives energy, eV, and stress, eV/Å³.
    pressure
        GPa.
    """
    if not pressure:
        return function
    push = pressure * GIGAPASCAL

    def enthalpy(point: Point) -> Evaluation:
        found = function(point)
        assert point.cell is not None
        assert found.stress is not None
        volume = abs(float(np.linalg.det(point.cell)))
        return Evaluation(found.energy + push * volume, found.forces, found.stress + push * np.eye(3))

    return enthalpy
