"""The cross-strategy bench: a fair task, hits counted once, hybrids that learn, every strategy in the table."""

import numpy as np
import pytest

from fermiloop.platform.bench import cross
from fermiloop.platform.bench.cross import (
    HYBRIDS,
    Outcome,
    Scale,
    hits,
    make_task,
    options_of,
    run_pool,
    run_strategy,
    strategy_row,
)
from fermiloop.platform.bench.hybrid import HybridOptions, Known, Pool, Surrogate, refinements, run_hybrid
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.protocol import PropertyWindow, Space
from fermiloop.platform.plugins.generators import GENERATORS
from fermiloop.platform.representations.prototypes import PROTOTYPES

SCALE = Scale(8, 2, 200, "analytic", 20.0)
WINDOW = PropertyWindow("formation_energy_per_atom", -1.0, 0.1)


@pytest.fixture(scope="module")
def task(make_library):
    return make_task(make_library(every=3), SCALE, 0)


def test_the_task_is_labelled_by_its_oracle_and_hides_nothing_known(task):
    data = task.data
    np.testing.assert_allclose(task.oracle(data.structures[:5]), data.labels["formation_energy_per_atom"][:5])
    alone = [i for i, s in enumerate(data.structures) if len(s.composition) == 1]
    lowest = {data.structures[i].formula: 9.0 for i in alone}
    for i in alone:
        symbol = data.structures[i].composition.elements[0].symbol
        assert data.labels["formation_energy_per_atom"][i] >= -1e-9
        lowest[symbol] = min(lowest.get(symbol, 9.0), data.labels["formation_energy_per_atom"][i])
    assert all(lowest[symbol] == pytest.approx(0) for symbol in task.references)
    assert set(task.target.exclude_formulas) == {s.composition.reduced_formula for s in data.structures}
    assert not data.has_curve.any()


def test_a_formula_hits_once_and_shortfalls_count_as_calls(task):
    asked = [("NaCl", -1.0), ("NaCl", -1.05), ("KCl", -0.95), ("KBr", -1.5)]
    assert hits(asked, WINDOW) == 2
    goal = task.window.value
    row = strategy_row("x", Outcome([[("A", goal + 1), ("B", goal)], []]), task, 0.125)
    assert row["n"] == 16
    assert row["ours"] == pytest.approx(100 / 16)
    assert row["by_seed"] == [1, 0]
    assert row["proposed"] == pytest.approx(2 / 16)
    assert row["baseline"] == pytest.approx(12.5)
    empty = strategy_row("x", Outcome(reason="because"), task, None)
    assert (empty["ours"], empty["note"]) == (None, "because")


def test_strategies_make_no_hidden_calls_and_searches_get_the_budget():
    assert options_of("random_pick", SCALE) == {"potential": "none"}
    assert options_of("random_symmetric", SCALE)["oracle_calls"] == SCALE.budget
    assert options_of("substitution", SCALE) == {}


@pytest.mark.parametrize("name", cross.COMPARED)
def test_every_option_of_the_bench_is_one_of_the_generator(name):
    assert set(options_of(name, SCALE)) <= set(GENERATORS[name].option_names())
    GENERATORS[name].build(None, options_of(name, SCALE))


def test_strategies_propose_what_is_not_known(task):
    fitted = {}
    outcome = run_strategy("substitution", task, 0, fitted)
    assert len(outcome.asked) == SCALE.seeds
    assert not {formula for asked in outcome.asked for formula, _ in asked} & set(task.target.exclude_formulas)
    assert set(fitted) == {"substitution"}
    assert "curve" in run_strategy("dos_composer", task, 0, fitted).reason


def test_a_training_that_takes_too_long_is_told(task, monkeypatch):
    monkeypatch.setattr(cross.time, "process_time", iter(range(0, 10_000, 100)).__next__)
    assert "takes longer than 20 s" in run_strategy("prototype_enumeration", task, 0, {}).reason


def test_the_surrogate_interpolates_and_doubts_what_is_far():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4))
    model = Surrogate(x, x[:, 0])
    mean, std = model.predict(x[:5])
    np.testing.assert_allclose(mean, x[:5, 0], atol=0.5)
    assert model.predict(np.full((1, 4), 6.0))[1] > std.max()
    window = PropertyWindow("y", 1.0, 0.2)
    near, far = model.probability(np.array([[1.0, 0, 0, 0], [-2.0, 0, 0, 0]]), window)
    assert near > far


def test_a_pool_holds_no_twin_and_nothing_against_the_rules():
    salt = PROTOTYPES["B1"].build("Na", "Cl", 22.0)
    pool = Pool([salt, salt.copy(), PROTOTYPES["B1"].build("Ba", "F", 22.0), PROTOTYPES["B1"].build("K", "Cl", 0.5)],
                frozenset({"LiF"}))  # fmt: skip
    pool.extend([PROTOTYPES["B1"].build("Li", "F", 9.0), PROTOTYPES["B2"].build("Cs", "Cl", 33.0)])
    assert pool.formulas == ["NaCl", "CsCl"]
    assert len(pool.described) == 2


def test_refinements_are_like_crystals():
    decorator = Decorator({}, {"Na": 30.0, "K": 50.0, "Cl": 20.0}, "none")
    made = refinements(PROTOTYPES["B1"].build("Na", "Cl", 25.0), Space(("Na", "K", "Cl")), decorator)
    volumes = {round(s.volume / 2, 3) for s in made if s.composition.reduced_formula == "NaCl"}
    assert volumes == {24.0, 26.0}
    assert [s.volume / 2 for s in made if s.composition.reduced_formula == "KCl"] == [pytest.approx(35.0)]


def test_feedback_finds_more_than_one_round(task):
    """A made-up property: the surrogate starts from two crystals and must learn it from the answers."""
    rng = np.random.default_rng(0)
    crystals = [PROTOTYPES["B2"].build(a, b, 15.0) for a in ("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "V", "Fe", "Nb", "Mo")
                for b in ("Sc", "Zr", "Hf", "Co", "Rh", "Ir", "Mn", "Zn", "Ga", "Y")]  # fmt: skip
    pool = Pool(crystals, frozenset())

    def oracle(structures):
        return np.array([-sum(e.group for e in s.composition.elements) / 10 for s in structures])

    seen = rng.permutation(len(pool.structures))[:6]
    known = Known(pool.described[seen], oracle([pool.structures[i] for i in seen]))
    window = PropertyWindow("y", -1.3, 0.06)
    counts = []
    for rounds in (1, 4):
        fresh = Pool(crystals, frozenset())
        asked = run_hybrid(fresh, known, window, 20, oracle, lambda s: [], HybridOptions(rounds, 0))
        assert len(asked) == 20
        assert len({s.composition.reduced_formula for s, _ in asked}) == 20
        counts.append(sum(abs(v - window.value) <= window.tolerance for _, v in asked))
    assert counts[1] >= counts[0]
    assert counts[1] > 0


def test_hybrids_use_what_was_fitted(task):
    fitted = {}
    run_strategy("random_pick", task, 0, fitted)
    outcome = run_pool(task, 0, fitted, next(iter(HYBRIDS.values())))
    assert [len(asked) <= SCALE.budget for asked in outcome.asked] == [True] * SCALE.seeds
    assert any(outcome.asked)


def test_every_generator_and_hybrid_has_a_row(tmp_path, make_library, monkeypatch):
    kept = {name: GENERATORS[name] for name in ("dos_composer", "substitution", "random_pick", "genetic")}
    monkeypatch.setattr(cross, "GENERATORS", kept)
    monkeypatch.setattr(cross, "COMPARED", tuple(kept))
    monkeypatch.setattr(cross, "read_crystals", lambda path: (make_library(every=3), []))
    found = cross.run_bench(tmp_path / "x", True, 0, lambda what, share: None)
    assert [row["what"].split(": hits")[0] for row in found["rows"]] == [*kept, *HYBRIDS]
    assert len({tuple(row) for row in found["rows"]}) == 1


def test_what_does_not_suit_is_refused(make_library):
    with pytest.raises(InputError, match="--data"):
        cross.run_bench(None, True, 0, lambda what, share: None)
    with pytest.raises(InputError, match="two elements"):
        make_task(make_library(names=("A1",)), SCALE, 0)
    with pytest.raises(InputError, match="0"):
        HybridOptions(rounds=0)
