"""What forward models see of a crystal."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.crystal_inputs import describe_crystals
from fermiloop.platform.representations.prototypes import PROTOTYPES


def test_fractions_and_geometry_of_rock_salt():
    found = describe_crystals([PROTOTYPES["B1"].build("Na", "Cl", 22.0)])
    assert found.fractions[0, [10, 16]].tolist() == [0.5, 0.5]
    assert found.geometry[0, 0] == pytest.approx(np.log(22.0))
    assert 0.3 < found.geometry[0, 2] < 1  # six unlike neighbours, then twelve like ones
    assert (found.coupling[0] > 0).sum() == 2


def test_coupling_grows_as_atoms_come_nearer_and_falls_off_with_the_fourth_power():
    close, far = (describe_crystals([PROTOTYPES["A1"].build("Cu", None, volume)]).coupling[0, 28] for volume in (8, 64))
    assert close / far == pytest.approx(16)


def test_a_supercell_and_a_moved_cell_are_the_same_crystal():
    structure = PROTOTYPES["L1_2"].build("Ti", "Al", 16.0)
    moved = structure.copy().translate_sites([0, 1, 2, 3], [0.3, 0.1, 0.7])
    one, *others = (describe_crystals([s]) for s in (structure, structure * (2, 1, 1), moved))
    for other in others:
        for name in ("fractions", "geometry", "coupling"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-8)


def test_a_small_change_of_volume_changes_little_and_nothing_is_as_good_as_many():
    volumes = np.linspace(15, 16, 40)
    found = describe_crystals([PROTOTYPES["B2"].build("Ni", "Al", float(volume)) for volume in volumes])
    assert np.abs(np.diff(found.coupling[:, 27])).max() < 0.05 * found.coupling[:, 27].mean()
    assert describe_crystals([]).fractions.shape == (0, 83)


def test_elements_beyond_bismuth_are_refused():
    with pytest.raises(InputError, match="not U; leave"):
        describe_crystals([PROTOTYPES["A1"].build("U", None, 20.0)])
