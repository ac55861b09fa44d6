"""Files of crystals with answers, and finding a crystal among others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.answer_file import Register, read_answers
from fermiloop.platform.representations.prototypes import PROTOTYPES

SALT = PROTOTYPES["B1"].build("Na", "Cl", 22.0)
CELL = {"cell": [4, 4, 4, 60, 60, 60], "species": ["Na", "Cl"], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}


def written(path: Path, *rows: dict[str, Any]) -> Path:
    text = "\n".join(json.dumps(row) for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_both_ways_to_write_a_crystal_are_read_with_their_answers(tmp_path: Path):
    first = {"key": "a", "structure": SALT.as_dict(), "energy": -6.0, "gap": 5.0, "efermi": 1.0, "magmom": 0.0}
    second = {"material_id": "b", **CELL, "energy_per_atom": -2.5, "band_gap": 0.5, "nelectrons": 8}
    one, other = read_answers(written(tmp_path / "x.jsonl.gz", first, second))
    assert (one.key, one.energy_per_atom, one.gap, one.fermi_level, one.magnetic_moment) == ("a", -3.0, 5.0, 1.0, 0.0)
    assert (other.key, other.energy_per_atom, other.gap, other.n_electrons) == ("b", -2.5, 0.5, 8.0)
    assert one.structure == SALT
    assert one.density is None


def test_curves_stand_on_their_own_energies_or_the_usual_ones(tmp_path: Path):
    rows = [
        {**CELL, "dos": [1.0, 2.0], "energies": [-1.0, 1.0]},
        {**CELL, "dos": [1.0, 2.0, 3.0], "energies_start": -1.0, "energies_step": 0.5},
        {**CELL, "dos": [0.5] * 361},
    ]
    found = read_answers(written(tmp_path / "x.jsonl", *rows))
    assert [one.energies.tolist()[:2] for one in found if one.energies is not None] == [
        [-1.0, 1.0], [-1.0, -0.5], [-10.0, -9.95],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"cell": [1, 2]}, "Line 2 of .* is no crystal"),
        ({**CELL, "dos": [1.0, 2.0]}, "2 values of dos on 361 energies"),
        ({**CELL, "energy": "low"}, "Line 2"),
        ([], "Line 2"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, row: Any, said: str):
    with pytest.raises(InputError, match=said):
        read_answers(written(tmp_path / "x.jsonl", CELL, row))


def test_files_without_crystals_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_answers(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="holds no crystal"):
        read_answers(written(tmp_path / "empty.jsonl"))


def test_a_crystal_is_found_in_any_cell_and_no_other_is(
    nine_settings: Callable[[Structure, np.random.Generator], dict[str, Structure]],
):
    others = [PROTOTYPES[kind].build(*pair, 22.0) for kind in ("B2", "B1") for pair in (("Na", "Cl"), ("K", "Cl"))]
    register = Register(others)
    for name, cell in nine_settings(SALT, np.random.default_rng(0)).items():
        assert register.find(cell) == 2, name
    assert register.find(PROTOTYPES["B1"].build("Na", "Cl", 30.0)) is None
    assert register.find(PROTOTYPES["B1"].build("Li", "Cl", 22.0)) is None
