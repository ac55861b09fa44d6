"""What every generator, learned or not, takes and gives: plain data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fermiloop.platform.representations.training import Condition, FitReport, PropertyWindow, Target, TrainingSet

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from pymatgen.core import Structure

__all__ = ["Condition", "FitReport", "Generator", "PropertyWindow", "Proposal", "Space", "Target", "TrainingSet"]


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


class Generator(Protocol):
    """Learns from a training set, proposes crystals for a target.

    Parameters
    ----------
    name
        Its key in the registry.
    failures
        Why draws of the last `sample` gave no crystal, and how many.
    """

    name: str
    failures: Counter[str]

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train from nothing on `data`.

        Parameters
        ----------
        data
            What to learn from.
        seed
            Of everything random.
        progress
            Told a stage and the share of it that is done; an exception out of it cancels.
        resume
            Folder where a long training keeps its state, and goes on from it.
        """
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
