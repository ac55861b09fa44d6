"""Exports: a table, a folder, OPTIMADE lines, and files that are whole or not there."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optimade.models import EntryInfoResource, ReferenceResource, StructureResource
from pymatgen.core import Structure

from fermiloop.platform.errors import FailureError, InputError
from fermiloop.platform.representations.crystal_files import CrystalForm
from fermiloop.platform.settings import settings
from fermiloop.platform.store import (
    candidates,
    export_folder,
    export_table,
    exports,
    labels,
    materials,
    optimade_entries,
    optimade_numbers,
    spectra,
)  # fmt: skip
from fermiloop.platform.store.exchange_records import Selection, of_candidates, of_materials
from fermiloop.platform.store.exports import Form
from fermiloop.schemas.material import Material
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Origin, Stage


@pytest.fixture
def filled(stored: Callable[..., str], crystal: Any, method: str, other_method: str, curve: Any) -> dict[str, str]:
    """A material computed by two Methods, one whose source is a spreadsheet's formula, and one with a crystal only."""
    ids = {"AlNi": stored("Ni", "Al", origin=Origin.CAMPAIGN), "bare": stored("Ti")}
    source = {"name": '=HYPERLINK("http://x","y")', "key": "-1+1", "licence": "@terms"}
    ids["evil"] = materials.save(crystal("Pd"), origin=Origin.IMPORT, source=source, prototype="+A1")
    for value in (0.25, 0.125):
        labels.save(ids["AlNi"], "band_gap", value, method=method)
    labels.save(ids["AlNi"], "energy_per_atom", -5.25, method=method)
    labels.save(ids["AlNi"], "formation_energy_per_atom", -0.5, method=method)
    labels.save(ids["AlNi"], "energy_above_hull", 0.0, method=method)
    labels.save(ids["AlNi"], "energy_per_atom", -4.0, method=other_method)
    spectra.save(ids["AlNi"], *curve(1.0), method=method, n_electrons=13.0)
    return ids


@pytest.fixture
def proposed(filled: dict[str, str], proposal: Any) -> Selection:
    """Two candidates of which one became a material."""
    made = [
        proposal(("Ni", "Al"), 1, 0, stage=Stage.EVALUATED, material=filled["AlNi"], scores={"energy_above_hull": 0.1}),
        proposal(("Ni", "Pt"), 1, 1, stage=Stage.REJECTED, reason="=atoms overlap"),
    ]
    return of_candidates(candidates.save_many(made))


def table(selection: Selection) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(export_table.lines(selection)).splitlines()))


def test_a_row_for_each_method_a_column_for_each_property(filled: dict[str, str], method: str) -> None:
    rows = table(of_materials(filled.values()))
    assert len(rows) == 4
    mine = {row["engine"]: row for row in rows if row["id"] == filled["AlNi"]}
    assert mine["gpaw"]["method"] == method
    assert (mine["gpaw"]["band_gap (eV)"], mine["gpaw"]["energy_per_atom (eV/atom)"]) == ("0.125", "-5.25")
    assert (mine["chgnet"]["band_gap (eV)"], mine["chgnet"]["energy_per_atom (eV/atom)"]) == ("", "-4.0")
    assert (mine["gpaw"]["functional"], mine["gpaw"]["curves"]) == ("PBE", "dos")
    assert mine["gpaw"]["licence"] == "MIT"
    assert "magnetic_moment (μB/cell)" in rows[0]
    (bare,) = (row for row in rows if row["id"] == filled["bare"])
    assert bare["method"] == ""


def test_a_spreadsheet_runs_nothing_and_numbers_stay_numbers(filled: dict[str, str]) -> None:
    (evil,) = (row for row in table(of_materials(filled.values())) if row["id"] == filled["evil"])
    assert (evil["source"], evil["source_key"]) == ('\'=HYPERLINK("http://x","y")', "'-1+1")
    assert (evil["licence"], evil["prototype"]) == ("'@terms", "'+A1")
    for row in table(of_materials(filled.values())):
        for cell in row.values():
            try:
                float(cell)
            except ValueError:
                assert cell[:1] not in set("=+-@")


def test_candidates_in_a_table(proposed: Selection, filled: dict[str, str]) -> None:
    rows = table(proposed)
    became = [row for row in rows if row["stage"] == "evaluated"]
    assert {row["engine"] for row in became} == {"gpaw", "chgnet"}
    assert {row["material"] for row in became} == {filled["AlNi"]}
    assert became[0]["predicted_energy_above_hull (eV/atom)"] == "0.1"
    (rejected,) = (row for row in rows if row["stage"] == "rejected")
    assert (rejected["reason"], rejected["generator"], rejected["seed"]) == ("'=atoms overlap", "substitution", "7")


@pytest.mark.parametrize("form", CrystalForm)
def test_a_folder_has_a_file_a_crystal_and_a_table(filled: dict[str, str], tmp_path: Path, form: CrystalForm) -> None:
    assert export_folder.write(of_materials(filled.values()), tmp_path / "out", form) == 3
    rows = list(csv.DictReader((tmp_path / "out" / "index.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 4
    files = {row["structure_file"] for row in rows}
    assert files | {"index.csv"} == {path.name for path in (tmp_path / "out").iterdir()}
    if form is not CrystalForm.EXTXYZ:
        for row in rows:
            found = Structure.from_file(tmp_path / "out" / row["structure_file"])
            assert found.matches(materials.structure(row["id"]))


def test_a_folder_of_candidates_has_both_crystals(proposed: Selection, tmp_path: Path) -> None:
    assert export_folder.write(proposed, tmp_path, CrystalForm.POSCAR) == 3
    rows = list(csv.DictReader((tmp_path / "index.csv").read_text(encoding="utf-8").splitlines()))
    assert {bool(row["evaluated_file"]) for row in rows} == {True, False}
    names = {name for row in rows for name in (row["structure_file"], row["evaluated_file"]) if name}
    assert len(names) == 3
    assert all((tmp_path / name).is_file() for name in names)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export_folder.write(proposed, tmp_path / "file" / "x", CrystalForm.CIF)


def test_optimade_lines_are_what_the_standard_says(proposed: Selection, filled: dict[str, str], tmp_path: Path) -> None:
    kinds = {"structures": StructureResource, "references": ReferenceResource, "info": EntryInfoResource}
    path = tmp_path / "all.optimade.jsonl"
    exports.write(proposed, path)
    head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert head["x-optimade"]["meta"]["api_version"] == "1.2.0"
    rows = {line["id"]: kinds[line["type"]](**line) for line in lines}
    described = lines[0]["properties"]
    material = next(line for line in lines if line["id"] == filled["AlNi"])["attributes"]
    assert material.keys() <= described.keys() | {"last_modified"}
    assert rows[filled["AlNi"]].attributes.nsites == 2
    assert (material["_fermiloop_energy_per_atom"], material["_fermiloop_band_gap"]) == (-5.25, 0.125)
    assert material["_fermiloop_formation_energy_per_atom"] == -0.5
    assert material["_fermiloop_energy_above_hull"] == 0.0
    assert np.argmax(material["_fermiloop_dos_values"]) == np.argmin(
        np.abs(np.array(material["_fermiloop_dos_energies"]) - 1)
    )
    assert len(material["_fermiloop_labels"]) == 6
    candidate = next(
        line for line in lines if line["id"] == proposed.candidates[0] or line["id"] == proposed.candidates[1]
    )
    assert candidate["attributes"]["_fermiloop_kind"] == "candidate"


def test_curves_are_served_about_the_zero_of_the_store(
    filled: dict[str, str], stored: Any, method: str, curve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = stored("Ti", "Al")
    spectra.save(key, *curve(1.0), method=method, gap=1.5)
    for zero, peak in (("midgap", 1.0), ("vbm", 1.75)):
        monkeypatch.setenv("FERMILOOP_DOS_ALIGNMENT", zero)
        settings.cache_clear()
        optimade_entries.sync()
        (row,) = optimade_numbers.with_arrays(list(optimade_entries.entries({"_id": key})))
        assert row["dos_zero"] == zero
        assert row["dos_energies"][int(np.argmax(row["dos_values"]))] == pytest.approx(peak)


def test_the_same_documents_give_the_same_bytes(filled: dict[str, str], tmp_path: Path) -> None:
    for name in ("a.json", "a.jsonl", "a.csv", "a.jsonl.gz", "a.csv.gz", "a.optimade.jsonl"):
        exports.write(of_materials(filled.values()), tmp_path / name)
        (tmp_path / "b").mkdir(exist_ok=True)
        exports.write(of_materials(reversed(list(filled.values()))), tmp_path / "b" / name)
        assert (tmp_path / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == (tmp_path / "a.jsonl").read_bytes()
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (document["format"], document["version"], lines[0]["format"]) == (
        "fermiloop-materials",
        1,
        "fermiloop-materials",
    )
    assert document["records"] == lines[1:]
    assert lines[0]["counts"] == {"methods": 2, "materials": 3}


def test_nothing_but_nothing_is_written_whole(database: str, tmp_path: Path) -> None:
    for form in Form:
        exports.write(of_materials([]), tmp_path / f"none.{form}")
    assert json.loads((tmp_path / "none.json").read_text())["records"] == []


def test_what_cannot_be_exported_leaves_nothing(filled: dict[str, str], method: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        exports.write(of_materials(filled.values()), tmp_path / "none" / "a.json")
    for name in ("a.xlsx", "a", "a.gz", "json"):
        with pytest.raises(InputError, match="names no format"):
            exports.write(of_materials([]), tmp_path / name)
    Material.objects(id=filled["bare"]).delete()
    with pytest.raises(FailureError, match="removed from the store"):
        exports.write(of_materials(filled.values()), tmp_path / "a.jsonl")
    Method.objects(id=method).delete()
    with pytest.raises(FailureError, match=f"The Method {method}"):
        exports.write(of_materials([filled["AlNi"]]), tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []
