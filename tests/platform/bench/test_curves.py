"""The bench of the composer on powder patterns, on a small synthetic library."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fermiloop.platform.bench import curves
from fermiloop.platform.bench.curves import crystal_rows, proposed, run_bench
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Proposal, Space
from fermiloop.platform.representations.diffraction import xrd_patterns
from fermiloop.platform.representations.grids import XRD_GRID

KEYS = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}


def silent(what, share):
    pass


class Parrot:
    """Answers with the crystals it was given, whatever the target."""

    def __init__(self, structures):
        self.structures = structures
        self.failures = Counter()

    def sample(self, target, space, n, rng):
        return [Proposal(structure, 0.0) for structure in self.structures[:n]]


@pytest.fixture(scope="module")
def file(make_library, tmp_path_factory):
    data = make_library(elements=("Al", "Ni", "Pd"), names=("A1", "B2", "L1_2", "C32"), every=1)
    path = tmp_path_factory.mktemp("curves") / "crystals.jsonl"
    records = [
        {
            "material_id": name,
            "cell": structure.lattice.parameters,
            "species": [site.specie.symbol for site in structure],
            "frac": structure.frac_coords.tolist(),
            "spacegroup": 225 if system == "cubic" else 191,
        }
        for name, structure, system in zip(data.ids, data.structures, data.crystal_systems, strict=True)
    ]
    path.write_text("\n".join(json.dumps(record) for record in records))
    return path


@pytest.fixture(scope="module")
def patterned(make_library):
    data = make_library(elements=("Al", "Ni", "Pd", "Au"), names=("A1", "B2", "L1_2"), every=1)
    return replace(data, grid=XRD_GRID, curves=xrd_patterns(data.structures))


def test_rows_bear_what_every_bench_says(patterned, monkeypatch, file):
    monkeypatch.setattr(curves, "crystal_rows", lambda *_: [])  # these crystals bear no name of a prototype
    result = run_bench(file, True, 0, silent)
    assert len(result["rows"]) == 4
    for row in result["rows"]:
        assert set(row) == KEYS
        assert 0 <= row["ours_low"] <= row["ours"] <= row["ours_high"] <= 1
        assert row["n"] == result["data"]["crystals"]
    assert result["rows"][0]["published"] == 0.98
    assert result["settings"]["grid"] == "10 to 90 degree in 401 points"
    assert json.dumps(result, allow_nan=False)


def test_crystals_are_proposed_for_patterns(patterned):
    rows = crystal_rows(patterned, True, 0, silent)
    held = ["held-out composition and prototype"] * 2
    assert [row["what"].split(", ")[-1] for row in rows] == ["in-sample"] * 2 + held
    assert all(set(row) == KEYS and 0 <= row["ours"] <= 1 for row in rows)
    assert rows[1]["ours"] > 0


def test_the_nearest_of_the_answers_counts(patterned):
    asked = patterned.subset([0, 1])
    space = Space(("Al", "Ni"))
    right = proposed(Parrot([patterned.structures[1], patterned.structures[0]]), asked, space, np.random.default_rng(0))
    np.testing.assert_allclose(right.nearest, 1)
    assert right.composition.all()
    alloy = patterned.structures[patterned.prototypes.index("B2")]
    wrong = proposed(Parrot([alloy]), asked, space, np.random.default_rng(0))
    assert (wrong.nearest < 0.9).all()
    assert not wrong.composition.any()
    nothing = proposed(Parrot([]), asked, space, np.random.default_rng(0))
    assert nothing.nearest.tolist() == [0, 0]


def test_files_without_such_crystals_are_refused(tmp_path):
    record = {"cell": [4, 4, 4, 90, 90, 90], "species": ["Na", "Cl", "O"], "frac": [[0, 0, 0], [0.5] * 3, [0.5, 0, 0]]}
    (tmp_path / "ternary.jsonl").write_text(json.dumps(record))
    with pytest.raises(InputError, match="one or two elements"):
        run_bench(tmp_path / "ternary.jsonl", True, 0, silent)
