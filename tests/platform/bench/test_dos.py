"""The bench of DOS to composition, on synthetic libraries."""

import gzip
import json

import numpy as np
import pytest

from fermiloop.platform.bench.dos import SPLITS, run, run_bench, run_libraries
from fermiloop.platform.bench.library import read_libraries, read_library
from fermiloop.platform.errors import InputError

ENERGIES = np.linspace(-10, 8, 361)


def silent(stage, share):
    pass


def write(path, data, **change):
    records = [
        {
            "key": data.ids[i],
            "ok": True,
            "formula": data.structures[i].composition.reduced_formula,
            "prototype": data.prototypes[i],
            "structure": data.structures[i].as_dict(),
            "dos": np.interp(ENERGIES, data.grid.points, data.curves[i]).tolist(),
        }
        | change
        for i in range(len(data))
    ]
    text = "\n".join(json.dumps(record) for record in records)
    path.write_bytes(gzip.compress(text.encode())) if path.suffix == ".gz" else path.write_text(text)
    return path


@pytest.fixture(scope="module")
def small(make_library):
    return make_library(elements=("Al", "Ni", "Pd"), names=("A1", "A3", "B2", "B1", "L1_2", "C32"), every=1)


def test_every_model_on_every_split_with_sound_figures(small):
    result = run(small, quick=True, progress=silent)
    models = ("paper", "regression", "factorised", "nearest_neighbour", "random")
    *others, sets, proposals = result["rows"]
    assert (sets["model"], sets["split"]) == ("factorised", "no ternaries")
    assert (proposals["split"], proposals["n"]) == ("computed curves of proposals for held-out ternaries", 0)
    held = [row for row in others if row["model"] in models and row["split"] in SPLITS]
    baselines = {row["model"] for row in others} - set(models)
    assert baselines == {"formula vectors", "one-hot vectors", "one network for all", "element vectors"}
    assert [(r["model"], r["split"]) for r in held] == [(model, split) for model in models for split in SPLITS]
    for row in held:
        assert row["n"] == len(small) == result["data"]["n"]
        assert 0 <= row["top1"] <= row["top5"] <= 1
        assert row["top5_low"] <= row["top5"] <= row["top5_high"]
        assert row["dos_n"] <= row["n"]
        assert not row["dos_n"] or row["dos_low"] <= row["dos_accuracy"] <= row["dos_high"]
    by = {(r["model"], r["split"]): r for r in result["rows"]}
    assert by["nearest_neighbour", "in-sample"]["top1"] == 1
    assert by["nearest_neighbour", "in-sample"]["dos_accuracy"] == 1
    assert by["nearest_neighbour", "held-out composition"]["top5"] == 0  # impossible by construction
    assert by["nearest_neighbour", "in-sample"]["ece"] is None
    assert json.dumps(result, allow_nan=False)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_library_is_read_back(name, tmp_path, small):
    data, refused = read_library(write(tmp_path / name, small))
    assert refused == []
    assert data.ids == small.ids
    assert data.crystal_systems == small.crystal_systems
    np.testing.assert_allclose(data.curves, small.curves, atol=0.05)


def test_files_of_several_methods_are_one_library(tmp_path, small):
    half = len(small) // 2
    parts = (list(range(half)), list(range(half, len(small))))
    paths = [write(tmp_path / f"{i}.jsonl", small.subset(part)) for i, part in enumerate(parts)]
    with paths[1].open("a") as file:
        file.write('\n{"dos": 1}\n')
    data, refused = read_libraries(paths)
    assert data.ids == small.ids
    assert [one.split(":")[0] for one in refused] == [f"1.jsonl, line {len(small) - half + 1}"]
    told = run_bench(paths, True, 0, silent)["data"]
    assert (told["library"], told["n"]) == ("0.jsonl, 1.jsonl", len(small))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"energies": list(np.linspace(-5, 5, 361))}, "covers"),
        ({"dos": [0.0] * 361}, "area"),
        ({"dos": [1.0, 2.0]}, "as many values"),
        ({"structure": None}, "record"),
    ],
)
def test_refused_lines_say_why(change, reason, tmp_path, small):
    with pytest.raises(InputError, match=reason):
        read_library(write(tmp_path / "a.jsonl", small.subset([0]), **change))


def test_missing_broken_and_empty_files_are_refused(tmp_path):
    (tmp_path / "b.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "c.jsonl").write_text("")
    for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl"):
        with pytest.raises(InputError):
            read_library(tmp_path / name)


def test_another_library_is_tested_where_it_is_new(tmp_path, small, make_library):
    other = make_library(elements=("Al", "Ni", "Pd", "Cu"), names=("A1", "B2"), every=1)
    seed, test = write(tmp_path / "seed.jsonl", small), write(tmp_path / "test.jsonl", other)
    result = run_libraries([seed], None, test, quick=True, progress=silent)
    assert {row["split"] for row in result["rows"]} == {"transfer"}
    new = {s.composition.reduced_formula for s in other.structures} - {
        s.composition.reduced_formula for s in small.structures
    }
    assert result["data"]["n_test"] == len(new)
    with pytest.raises(InputError, match="nothing to test"):
        run_libraries([seed], None, seed, quick=True, progress=silent)
