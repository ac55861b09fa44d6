"""The stage that asks whether a compound is like those that were made."""

import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.plugins.stages import STAGES, ordered
from fermiloop.platform.predictors.synthesizability import SHIPPED
from fermiloop.platform.screening.synthesizability import KIND, STAGE

ALIEN = Structure(Lattice.cubic(4.0), ["Rf"], [(0, 0, 0)])
MERCURY = Structure(
    Lattice.cubic(5.0), ["Tm", "Mg", "Hg", "Hg"], [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
)


def crystals(tools):
    return [tools.build("B1", "Na", "Cl", 20.0), MERCURY]


def screened(tools, structures, **options):
    return tools.run(structures, STAGE, options={STAGE: options})


def test_what_is_unlike_all_that_was_made_is_rejected_with_its_probability(tools):
    (salt, other), (tally,) = screened(tools, crystals(tools), least=0.7)
    verdict = other.verdicts[0]
    assert (salt.passed, other.passed) == (True, False)
    assert salt.verdicts[0].value > 0.7 > verdict.value
    assert verdict.reason == f"a probability of {verdict.value:.2f} that it can be made, less than 0.7"
    assert tally.reasons == {KIND: 1}


def test_nothing_is_rejected_at_zero_and_a_folder_of_ones_own_is_taken(tools):
    found, _ = screened(tools, crystals(tools), least=0.0, model=str(SHIPPED))
    assert [one.passed for one in found] == [True, True]
    with pytest.raises(InputError, match="holds no readable model"):
        screened(tools, crystals(tools), model="/nowhere")


def test_an_element_beyond_all_rejects_that_crystal_alone(tools):
    (salt, alien), (tally,) = screened(tools, [crystals(tools)[0], ALIEN], least=0.5)
    assert (salt.passed, alien.passed) == (True, False)
    assert tally.reasons == {"failed: InputError": 1}


def test_the_threshold_is_a_probability():
    with pytest.raises(InputError, match=r"from 0 to 1, not 1\.5"):
        STAGES[STAGE].settings({"least": 1.5})


def test_it_stands_before_what_costs():
    asked = ("target", "hull", STAGE, "relaxation", "rules", "duplicates", "geometry")
    assert ordered(asked) == ("rules", "geometry", "duplicates", STAGE, "relaxation", "hull", "target")
