import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Target
from fermiloop.platform.plugins.stages import STAGES
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.representations.spectrum import DOS_GRID


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


def test_a_thousand_keep_their_verdicts_beside_one_that_spoils_the_batch(tools):
    class Picky:
        """Fails over a whole batch that holds a noble gas, as descriptors do over elements beyond their table."""

        calls = 0

        def similarity(self, structures, target):
            self.calls += 1
            if any("Xe" in s.symbol_set for s in structures):
                raise InputError("no descriptors of Xe")
            return np.full(len(structures), 0.7), np.full(len(structures), 0.1)

    picky = Picky()
    target = Target(grid=DOS_GRID, curve=DOS_GRID.normalise(np.exp(-(DOS_GRID.points**2))))
    batch = [tools.build("A1", volume=11.0 + 0.001 * i) for i in range(999)]
    batch.insert(357, tools.build("A1", "Xe", volume=60.0))
    screened, (tally,) = tools.run(batch, "target", surrogate=picky, target=target)
    assert [one.passed for one in screened].index(False) == 357
    assert sum(one.passed for one in screened) == 999
    assert "no descriptors of Xe" in screened[357].verdicts[0].reason
    assert all(one.scores["similarity_mean"] == 0.7 for one in screened if one.passed)
    assert picky.calls < 30  # halved, not asked one by one
    assert tally.n_out == 999


def test_a_crystal_without_an_energy_is_rejected_with_the_reason_at_the_hull(tools):
    potential = ChgnetPotential()
    entries = [({"Cu": 1.0}, -4.0, "m-1")]
    lonely = Structure(Lattice.cubic(14), ["Cu"], [(0, 0, 0)])
    screened, _ = tools.run([tools.build("A1"), lonely], "hull", potential=potential, hull_entries=entries)
    assert [one.passed for one in screened] == [True, False]
    assert "no neighbour within 6 Å" in screened[1].verdicts[0].reason
