"""Children of known crystals: within a group, and by the table of Hautier et al."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Species

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import PropertyWindow, Space, Target
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.representations.structure_types import prototype
from fermiloop.platform.representations.training import TrainingSet
from fermiloop.platform.search.ionic_substitution import likely_swaps, oxidation_states
from fermiloop.platform.search.substitution import Substitution, SubstitutionOptions, swaps

ELEMENTS = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "F", "Cl", "Br", "O", "S", "Cu", "Au")
SPACE = Space(ELEMENTS, (2, 2), ("cubic",), 4)


def silent(*_):
    pass


def salts():
    structures = [PROTOTYPES["B1"].build(a, b, 20.0) for a, b in (("Na", "Cl"), ("Mg", "O"))]
    structures.append(PROTOTYPES["L1_2"].build("Cu", "Au", 13.0))
    n = len(structures)
    labels = {"band_gap": np.array([5.0, np.nan, 0.0]), "formation_energy_per_atom": np.array([-2.1, -3.0, -0.1])}
    curves = np.full((n, DOS_GRID.n), np.nan)
    return TrainingSet(("a", "b", "c"), tuple(structures), ("cubic",) * n, ("",) * n, DOS_GRID, curves, labels)


def windows(name, value, tolerance):
    return Target(windows=(PropertyWindow(name, value, tolerance),))


def fitted(**options):
    made = Substitution(SubstitutionOptions(**options))
    made.fit(salts(), 0, silent)
    return made


def formulas(proposals):
    return [p.structure.composition.reduced_formula for p in proposals]


def test_parents_near_a_window_come_first_without_a_curve():
    proposals = fitted(temperature=0.0).sample(windows("band_gap", 5.0, 0.1), SPACE, 3, np.random.default_rng(0))
    assert {p.parent for p in proposals} == {"a"}
    assert set(formulas(proposals)) <= {"LiCl", "KCl", "RbCl", "NaF", "NaBr"}
    assert all(len(p.detail["swap"]) == 1 for p in proposals)


def test_data_mined_substitutions_are_neutral_and_change_several_ions():
    made = fitted(method="data_mined", temperature=0.0)
    proposals = made.sample(windows("formation_energy_per_atom", -2.1, 0.1), SPACE, 40, np.random.default_rng(0))
    found = formulas(proposals)
    assert {"KBr", "LiF"} <= set(found)  # both ions changed
    assert "NaCl" not in formulas([p for p in proposals if p.parent == "a"])
    assert all(0 < p.detail["substitution_probability"] <= 1 for p in proposals)
    assert made.failures["parent without oxidation states"] == 1  # Cu3Au
    volumes = {p.structure.composition.reduced_formula: p.structure.volume for p in proposals if p.parent == "a"}
    assert volumes["LiF"] < volumes["KBr"]


def test_swaps_of_several_elements_stay_in_the_space_and_in_the_groups():
    found = list(swaps(["Ca", "Zr", "S"], ("Ba", "Sr", "Ti", "O"), 3))
    assert found == [{"Ca": other, "Zr": "Ti", "S": "O"} for other in ("Ba", "Sr")]
    assert list(swaps(["Ca", "Zr", "S"], ("Ba", "Sr", "Ti", "O"), 2)) == []
    assert {"Na": "K", "K": "Na"} in list(swaps(["Na", "K", "Cl"], ("Na", "K", "Cl"), 2))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=8, unique=True),
    st.integers(1, 4),
)
def test_every_swap_leads_into_the_space(symbols, allowed, most):
    found = list(swaps(symbols, tuple(allowed), most))
    for swap in found:
        after = [swap.get(symbol, symbol) for symbol in symbols]
        assert set(after) <= set(allowed)
        assert len(set(after)) == len(symbols)
        assert 1 <= len(swap) <= most
        assert all(old != new for old, new in swap.items())
    assert len({tuple(sorted(swap.items())) for swap in found}) == len(found)


def test_further_parents_are_considered_where_the_nearest_have_no_child_in_the_space():
    data = oxides()
    made = Substitution(SubstitutionOptions(parents=1, changes=2, temperature=0.0))
    made.fit(data, 0, silent)
    space = Space(("Ba", "Sr", "Ti", "O"), (3, 4), ("cubic", "tetragonal"), 60)
    found = made.sample(windows("band_gap", 5.0, 0.1), space, 10, np.random.default_rng(0))
    assert {"BaTiO3", "Ba2TiO4"} <= set(formulas(found))
    assert {p.parent for p in found} == {"1", "2"}  # not the salt that is nearest, and that has no child here


def oxides():
    structures = [
        PROTOTYPES["B1"].build("Na", "Cl", 20.0),
        prototype("perovskite", ("Sr", "Zr", "O"), 14.0),
        prototype("layered perovskite", ("Sr", "Ti", "O"), 15.0),
    ]
    systems = ("cubic", "cubic", "tetragonal")
    curves = np.full((3, DOS_GRID.n), np.nan)
    return TrainingSet(
        ("0", "1", "2"),
        tuple(structures),
        systems,
        ("",) * 3,
        DOS_GRID,
        curves,
        {"band_gap": np.array([5.0, 3.0, 2.0])},
    )


@pytest.mark.parametrize("formula", ["NaCl", "SrTiO3"])
def test_likely_swaps_are_those_of_pymatgen(formula):
    from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionPredictor

    ions = oxidation_states(formula)
    composition = Composition({Species(symbol, state): amount for symbol, state, amount in ions})
    least = 0.02
    theirs = SubstitutionPredictor(threshold=least).composition_prediction(composition, to_this_composition=False)
    mine = likely_swaps(ions, least)
    assert [p for _, p in mine] == pytest.approx(sorted((one["probability"] for one in theirs), reverse=True))
    allowed = frozenset(("Ba", "Sr", "Ti", "Zr", "O", "Na", "K", "F", "Cl"))
    old = {symbol for symbol, _, _ in ions}
    inside = [(s, p) for s, p in mine if set(s.values()) | (old - set(s)) <= allowed]
    assert list(likely_swaps(ions, least, allowed)) == inside


def test_likely_swaps_keep_the_charge_and_are_ordered():
    ions = oxidation_states("NaCl")
    assert ions == (("Na", 1, 1.0), ("Cl", -1, 1.0))
    found = likely_swaps(ions, 1e-2)
    probabilities = [probability for _, probability in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert min(probabilities) > 1e-2
    assert {"Na": "K"} in [swap for swap, _ in found]


def test_states_that_cannot_be_told_are_named():
    assert oxidation_states("Cu3Au") == "parent without oxidation states"
    assert oxidation_states("Fe3O4") == "parent of mixed valence"


def test_saved_labels_come_back(tmp_path):
    made = fitted(method="data_mined")
    made.save(tmp_path)
    target = windows("band_gap", 5.0, 0.5)
    again = Substitution.load(tmp_path).sample(target, SPACE, 5, np.random.default_rng(3))
    assert formulas(again) == formulas(made.sample(target, SPACE, 5, np.random.default_rng(3)))


def test_bad_options_and_targets_are_refused():
    with pytest.raises(InputError, match="data_mined"):
        SubstitutionOptions(method="guess")
    with pytest.raises(InputError, match="probability"):
        SubstitutionOptions(least_probability=0.0)
    with pytest.raises(InputError, match="parent"):
        SubstitutionOptions(parents=0)
    with pytest.raises(InputError, match="target"):
        fitted().sample(Target(), SPACE, 1, np.random.default_rng(0))
