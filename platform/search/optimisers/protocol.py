"""What an optimiser and a search space say to each other.

An optimiser never calls the oracle. It asks for starts, the driver takes each of them downhill with counted calls
(after an escape by molecular dynamics, where the start asks for one), and tells the minima. So all methods use one
local relaxation, and one budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fermiloop.platform.search.oracle import Evaluation, Point

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Start:
    """Where a relaxation is to begin.

    Parameters
    ----------
    point
        The place.
    kinetic
        Energy per degree of freedom of a molecular dynamics run from there before the relaxation; 0 for none.
    """

    point: Point
    kinetic: float = 0.0


@dataclass(frozen=True, eq=False)
class Minimum:
    """What a start led to.

    Parameters
    ----------
    start
        Its start.
    point
        The relaxed place.
    energy
        Of the oracle, whole point.
    value
        What is minimised: the energy, or an objective that holds more than it.
    """

    start: Start
    point: Point
    energy: float
    value: float


class SearchSpace(Protocol):
    """Places, moves between them and what makes two of them alike; pure geometry, no oracle."""

    kinds: NDArray[np.int64]
    """(n,) what each site holds; equal numbers are interchangeable."""
    step: float
    """Length that a site moves in a middling random step."""
    heat: float
    """Kinetic energy per degree of freedom that takes a middling escape out of a valley."""

    def random(self, rng: np.random.Generator) -> Point:
        """A random place without atoms on top of each other."""
        ...

    def symmetric(self, rng: np.random.Generator) -> Point:
        """A random place with symmetry."""
        ...

    def shake(self, point: Point, size: float, rng: np.random.Generator) -> Point:
        """Sites displaced by normal deviates of `size` steps, a cell strained in proportion."""
        ...

    def cross(self, one: Point, other: Point, rng: np.random.Generator) -> Point:
        """A child: one part of one parent, the other part of the other (cut and splice)."""
        ...

    def strain(self, point: Point, rng: np.random.Generator) -> Point:
        """A large coherent deformation."""
        ...

    def permute(self, point: Point, rng: np.random.Generator) -> Point:
        """Two sites of different kinds exchanged, or moved where all are of one kind."""
        ...

    def difference(self, one: Point, other: Point) -> Array:
        """(d,) the way from one place to another that is in the same frame, order and origin."""
        ...

    def moved(self, point: Point, way: Array) -> Point:
        """The place at the end of a way."""
        ...

    def fingerprint(self, point: Point) -> Array:
        """(k,) numbers that do not depend on frame, order, origin or choice of cell."""
        ...

    def coordinates(self, point: Point) -> Array:
        """(d,) generalised coordinates, all of one length scale, in the frame of `point` itself."""
        ...

    def placed(self, x: Array, frame: Point) -> Point:
        """The place with generalised coordinates `x` in the frame of another place."""
        ...

    def gradient(self, found: Evaluation, point: Point, frame: Point) -> Array:
        """(d,) derivative of the energy at `point` by the coordinates of the frame."""
        ...


class Optimiser(Protocol):
    """A strategy."""

    name: str

    def ask(self) -> list[Start]:
        """Where to relax next, at least one start."""
        ...

    def tell(self, minima: Sequence[Minimum]) -> None:
        """What the starts last asked for led to, in their order."""
        ...
