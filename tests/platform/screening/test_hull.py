import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition

from fermiloop.platform.screening.hull import Hulls

REFERENCES = [
    ({"Cu": 1}, -1.0, "m-1"),
    ({"Au": 4}, -2.0, "m-2"),
    ({"Cu": 1, "Au": 1}, -1.7, "m-3"),
    ({"Na": 1}, -1.0, "m-4"),
]


def test_the_hull_of_a_binary_is_that_of_hand():
    hulls = Hulls(REFERENCES)
    # between Cu at -1.0 and CuAu at -1.7, halfway: -1.35; the elements alone would give -1.25
    above, formation = hulls.above(Composition("Cu3Au"), -1.3)
    assert above == pytest.approx(0.05)
    assert formation == pytest.approx(-0.05)


@given(st.floats(-3, 1))
def test_an_element_is_measured_against_its_own_reference(energy):
    above, formation = Hulls(REFERENCES).above(Composition("Cu4"), energy)
    assert above == pytest.approx(energy + 1.0)
    assert formation == pytest.approx(above)


def test_a_new_stable_phase_lies_below_zero():
    assert Hulls(REFERENCES).above(Composition("CuAu"), -1.9)[0] == pytest.approx(-0.2)


def test_stage_rejects_by_energy_and_for_want_of_references(tools):
    potential = tools.context().potential
    copper, gold = tools.build("A1", "Cu", volume=12.0), tools.build("A1", "Au", volume=12.0)
    energy = potential.energies([copper])[0]
    entries = [({"Cu": 1}, energy, "m-1"), ({"Au": 1}, energy, "m-2")]
    batch = [
        tools.build("L1_2", "Cu", "Au", 12.0),
        tools.build("B3", "Cu", "Au", 60.0),
        tools.build("B1", "Na", "Cl", 20.0),
    ]
    screened, (tally,) = tools.run([copper, gold, *batch], "hull", hull_entries=entries)
    assert [s.passed for s in screened] == [True, True, True, False, False]
    assert screened[0].scores["energy_above_hull"] == pytest.approx(0.0, abs=1e-6)
    assert screened[3].scores["formation_energy_per_atom"] > 0.2
    assert screened[4].verdicts[0].reason == "no elemental reference for Cl, Na under this Method"
    assert tally.reasons == {"above the hull": 1, "no elemental reference": 1}


def test_without_any_reference_everything_is_rejected_not_passed(tools):
    (screened,), _ = tools.run([tools.build("A1")], "hull")
    assert "no elemental reference for Cu" in screened.verdicts[0].reason
