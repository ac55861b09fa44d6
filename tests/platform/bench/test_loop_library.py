"""Libraries with labels: formation and hull from their own energies, curves on grids of their own."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench.library import read_library
from fermiloop.platform.bench.loop_library import read_labelled
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES

ENERGIES = np.linspace(-10, 8, 361)
CURVE = np.exp(-0.5 * (ENERGIES / 2) ** 2)


def record(name, a, b=None, energy=-1.0, **more):
    crystal = PROTOTYPES[name].build(a, b, 15.0)
    return {
        "key": f"{a}{b or ''}-{name}", "formula": crystal.composition.reduced_formula, "prototype": name,
        "structure": crystal.as_dict(), "dos": CURVE.tolist(), "energy": energy * len(crystal), **more,
    }  # fmt: skip


def write(path, *records):
    path.write_text("\n".join(json.dumps(one) for one in records))
    return path


def test_labels_follow_from_the_energies_of_the_library(tmp_path):
    rows = (
        record("A1", "Al"), record("A2", "Al", energy=-0.9), record("A1", "Ni", energy=-3.0),
        record("B2", "Al", "Ni", energy=-2.5), record("L1_2", "Al", "Ni", energy=-1.6), record("B2", "Pd", "Cu"),
    )  # fmt: skip
    data, refused = read_labelled(write(tmp_path / "a.jsonl", *rows))
    assert refused == []
    np.testing.assert_allclose(data.labels["energy_per_atom"], [-1, -0.9, -3, -2.5, -1.6, -1])
    formation, above = data.labels["formation_energy_per_atom"], data.labels["energy_above_hull"]
    np.testing.assert_allclose(formation[:4], [0, 0.1, 0, -0.5], atol=1e-9)
    np.testing.assert_allclose(above[:4], [0, 0.1, 0, 0], atol=1e-9)
    share = data.structures[4].composition.get_atomic_fraction("Ni")
    line = -0.5 * min(share, 1 - share) / 0.5  # between AlNi and an element
    assert above[4] == pytest.approx(formation[4] - line)
    assert np.isnan([formation[5], above[5]]).all()  # neither Pd nor Cu is there


def test_references_without_a_curve_count_in_the_hull(tmp_path):
    ground = record("A4", "Si", energy=-5.4, kind="reference")
    del ground["dos"]
    rows = (record("A2", "Si", energy=-4.9), record("A1", "Ni", energy=-3.0), record("B2", "Ni", "Si", energy=-5.0))
    data, refused = read_labelled(write(tmp_path / "a.jsonl", *rows, ground))
    assert (len(data), refused) == (3, [])
    np.testing.assert_allclose(data.labels["formation_energy_per_atom"], [0.5, 0, -0.8], atol=1e-9)


def test_a_record_without_an_energy_has_no_labels(tmp_path):
    bare = record("A1", "Al")
    del bare["energy"]
    data, _ = read_labelled(write(tmp_path / "a.jsonl", bare, record("A1", "Ni")))
    assert np.isnan(data.labels["energy_above_hull"][0])
    assert data.labels["energy_above_hull"][1] == 0


def test_two_records_of_one_key_are_refused(tmp_path):
    with pytest.raises(InputError, match="two records of the key Al-A1"):
        read_labelled(write(tmp_path / "a.jsonl", record("A1", "Al"), record("A1", "Al")))


@pytest.mark.parametrize("way", ["energies", "start and step"])
def test_a_curve_may_stand_on_a_grid_of_its_own(way, tmp_path):
    own = np.linspace(-9, 9, 301)
    said = {"energies": own.tolist()} if way == "energies" else {"energies_start": -9, "energies_step": 0.06}
    one = record("A1", "Al", dos=np.exp(-0.5 * (own / 2) ** 2).tolist(), **said)
    data, _ = read_library(write(tmp_path / "a.jsonl", one))
    np.testing.assert_allclose(data.curves[0], np.exp(-0.5 * (data.grid.points / 2) ** 2), atol=1e-3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"energies_start": -10}, "belong together"),
        ({"energies_step": 0.05}, "belong together"),
        ({"energies_start": -10, "energies_step": 0.05, "energies": ENERGIES.tolist()}, "given twice"),
        ({"energies_start": -10, "energies_step": 0}, "above 0, not -10 and 0"),
        ({"energies_start": -10, "energies_step": float("inf")}, "finite"),
        ({"energies_start": -5, "energies_step": 0.02}, "covers -5 to"),
        ({"energies_start": "low", "energies_step": 0.05}, "could not convert"),
        ({"energies": [1, 2, 3]}, "as many values as points"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused_with_its_line(change, reason, tmp_path):
    with pytest.raises(InputError, match=rf"line 1: .*{reason}"):
        read_labelled(write(tmp_path / "a.jsonl", record("A1", "Al", **change)))
