"""Molecules in a box by GPAW: one k-point, a cell that stays, moments that reach the static calculation."""

from __future__ import annotations

import json

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.element_references import shipped
from fermiloop.flows.engines.gpaw import molecule
from fermiloop.flows.engines.gpaw.dft import initial_atoms
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.flows.engines.steps import tasks
from fermiloop.platform.representations.prototypes import PROTOTYPES

SETTINGS = GpawSettings(cutoff=600.0)


def test_a_molecule_has_one_k_point_and_a_crystal_those_of_the_method() -> None:
    from ase.calculators.calculator import kpts2mp
    from pymatgen.io.ase import AseAtomsAdaptor

    oxygen = shipped()["O"].structure
    own = molecule.settings_of(SETTINGS, oxygen)
    asked = {"density": own.kpoint_density, "gamma": True}
    assert kpts2mp(AseAtomsAdaptor.get_atoms(oxygen), asked["density"]).tolist() == [1, 1, 1]
    assert own.cutoff == SETTINGS.cutoff
    assert molecule.settings_of(SETTINGS, PROTOTYPES["A1"].build("Al", None, 16.5)) == SETTINGS


def test_moments_that_are_given_come_before_those_of_the_table() -> None:
    assert initial_atoms(shipped()["O"].structure, SETTINGS).get_initial_magnetic_moments().tolist() == [1.0, 1.0]
    iron = PROTOTYPES["B2"].build("Fe", "Al", 12.0)
    assert initial_atoms(iron, SETTINGS).get_initial_magnetic_moments().tolist() == [2.5, 0.0]
    iron.add_site_property("magmom", [-1.0, 0.0])
    assert initial_atoms(iron, SETTINGS).get_initial_magnetic_moments().tolist() == [-1.0, 0.0]


def test_a_relaxation_hands_the_moments_on() -> None:
    asked = shipped()["O"].structure

    def bare() -> Structure:
        return Structure(asked.lattice, asked.species, asked.frac_coords)

    found = tasks._with_moments_of(asked, bare())
    assert json.loads(json.dumps(found.as_dict()))["sites"][0]["properties"]["magmom"] == 1.0
    assert "magmom" not in tasks._with_moments_of(bare(), bare()).site_properties


@pytest.mark.slow
@pytest.mark.dft
def test_oxygen_is_a_triplet_without_a_curve(tmp_path) -> None:
    asked = Structure(
        Lattice.tetragonal(6.5, 7.0),
        ["O", "O"],
        [[0, 0, 0], [0, 0, 1.22 / 7.0]],
        site_properties={"magmom": [1.0, 1.0]},
    )
    task = {"structure": asked.as_dict(), "settings": {"cutoff": 600.0}}
    found = tasks.gpaw_static(task, tmp_path)
    assert found["magnetic_moment"] == pytest.approx(2.0, abs=0.05)
    assert "density" not in found
    assert found["energy"] < -8.0
