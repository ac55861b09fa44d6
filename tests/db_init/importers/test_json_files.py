"""Structure files: the good lines go in, the bad ones into quarantine, a repeat adds nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fermiloop.db_init.importers import dispatch, json_files
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine
from fermiloop.schemas.vocabulary import Origin

BAD = [
    ({"cell": [2.9, 2.9, 0.0, 90, 90, 90]}, "cell"),
    ({"cell": [2.9, 2.9]}, "from_parameters"),
    ({"cell": [float("nan"), 2.9, 2.9, 90, 90, 90]}, "NaN or infinity"),
    ({"cell": [10**400, 2.9, 2.9, 90, 90, 90]}, "too large"),
    ({"cell": [2.9, 2.9, 2.9, 60, 60, 150]}, ""),
    ({"frac": [[0, 0, 0], [0.01, 0, 0]]}, "overlap"),
    ({"frac": [[0, 0, 0], [0.99, 0, 1]]}, "overlap"),
    ({"frac": [[0, 0, 0]]}, "2 species for 1 coordinates"),
    ({"species": ["Ni", "Xx"]}, "Xx"),
    ({"species": ["Ni", None]}, ""),
    ({"species": [], "frac": []}, "0 sites"),
    ({"band_gap": "wide"}, "must be real number"),
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to(*lines: str, name: str = "some.jsonl") -> Path:
        (tmp_path / name).write_text("".join(one + "\n" for one in lines))
        return tmp_path / name

    return to


def test_a_good_line_becomes_a_material_with_labels_of_its_release(
    database: str, write: Callable[..., Path], line: Callable[..., str]
) -> None:
    path = write(line(e_form=-0.66, e_form_mp2018=-0.61, bulk_modulus_vrh=158.0, gap_mp2018=None))
    assert json_files.load(path) == LoadReport(1, 0, 0)
    (found,) = materials.find(materials.MaterialQuery(formula="AlNi"))
    assert (found.origin, found.source["key"], found.space_group) == (Origin.IMPORT, "mp-1", 221)
    releases = {method.settings["release"]: method.id for method in methods.of_engine("external")}
    assert labels.values([found.id], "formation_energy_per_atom", releases["current"]) == {found.id: -0.66}
    assert labels.values([found.id], "formation_energy_per_atom", releases["2018"]) == {found.id: -0.61}
    assert labels.values([found.id], "band_gap", releases["2018"]) == {}
    assert {(str(one.property), str(one.unit)) for one in labels.of_material(found.id)} >= {("bulk_modulus", "GPa")}


@pytest.mark.parametrize(("change", "told"), BAD)
def test_a_bad_line_is_kept_with_its_number_and_reason(
    database: str, write: Callable[..., Path], line: Callable[..., str], change: dict[str, Any], told: str
) -> None:
    path = write("", line(**change), line(), "{", "[1]", "null")
    assert json_files.load(path) == LoadReport(1, 0, 4)
    entries = {entry.line: entry for entry in quarantine.find("some.jsonl")}
    assert sorted(entries) == [2, 4, 5, 6]
    assert "JSONDecodeError" in entries[4].reason
    assert told in entries[2].reason
    assert entries[2].reason
    assert entries[2].excerpt.startswith("mp-1: ")


def test_a_repeat_adds_nothing(database: str, write: Callable[..., Path], line: Callable[..., str]) -> None:
    path = write(line(), line(species=["Pd", "Al"]), line(), "bad")
    assert json_files.load(path) == LoadReport(2, 1, 1)
    assert json_files.load(path) == LoadReport(0, 3, 1)
    assert materials.count() == 2
    assert len(quarantine.find()) == 1


def test_chunks_do_not_lose_lines(
    database: str, write: Callable[..., Path], line: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "CHUNK", 2)
    path = write(*[line(species=[element, "Al"]) for element in ("Ni", "Pd", "Pt", "Cu", "Ag")])
    assert json_files.load(path) == LoadReport(5, 0, 0)


def test_compressed_files_are_read(database: str, tmp_path: Path, line: Callable[..., str]) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line().encode()))
    assert dispatch.load(str(tmp_path / "a.jsonl.gz")) == LoadReport(1, 0, 0)


def test_what_cannot_be_read_is_told(database: str, tmp_path: Path, line: Callable[..., str]) -> None:
    whole = gzip.compress((line() + "\n").encode() * 50)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-20])
    (tmp_path / "text.jsonl.gz").write_text("no gzip")
    (tmp_path / "flipped.jsonl.gz").write_bytes(whole[:12] + b"\xff\xff\xff" + whole[15:])
    (tmp_path / "latin.jsonl").write_bytes(json.dumps({"a": 1}).encode() + b"\xff\xfe")
    for name in ("cut.jsonl.gz", "text.jsonl.gz", "flipped.jsonl.gz", "latin.jsonl"):
        with pytest.raises(InputError, match="cannot be read"):
            dispatch.load(str(tmp_path / name))
    with pytest.raises(InputError, match="There is no file"):
        dispatch.load(str(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="is no source: give seed"):
        dispatch.load(str(tmp_path / "none.txt"))
    assert materials.count() == 0
