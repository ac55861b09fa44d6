"""Reading and choosing crystals."""

import gzip
import json

import numpy as np
import pytest

from fermiloop.platform.bench.crystal_data import formulas, read_crystals, select
from fermiloop.platform.errors import InputError

ROWS = [
    {"material_id": "mp-1", "cell": [4, 4, 4, 90, 90, 90], "species": ["Na", "Cl"],
     "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],     "e_form": -2.0, "band_gap": 5.0, "e_above_hull": 0.0, "spacegroup": 221},
    {"material_id": "mp-2", "cell": [3, 3, 5, 90, 90, 120], "species": ["Zn", "O", "S"],
     "frac": [[0, 0, 0], [0.3, 0.6, 0.5], [0.6, 0.3, 0.2]], "e_form": -1.0, "spacegroup": 186},
    {"material_id": "mp-3", "cell": [12, 3, 3, 90, 90, 90], "species": ["Fe"], "frac": [[0, 0, 0]]},
]  # fmt: skip


def write(path, lines):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_crystals_with_their_labels(name, tmp_path):
    data, refused = read_crystals(write(tmp_path / name, ROWS))
    assert refused == []
    assert data.ids == ("mp-1", "mp-2", "mp-3")
    assert data.crystal_systems == ("cubic", "hexagonal", "tetragonal")
    assert data.labels["formation_energy_per_atom"][:2].tolist() == [-2, -1]
    assert np.isnan(data.labels["band_gap"]).tolist() == [False, True, True]
    assert not data.has_curve.any()
    assert len(data.with_curves()) == 0
    assert data.prototypes == ("AB/221", "ABC/186", "A/123")  # the last one's space group is computed


def test_bad_lines_are_told_and_left_out(tmp_path):
    bad = [
        "nonsense",
        {"cell": [1], "species": ["Na"], "frac": [[0, 0, 0]]},
        {"cell": [4] * 6, "species": ["Xx"], "frac": [[0] * 3]},
    ]
    data, refused = read_crystals(write(tmp_path / "x.jsonl", [ROWS[0], *bad]))
    assert len(data) == 1
    assert [r.split(":")[0] for r in refused] == ["line 2", "line 3", "line 4"]
    with pytest.raises(InputError, match="no usable crystal"):
        read_crystals(write(tmp_path / "y.jsonl", ['{"cell": 1}']))
    with pytest.raises(InputError):
        read_crystals(tmp_path / "missing.jsonl")


def test_a_dos_library_is_read_too(tmp_path):
    from importlib.resources import files

    data, _ = read_crystals(files("fermiloop.db_init") / "seed" / "gpaw_pbe.jsonl.gz")
    assert data.has_curve.all()
    assert len(data) > 100


def test_selection(tmp_path):
    data, _ = read_crystals(write(tmp_path / "x.jsonl", ROWS))
    assert formulas(select(data, n_elements=3)) == ["ZnSO"]
    assert len(select(data, max_length=10)) == 2
    assert len(select(data, max_sites=2)) == 2
    assert select(data, limit=2, seed=1).ids == select(data, limit=2, seed=1).ids
    with pytest.raises(InputError, match="5 elements"):
        select(data, n_elements=5)


def test_the_first_lines_alone_may_be_read(tmp_path):
    path = tmp_path / "crystals.jsonl"
    line = {"cell": [4, 4, 4, 90, 90, 90], "species": ["Cu"], "frac": [[0, 0, 0]], "e_form": 0.0}
    path.write_text("\n".join(json.dumps(line | {"material_id": f"x-{i}"}) for i in range(5)))
    assert read_crystals(path, lines=2)[0].ids == ("x-0", "x-1")
