"""What is proposed and what is not, and why."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.generators.acceptance import accept, fault, shortest_distance, symmetrised
from fermiloop.platform.generators.protocol import Space, Target

ALL = ("cubic", "hexagonal", "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal")
SPACE = Space(("Na", "Cl"), (1, 2), ALL, 8)
SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def shaken(structure, width, seed=0):
    noise = np.random.default_rng(seed).normal(0, width, (len(structure), 3))
    moved = structure.frac_coords + noise / np.array(structure.lattice.abc)
    return Structure(structure.lattice, structure.species, moved)


def test_a_slightly_shaken_crystal_comes_out_symmetric_and_primitive():
    crystal = accept(shaken(SALT, 0.01), Target(), SPACE)
    assert isinstance(crystal, Structure)
    assert len(crystal) == 2
    assert crystal.get_space_group_info()[1] == 225


def test_a_strongly_shaken_one_stays_as_decoded():
    before = shaken(SALT, 0.4)
    crystal, system = symmetrised(before)
    assert system == "triclinic"
    assert len(crystal) == len(before)
    np.testing.assert_allclose(np.sort(crystal.distance_matrix.ravel()), np.sort(before.distance_matrix.ravel()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.scale_lattice(8 * 500), "volume"),
        (lambda s: s.scale_lattice(8 * 2), "volume"),
        (lambda s: s.translate_sites([0], s.frac_coords[1] - s.frac_coords[0] + 0.02), "closer"),
    ],
)
def test_impossible_crystals_are_refused(change, reason):
    crystal = SALT.copy()
    change(crystal)
    assert reason in fault(crystal)
    assert reason in accept(crystal, Target(), SPACE)


def test_flat_cells_and_numbers_that_are_none_are_refused():
    flat = Structure(Lattice.from_parameters(5, 5, 5, 170, 90, 90), ["Na"], [[0, 0, 0]])
    assert "angles" in fault(flat)
    broken = Structure(Lattice.cubic(4), ["Na"], [[np.nan, 0, 0]])
    assert fault(broken) == "not finite"


def test_what_lies_outside_the_space_is_refused():
    assert "elements" in accept(SALT, Target(), Space(("Na", "K"), (1, 2), ALL))
    assert "components" in accept(SALT, Target(), Space(("Na", "Cl"), (1, 1), ALL))
    assert "system" in accept(SALT, Target(), Space(("Na", "Cl"), (1, 2), ("hexagonal",)))
    assert "sites" in accept(SALT, Target(), Space(("Na", "Cl"), (1, 2), ALL, 1))
    assert "excluded" in accept(SALT, Target(exclude_formulas=("NaCl",)), SPACE)


def test_distances_count_an_atoms_own_images():
    chain = Structure(Lattice.from_parameters(0.4, 9, 9, 90, 90, 90), ["Na"], [[0, 0, 0]])
    assert shortest_distance(chain) == pytest.approx(0.4)
    assert shortest_distance(SALT) == pytest.approx(5.64 / 2)
    oblique = Structure(Lattice.from_parameters(4, 4, 4, 60, 60, 60), ["Na"], [[0, 0, 0]])
    assert shortest_distance(oblique) == pytest.approx(4.0)
