"""The bench of FTCP, on a few crystals."""

import gzip
import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench import ftcp, ftcp_judge, ftcp_models
from fermiloop.platform.bench.ftcp import featurisation_rows, published_vectors, round_trip_row, run_bench, with_gaps
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.crystals import CrystalBatch

COLUMNS = {"what", "published", "ours", "ours_low", "ours_high", "n", "baseline", "seconds", "note"}


def written(path, n=90, seed=0):
    """Made-up ternaries, hydrogen among them, whose energies follow from their elements."""
    random = np.random.default_rng(seed)
    energies = {"Li": -0.8, "H": -0.1, "O": -1.2, "Fe": 0.1, "Zn": -0.2, "S": -0.5, "K": -0.9, "F": -1.4}
    lines = []
    for i in range(n):
        chosen = random.choice(list(energies), 3, replace=False).tolist()
        species = chosen + random.choice(chosen, int(random.integers(0, 4))).tolist()
        corners = np.array([[x, y, z] for x in (0.1, 0.6) for y in (0.1, 0.6) for z in (0.1, 0.6)])
        lines.append(
            {
                "material_id": f"m-{i}",
                "cell": [*random.uniform(4, 7, 3), *random.uniform(80, 100, 3)],
                "species": species,
                "frac": corners[random.permutation(8)[: len(species)]].tolist(),
                "e_form": float(np.mean([energies[s] for s in species])),
                "band_gap": 1.0,
                "e_above_hull": 0.0,
            }
        )
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return written(tmp_path_factory.mktemp("ftcp") / "crystals.jsonl.gz")


def test_the_whole_bench_runs_on_a_small_file(file, monkeypatch):
    monkeypatch.setattr(ftcp, "QUICK", ftcp.Size(90, 20, 2, 16, 1, 10, 3, 60, 3, 2, "analytic"))
    monkeypatch.setattr(ftcp_judge, "STEPS", 4)
    told = []
    found = run_bench(file, True, 0, lambda what, share: told.append(share))
    assert found["data"]["n"] == 90
    data = found["data"]
    assert data["train"] + data["validation"] + data["test"] + data["in no part"] == 90
    assert sum("relaxed by analytic" in row["what"] for row in found["rows"]) == 32
    for split in ("random, as published", "composition alone"):
        assert any(split in row["what"] for row in found["rows"])
    assert found["data"]["element_vectors"] == "own"
    assert all(row.keys() == COLUMNS for row in found["rows"])
    by_name = {row["what"]: row for row in found["rows"]}
    assert by_name["round trip exact"]["ours"] == 1
    assert by_name["largest difference from the loops"]["ours"] < 1e-9
    assert len(by_name) == len(found["rows"])
    assert {0.6989, 0.1593, 0.0155, 0.389} <= {row["published"] for row in found["rows"]}
    assert told == sorted(told)
    assert told[-1] == 1
    json.dumps(found)


def test_what_does_not_suit_is_refused(tmp_path):
    with pytest.raises(InputError, match="give --data"):
        run_bench(None, True, 0, lambda what, share: None)
    with pytest.raises(InputError, match="needs 40"):
        run_bench(written(tmp_path / "few.jsonl.gz", 5), True, 0, lambda what, share: None)


def test_gaps_lie_between_the_sites_in_their_order(file):
    data = ftcp.select(ftcp.read_crystals(file)[0], 3, 20)
    batch = with_gaps(data.structures, 24, np.random.default_rng(0))
    plain = CrystalBatch.from_structures(data.structures)
    for i in range(len(batch)):
        there = batch.numbers[i] > 0
        assert batch.numbers[i, there].tolist() == plain.numbers[i, : plain.n_sites[i]].tolist()
    first_empty = (batch.numbers == 0).argmax(axis=1)
    assert (first_empty < batch.n_sites).mean() > 0.5
    assert round_trip_row(data, 30, 0)["ours_high"] == 1


def test_published_element_vectors_are_taken_where_they_lie(file, tmp_path):
    assert published_vectors(tmp_path) is None
    (tmp_path / "atom_init.json").write_text(json.dumps({"1": [1.0] * 92, "8": [0.5] * 92}))
    table = published_vectors(tmp_path)
    assert sorted(table) == [1, 8]
    data = ftcp.read_crystals(file)[0]
    assert featurisation_rows(data.structures[:5], table)[2]["ours"] < 1e-9


def test_densities_of_valid_samples_are_held_against_the_test_part():
    def salts(*edges):
        sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
        return [Structure(Lattice.cubic(edge), ["Cs", "Cl"], sites) for edge in edges]

    crowded = Structure(Lattice.cubic(0.5), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    found = ftcp_models._density_row("x", [*salts(4.1, 4.2), crowded, None], salts(4.0), salts(4.1, 4.2))
    assert found["n"] == 2
    assert found["ours"] == pytest.approx(0)
    dense, light = salts(4.0)[0].density, np.mean([one.density for one in salts(4.1, 4.2)])
    assert found["baseline"] == pytest.approx(dense - light, abs=1e-4)
    assert ftcp_models._density_row("x", [None], salts(4.0), salts(4.1))["ours"] is None
