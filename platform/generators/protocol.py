"""What every generator, learnt or not, takes and gives: plain data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.representations.spectrum import SpectrumGrid



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
        (n, grid.n) curves as stored (for a DOS: states/eV/cell), not normalised.
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
class Space:
    """Where candidates may lie.

    Parameters
    ----------
    elements
        Symbols allowed.
    n_components
        Fewest and most distinct elements.
    crystal_systems
        Allowed crystal systems.
    max_sites
        Most sites of the primitive cell.
    """

    elements: tuple[str, ...]
    n_components: tuple[int, int] = (1, 2)
    crystal_systems: tuple[str, ...] = ("cubic", "hexagonal")
    max_sites: int = 8


@dataclass(frozen=True)
class PropertyWindow:
    """Values of one property that count as a hit: value ± tolerance, in the property's unit."""

    property: str
    value: float
    tolerance: float


@dataclass(frozen=True)
class Target:
    """What is looked for: a curve, property windows, or both.

    Parameters
    ----------
    grid, curve
        Target curve of unit area: (grid.n,).
    hit_similarity
        Cosine similarity from which a computed curve counts as a hit.
    windows
        Property windows; all must hold.
    exclude_formulas
        Reduced formulas that may not be proposed, such as the target's own.
    """

    grid: SpectrumGrid | None = None
    curve: NDArray[np.float64] | None = None
    hit_similarity: float = 0.9
    windows: tuple[PropertyWindow, ...] = ()
    exclude_formulas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """One candidate as it leaves its generator.

    Parameters
    ----------
    structure
        A full crystal: cell, species, coordinates.
    score
        What the generator ranks by, higher first.
    probability
        Calibrated probability, where the generator gives one.
    parent
        Material id that it was made from, where there is one.
    detail
        Anything else worth keeping, JSON-ready.
    """

    structure: Structure
    score: float
    probability: float | None = None
    parent: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


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
    """

    metrics: Mapping[str, float]
    history: tuple[float, ...]
    n_train: int
    n_validation: int
    n_test: int
    core_seconds: float


class Generator(Protocol):
    """Learns from a training set, proposes crystals for a target."""

    name: str

    def fit(self, data: TrainingSet, seed: int, progress: Callable[[str, float], None]) -> FitReport:
        """Train from nothing on `data`."""
        ...

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` proposals, best first, reproducible from the state of `rng`."""
        ...

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json`` into an existing folder."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Generator:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        ...
