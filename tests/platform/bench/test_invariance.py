"""The review's Table 1 as a test: what each representation is invariant to, and what comes back from it."""

import json

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from fermiloop.platform.bench.featurise import run_bench
from fermiloop.platform.bench.invariance import (
    REWRITINGS,
    SAME,
    changes,
    compositions_back,
    fits_all,
    graphs_back,
    inverse,
    representations,
)
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES

ALL = {representation.name: representation for representation in representations()}
WAYS = set(REWRITINGS)
INVARIANT = {
    "composition vector": WAYS,
    "FTCP, paper": {"rotation"},
    "FTCP, structure factor": {"rotation"},
    "voxel images, 32³": {"rotation", "translation"},
    "crystal graph, packed codes": {"rotation", "translation"},
    "powder pattern": WAYS,
    "fingerprint": WAYS,
    "descriptors, composition": WAYS,
    "descriptors, structure": WAYS,
}


@pytest.fixture(scope="module")
def crystals():
    rng = np.random.default_rng(0)
    made = [PROTOTYPES[name].build(a, b, v) for name, a, b, v in (("B3", "Ga", "As", 22.0), ("C1", "Ca", "F", 14.0))]
    for species in (["Na", "Cl", "Cl"], ["Ti", "O", "O", "Sr"]):  # no symmetry: nothing is invariant by luck
        grid = np.array([(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)])[: len(species)]
        lattice = Lattice.from_parameters(4.1, 4.7, 5.2, 84, 95, 101)
        made.append(Structure(lattice, species, grid + rng.uniform(-0.05, 0.05, grid.shape)))
    return made


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_rewritten_crystal_is_the_same_crystal(way, crystals):
    for crystal in crystals:
        other = REWRITINGS[way](crystal, np.random.default_rng(1))
        assert other.density == pytest.approx(crystal.density)
        assert StructureMatcher().fit(crystal, other)


def test_every_representation_is_in_the_table():
    assert set(ALL) == set(INVARIANT)


@pytest.mark.parametrize("name", list(ALL))
def test_table_of_invariances(name, crystals):
    found = changes(ALL[name], crystals, 3)
    still = {way for way, change in found.items() if (change.deviations < SAME).all()}
    assert still >= INVARIANT[name]
    moved = WAYS - INVARIANT[name]
    assert not still & (moved & {"supercell", "cell choice"})
    for way in moved & {"supercell"}:
        assert np.median(found[way].deviations) > 0.01


def test_ftcp_of_the_paper_moves_with_the_origin_and_true_factors_hardly(crystals):
    paper, factor = (
        changes(ALL[f"FTCP, {kind}"], crystals, 3)["translation"] for kind in ("paper", "structure factor")
    )
    assert np.median(factor.deviations) < np.median(paper.deviations)
    assert paper.unchanged == 0


@pytest.mark.parametrize("name", [name for name, r in ALL.items() if r.decode is not None])
def test_invertible_ones_give_the_crystal_back(name, crystals):
    found = inverse(ALL[name], crystals)
    assert (found.matched, found.n) == (len(crystals), len(crystals))
    assert found.error < 1e-3


def test_the_others_say_so_and_formulas_and_codes_come_back(crystals):
    assert inverse(ALL["fingerprint"], crystals) is None
    assert compositions_back(crystals) == [True, True, True]
    assert graphs_back(crystals) == [True] * len(crystals)


def record(structure):
    return json.dumps(
        {
            "cell": [*structure.lattice.abc, *structure.lattice.angles],
            "species": [site.specie.symbol for site in structure],
            "frac": structure.frac_coords.tolist(),
            "spacegroup": 1,
        }
    )


def test_the_bench_has_its_rows(tmp_path):
    file = tmp_path / "crystals.jsonl"
    salts = [PROTOTYPES[n].build(a, b, 18.0) for n in ("B1", "B2") for a in ("Na", "K", "Rb") for b in ("F", "Cl")]
    file.write_text("\n".join(record(salt) for salt in salts))
    found = run_bench(file, True, 1, lambda what, share: None)
    by_name = {row["what"]: row for row in found["rows"]}
    assert len({tuple(row) for row in found["rows"]}) == 1
    assert by_name["FTCP, paper: crystal comes back"]["ours"] == 1
    assert by_name["FTCP: times faster than crystal by crystal"]["deviation"] < 1e-9
    faster = by_name["iMatGen images, 64³: times faster than the published algorithm"]
    assert faster["ours"] > 20
    assert faster["deviation"] < 1e-6
    assert all(fits_all(salt) for salt in salts)


def test_files_that_do_not_suit_are_refused(tmp_path):
    file = tmp_path / "few.jsonl"
    file.write_text(record(PROTOTYPES["B1"].build("Na", "Cl", 20.0)))
    with pytest.raises(InputError, match="10"):
        run_bench(file, True, 0, lambda what, share: None)
    with pytest.raises(InputError, match="--data"):
        run_bench(None, True, 0, lambda what, share: None)
