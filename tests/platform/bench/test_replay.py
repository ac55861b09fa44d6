"""The bench of replays, on a few synthetic crystals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.platform.bench import replay
from fermiloop.platform.campaign.replaying.replay import Course
from fermiloop.platform.errors import InputError

KEYS = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}


def silent(what: str, share: float) -> None:
    pass


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """140 salts of rock salt with a formation energy, and one without."""
    path, rng = tmp_path_factory.mktemp("replay") / "crystals.jsonl", np.random.default_rng(0)
    cations = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Ti", "Mn", "Fe", "Ni", "Zn")
    pairs = [(a, b) for a in cations for b in ("O", "S", "Se", "F", "Cl", "Br", "I", "N", "P", "C")]
    lines = []
    for i, (a, b) in enumerate(pairs):
        lines.append({"material_id": f"x-{i}", "cell": [4 + 0.01 * i, 4, 4, 60, 60, 60], "species": [a, b],
                      "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "e_form": float(rng.uniform(-1, 0))})  # fmt: skip
    lines.append(lines[0] | {"material_id": "bare", "e_form": None})
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_the_table_has_a_row_for_every_strategy_on_both_targets(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replay, "QUICK_COURSE", Course(known=10, calls=20, batch=10))
    monkeypatch.setattr(replay, "QUICK_STRATEGIES", ("random", "composition_trees"))
    shares: list[float] = []
    table: dict[str, Any] = replay.run_bench(file, True, 3, lambda what, share: shares.append(share))
    assert [row["what"] for row in table["rows"]] == [
        "band: random", "band: composition_trees", "lowest: random", "lowest: composition_trees",
    ]  # fmt: skip
    assert all(set(row) >= KEYS for row in table["rows"])
    assert all(row["ours_low"] <= row["ours"] <= row["ours_high"] and row["n"] == 2 for row in table["rows"])
    assert shares[-1] == 1
    assert [row["baseline"] for row in table["rows"]] == [True] * 4
    assert table["data"]["crystals"] == 140
    json.dumps(table, allow_nan=False)


def test_the_lowest_share_is_what_it_says(file: Path):
    pool = replay.labelled_pool(file, replay.PROPERTY, 20, None, 0, silent)
    condition = replay.lowest(pool, replay.PROPERTY, 0.1)
    assert replay.oracle_of(pool, condition).hits.sum() == 14
    assert replay.file_for(condition).target.properties[0].at_most == condition.high
    for share in (0.0, 1.0):
        with pytest.raises(InputError, match="between 0 and 1"):
            replay.lowest(pool, replay.PROPERTY, share)


def test_a_draw_is_seeded_and_leaves_out_what_has_no_label(file: Path):
    first, again, other = (replay.labelled_pool(file, replay.PROPERTY, 20, 50, seed, silent).ids for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert "bare" not in first


def test_a_file_without_the_label_says_what_it_holds(file: Path):
    with pytest.raises(InputError, match="holds no crystal with a band_gap; it holds formation_energy_per_atom"):
        replay.labelled_pool(file, "band_gap", None, None, 0, silent)


def test_too_few_crystals_are_refused(file: Path):
    with pytest.raises(InputError, match="ask for fewer calls"):
        replay.run_bench(file, False, 0, silent)
