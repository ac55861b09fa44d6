"""All decorations of all prototypes: which there are, how they are ranked, what the rules refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.search.enumeration import (
    PrototypeEnumeration,
    PrototypeEnumerationOptions,
)
from fermiloop.platform.search.fillings import every_filling
from fermiloop.platform.search.templates import learn_templates, log_radius

SYSTEMS = ("cubic", "hexagonal", "tetragonal")


def silent(*_):
    pass


def training(structures):
    n = len(structures)
    return TrainingSet(
        tuple(map(str, range(n))),
        tuple(structures),
        ("cubic",) * n,
        ("",) * n,
        DOS_GRID,
        np.full((n, DOS_GRID.n), np.nan),
    )


def perovskite(a, b, x, length=3.9):
    frac = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    return Structure(Lattice.cubic(length), [a, b, x, x, x], frac)


def fitted(structures, **options):
    made = PrototypeEnumeration(PrototypeEnumerationOptions(**options))
    made.fit(training(structures), 0, silent)
    return made


@pytest.fixture(scope="module")
def salts():
    rock = [PROTOTYPES["B1"].build(a, b, 20.0) for a, b in (("Na", "Cl"), ("K", "Br"), ("Li", "F"))]
    return [*rock, perovskite("Sr", "Ti", "O"), perovskite("Ba", "Zr", "O", 4.2)]


def test_prototypes_are_learned_and_the_tabulated_ones_join_once(salts):
    templates, seen = learn_templates(salts, {}, 10, silent)
    learned = {t.name: t for t in templates if t.count}
    assert sorted(t.count for t in learned.values()) == [2, 3]
    assert {t.name for t in templates if not t.count} == set(PROTOTYPES) - {"B1"}
    rock = next(t for t in learned.values() if t.count == 3)
    assert rock.exchangeable == ((0, 1),)
    assert (rock.name, ("Na", "Cl")) in seen
    assert StructureMatcher().fit(rock.build(("Na", "Cl"), 20.0), salts[0])


def test_another_cell_and_origin_of_a_crystal_is_the_same_prototype(salts):
    moved = salts[3].copy()
    moved.translate_sites(range(5), (0.5, 0.5, 0.5))
    moved.make_supercell((2, 1, 1))
    templates, _ = learn_templates([salts[3], moved, salts[0], salts[0] * (1, 2, 1)], {}, 10, silent)
    assert sorted(t.count for t in templates if t.count) == [2, 2]


def test_every_decoration_comes_once():
    made = fitted([PROTOTYPES["B1"].build("Na", "Cl", 20.0), PROTOTYPES["C1"].build("Ca", "F", 14.0)], prototypes=2)
    space = Space(("Na", "Ca", "F", "Cl"), (2, 2), ("cubic",), 3)
    count = {t.name: len(scores) for t, _, scores in made.decorations(space)}
    rock, fluorite = (next(t for t in made.templates if len(t.slots) == n and t.count) for n in (2, 3))
    assert count[rock.name] == 6  # pairs, either order is the same crystal
    assert count[fluorite.name] == 12
    assert made.count(space) == sum(count.values())


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 6), slots=st.integers(1, 5))
def test_fillings_are_all_ordered_choices(n, slots):
    chosen = [tuple(row) for part in every_filling(n, slots) for row in part.tolist()]
    assert len(chosen) == len(set(chosen)) == np.prod([n - k for k in range(slots)]).clip(0)
    assert all(len(set(row)) == slots for row in chosen)


def test_like_occupants_rank_first_and_the_rules_refuse_the_rest(salts):
    made = fitted(salts, temperature=0.0)
    space = Space(("Ca", "Sr", "Ti", "Zr", "O", "Na"), (3, 3), ("cubic",), 5)
    proposals = made.sample(Target(), space, 4, np.random.default_rng(0))
    formulas = [p.structure.composition.reduced_formula for p in proposals]
    assert {"SrZrO3", "CaTiO3"} & set(formulas[:2])
    assert "SrTiO3" not in formulas  # known
    assert made.failures["known crystal"] == 1
    with_known = fitted(salts, temperature=0.0, known=True).sample(Target(), space, 1, np.random.default_rng(0))
    assert with_known[0].structure.composition.reduced_formula == "SrTiO3"
    assert StructureMatcher().fit(with_known[0].structure, salts[3])


def test_rules_refuse_what_cannot_be_neutral():
    made, free = (
        fitted([PROTOTYPES["B1"].build("Na", "Cl", 20.0)], prototypes=1, rules=rules) for rules in (True, False)
    )
    space = Space(("Sr", "Ba", "F"), (2, 2), ("cubic",), 2)
    formulas = {
        p.structure.composition.reduced_formula for p in made.sample(Target(), space, 50, np.random.default_rng(0))
    }
    assert formulas <= {"SrBa", "BaSr"}  # an alloy; SrF and BaF cannot be neutral
    assert made.failures["charge balance or electronegativity"] >= 2
    all_of_them = {
        p.structure.composition.reduced_formula for p in free.sample(Target(), space, 50, np.random.default_rng(0))
    }
    assert {"SrF", "BaF"} < all_of_them


def test_volumes_follow_the_elements_and_the_packing(salts):
    made = fitted(salts)
    rock = next(t for t in made.templates if t.count == 3)
    rebuilt = [made.build(rock, [site.specie.symbol for site in salt]) for salt in salts[:3]]
    assert np.mean([20.0 * len(crystal) / crystal.volume for crystal in rebuilt]) == pytest.approx(1.0)
    assert rebuilt[2].volume < rebuilt[1].volume  # LiF, KBr


def test_a_large_space_is_walked_through_in_chunks(salts):
    made = fitted(salts)
    elements = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Ti", "Zr", "V", "Nb", "Mn", "Fe", "Co", "Ni",
                "Cu", "Zn", "Al", "Ga", "In", "Si", "Ge", "Sn", "N", "P", "O", "S", "Se", "F", "Cl", "Br")  # fmt: skip
    space = Space(elements, (2, 3), SYSTEMS, 8)
    assert made.count(space) > 30_000
    first = made.sample(Target(exclude_formulas=("SrZrO3",)), space, 20, np.random.default_rng(1))
    assert len(first) == 20
    scores = [p.score for p in first]
    assert scores == sorted(scores, reverse=True)
    assert all(p.structure.composition.reduced_formula != "SrZrO3" for p in first)
    again = made.sample(Target(exclude_formulas=("SrZrO3",)), space, 20, np.random.default_rng(1))
    assert [p.structure for p in again] == [p.structure for p in first]


def test_bad_input_is_refused(salts):
    with pytest.raises(InputError, match="empty"):
        PrototypeEnumeration().fit(training([]), 0, silent)
    with pytest.raises(InputError, match="disordered"):
        PrototypeEnumeration().fit(
            training([Structure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [(0, 0, 0)])]), 0, silent
        )
    with pytest.raises(InputError, match="fit"):
        PrototypeEnumeration().sample(Target(), Space(("Na",)), 1, np.random.default_rng(0))
    with pytest.raises(InputError, match="windows"):
        PrototypeEnumerationOptions(radius_window=0.0)
    with pytest.raises(InputError, match="-1"):
        PrototypeEnumerationOptions(prototypes=-1)


def test_elements_without_a_tabulated_radius_have_one():
    assert np.isfinite([log_radius(symbol) for symbol in ("He", "Ne", "Fr", "Na")]).all()
