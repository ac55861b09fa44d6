import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.screening.funnel import STAGES


def references(tools):
    best = [tools.run([tools.build("A1", x)], "relaxation")[0][0] for x in ("Cu", "Au")]
    return [({x: 1.0}, s.scores["energy_per_atom"], f"m-{x}") for x, s in zip(("Cu", "Au"), best, strict=True)]


def batch(tools):
    good = [tools.build("A2"), tools.build("B2", "Cu", "Au"), tools.build("L1_2", "Cu", "Au")]
    bad = [
        tools.build("A1", "Pd"),
        tools.build("B2", "Cu", "Au", 1.0),
        tools.build("B2", "Au", "Cu", 12.0),
        Structure(Lattice.cubic(3.0), [{"Cu": 0.5, "Au": 0.5}], [(0, 0, 0)]),
    ]
    return [*good, *bad]


def test_the_whole_funnel_keeps_everything_with_its_reason(tools):
    crystals, told = batch(tools), []
    screened, tallies = tools.run(
        crystals, *STAGES, told=told, hull_entries=references(tools), max_energy_above_hull=1.0
    )
    assert [s.index for s in screened] == list(range(len(crystals)))
    assert [s.passed for s in screened] == [True, True, True, False, False, False, False]
    assert [t.stage for t in tallies] == list(STAGES)
    assert [t.n_in for t in tallies[1:]] == [t.n_out for t in tallies[:-1]]
    assert all(t.n_in - t.n_out == sum(t.reasons.values()) for t in tallies)
    for crystal in screened:
        *before, last = crystal.verdicts
        assert all(v.passed for v in before)
        assert last.passed == crystal.passed
        assert crystal.passed or (last.reason and last.kind)
    assert {stage for stage, _ in told} == set(STAGES)
    assert all(0 <= share <= 1 for _, share in told)


def test_the_same_batch_gives_the_same_answer(tools):
    def once():
        screened, _ = tools.run(batch(tools), *STAGES, hull_entries=references(tools), max_energy_above_hull=1.0)
        return [(s.verdicts, s.scores) for s in screened]

    assert once() == once()


def test_a_potential_that_fails_on_one_crystal_costs_that_crystal(tools):
    class Choosy(type(tools.context().potential)):
        def calculator(self):
            Choosy.asked = getattr(Choosy, "asked", 0) + 1
            if Choosy.asked == 1:
                raise RuntimeError("cell too small for the cut-off")
            return super().calculator()

    screened, (tally,) = tools.run([tools.build("A1"), tools.build("A1", "Au")], "relaxation", potential=Choosy())
    assert [s.passed for s in screened] == [False, True]
    assert "cell too small" in screened[0].verdicts[0].reason
    assert tally.reasons == {"failed: RuntimeError": 1}


def test_a_missing_package_is_not_blamed_on_the_crystal(tools):
    class Missing(type(tools.context().potential)):
        def calculator(self):
            raise ModuleNotFoundError("chgnet")

    with pytest.raises(ModuleNotFoundError):
        tools.run([tools.build("A1")], "relaxation", potential=Missing())


def test_an_empty_batch_and_no_stages_hold(tools):
    assert tools.run([], *STAGES)[0] == []
    (screened,), tallies = tools.run([tools.build("A1")])
    assert screened.passed
    assert tallies == []


@pytest.mark.parametrize("stages", [("geometry", "magic"), ("geometry", "geometry")])
def test_unknown_and_repeated_stages_are_refused(tools, stages):
    with pytest.raises(InputError, match="known stages are composition, rules, geometry"):
        tools.run([], *stages)


@pytest.mark.parametrize("change", [{"volume_per_atom": (5, 2)}, {"min_distance": -1.0}, {"rattle": np.nan}])
def test_a_context_that_does_not_hold_is_refused(tools, change):
    with pytest.raises(InputError):
        tools.context(**change)
