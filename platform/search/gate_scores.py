"""What a trained generator is worth on crystals that it has not learned from: a score in 0 to 1 for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Generator, PropertyWindow, Proposal, Space, Target
from fermiloop.platform.plugins.declaration import load
from fermiloop.platform.plugins.generators import GENERATORS, generator
from fermiloop.platform.representations.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fermiloop.platform.representations.training import TrainingSet

FIRST: Final = 5  # proposals that are looked at
SYSTEMS: Final = ("cubic", "hexagonal", "trigonal", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
MOST_SITES: Final = 20
TOLERANCE: Final = 0.1  # eV/atom
ENERGY: Final = "formation_energy_per_atom"


class Scorer(Protocol):
    """Score of one crystal: row `i` of the data."""

    def __call__(self, model: Generator, data: TrainingSet, i: int, rng: np.random.Generator) -> float:
        """In 0 to 1."""
        ...


def composition_named(model: Generator, data: TrainingSet, i: int, rng: np.random.Generator) -> float:
    """1 where the crystal's composition is among the first five proposals for its own curve, else 0."""
    elements = sorted({e.symbol for one in data.structures for e in one.composition.elements})
    space = Space(tuple(elements), (1, max(2, len(data.structures[i].composition))), SYSTEMS, MOST_SITES)
    made = model.sample(Target(grid=data.grid, curve=data.grid.normalise(data.curves[i])), space, FIRST, rng)
    wanted = data.structures[i].composition.reduced_formula
    return float(any(one.structure.composition.reduced_formula == wanted for one in made))


def crystal_approached(model: Generator, data: TrainingSet, i: int, rng: np.random.Generator) -> float:
    """Likeness to the crystal of the nearest of five proposals with its elements and formation energy."""
    structure = data.structures[i]
    elements = tuple(sorted(e.symbol for e in structure.composition.elements))
    energy = float(data.labels[ENERGY][i]) if ENERGY in data.labels else float("nan")
    windows = (PropertyWindow(ENERGY, energy, TOLERANCE),) if np.isfinite(energy) else ()
    space = Space(elements, (len(elements), len(elements)), SYSTEMS, MOST_SITES)
    made = model.sample(Target(windows=windows), space, FIRST, rng)
    return max((_likeness(structure_of, fingerprint(structure)) for structure_of in made), default=0.0)


def score_on(name: str, model: Generator, data: TrainingSet, seed: int) -> NDArray[np.float64]:
    """(n,) score of each crystal, in order; each draws from a seed of its own, so that sets may grow.

    Raises
    ------
    InputError
        If the generator does not learn, so that there is nothing to compare.
    NotFoundError
        If there is no generator of that name.
    """
    scorer, _ = scorer_of(name)
    scores = np.zeros(len(data.ids))
    for i, key in enumerate(data.ids):
        rng = np.random.default_rng([seed, *key.encode()])
        try:
            scores[i] = scorer(model, data, i, rng)
        except InputError:  # it cannot answer this one, which is worth nothing
            scores[i] = 0.0
    return np.clip(scores, 0.0, 1.0)


def scorer_of(name: str) -> tuple[Scorer, bool]:
    """Scorer of a generator, and whether crystals need a curve.

    Raises
    ------
    InputError
        If the generator does not learn.
    NotFoundError
        If there is no generator of that name.
    """
    found = generator(name)
    if not found.scorer:
        compared = ", ".join(one.name for one in GENERATORS.values() if one.scorer)
        raise InputError(f"The generator {name} learns nothing that a gate could compare; choose {compared}.")
    scorer: Scorer = load(found.scorer)
    return scorer, found.needs_curve


def _likeness(proposal: Proposal, wanted: NDArray[np.float64]) -> float:
    """Cosine of two fingerprints, negative ones as 0."""
    found = fingerprint(proposal.structure)
    norm = float(np.linalg.norm(found) * np.linalg.norm(wanted))
    return max(0.0, float(found @ wanted) / norm) if norm > 0 else 0.0
