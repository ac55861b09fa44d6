"""Volumes without a potential: by the lengths of bonds, whatever the volume that a crystal comes with."""

from __future__ import annotations

import numpy as np
import pytest

from fermiloop.platform.predictors.potential.volumes import guess_volume, volume_by_bonds
from fermiloop.platform.representations.structure_types import prototype, structure_types

TEXTBOOK = {  # Å³ per atom, by lattice parameters
    ("perovskite", "Sr Ti O"): 11.9, ("perovskite", "Ba Ti O"): 12.9, ("rutile", "Ti O"): 10.4, ("rutile", "V O"): 9.9,
    ("corundum", "Al O"): 8.5, ("corundum", "V O"): 10.0, ("spinel", "Mg Al O"): 9.4, ("rock salt", "Mg O"): 9.4,
    ("fluorite", "Ca F"): 13.6, ("half-Heusler", "Ti Ni Sn"): 17.3, ("wurtzite", "Zn S"): 19.8,
    ("elpasolite", "K Na Al F"): 13.4, ("copper gold", "Au Cu"): 14.4,
}  # fmt: skip


def test_textbook_volumes_are_met_more_closely_than_by_radii_alone() -> None:
    bonds, radii = [], []
    for (name, text), volume in TEXTBOOK.items():
        crystal = prototype(name, text.split(), 30.0)
        bonds.append(np.log(volume_by_bonds(crystal) / volume))
        amounts = {element.symbol: float(n) for element, n in crystal.composition.items()}
        radii.append(np.log(guess_volume(amounts) / volume))
    assert max(map(abs, bonds)) < 0.4
    assert np.mean(np.square(bonds)) < np.mean(np.square(radii))


def test_the_volume_given_is_not_read() -> None:
    small, large = (prototype("perovskite", ("Ba", "Ti", "O"), volume) for volume in (1.0, 60.0))
    assert volume_by_bonds(small) == pytest.approx(volume_by_bonds(large))


def test_elements_without_lengths_of_bonds_get_the_guess() -> None:
    for symbol in ("Ne", "Ar"):
        crystal = structure_types()["A1"].decorate((symbol,), 20.0)
        assert volume_by_bonds(crystal) == guess_volume({symbol: 1.0})
