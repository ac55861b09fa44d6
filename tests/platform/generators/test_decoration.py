"""Decoration and drawing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator, elemental_volumes
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.protocol import Space
from fermiloop.platform.generators.slots import arrangement, reduced
from fermiloop.platform.representations.composition import row_of
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.structure_types import structure_types


@pytest.mark.parametrize(
    ("formula", "prototype", "slots"),
    [
        ("Pt3Ni", "L1_2", ("Pt", "Ni")),
        ("PtNi3", "L1_2", ("Ni", "Pt")),
        ("NaCl", "B1", ("Na", "Cl")),
        ("Pd", "A1", ("Pd",)),
        ("MgF2", "C1", ("F", "Mg")),
        ("CaTiO3", "E2_1", ("Ca", "Ti", "O")),
        ("SrMgF4", "E2_1", None),
        ("BaHfO3", "E2_1", ("Ba", "Hf", "O")),
        ("Co2MnSi", "L2_1", ("Co", "Mn", "Si")),
        ("ZrNiSn", "C1_b", ("Zr", "Ni", "Sn")),
        ("Cs2NaBiCl6", "K2NaAlF6", ("Cs", "Na", "Bi", "Cl")),
    ],
)
def test_elements_fall_into_their_slots(formula, prototype, slots):
    assert placed(formula, prototype) == slots


def placed(formula, prototype):
    """Elements by slot; None where the composition has no ratio of the structure type."""
    row, kind = row_of(formula), structure_types()[prototype]
    if sorted(count for _, count in row) != sorted(reduced(kind.amounts)):
        return None
    return arrangement(tuple((Element.from_Z(number).symbol, count) for number, count in row), kind)[0]


def test_alike_compounds_make_a_structure_type_likelier(ternary_library):
    decorator = Decorator.learn(ternary_library, "none")
    space = Space(("Sr", "Ba", "Ti", "O", "Ni", "Pt", "Al"), (1, 4), ("cubic", "tetragonal", "trigonal"), 20)
    shares = {one.prototype: one.share for one in decorator.decorations(row_of("SrTiO3"), space)}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.get) == "E2_1"
    assert set(shares) == {"E2_1", "PbTiO3", "E2_2"}  # by crystal system
    assert {one.prototype for one in decorator.decorations(row_of("Ba2TiNiO6"), space)} == {"K2NaAlF6"}
    for formula in ("SrTiO3", "Ba2TiNiO6"):
        for choice in decorator.decorations(row_of(formula), space):
            structure = decorator.build(choice)
            assert row_of(structure.composition) == row_of(formula)
            assert structure.is_valid(tol=1.0)
    assert decorator.ratios[4] == ((1, 1, 1, 1), (1, 1, 2, 6))
    assert (1, 1, 3) in decorator.ratios[3]
    assert decorator.decorations(row_of("SrTiO3"), replace(space, max_sites=4)) == []


def test_ternaries_of_the_training_set_that_no_table_holds_are_structure_types_too(ternary_library):
    sites = [[0, 0, 0]] + [[0, 0, i / 7] for i in range(2, 7)]
    crystal = Structure(Lattice.tetragonal(4, 7), ["Ti", "Ni", "Ni", "Ni", "Ni", "Pt"], sites)
    known = structure_types()["L2_1"].decorate(("Cu", "Mn", "Al"), 14.0)
    data = replace(
        ternary_library.subset([0, 1, 2]),
        structures=(crystal, known, ternary_library.structures[0]),
        prototypes=("ABC4-99", "ABC2-225", "A1"),
        crystal_systems=("tetragonal", "cubic", "cubic"),
    )
    decorator = Decorator.learn(data, "none")
    assert decorator.counts == {"A1": 1, "ABC4-99": 1, "L2_1": 1}
    space = Space(("Zr", "Co", "Pd"), (3, 3), ("tetragonal",), 8)
    for one in (decorator, Decorator(**json.loads(json.dumps(decorator.config())))):
        (only,) = [d for d in one.decorations(row_of("ZrCo4Pd"), space) if d.prototype == "ABC4-99"]
        assert row_of(one.build(only).composition) == row_of("ZrCo4Pd")


def test_every_decoration_has_the_composition_asked_for(dos_library):
    decorator = Decorator.learn(dos_library, "none")
    space = Space(("Al", "Ni"), max_sites=8)
    for formula in ("Al", "AlNi", "AlNi3", "Al2Ni", "Al3Ni"):
        choices = decorator.decorations(row_of(formula), space)
        assert choices
        assert sum(choice.share for choice in choices) == pytest.approx(1)
        for choice in choices:
            structure = decorator.build(choice)
            assert row_of(structure.composition) == row_of(formula)
            assert structure.volume / len(structure) == pytest.approx(15, rel=0.1)  # as in the training set
    assert decorator.decorations(row_of("Al3Ni2"), space) == []
    tetragonal = replace(space, crystal_systems=("tetragonal",))
    assert decorator.decorations(row_of("AlNi"), tetragonal) == []
    assert "L1_0" in {choice.prototype for choice in decorator.decorations(row_of("AlNi"), tetragonal, unseen=True)}
    assert decorator.decorations(row_of("AlNi"), space, unseen=True) == decorator.decorations(row_of("AlNi"), space)


def test_elemental_volumes_come_back():
    structures = [PROTOTYPES["A1"].build("Al", None, 16.0)] * 20 + [PROTOTYPES["B2"].build("Al", "Ni", 13.5)] * 20
    volumes = elemental_volumes(structures)
    assert volumes["Al"] == pytest.approx(16, abs=0.3)
    assert volumes["Ni"] == pytest.approx(11, abs=0.5)


def test_a_potential_finds_the_volume_and_a_stranger_is_refused(dos_library):
    decorator = Decorator.learn(dos_library, "analytic")
    structure = decorator.build(decorator.decorations(row_of("Al"), Space(("Al",)))[0])
    assert structure.volume / len(structure) != pytest.approx(15, rel=1e-3)
    with pytest.raises(InputError, match="vasp"):
        Decorator({}, {}, "vasp")


def test_draws_follow_the_weights_without_replacement():
    rng = np.random.default_rng(0)
    log_weights = np.log([0.6, 0.3, 0.1, 1e-300])
    firsts = [draw_without_replacement(log_weights, 1, rng)[0] for _ in range(3000)]
    assert np.bincount(firsts, minlength=4)[:3] / 3000 == pytest.approx([0.6, 0.3, 0.1], abs=0.04)
    assert draw_without_replacement(log_weights, 9, rng, temperature=0) == [0, 1, 2, 3]
    assert draw_without_replacement([-np.inf, 0.0], 2, rng) == [1]
    assert draw_without_replacement([], 3, rng) == []
