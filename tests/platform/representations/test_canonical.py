"""The canonical form is one cell for all cells of a crystal, and its own canonical form."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.canonical import HANDS, canonical, cell_id, crystal_system

SITES = {
    "fcc": 1, "bcc": 1, "hcp": 2, "rocksalt": 2, "perovskite": 5, "spinel": 14, "triclinic": 5, "rhombohedral": 10,
    "monoclinic": 10, "free": 20,
}  # fmt: skip


def test_every_setting_has_the_same_primitive_cell(ten_crystals, nine_settings):
    for name, crystal in ten_crystals.items():
        for kind, cell in nine_settings(crystal, np.random.default_rng(3)).items():
            form = canonical(cell)
            assert len(form.symbols) == SITES[name], (name, kind)
            near = 1e-3 if kind == "noise" else 1e-6
            assert form.volume_per_atom == pytest.approx(crystal.volume / len(crystal), rel=near), (name, kind)
            assert form.structure.composition.reduced_formula == form.formula
            assert np.linalg.det(form.lattice) > 0


def test_it_is_its_own_canonical_form(ten_crystals, nine_settings):
    for crystal in ten_crystals.values():
        for cell in nine_settings(crystal, np.random.default_rng(4)).values():
            form = canonical(cell)
            assert canonical(form.structure).key == form.key == cell_id(form.structure)


@pytest.mark.parametrize("group", ["Aem2", "C2/c", "Cmce", "I4_1/amd", "Fdd2", "R-3m", "P2_1/c", "P-1", "Ia-3d"])
def test_every_centring(group):
    lattices = {
        "C2/c": Lattice.monoclinic(9, 7, 6, 105), "P2_1/c": Lattice.monoclinic(9, 7, 6, 105),
        "R-3m": Lattice.hexagonal(6, 14), "P-1": Lattice.from_parameters(6, 7, 8, 80, 95, 100),
        "I4_1/amd": Lattice.tetragonal(6, 11), "Ia-3d": Lattice.cubic(12),
    }  # fmt: skip
    lattice = lattices.get(group, Lattice.orthorhombic(7, 8, 9))
    crystal = Structure.from_spacegroup(group, lattice, ["Zr"], [[0.11, 0.17, 0.23]])
    form = canonical(crystal)
    assert len(crystal) % len(form.symbols) == 0
    assert form.volume_per_atom == pytest.approx(crystal.volume / len(crystal))
    assert canonical(form.structure).key == form.key
    assert (canonical(form.structure).symmetry, form.pseudo) == (form.symmetry, form.symmetry)


def test_charges_and_moments_are_no_part_of_it(ten_crystals):
    dressed = ten_crystals["perovskite"].copy(site_properties={"magmom": [1.0, 2.0, 0.0, 0.0, 0.0]})
    dressed.add_oxidation_state_by_element({"Sr": 2, "Ti": 4, "O": -2})
    assert canonical(dressed).key == canonical(ten_crystals["perovskite"]).key
    assert all(type(site.specie).__name__ == "Element" for site in canonical(dressed).structure)


def test_an_antiferromagnetic_cell_is_the_crystal_without_its_moments(ten_crystals):
    crystal = ten_crystals["bcc"] * (1, 1, 2)
    assert canonical(crystal.copy(site_properties={"magmom": [2.0, -2.0, 2.0, -2.0]})).key == canonical(crystal).key


def test_symmetry_is_told_with_its_orbits(ten_crystals):
    found = canonical(ten_crystals["spinel"])
    assert (found.space_group, found.symmetry, found.firm) == (227, "227 Al4 Mg2 O8", True)
    assert canonical(ten_crystals["monoclinic"]).symmetry == "12 Ga2 Ga2 O2 O2 O2"


def test_a_distortion_at_the_tolerance_is_no_firm_symmetry():
    cell = Lattice.cubic(3.95)
    sites = [[0, 0, 0], [0.5, 0.5, 0.5 + 0.007 / 3.95], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    found = canonical(Structure(cell, ["Pb", "Ti", "O", "O", "O"], sites))
    assert (found.space_group, found.firm) == (99, False)
    assert found.pseudo.startswith("221 ")


def test_crystal_systems_and_hands():
    systems = [crystal_system(n) for n in (1, 2, 3, 15, 16, 74, 75, 142, 143, 167, 168, 194, 195, 230)]
    assert systems == [
        *["triclinic"] * 2, *["monoclinic"] * 2, *["orthorhombic"] * 2, *["tetragonal"] * 2, *["trigonal"] * 2,
        *["hexagonal"] * 2, *["cubic"] * 2,
    ]  # fmt: skip
    assert len(HANDS) == 11
