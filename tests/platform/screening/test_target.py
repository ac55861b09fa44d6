import numpy as np
import pytest

from fermiloop.platform.generators.protocol import Condition, PropertyWindow, Target
from fermiloop.platform.representations.spectrum import DOS_GRID

CURVE = Target(grid=DOS_GRID, curve=np.full(DOS_GRID.n, 1 / 15))


class Surrogate:
    """Predicts the number of sites, and chokes on gold as real ones choke on what they cannot describe."""

    def __init__(self):
        self.calls = 0

    def similarity(self, structures, target):
        self.calls += 1
        if any("Au" in s.composition for s in structures):
            raise ValueError("no features for Au")
        n = np.array([len(s) / 10 for s in structures])
        return np.where(n > 0.35, np.nan, n), n / 2


def test_predictions_come_in_one_call_and_nothing_is_rejected(tools):
    surrogate = Surrogate()
    batch = [tools.build("A1"), tools.build("A3"), tools.build("D0_3", "Cu", "Na")]
    screened, _ = tools.run(batch, "target", target=CURVE, surrogate=surrogate)
    assert surrogate.calls == 1
    assert [s.scores.get("similarity_mean") for s in screened] == [0.1, 0.2, None]
    assert screened[1].scores["similarity_std"] == pytest.approx(0.1)
    assert all(s.passed for s in screened)


def test_one_bad_crystal_does_not_spoil_the_batch(tools):
    batch = [tools.build("A1"), tools.build("A1", "Au"), tools.build("A3")]
    screened, (tally,) = tools.run(batch, "target", target=CURVE, surrogate=Surrogate())
    assert [s.passed for s in screened] == [True, False, True]
    assert screened[0].scores["similarity_mean"] == pytest.approx(0.1)
    assert "no features for Au" in screened[1].verdicts[0].reason
    assert tally.reasons == {"failed: ValueError": 1}


def test_without_a_surrogate_the_reason_says_so(tools):
    (screened,), _ = tools.run([tools.build("A1")], "target", target=CURVE)
    assert screened.passed
    assert screened.verdicts[0].reason == "nothing predicts its similarity"
    assert dict(screened.scores) == {}


def test_what_the_potential_computed_is_a_prediction_with_its_error(tools):
    energy = tools.context().potential.energies([tools.build("A1", volume=9.0)])[0]
    windows = (PropertyWindow("energy_per_atom", energy + 0.1, 0.1), PropertyWindow("band_gap", 1.5, 0.2))
    target = Target(windows=windows, stability=Condition("energy_above_hull", high=0.1))
    crystals, references = [tools.build("A1", volume=9.0)], [({"Cu": 1}, energy, "m-1")]
    (screened,), _ = tools.run(crystals, "hull", "target", target=target, hull_entries=references, potential_error=0.04)
    assert screened.scores["energy_per_atom_mean"] == pytest.approx(energy)
    assert screened.scores["energy_above_hull_mean"] == pytest.approx(0.0, abs=1e-9)
    assert screened.scores["energy_per_atom_std"] == screened.scores["energy_above_hull_std"] == 0.04
    assert screened.verdicts[1].reason == "nothing predicts its band_gap"


class Gaps:
    """A value of 0.1 for each site, with a spread of its own."""

    def __init__(self, spread):
        self.spread = spread

    def predict(self, structures):
        return np.array([0.1 * len(s) for s in structures]), np.full(len(structures), self.spread)


def test_an_ensemble_predicts_what_the_funnel_has_not_computed(tools):
    target = Target(windows=(PropertyWindow("band_gap", 0.1, 0.1),))
    batch = [tools.build("A1"), tools.build("A3")]
    screened, _ = tools.run(batch, "target", target=target, ensembles={"band_gap": Gaps(0.3)})
    assert [s.scores["band_gap_mean"] for s in screened] == pytest.approx([0.1, 0.2])
    assert [s.scores["band_gap_std"] for s in screened] == pytest.approx([0.3, 0.3])
    assert all("similarity_mean" not in s.scores for s in screened)


@pytest.mark.parametrize(("spread", "surer"), [(0.01, 0.1), (0.2, 0.0)])
def test_of_potential_and_ensemble_the_surer_counts(tools, spread, surer):
    energy = tools.context().potential.energies([tools.build("A1", volume=9.0)])[0]
    target, references = Target(stability=Condition("energy_above_hull", high=0.1)), [({"Cu": 1}, energy, "m-1")]
    (screened,), _ = tools.run(
        [tools.build("A1", volume=9.0)], "hull", "target", target=target, hull_entries=references,
        potential_error=0.05, ensembles={"energy_above_hull": Gaps(spread)},
    )  # fmt: skip
    assert screened.scores["energy_above_hull_mean"] == pytest.approx(surer, abs=1e-9)
    assert screened.scores["energy_above_hull_std"] == min(spread, 0.05)


def test_a_target_of_nothing_says_so(tools):
    (screened,), _ = tools.run([tools.build("A1")], "target", target=Target())
    assert screened.verdicts[0].reason == "the target has neither curve nor condition"


def test_what_the_hull_rejects_is_predicted_all_the_same(tools):
    batch = [tools.build("A2"), tools.build("A2"), tools.build("A1"), tools.build("A1", "Pd")]
    references = [({"Cu": 1.0}, -1000.0, "m-1")]
    stages = ("composition", "duplicates", "relaxation", "hull", "target")
    surrogate = Surrogate()
    screened, tallies = tools.run(batch, *stages, target=CURVE, surrogate=surrogate, hull_entries=references)
    assert [s.verdicts[-1].stage for s in screened] == ["hull", "duplicates", "hull", "composition"]
    assert ["similarity_mean" in s.scores for s in screened] == [True, False, True, False]
    assert (surrogate.calls, tallies[-1].n_in) == (1, 0)
    assert not any(s.passed for s in screened)


def test_without_the_stage_nothing_is_predicted_of_the_rejected(tools):
    surrogate, references = Surrogate(), [({"Cu": 1.0}, -1000.0, "m-1")]
    tools.run([tools.build("A1")], "relaxation", "hull", target=CURVE, surrogate=surrogate, hull_entries=references)
    assert surrogate.calls == 0


def test_the_potentials_bias_is_taken_off_its_energies_above_the_hull(tools):
    energy = tools.context().potential.energies([tools.build("A1", volume=9.0)])[0]
    target, references = Target(stability=Condition("energy_above_hull", high=0.1)), [({"Cu": 1}, energy, "m-1")]
    (screened,), _ = tools.run(
        [tools.build("A1", volume=9.0)], "hull", "target", target=target, hull_entries=references,
        potential_error=0.05, potential_bias=-0.1,
    )  # fmt: skip
    assert screened.scores["energy_above_hull"] == pytest.approx(0.0, abs=1e-9)
    assert screened.scores["energy_above_hull_mean"] == pytest.approx(0.1)


class Unsure:
    """Predicts, and tells no uncertainty of what it predicts."""

    def similarity(self, structures, target):
        return np.full(len(structures), 0.4), np.full(len(structures), np.nan)

    def predict(self, structures):
        return np.full(len(structures), 1.4), np.full(len(structures), np.nan)


def test_a_prediction_without_an_uncertainty_is_kept_without_one(tools):
    target = Target(grid=DOS_GRID, curve=CURVE.curve, windows=(PropertyWindow("band_gap", 1.5, 0.2),))
    models = {"surrogate": Unsure(), "ensembles": {"band_gap": Unsure()}}
    (screened,), _ = tools.run([tools.build("A1")], "target", target=target, **models)
    assert dict(screened.scores) == {"similarity_mean": 0.4, "band_gap_mean": 1.4}
    assert screened.verdicts[0].reason == ""
