"""The retrospective funnel: its library, its stages, its rows."""

import json

import numpy as np
import pytest

from fermiloop.platform.bench.crystal_data import read_crystals
from fermiloop.platform.bench.funnel import GAP, HULL, Prescreen, _at_volume_by_rule, make_library, run_bench
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.prototypes import PROTOTYPES

METALS = ("Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Mg", "Ca", "Sr", "Ba", "Zn")
ANIONS = ("F", "Cl", "Br", "I", "O", "S", "Se", "Te")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Salts whose gap follows the anion, most of them stable, each said to be of one of eight space groups."""
    rng, lines = np.random.default_rng(0), []
    for i, a in enumerate(METALS):
        for k, b in enumerate(ANIONS):
            for name in ("B1", "B2"):
                space_group = 200 + (i + k) % 8 + (10 if name == "B2" else 0)
                crystal = PROTOTYPES[name].build(a, b, 22.0)
                record = {
                    "cell": [*crystal.lattice.abc, *crystal.lattice.angles],
                    "species": [site.specie.symbol for site in crystal],
                    "frac": crystal.frac_coords.tolist(),
                    "spacegroup": space_group,
                    "band_gap": float(0.4 * (8 - k) + 0.1 * rng.normal()),
                    "e_above_hull": float(0.0 if name == "B1" else 0.1),
                }
                lines.append(json.dumps(record))
    path = tmp_path_factory.mktemp("funnel") / "salts.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_no_composition_is_known_and_hidden(file):
    library = make_library(read_crystals(file)[0], False, 1)
    kinds = [{s.composition.reduced_formula for s in part.structures} for part in (library.known, library.hidden)]
    assert not kinds[0] & kinds[1]
    gaps, hulls = library.hidden.labels["band_gap"], library.hidden.labels["energy_above_hull"]
    assert library.truth.tolist() == [
        g >= GAP[0] and g <= GAP[1] and h <= HULL for g, h in zip(gaps, hulls, strict=True)
    ]


def test_a_prescreen_ranks_the_good_ones_above_chance(file):
    library = make_library(read_crystals(file)[0], False, 0)
    scores = Prescreen("structure", library.known, True, 0).score(library.hidden.structures)
    assert ((scores >= 0) & (scores <= 1)).all()
    good, bad = scores[library.truth], scores[~library.truth]
    assert np.mean(good[:, None] > bad[None]) > 0.6


def test_the_volume_by_rule_changes_what_the_prescreen_sees(file):
    library = make_library(read_crystals(file)[0], False, 0)
    moved, given = _at_volume_by_rule(library), library.hidden.structures
    assert max(abs(a.volume / b.volume - 1) for a, b in zip(moved, given, strict=True)) > 0.05
    model = Prescreen("structure", library.known, True, 0)
    assert np.abs(model.score(moved) - model.score(given)).max() > 1e-3


def test_rows_of_the_bench(file):
    found = run_bench(file, True, 0, lambda what, share: None)
    rows = found["rows"]
    assert len({tuple(row) for row in rows}) == 1
    stages = [row for row in rows if "left" in row["what"]]
    recalls = [row["ours"] for row in stages]
    assert [row["what"].split(":")[0] for row in stages] == [
        "rules", "geometry", "prescreen by composition", "prescreen by structure",
    ]  # fmt: skip
    assert recalls == sorted(recalls, reverse=True)
    assert all(row["ours_low"] <= row["ours"] <= row["ours_high"] for row in rows)
    assert stages[0]["n"] == found["data"]["good"]
    by_rule = [row for row in rows if "volumes by rule" in row["what"]]
    assert [row["note"].split("; ")[-1].split(" of ")[1].split()[0] for row in by_rule] == [
        str(row["n"]) for row in by_rule
    ]


def test_files_without_labels_are_refused(tmp_path):
    crystal = PROTOTYPES["B1"].build("Na", "Cl", 22.0)
    record = {"cell": [*crystal.lattice.abc, *crystal.lattice.angles], "species": ["Na", "Cl"],
              "frac": crystal.frac_coords.tolist(), "spacegroup": 225}  # fmt: skip
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match="100"):
        run_bench(path, True, 0, lambda what, share: None)
    with pytest.raises(InputError, match="--data"):
        run_bench(None, True, 0, lambda what, share: None)
