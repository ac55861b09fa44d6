"""Prototypes have the space groups that the tables give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.representations.prototypes import PROTOTYPES

SPACE_GROUPS = {
    "A1": 225,
    "A2": 229,
    "A3": 194,
    "A4": 227,
    "B1": 225,
    "B2": 221,
    "B3": 216,
    "B4": 186,
    "B8_1": 194,
    "B_h": 187,
    "C1": 225,
    "C32": 191,
    "L1_2": 221,
    "D0_3": 225,
    "D0_19": 194,
}


@pytest.mark.parametrize("name", list(PROTOTYPES))
def test_space_group_and_crystal_system(name: str) -> None:
    prototype = PROTOTYPES[name]
    crystal = prototype.build("Al", "Ni" if "B" in prototype.slots else None, 15.0)
    analyser = SpacegroupAnalyzer(crystal, symprec=1e-3)
    assert analyser.get_space_group_number() == SPACE_GROUPS[name]
    assert analyser.get_crystal_system() == prototype.crystal_system
    assert len(analyser.find_primitive()) == len(crystal)


@given(st.sampled_from(sorted(PROTOTYPES)), st.floats(5.0, 80.0))
def test_volume_is_what_was_asked_for(name: str, volume: float) -> None:
    prototype = PROTOTYPES[name]
    crystal = prototype.build("Al", "Ni" if "B" in prototype.slots else None, volume)
    assert crystal.volume / len(crystal) == pytest.approx(volume)
    amounts = crystal.composition.get_el_amt_dict()
    assert (amounts["Al"], amounts.get("Ni", 0)) == prototype.stoichiometry


def test_wrong_decorations_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        PROTOTYPES["A1"].build("Al", None, 0.0)
    with pytest.raises(ValueError, match="2 element"):
        PROTOTYPES["B2"].build("Al", None, 10.0)
    with pytest.raises(ValueError, match="1 element"):
        PROTOTYPES["A1"].build("Al", "Ni", 10.0)
