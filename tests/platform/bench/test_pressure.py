"""Changes of structure under pressure, by the toy potential."""

import numpy as np
import pytest

from fermiloop.platform.bench import pressure
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.predictors.potential.relaxing import Relaxation
from fermiloop.platform.representations.prototypes import PROTOTYPES


@pytest.fixture(scope="module")
def cheap():
    return potential("analytic").build()


def test_a_search_under_pressure_gives_a_space_group_and_a_seed_repeats(cheap):
    found = [pressure.found_group(cheap, "Na", "Cl", 20.0, 60, 1) for _ in range(2)]
    assert found[0] == found[1] > 1
    assert pressure.found_group(cheap, "Na", "Cl", 0.0, 1, 1) == 0  # one call relaxes nothing


@pytest.mark.parametrize(("apart", "denser", "expected"), [(0.1, 2.0, 0.1 * 160.21766 / 2.0), (5.0, 0.1, None)])
def test_the_change_is_where_the_enthalpies_are_equal(monkeypatch, apart, denser, expected):
    """Two incompressible phases: B2 higher in energy by `apart` eV and smaller by `denser` Å³ per atom."""

    def stiff(cheap, start, fmax, steps, pressure):
        b2 = len({tuple(np.round(x, 3)) for x in start.lattice.matrix}) and start.lattice.angles[0] == pytest.approx(90)
        crystal = PROTOTYPES["B1"].build("Na", "Cl", 20.0 - (denser if b2 else 0.0))
        return Relaxation(crystal, apart if b2 else 0.0, True, 1, 0.0)

    monkeypatch.setattr(pressure, "relax", stiff)
    found = pressure.change_of(None, "Na", "Cl")
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-3))
