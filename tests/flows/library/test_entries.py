"""Enumeration of the seed libraries: keys, order, charge balance."""

from __future__ import annotations

from collections import Counter

import pytest

from fermiloop.flows.engines.gpaw.settings import HARD_ELEMENTS
from fermiloop.flows.library.entries import ELEMENTS, Entry, hard_compounds, intermetallics


def test_keys_are_unique_and_the_order_is_fixed() -> None:
    for family in (intermetallics, hard_compounds):
        keys = [entry.key for entry in family()]
        assert len(keys) == len(set(keys))
        assert keys == [entry.key for entry in family()]


def test_no_element_needs_a_harder_cutoff() -> None:
    assert not HARD_ELEMENTS & {symbol for entry in intermetallics() for symbol in entry.elements}


def test_every_unary_is_in_every_elemental_prototype() -> None:
    counts = Counter(entry.elements[0] for entry in intermetallics() if len(entry.elements) == 1)
    assert counts == dict.fromkeys(ELEMENTS, 4)


def test_unaries_come_early() -> None:
    entries = intermetallics()
    places = [place for place, entry in enumerate(entries) if len(entry.elements) == 1]
    assert sum(places) / len(places) < len(entries) / 4


def test_small_cubic_cells_without_spin_come_before_what_costs_more() -> None:
    first = intermetallics()[:1000]
    cubic = [entry for entry in first if entry.prototypes[0] == "B1"]
    hexagonal = [entry for entry in first if entry.prototypes[0] == "B_h"]
    assert len(cubic) > len(hexagonal)  # of which there are as many
    assert sum("Fe" in entry.elements for entry in first) < sum("Ti" in entry.elements for entry in first)


def test_keys_are_those_of_the_shipped_records() -> None:
    keys = {entry.key for entry in intermetallics()}
    assert {"Al-None-A1", "Ag-Bi-B1|B2|B3", "Ag-Hf-L1_2|D0_3"} <= keys


def test_every_hard_compound_holds_a_hard_element_and_its_metals_are_there() -> None:
    entries = hard_compounds()
    alone = {entry.elements[0] for entry in entries if len(entry.elements) == 1}
    for entry in entries:
        if len(entry.elements) > 1:
            assert HARD_ELEMENTS & set(entry.elements)
            assert set(entry.elements) - HARD_ELEMENTS <= alone


@pytest.mark.parametrize(("formula", "there"), [("MgO", True), ("ZrO2", True), ("Li2O", True), ("NaO", False)])
def test_oxides_are_balanced(formula: str, there: bool) -> None:
    assert (formula in {entry.composition.reduced_formula for entry in hard_compounds()}) is there


def test_ternaries_and_tetragonal_types_are_there() -> None:
    soft = {entry.key for entry in intermetallics()}
    assert {"Ni-Mn-Ga-L2_1|X_a|CuFePt2", "Ti-Ni-Sn-C1_b", "Cu-Au-L1_0", "Al-Ti-D0_22"} <= soft
    hard = {entry.key for entry in hard_compounds()}
    assert {"Sr-Ti-O-E2_1", "K-Mg-F-E2_1", "Ti-O-C4|C6", "Li-Co-O-F5_1|CuFeO2", "Al-C-Fe-E2_1"} <= hard
    assert "K-Ti-O-E2_1" not in hard  # not balanced


def test_slots_and_elements_follow_each_other() -> None:
    assert Entry(("O", "Zr"), ("C1",)).composition.reduced_formula == "ZrO2"
