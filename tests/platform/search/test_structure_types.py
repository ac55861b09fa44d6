"""Generators over all structure types: proposals lie in their space, also from an empty store, sense first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.structure_types import prototype
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.search.enumeration import PrototypeEnumeration, PrototypeEnumerationOptions
from fermiloop.platform.search.fillings import MOST_WHOLE, Scorer, fillings
from fermiloop.platform.search.pool import _outside
from fermiloop.platform.search.random_pick import RandomPick, RandomPickOptions
from fermiloop.platform.search.templates import log_radius, negativity, tabulated_types

SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
ELEMENTS = ("Li", "Na", "Mg", "Sr", "Ba", "Al", "Ti", "V", "Fe", "Zr", "O", "F", "N", "S")


def silent(*_):
    pass


def crystals(*structures):
    n = len(structures)
    curves = np.full((n, DOS_GRID.n), np.nan)
    return TrainingSet(tuple(map(str, range(n))), structures, ("cubic",) * n, ("",) * n, DOS_GRID, curves)


def enumeration(*structures, **options):
    made = PrototypeEnumeration(PrototypeEnumerationOptions(structure_types="all", **options))
    made.fit(crystals(*structures), 0, silent)
    return made


def picker():
    made = RandomPick(RandomPickOptions("none", "all"))
    made.fit(crystals(), 0, silent)
    return made


MADE = {"prototype_enumeration": enumeration, "random_pick": picker}


@pytest.fixture(scope="module")
def from_nothing():
    return enumeration(temperature=0.2)


def formulas(proposals):
    return [p.structure.composition.reduced_formula for p in proposals]


def spaces():
    return st.builds(
        lambda elements, parts, systems, sites: Space(tuple(elements), parts, tuple(systems), sites),
        st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=7, unique=True),
        st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda both: (both[0], min(6, sum(both)))),
        st.lists(st.sampled_from(SYSTEMS), min_size=1, max_size=7, unique=True),
        st.integers(1, 60),
    )


@pytest.mark.parametrize("name", list(MADE))
def test_every_proposal_lies_in_its_space(name):
    made = MADE[name]()

    @settings(max_examples=6, deadline=None)
    @given(space=spaces(), seed=st.integers(0, 99))
    def holds(space, seed):
        target = Target(exclude_formulas=("TiO2", "SrTiO3"))
        found = made.sample(target, space, 3, np.random.default_rng(seed))
        assert [_outside(p.structure, target, space) for p in found] == [""] * len(found)
        again = made.sample(target, space, 3, np.random.default_rng(seed))
        assert [p.structure for p in found] == [p.structure for p in again]

    holds()


@pytest.mark.parametrize(
    ("elements", "parts", "expected"),
    [
        (("Ba", "Sr", "Ti", "O"), (3, 3), {"BaTiO3", "SrTiO3", "Sr2TiO4", "Ba2TiO4"}),
        (("V", "O"), (2, 2), {"V2O3", "VO2", "VO"}),
        (("Li", "Mg", "Al", "O", "F"), (3, 5), {"LiAlO2", "MgAl2O4", "LiMgF3"}),
    ],
)
def test_an_empty_store_gives_what_the_textbook_knows(from_nothing, elements, parts, expected):
    space = Space(elements, parts, SYSTEMS, 60)
    found = from_nothing.sample(Target(), space, 30, np.random.default_rng(0))
    assert expected <= set(formulas(found))
    assert all(2.0 < p.structure.volume / len(p.structure) < 90.0 for p in found)


def test_an_import_counts_more_than_the_table_and_its_prototype_comes_once():
    made = enumeration(*(prototype("perovskite", (a, "Ti", "O"), 12.0) for a in ("Ca", "Sr")), temperature=0.0)
    assert "E2_1" not in {t.name for t in made.templates}
    space = Space(("Ba", "Ca", "Sr", "Ti", "O"), (3, 4), SYSTEMS, 60)
    best = made.sample(Target(), space, 3, np.random.default_rng(0))[0]
    assert best.structure.composition.reduced_formula == "BaTiO3"
    assert best.detail["prototype"].startswith("ABC3/221")


def test_mixed_valence_is_allowed_where_it_is_asked_for():
    space = Space(("Fe", "O"), (2, 2), SYSTEMS, 60)
    made = {mixed: enumeration(prototype("D7_3", ("Fe", "O"), 10.0), mixed_valence=mixed, known=True, temperature=0.0)
            for mixed in (False, True)}  # fmt: skip
    found = {mixed: formulas(one.sample(Target(), space, 60, np.random.default_rng(0))) for mixed, one in made.items()}
    assert "Fe3O4" in found[True]
    assert "Fe3O4" not in found[False]


def test_a_table_that_is_none_is_refused_and_an_empty_store_needs_all():
    with pytest.raises(InputError, match="every is no table of structure types; choose one of cubic_hexagonal, all"):
        PrototypeEnumerationOptions(structure_types="every")
    with pytest.raises(InputError, match="set its option structure_types to all"):
        PrototypeEnumeration().fit(crystals(), 0, silent)
    with pytest.raises(InputError, match="set the option structure_types of random_pick to all"):
        RandomPick(RandomPickOptions("none")).fit(crystals(), 0, silent)


@pytest.mark.parametrize("name", list(MADE))
def test_saved_and_read_again_it_proposes_the_same(name, tmp_path: Path):
    made, space = MADE[name](), Space(("Ba", "Sr", "Ti", "O"), (2, 4), SYSTEMS, 60)
    made.save(tmp_path)
    again = type(made).load(tmp_path)
    both = [one.sample(Target(), space, 8, np.random.default_rng(2)) for one in (made, again)]
    assert formulas(both[0]) == formulas(both[1])


def test_a_beam_finds_the_best_of_all_fillings():
    template = next(t for t in tabulated_types() if t.name == "K2NaAlF6")
    symbols = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Al", "Ga", "Sc", "Y", "Ti", "Zr", "O", "F", "Cl", "S",
               "N", "Br")  # fmt: skip
    radii, values = (np.array([scale(s) for s in symbols]) for scale in (log_radius, negativity))
    scorer = Scorer(template, radii, values, 0.15, 0.5)
    kept = np.concatenate(list(fillings(scorer, 4)))
    assert 20 * 19 * 18 * 17 > MOST_WHOLE > len(kept)
    # the textbook's own compound, which departs from itself by nothing
    order = [template.examples[0][i] for i in range(4)]
    best = [symbols[i] for i in kept[np.argmax(scorer(kept))]]
    assert best == order
    assert all(len(set(row)) == 4 for row in kept[::500].tolist())
