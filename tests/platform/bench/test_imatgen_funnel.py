"""The funnel of new compositions: what is counted, what is kept, what lies above which hull."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import imatgen_funnel as bench
from fermiloop.platform.bench.potential_answers import Answers
from fermiloop.platform.representations.prototypes import PROTOTYPES


def silent(what, share):
    pass


VO = PROTOTYPES["B1"].build("V", "O", 9.0)
V_RICH = PROTOTYPES["L1_2"].build("V", "O", 10.0)
SAMPLES = [VO, VO.copy(), V_RICH, "no atom decoded"]


class Model:
    """Decodes every point to one of the samples."""

    def __init__(self):
        self.known = np.random.default_rng(0).normal(size=(6, 3))
        self.anchors = np.array([True, True, True, False, True, True])
        self.asked = 0

    def decoded(self, points):
        self.asked += len(points)
        return iter([SAMPLES[i % len(SAMPLES)] for i in range(len(points))])


class Potential:
    """Energies by composition alone; geometries are at rest."""

    def fault(self, structure):
        return None

    def energies(self, structures):
        return [-2.0 if len(one.symbol_set) == 2 else -1.0 for one in structures]


@pytest.fixture
def crystals():
    structures = (VO, *(Structure(Lattice.cubic(2.5), [symbol], [[0, 0, 0]]) for symbol in ("V", "O")))
    return SimpleNamespace(structures=structures, labels={"formation_energy_per_atom": np.array([-1.0, 0.0, 0.0])})


def test_points_are_as_many_as_the_paper_has():
    model = Model()
    model.known, model.anchors = np.random.default_rng(0).normal(size=(40, 3)), np.ones(40, dtype=bool)
    found = bench.points(model, 0)
    assert [len(rows) for rows in found.values()] == [8835, 10_000]
    assert [len(rows) for rows in bench.points(model, 0, 50).values()] == [50, 50]


def test_only_valid_oxidation_states_count_and_one_crystal_of_each_is_kept():
    made = bench.counted(SAMPLES)
    assert (made["points"], made["decoded"], made["formulas"]) == (4, 3, {"VO": 2})
    assert set(made["crystals"]) == {"VO"}


def test_blocks_are_decoded_once(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "BLOCK", 8)
    model, latent = Model(), {bench.SLERP: np.zeros((16, 3)), bench.RANDOM: np.zeros((4, 3))}
    first = bench.sampled(model, latent, Answers(tmp_path / "a"), "k", silent)
    assert model.asked == 20
    again = bench.sampled(model, latent, Answers(tmp_path / "a"), "k", silent)
    assert model.asked == 20
    assert json.loads(json.dumps(again)) == json.loads(json.dumps(first))
    assert [block["points"] for block in first[bench.SLERP]] == [8, 8]


def test_the_hull_is_that_of_the_potential(crystals, tmp_path):
    hull = bench.VanadiumHull(Potential(), tmp_path / "crystals", crystals)
    assert hull.formulas == {"VO"}
    assert hull.above(VO, -2.0) == pytest.approx(0.0, abs=1e-9)
    assert hull.above(V_RICH, -1.5) == pytest.approx(0.0, abs=1e-9)
    assert hull.above(V_RICH, -1.4) == pytest.approx(0.1, abs=1e-9)


def test_one_crystal_of_each_composition_is_relaxed_and_counted(crystals, tmp_path, monkeypatch):
    monkeypatch.setattr(
        bench, "relax", lambda _, one, *__, **___: SimpleNamespace(
            structure=one, energy_per_atom=-1.95, fault=None, steps=3, core_seconds=1.5, converged=True
        )
    )  # fmt: skip
    hull = bench.VanadiumHull(Potential(), tmp_path / "crystals", crystals)
    blocks = {bench.SLERP: [bench.counted(SAMPLES)] * 2, bench.RANDOM: [bench.counted(SAMPLES)]}
    found = bench.judged(blocks, Potential(), hull, Answers(None), "k", silent)
    assert found["VO"]["above"] == pytest.approx(0.05)
    rows = bench.rows_of(blocks, found, set(), "a potential")
    assert rows[0]["ours"] == 0.5
    assert rows[0]["n"] == 8
    assert rows[0]["published"] == pytest.approx(0.888, abs=1e-3)
    assert rows[1]["ours"] == 1
    assert rows[-1]["ours"] == 1
    assert "1 not in the file: VO" in rows[-1]["note"]
