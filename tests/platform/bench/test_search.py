"""The bench of the optimisers, on next to nothing."""

from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.bench import search
from fermiloop.platform.search.optimisers.registry import OPTIMISERS


def test_known_minima_are_the_goals():
    cluster, crystal = search.cluster_problem(), search.crystal_problem()
    assert cluster.goal == pytest.approx(-44.3268, abs=1e-4)
    assert crystal.goal / 16 == pytest.approx(-1.8684, abs=1e-3)
    assert search.cluster_problem(quick=True).budget < cluster.budget


def test_a_search_ends_at_its_goal_or_its_budget():
    problem = replace(search.cluster_problem(), budget=300)
    easy = replace(problem, goal=-30.0)
    missed, found = (search.run_method(p, "random", [0, 1]) for p in (replace(problem, goal=-99.0), easy))
    assert all(np.isinf(missed.calls))
    assert all(calls <= 300 for calls in found.calls)
    assert all(best <= -30.0 + 0.01 for best in found.best)


def test_the_table_has_a_row_for_every_method_on_every_landscape(monkeypatch):
    monkeypatch.setattr(search, "QUICK_SEEDS", 1)
    monkeypatch.setattr(search, "QUICK_SHARE", 0.06)
    shares = []
    table = search.run_bench(None, True, 0, lambda what, share: shares.append(share))
    assert len(table["rows"]) == 2 * len(OPTIMISERS)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    columns = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}
    assert all(columns <= set(row) and set(row) == set(table["rows"][0]) for row in table["rows"])
    for row in table["rows"]:
        assert 0 <= row["ours_low"] <= row["ours"] <= row["ours_high"] <= 1
        assert row["best"] >= row["goal"] - 1e-2
        assert row["n"] == 1
