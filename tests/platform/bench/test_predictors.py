"""The bench of the predictors, on synthetic labels and curves."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench import predictors
from fermiloop.platform.bench.predictors import Question, forward_rows, property_rows, run_bench
from fermiloop.platform.bench.splits import PUBLISHED
from fermiloop.platform.errors import InputError
from fermiloop.platform.predictors.descriptors import composition_descriptors

KEYS = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}
NAME = "formation_energy_per_atom"


def silent(what, share):
    pass


@pytest.fixture(scope="module")
def crystals(make_library):
    names = ("A1", "A2", "A3", "B1", "B2", "B3", "L1_2", "D0_3", "C32")
    return make_library(("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "Au", "Mg"), names, every=2)


@pytest.fixture(scope="module")
def file(crystals, tmp_path_factory):
    path = tmp_path_factory.mktemp("predictors") / "crystals.jsonl"
    records = [
        {
            "material_id": name,
            "cell": structure.lattice.parameters,
            "species": [site.specie.symbol for site in structure],
            "frac": structure.frac_coords.tolist(),
            "e_form": crystals.labels[NAME][i],
        }
        for i, (name, structure) in enumerate(zip(crystals.ids, crystals.structures, strict=True))
    ]
    path.write_text("\n".join(json.dumps(record) for record in records))
    return path


def test_each_question_has_an_error_and_a_coverage(file, crystals, monkeypatch):
    monkeypatch.setattr(predictors, "TREES", 10)
    told = []
    result = run_bench(file, True, 0, lambda what, share: told.append(share))
    assert [row["what"].split(",")[0] for row in result["rows"]] == [
        f"{NAME} from {inputs}" for inputs in ("composition", "structure") for _ in range(2)
    ]
    error, coverage = result["rows"][2:]
    assert error["published"] == 0.039
    assert error["ours_low"] < error["ours"] < error["ours_high"]
    assert coverage["ours_low"] <= coverage["ours"] <= coverage["ours_high"] <= 1
    assert all(set(row) == KEYS for row in result["rows"])
    assert 0 < error["n"] == coverage["n"] <= 0.15 * len(crystals)
    assert told[-1] == 1.0
    assert json.dumps(result, allow_nan=False)


def test_a_learnable_property_is_predicted_better_than_by_its_mean(crystals, monkeypatch):
    monkeypatch.setattr(predictors, "TREES", 10)
    x = composition_descriptors(crystals.structures)
    error, _ = property_rows(Question(NAME, "composition", PUBLISHED), x, crystals, False, 0)
    assert error["ours"] < 0.3 * np.abs(crystals.labels[NAME] - crystals.labels[NAME].mean()).mean()
    assert 0 < error["baseline"] < 1


def test_similarities_of_held_out_curves(make_library):
    elements = ("Al", "Ti", "Ni", "Cu", "Pd", "Pt", "Au", "Mg", "Ag", "Zn")
    every = make_library(elements, ("A1", "A2", "A3", "B1", "B2", "B3", "L1_2", "D0_3"), every=2)
    one_each = {
        every.structures[i].composition.reduced_formula: i for i in np.random.default_rng(0).permutation(len(every))
    }
    crystals = every.subset(sorted(one_each.values()))
    error, coverage = forward_rows(crystals, 0)
    assert error["ours"] < error["baseline"]
    assert error["n"] == coverage["n"] < len(crystals) / 4
    assert 0.5 < coverage["ours"] <= 1


def test_files_with_too_little_are_refused(file, tmp_path):
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(file.read_text().splitlines()[:20]))
    with pytest.raises(InputError, match="fewer than 100"):
        run_bench(few, True, 0, silent)
