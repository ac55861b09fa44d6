import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.representations.fingerprint import fingerprint
from fermiloop.platform.screening.funnel import Known
from fermiloop.platform.screening.verdicts import DUPLICATE, KNOWN


def test_the_relaxed_crystal_and_its_energy_are_kept(tools):
    given = tools.build("A1", volume=11.5)
    (screened,), (tally,) = tools.run([given], "relaxation")
    assert screened.passed
    assert screened.structure.volume != pytest.approx(11.5, abs=0.1)
    assert screened.scores["energy_per_atom"] == screened.verdicts[0].value < 0
    assert tally.core_seconds > 0
    assert given.volume == pytest.approx(11.5)


def test_under_pressure_the_crystal_is_smaller_and_its_energy_is_no_enthalpy(tools):
    given = tools.build("A1", volume=11.5)
    free, pressed = (
        tools.run([given], "relaxation", options={"relaxation": {"pressure": pressure}})[0][0] for pressure in (0, 50)
    )
    assert pressed.structure.volume < 0.98 * free.structure.volume
    assert free.scores["energy_per_atom"] < pressed.scores["energy_per_atom"] < 0


def test_what_does_not_converge_is_rejected_and_keeps_its_own_structure(tools):
    given = tools.build("A1", volume=11.5)
    (screened,), (tally,) = tools.run([given], "relaxation", max_steps=1)
    assert screened.structure == given
    assert tally.reasons == {"not converged": 1}
    assert "not converged to 0.1 eV/Å in 1 steps" in screened.verdicts[0].reason


def test_a_volume_that_changes_beyond_measure_is_rejected(tools):
    (screened,), _ = tools.run([tools.build("A1", volume=36.0)], "relaxation", max_steps=400, max_force=0.01)
    assert screened.verdicts[0].kind == "the relaxation went astray"
    assert "times what it was" in screened.verdicts[0].reason


def test_twins_are_found_only_after_relaxation(tools):
    cubic = tools.build("A1", volume=11.0)
    strained = Structure(Lattice(cubic.lattice.matrix * [1, 1, 1.25]), ["Cu"], [(0, 0, 0)])
    before, _ = tools.run([cubic, strained], "duplicates")
    assert all(s.passed for s in before)
    after, (tally,) = tools.run([cubic, strained], "relaxation", max_steps=400, max_force=0.01)
    assert [s.passed for s in after] == [True, False]
    assert tally.reasons == {DUPLICATE: 1}
    store = [Known("m-7", "Cu", fingerprint(cubic), cubic)]
    (lone,), (tally,) = tools.run([strained], "relaxation", max_steps=400, max_force=0.01, known=store)
    assert tally.reasons == {KNOWN: 1}
    assert lone.verdicts[0].reason == "known as m-7"


def test_rattling_is_reproducible_and_leaves_the_symmetric_point(tools):
    given = tools.build("B1", "Cu", "Au", 13.0)
    runs = [tools.run([given], "relaxation", rattle=0.05, max_steps=400)[0][0] for _ in range(2)]
    assert np.array_equal(runs[0].structure.cart_coords, runs[1].structure.cart_coords)
    straight, _ = tools.run([given], "relaxation", max_steps=400)
    assert runs[0].scores.get("energy_per_atom", -9) <= straight[0].scores["energy_per_atom"] + 0.01
