"""The structured network on crystals that are written down in another way: turned, shifted, axes and sites reordered.

Each is the same crystal, so what the network rebuilds of it should match it as well, and its properties should be
predicted as well, as for the crystal as the file has it. Rows have the loss beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from fermiloop.platform.bench.crystal_scores import reconstruction, row
from fermiloop.platform.bench.ftcp_models import crystals_of
from fermiloop.platform.representations.crystals import CrystalBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fermiloop.platform.generators.ftcp.generator import Ftcp
    from fermiloop.platform.representations.training import TrainingSet

    Move = Callable[[Structure, np.random.Generator], Structure]

PROPERTY: Final = "formation_energy_per_atom"
MOST: Final = 300
"""Crystals that are moved at most."""


def turned(crystal: Structure, rng: np.random.Generator) -> Structure:
    """Rotated in space."""
    matrix = Rotation.random(random_state=rng).as_matrix()
    return Structure(Lattice(crystal.lattice.matrix @ matrix.T), crystal.species, crystal.frac_coords)


def shifted(crystal: Structure, rng: np.random.Generator) -> Structure:
    """With another origin."""
    return Structure(crystal.lattice, crystal.species, (crystal.frac_coords + rng.random(3)) % 1)


def axes_swapped(crystal: Structure, rng: np.random.Generator) -> Structure:
    """With its axes in another order, right-handed again."""
    order = np.roll(np.arange(3), int(rng.integers(1, 3)))
    return Structure(Lattice(crystal.lattice.matrix[order]), crystal.species, crystal.frac_coords[:, order])


def sites_shuffled(crystal: Structure, rng: np.random.Generator) -> Structure:
    """With its sites in another order."""
    order = rng.permutation(len(crystal))
    return Structure(crystal.lattice, [crystal.species[i] for i in order], crystal.frac_coords[order])


MOVES: Final[dict[str, Move]] = {
    "rotated": turned,
    "shifted": shifted,
    "axes in another order": axes_swapped,
    "sites in another order": sites_shuffled,
}


def moved_rows(generator: Ftcp, test: TrainingSet, seed: int) -> list[dict[str, Any]]:
    """Match rate and error of the formation energy for each way of writing, beside those of the file's."""
    some = test.subset(range(min(MOST, len(test))))
    usual_match, usual_error = _measured(generator, some.structures, some)
    rows = []
    for name, move in MOVES.items():
        rng = np.random.default_rng(seed)
        match, error = _measured(generator, [move(crystal, rng) for crystal in some.structures], some)
        rows.append(row(f"structured, {name}: held-out match rate", match, baseline=usual_match.value,
                        note="the baseline is of the crystals as they are in the file"))  # fmt: skip
        if error is not None:
            rows.append(row(f"structured, {name}: {PROPERTY}, mean absolute error", error, baseline=usual_error,
                            n=len(some)))  # fmt: skip
    return rows


def _measured(generator: Ftcp, crystals: Sequence[Structure], test: TrainingSet) -> tuple[Any, float | None]:
    points = generator.model.encode(CrystalBatch.from_structures(crystals, generator.options.max_sites))
    found = reconstruction(crystals, crystals_of(generator.model.decode(points)))
    if PROPERTY not in generator.names:
        return found.matched, None
    with torch.no_grad():
        predicted = generator.model.predict(torch.tensor(points, dtype=torch.float32)).numpy()
    errors = np.abs(predicted[:, generator.names.index(PROPERTY)] - np.asarray(test.labels[PROPERTY], dtype=float))
    return found.matched, float(np.nanmean(errors)) if np.isfinite(errors).any() else None
