"""A small pool of made-up salts whose answers follow from their chemistry."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pymatgen.core import Element

from fermiloop.platform.campaign.replaying import surrogates
from fermiloop.platform.campaign.replaying.pool import Goal, Pool, make_pool
from fermiloop.platform.representations.prototypes import PROTOTYPES

CATIONS = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Al", "Ga", "Ti", "Ni", "Cu", "Zn")
ANIONS = ("F", "Cl", "Br", "O", "S", "N")


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogates, "TREES", 20)


@pytest.fixture(scope="session")
def salts() -> Pool:
    """168 crystals; the answer is minus the squared difference of electronegativities, a little lower in B1."""
    ids, structures, kinds, values = [], [], [], []
    for a, b, kind in product(CATIONS, ANIONS, ("B1", "B2")):
        radius = Element(a).atomic_radius + Element(b).atomic_radius
        ids.append(f"{a}{b}-{kind}")
        structures.append(PROTOTYPES[kind].build(a, b, 0.6 * float(radius) ** 3 + 6))
        kinds.append(kind)
        values.append(-((Element(a).X - Element(b).X) ** 2) - (0.2 if kind == "B1" else 0.0))
    nothing = np.zeros(len(ids), dtype=bool)
    return make_pool(ids, structures, kinds, np.array(values), nothing, lambda _what, _share: None)


@pytest.fixture(scope="session")
def lowest_tenth(salts: Pool) -> tuple[Pool, Goal]:
    goal = Goal(-np.inf, float(np.quantile(salts.values, 0.1)))
    return salts.asked(goal), goal
