"""A small pool of made-up salts whose answers follow from their chemistry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pymatgen.core import Element

from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.predictors.surrogates import learners
from fermiloop.platform.representations.conditions import Condition
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import Target, TrainingSet

CATIONS = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Al", "Ti", "Ni", "Zn")
ANIONS = ("F", "Cl", "O", "S", "N")
ENERGY = "formation_energy_per_atom"


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "TREES", 10)


@pytest.fixture(scope="session")
def salts() -> TrainingSet:
    """120 crystals; the energy is minus the squared difference of electronegativities, a little lower in B1."""
    ids, structures, kinds, values = [], [], [], []
    for a, b, kind in product(CATIONS, ANIONS, ("B1", "B2")):
        radius = Element(a).atomic_radius + Element(b).atomic_radius
        ids.append(f"{a}{b}-{kind}")
        structures.append(PROTOTYPES[kind].build(a, b, 0.6 * float(radius) ** 3 + 6))
        kinds.append(kind)
        values.append(-((Element(a).X - Element(b).X) ** 2) - (0.2 if kind == "B1" else 0.0))
    n = len(ids)
    nothing = np.full((n, DOS_GRID.n), np.nan)
    return TrainingSet(
        tuple(ids), tuple(structures), ("cubic",) * n, tuple(kinds), DOS_GRID, nothing, {ENERGY: np.array(values)}
    )


@pytest.fixture(scope="session")
def lowest_tenth(salts: TrainingSet) -> Oracle:
    return Oracle(salts, Target(windows=(Condition(ENERGY, high=float(np.quantile(salts.labels[ENERGY], 0.1))),)))


@pytest.fixture(scope="session")
def file() -> CampaignSpec:
    """A campaign file of which a replay changes the budget."""
    return CampaignSpec.model_validate(
        {
            "name": "replayed",
            "target": {"properties": [{"name": ENERGY, "at_most": -4.0}], "stable_within": None},
            "space": {"elements": ["H"]},
            "generators": [{"name": "random_pick", "proposals": 1}],
            "surrogate": {"name": "trees", "options": {"calibrated": False}},
            "budget": {"rounds": 3, "evaluations": 25, "per_round": 10},
        }
    )
