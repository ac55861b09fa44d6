"""Made-up salts whose labels and curves follow from their chemistry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pymatgen.core import Element

from fermiloop.platform.predictors.surrogates import learners
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import PropertyWindow, Target, TrainingSet

CATIONS = ("Li", "Na", "K", "Mg", "Ca", "Sr", "Al", "Ti", "Ni", "Cu")
ANIONS = ("F", "Cl", "O", "S")
GAP, ENERGY = "band_gap", "formation_energy_per_atom"


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "TREES", 12)


@pytest.fixture(scope="session")
def salts() -> TrainingSet:
    """80 crystals; the energy is minus the squared difference of electronegativities, a little lower in B1."""
    ids, structures, kinds, energies = [], [], [], []
    for a, b, kind in product(CATIONS, ANIONS, ("B1", "B2")):
        radius = float(Element(a).atomic_radius + Element(b).atomic_radius)
        ids.append(f"{a}{b}-{kind}")
        structures.append(PROTOTYPES[kind].build(a, b, 0.6 * radius**3 + 6))
        kinds.append(kind)
        energies.append(-((Element(a).X - Element(b).X) ** 2) - (0.2 if kind == "B1" else 0.0))
    values = np.array(energies)
    curves = np.exp(-(((DOS_GRID.points[None] - values[:, None] / 2) / 2.5) ** 2))
    return TrainingSet(
        tuple(ids), tuple(structures), ("cubic",) * len(ids), tuple(kinds), DOS_GRID, curves,
        {ENERGY: values, GAP: np.full(len(ids), np.nan)},
    )  # fmt: skip


@pytest.fixture(scope="session")
def both(salts: TrainingSet) -> Target:
    """A curve, a window, and a gap that nothing is labelled with."""
    return Target(
        grid=DOS_GRID,
        curve=DOS_GRID.normalise(salts.curves[0]),
        windows=(PropertyWindow(ENERGY, -3.0, 0.5), PropertyWindow(GAP, 1.0, 0.5)),
    )
