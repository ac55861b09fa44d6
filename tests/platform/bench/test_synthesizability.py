"""The bench of synthesizability: areas, baselines, splits."""

import gzip
import json

import numpy as np
import pytest

from fermiloop.platform.bench.crystal_data import formulas
from fermiloop.platform.bench.synthesizability import Area, element_scores, labelled, run_bench
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES


def quiet(_what, _share):
    return None


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Binaries in several prototypes, halides of which are in the ICSD; a few rows have no label."""
    rng, lines = np.random.default_rng(0), []
    kinds = [name for name, one in PROTOTYPES.items() if "B" in one.slots]
    for i, a in enumerate(("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Zn", "Al")):
        for j, b in enumerate(("O", "S", "Se", "F", "Cl", "Br", "I", "N")):
            for shift in (0, 3):
                crystal = PROTOTYPES[kinds[(i + 2 * j + shift) % len(kinds)]].build(a, b, 18.0)
                made = b in ("F", "Cl", "Br", "I") and rng.random() < 0.8
                line = {
                    "material_id": f"m-{len(lines)}", "cell": [*crystal.lattice.abc, *crystal.lattice.angles],
                    "species": [site.specie.symbol for site in crystal], "frac": crystal.frac_coords.tolist(),
                    "e_form": -1.0, "e_above_hull": float(rng.random()),
                }  # fmt: skip
                lines.append(line if len(lines) % 20 == 7 else line | {"icsd": int(made)})
    path = tmp_path_factory.mktemp("icsd") / "crystals.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    return path


@pytest.fixture(scope="module")
def crystals_and_labels(file):
    return labelled(file)


def test_an_area_counts_pairs_in_the_right_order():
    positive = np.array([True, True, False, False])
    assert Area.of(np.array([4.0, 3.0, 2.0, 1.0]), positive).value == 1
    assert Area.of(np.array([4.0, 1.0, 2.0, 3.0]), positive).value == 0.5
    assert Area.of(np.ones(4), positive).value == 0.5
    wide, narrow = (Area.of(np.tile([4.0, 1.0, 2.0, 3.0], n), np.tile(positive, n)) for n in (3, 300))
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
    with pytest.raises(InputError, match="4 positives and 0 others"):
        Area.of(np.ones(4), np.ones(4, dtype=bool))


def test_only_labelled_crystals_are_taken(crystals_and_labels):
    crystals, made = crystals_and_labels
    assert (len(crystals), len(made)) == (152, 152)
    assert "m-7" not in crystals.ids
    assert 0.2 < made.mean() < 0.6


def test_the_baseline_counts_elements(crystals_and_labels):
    crystals, made = crystals_and_labels
    scores = element_scores(crystals, made, crystals)
    halide = np.array([any(x in name for x in ("F", "Cl", "Br", "I")) for name in formulas(crystals)])
    assert scores[halide].mean() > scores[~halide].mean() + 0.1
    assert ((scores > 0) & (scores < 1)).all()


def test_the_whole_bench_runs_and_names_its_splits(file):
    found = run_bench(file, True, 0, quiet)
    by_name = {row["what"]: row for row in found["rows"]}
    assert len(by_name) == len(found["rows"]) == 9
    assert sum("composition and prototype" in name for name in by_name) == 4
    assert sum("composition alone" in name for name in by_name) == 4
    for row in found["rows"]:
        assert row["ours_low"] <= row["ours"] <= row["ours_high"]
    assert found["data"]["n"] == 152
    json.dumps(found)


def test_what_does_not_suit_is_refused(file, tmp_path):
    with pytest.raises(InputError, match="give --data"):
        run_bench(None, True, 0, quiet)
    few = tmp_path / "few.jsonl.gz"
    few.write_bytes(gzip.compress(b"\n".join(gzip.decompress(file.read_bytes()).split(b"\n")[:30])))
    with pytest.raises(InputError, match="100 are needed"):
        run_bench(few, True, 0, quiet)
