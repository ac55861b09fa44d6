import pytest
from pymatgen.core import Composition

from fermiloop.platform.generators.protocol import Space, Target
from fermiloop.platform.screening.composition import is_neutral_or_alloy


@pytest.mark.parametrize("formula", ["NaCl", "Pd", "O2", "Cu3Au", "TiO2"])
def test_neutral_compounds_alloys_and_elements_pass(formula):
    assert is_neutral_or_alloy(Composition(formula))


@pytest.mark.parametrize("formula", ["NaCl2", "He2O", "Na3Cl"])
def test_what_cannot_be_neutral_does_not(formula):
    assert not is_neutral_or_alloy(Composition(formula))


def test_each_rule_rejects_with_its_own_reason(tools):
    crystals = [
        tools.build("B1", "Na", "Cl"),
        tools.build("B1", "Na", "Br"),
        tools.build("A1", "Cu"),
        tools.build("L1_2", "Na", "Cl"),
        tools.build("B2", "Cu", "Au"),
    ]
    space = Space(("Cu", "Au", "Na", "Cl"), n_components=(2, 2))
    screened, (tally,) = tools.run(crystals, "composition", space=space, target=Target(exclude_formulas=("Au2Cu2",)))
    assert [s.passed for s in screened] == [True, False, False, False, False]
    assert "Br lies outside" in screened[1].verdicts[0].reason
    assert "1 elements where 2 to 2" in screened[2].verdicts[0].reason
    assert tally.reasons == {"element": 1, "number of elements": 1, "charge balance": 1, "excluded formula": 1}
    assert (tally.n_in, tally.n_out) == (5, 1)
