"""Decoration and drawing."""

import numpy as np
import pytest

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator, elemental_volumes, slots_of
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.protocol import Space
from fermiloop.platform.representations.composition import row_of
from fermiloop.platform.representations.prototypes import PROTOTYPES


@pytest.mark.parametrize(
    ("formula", "prototype", "slots"),
    [
        ("Pt3Ni", "L1_2", ("Pt", "Ni")),
        ("PtNi3", "L1_2", ("Ni", "Pt")),
        ("NaCl", "B1", ("Na", "Cl")),
        ("Pd", "A1", ("Pd", None)),
        ("Pd", "B1", None),
        ("NaCl", "L1_2", None),
        ("MgF2", "C1", ("F", "Mg")),
    ],
)
def test_elements_fall_into_their_slots(formula, prototype, slots):
    assert slots_of(row_of(formula), PROTOTYPES[prototype]) == slots


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
