"""A few crystals of few elements, with labels that follow from them; no figure comes of these."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet

SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")


def make_data(n=24, seed=0, labels=("formation_energy_per_atom",), elements=("Li", "H", "O", "F", "Fe", "Zn")):
    random = np.random.default_rng(seed)
    structures = []
    for _ in range(n):
        sites = int(random.integers(2, 6))
        chosen = random.choice(elements, min(3, len(elements)), replace=False)
        cell = Lattice.from_parameters(*random.uniform(3.5, 5.5, 3), *random.uniform(80, 100, 3))
        places = random.permutation(8)[:sites]
        corners = np.array([[x, y, z] for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)])
        structures.append(Structure(cell, random.choice(chosen, sites), corners[places] + 0.2))
    values = {
        "formation_energy_per_atom": [-s.volume / 100 for s in structures],
        "band_gap": [len(s) for s in structures],
    }
    return TrainingSet(
        ids=tuple(f"m-{i}" for i in range(n)),
        structures=tuple(structures),
        crystal_systems=("triclinic",) * n,
        prototypes=("",) * n,
        grid=DOS_GRID,
        curves=np.full((n, DOS_GRID.n), np.nan),
        labels={name: np.array(values[name], dtype=float) for name in labels},
    )


@pytest.fixture(scope="session")
def data():
    return make_data()
