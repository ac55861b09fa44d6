"""The bench of the loop, on small synthetic libraries."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench import loop, loop_cases
from fermiloop.platform.bench.loop import LoopOptions, outcome, run_bench, run_loop
from fermiloop.platform.bench.loop_cases import Course, pool_cases, window_cases
from fermiloop.platform.bench.loop_kept import Kept
from fermiloop.platform.campaign.replaying import loop as product
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.surrogates import learners

ENERGIES = np.linspace(-10, 8, 361)
KEYS = {
    "protocol", "strategy", "targets", "seeds", "calls", "hits", "times_random", "times_random_low",
    "times_random_high", "acceleration", "enhancement", "baseline",
}  # fmt: skip


def silent(what, share):
    pass


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(loop_cases, "FEWEST", 2)
    monkeypatch.setattr(loop_cases, "MOST", 40)
    monkeypatch.setattr(loop, "QUICK_COURSE", Course(10, 10, 5))
    monkeypatch.setattr(loop, "QUICK_WINDOWS", Course(10, 10, 5))
    monkeypatch.setattr(learners, "TREES", 8)
    monkeypatch.setattr("fermiloop.platform.bench.loop_baselines.TREES", 8)


@pytest.fixture(scope="module")
def crystals(make_library):
    elements = ("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "Ag", "V")
    return make_library(elements=elements, names=("A1", "B2", "L1_2", "C32"), every=1)


def written(path, lines):
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


@pytest.fixture(scope="module")
def library(crystals, tmp_path_factory):
    """The crystals as a file of the seed's format."""
    lines = []
    for i, one in enumerate(crystals.structures):
        curve = np.interp(ENERGIES, crystals.grid.points, crystals.curves[i])
        energy = (-3 + crystals.labels["formation_energy_per_atom"][i]) * len(one)
        lines.append(
            {
                "key": crystals.ids[i],
                "formula": one.reduced_formula,
                "prototype": crystals.prototypes[i],
                "structure": one.as_dict(),
                "dos": curve.tolist(),
                "energy": energy,
            }
        )
    return written(tmp_path_factory.mktemp("loop") / "library.jsonl", lines)


@pytest.fixture(scope="module")
def labelled(crystals, tmp_path_factory):
    """The crystals as a file of labels."""
    lines = [
        {
            "material_id": crystals.ids[i],
            "cell": [*one.lattice.abc, *one.lattice.angles],
            "species": [site.specie.symbol for site in one],
            "frac": one.frac_coords.tolist(),
            "e_form": float(crystals.labels["formation_energy_per_atom"][i]),
            "band_gap": float(i % 7) / 3,
        }
        for i, one in enumerate(crystals.structures)
    ]
    return written(tmp_path_factory.mktemp("loop") / "labelled.jsonl", lines)


def test_the_whole_table_of_a_quick_run(library, labelled):
    shares, options = [], LoopOptions(library, labelled, quick=True, targets=2)
    found = run_loop(options, lambda _, share: shares.append(share))
    rows = found["rows"]
    assert all(set(row) >= KEYS for row in rows)
    assert [row["protocol"] for row in rows if row["strategy"] == "default"] == [
        "pool", "hidden", "hidden", "hidden", "window", "lowest", "stable", "front"
    ]  # fmt: skip
    assert [row["calls"] for row in rows if row["strategy"] == "default"] == [10, 10, 20, 50, 10, 10, 10, 10]
    assert {row["strategy"]: row["baseline"] for row in rows} == {
        "default": False, "random": True, "nearest_composition": True, "extra_trees": True
    }  # fmt: skip
    for row in rows:
        assert 0 <= row["hits"] <= row["calls"]
        assert row["precision"] == pytest.approx(row["hits"] / row["calls"])
        assert (row["times_random"] or 0) <= (row["most_times_random"] or 0) + 1e-9
        if row["times_random_low"] is not None:
            assert row["times_random_low"] <= row["times_random"] <= row["times_random_high"]
        assert ("ratio_extra_trees" in row) == (row["strategy"] != "extra_trees")
        assert (row["hypervolume"] is None) == (row["protocol"] != "front")
        assert 0 < (row["hypervolume"] or 1) <= 1
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert found["skipped"] == {}
    json.dumps(found, allow_nan=False)


def test_protocols_without_their_file_are_left_out_with_a_reason(library, labelled, tmp_path):
    options = LoopOptions(library, quick=True, protocols=("pool", "lowest"), strategies=("random",), targets=1)
    found = run_loop(options, silent)
    assert {row["protocol"] for row in found["rows"]} == {"pool"}
    assert found["skipped"] == {"lowest": "Name a file of crystals with formation energies by --data."}
    with pytest.raises(InputError, match=r"no\.jsonl cannot be read"):
        run_loop(LoopOptions(tmp_path / "no.jsonl", labelled, quick=True), silent)
    with pytest.raises(InputError, match="nothing to run"):
        run_loop(LoopOptions(library, protocols=("window",)), silent)


def test_a_library_that_suits_one_protocol_alone_runs_that_one(library, monkeypatch):
    monkeypatch.setattr(loop, "QUICK_COURSE", Course(500, 10, 5))
    found = run_loop(LoopOptions(library, quick=True, strategies=("random",)), silent)
    assert {row["protocol"] for row in found["rows"]} == {"hidden"}
    assert "needs 511 curves" in found["skipped"]["pool"]


def test_a_file_says_itself_what_it_suits(library, labelled, monkeypatch):
    monkeypatch.setattr(loop, "QUICK", ("random",))
    assert {row["protocol"] for row in run_bench(labelled, True, 0, silent)["rows"]} == {
        "window", "lowest", "front"
    }  # fmt: skip
    assert {row["protocol"] for row in run_bench(library, True, 0, silent)["rows"]} == {"pool", "hidden", "stable"}


def test_unknown_names_are_refused_before_anything_is_read():
    with pytest.raises(InputError, match="'pond' is no protocol of the loop; known are pool"):
        LoopOptions(protocols=("pond",))
    with pytest.raises(InputError, match="'luck' is no strategy"):
        LoopOptions(strategies=("luck",))


def test_the_same_seed_gives_the_same_rows(library):
    options = LoopOptions(library, quick=True, protocols=("pool",), targets=1)
    first, second = (run_loop(options, silent)["rows"] for _ in range(2))
    assert first == second


def test_a_stopped_bench_goes_on_where_it_was(library, tmp_path, monkeypatch):
    path, made = tmp_path / "runs.jsonl", []
    options = LoopOptions(library, quick=True, protocols=("pool",), targets=2, resume=path)
    whole = run_loop(LoopOptions(library, quick=True, protocols=("pool",), targets=2), silent)["rows"]

    def counted(*asked):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(asked)
        return product.replay(*asked)

    monkeypatch.setattr(loop, "replay", counted)
    with pytest.raises(KeyboardInterrupt):
        run_loop(options, silent)
    monkeypatch.setattr(loop, "replay", product.replay)
    assert run_loop(options, silent)["rows"] == whole
    assert len(path.read_text().splitlines()) == 8
    monkeypatch.setattr(loop, "replay", None)  # nothing is left to be run
    assert run_loop(options, silent)["rows"] == whole


def test_strategies_that_are_one_are_run_once(crystals):
    case, kept = pool_cases(crystals, 1, [0], Course(10, 10, 5))[0], Kept(None)
    default = outcome(case, "default", kept)
    assert outcome(case, "probability", kept) == default  # the default says the same in the campaign file
    assert len(kept.rows) == 1
    outcome(case, "random", kept)
    assert len(kept.rows) == 2


def test_an_acquisition_is_left_out_where_it_does_not_suit(library, labelled):
    """Two objectives have no hit whose probability could be told, and one window has no front."""
    asked = ("probability", "hypervolume", "expected_improvement", "unnamed")
    options = LoopOptions(
        library, labelled, quick=True, protocols=("pool", "window", "front"), strategies=asked, targets=1
    )
    rows = run_loop(options, silent)["rows"]
    found = {
        name: {row["strategy"] for row in rows if row["protocol"] == name} & set(asked) for name in options.protocols
    }
    assert found["pool"] == {"probability", "expected_improvement", "unnamed"}
    assert found["window"] == {"probability", "expected_improvement"}
    assert found["front"] == {"hypervolume", "expected_improvement"}


def test_a_file_without_gaps_has_no_front(labelled, tmp_path):
    rows = [
        {k: v for k, v in json.loads(line).items() if k != "band_gap"} for line in labelled.read_text().splitlines()
    ]
    options = LoopOptions(
        None, written(tmp_path / "a.jsonl", rows), quick=True, protocols=("lowest", "front"), strategies=("random",)
    )
    found = run_loop(options, silent)
    assert {row["protocol"] for row in found["rows"]} == {"lowest"}
    assert "crystals with a formation energy and a band gap, and 0 are there" in found["skipped"]["front"]


def test_an_outcome_is_what_the_loop_of_the_product_finds(crystals):
    case = window_cases(crystals, [3], Course(10, 14, 5))[1]
    spec = case.spec(loop.strategy("default", None))
    run = product.replay(spec, case.oracle.target, case.oracle, case.known, 3)
    found = outcome(case, "default", Kept(None))
    assert found.total == sum(run.hits)
    assert found.ends == (5, 10, 14)
    assert [sum(found.found[a:b]) for a, b in ((0, 5), (5, 10), (10, 14))] == list(run.hits)
    assert found.left == len(crystals) - 10
