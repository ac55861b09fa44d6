"""The seed library: every record is whole, energies are against the lowest elements, a repeat adds nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.db_init import seed_method
from fermiloop.db_init.importers import dispatch, seed
from fermiloop.db_init.importers.report import LoadReport, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra, training
from fermiloop.schemas.vocabulary import Origin, Property

FORMATION = Property.FORMATION_ENERGY_PER_ATOM


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [row for _, row in seed.read(seed.SHIPPED)]


@pytest.fixture(scope="module")
def few(records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ni, Pt, one compound of both, and one whose other element is missing."""
    chosen = [row for row in records if set(symbols(row)) in ({"Ni"}, {"Pt"})]
    chosen += [row for row in records if set(symbols(row)) == {"Ni", "Pt"}][:1]
    chosen += [row for row in records if set(symbols(row)) == {"Ag", "Hf"}][:1]
    path = tmp_path_factory.mktemp("few") / "few.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, chosen)).encode()))
    return path


def symbols(row: dict[str, Any]) -> list[str]:
    return [site["species"][0]["element"] for site in row["structure"]["sites"]]


def test_every_shipped_record_is_whole(records: list[dict[str, Any]]) -> None:
    assert len({row["key"] for row in records}) == len(records) > 250
    for row in records:
        if row.get("kind") == seed.REFERENCE:
            assert np.isfinite(row["energy"]), row["key"]
            assert "dos" not in row, row["key"]
            continue
        dos = np.array(row["dos"])
        assert dos.shape == (seed_method.DOS_POINTS,), row["key"]
        assert np.isfinite(dos).all(), row["key"]
        assert dos.min() >= 0, row["key"]
        below = np.trapezoid(dos[seed.GRID <= 0], seed.GRID[seed.GRID <= 0])
        assert 0 < below <= 1.05 * row["nelectrons"] + 0.5, row["key"]
        for name in ("energy", "efermi", "magmom", "chgnet_energy_per_atom", "chgnet_formation"):
            assert np.isfinite(row[name]), (row["key"], name)


def test_every_compound_has_its_elements(records: list[dict[str, Any]]) -> None:
    references = seed.elemental_references(records)
    needed = {symbol for row in records for symbol in symbols(row)}
    assert needed == set(references["energy"]) == set(references["chgnet"])


@pytest.mark.parametrize("path", [seed.SHIPPED, seed.SHIPPED_HARD], ids=lambda path: path.name)
def test_references_are_ground_states(path: Path) -> None:
    rows = [row for _, row in seed.read(path)]
    lowest = seed.elemental_references(rows)["energy"]
    references = {symbols(row)[0]: row["energy"] / len(symbols(row)) for row in rows if row.get("kind") == "reference"}
    assert len(references) > 15
    others = [row for row in rows if row.get("kind") != "reference" and len(set(symbols(row))) == 1]
    for row in others:  # PBE puts few of them above another phase, and by little
        symbol = symbols(row)[0]
        assert row["energy"] / len(symbols(row)) - references.get(symbol, lowest[symbol]) > -0.03, row["key"]


def test_energies_are_against_the_lowest_elements(database: str, few: Path, records: list[dict[str, Any]]) -> None:
    report = seed.load(few)
    assert report.quarantined == 0
    gpaw = methods.of_engine("gpaw")[0].id
    (compound,) = materials.find(materials.MaterialQuery(chemical_system="Ni-Pt"))
    assert (compound.origin, compound.source["licence"]) == (Origin.SEED, "MIT")
    energies = {
        element: min(r["energy"] / len(symbols(r)) for r in records if set(symbols(r)) == {element})
        for element in ("Ni", "Pt")
    }
    row = next(r for r in records if r["key"] == compound.source["key"])
    share = symbols(row).count("Ni") / len(symbols(row))
    expected = row["energy"] / len(symbols(row)) - share * energies["Ni"] - (1 - share) * energies["Pt"]
    found = labels.values([compound.id], "formation_energy_per_atom", gpaw)
    assert found == {compound.id: pytest.approx(expected)}
    formation = labels.values([m.id for m in materials.find_formula("Ni")], "formation_energy_per_atom", gpaw)
    assert min(formation.values()) == pytest.approx(0.0, abs=1e-12)
    assert all(value >= -1e-12 for value in formation.values())
    curve = spectra.of_material(compound.id, method=gpaw)
    assert (curve.lo, curve.hi, curve.n) == (-10.0, 8.0, 361)
    assert curve.array() == pytest.approx(np.array(row["dos"]), rel=1e-6)
    assert training.training_set([compound.id], DOS_GRID, gpaw).curves.shape == (1, DOS_GRID.n)


def test_a_compound_without_its_elements_has_no_formation_energy(database: str, few: Path) -> None:
    seed.load(few)
    gpaw = methods.of_engine("gpaw")[0].id
    lonely = [m.id for m in materials.find(materials.MaterialQuery(chemical_system="Ag-Hf"))]
    assert len(lonely) == 1
    assert labels.values(lonely, "formation_energy_per_atom", gpaw) == {}
    assert len(labels.values(lonely, "energy_per_atom", gpaw)) == 1


def test_a_repeat_adds_nothing(database: str, few: Path) -> None:
    first = seed.load(few)
    assert seed.load(few) == LoadReport(0, first.loaded, 0)


def test_a_library_with_lower_elements_brings_the_next_versions(database: str, few: Path, tmp_path: Path) -> None:
    rows = [row for _, row in seed.read(few)]
    before_it = [row | {"energy": row["energy"] + (set(symbols(row)) == {"Ni"})} for row in rows]
    (tmp_path / "earlier.jsonl").write_text("\n".join(map(json.dumps, before_it)))
    seed.load(tmp_path / "earlier.jsonl")
    gpaw = methods.of_engine("gpaw")[0].id
    compound = [m.id for m in materials.find(materials.MaterialQuery(chemical_system="Ni-Pt"))]
    before = labels.values(compound, "formation_energy_per_atom", gpaw)
    for _ in range(2):
        seed.load(few)
        after = labels.values(compound, "formation_energy_per_atom", gpaw)
        assert after[compound[0]] > before[compound[0]]
        versions = [one.version for one in labels.of_material(compound[0]) if one.property == FORMATION]
        assert sorted(versions) == [1, 1, 2]  # by the DFT twice, and by CHGNet


@pytest.mark.parametrize(
    "change",
    [
        {"structure": 5}, {"structure": {}}, {"structure": {"sites": []}}, {"dos": None}, {"dos": [1.0] * 360},
        {"dos": "flat"}, {"dos": [float("nan")] * 361}, {"energy": None}, {"energy": float("inf")},
        {"chgnet_energy_per_atom": "low"}, {"efermi": float("nan")}, {"nelectrons": [1]}, {"magmom": {}},
    ],
)  # fmt: skip
def test_a_damaged_record_is_kept_with_its_reason(
    database: str, few: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    row = next(row for _, row in seed.read(few))
    path = tmp_path / "library.jsonl"
    path.write_text("\n" + json.dumps(row | change) + "\nno json\n[]\n" + json.dumps(row) + "\n")
    assert seed.load(path) == LoadReport(1, 0, 3)
    assert sorted(entry.line for entry in quarantine.find("library.jsonl")) == [2, 3, 4]


def test_what_is_no_library_is_told(database: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no library"):
        seed.load(tmp_path / "none.jsonl.gz")
    (tmp_path / "a.jsonl.gz").write_text("no gzip")
    with pytest.raises(InputError, match="cannot be read"):
        seed.load(tmp_path / "a.jsonl.gz")
    assert materials.count() == 0


def test_the_library_of_hard_elements_is_loaded_by_its_own_method(database: str) -> None:
    rows = [row for _, row in seed.read(seed.SHIPPED_HARD)]
    references = [row for row in rows if row.get("kind") == "reference"]
    report = seed.load(seed.SHIPPED_HARD, method=seed_method.GPAW_HARD)
    assert (report.loaded, report.quarantined) == (len(rows), 0)
    (method,) = methods.of_engine("gpaw-hard")
    assert method.settings["cutoff"] == 600.0
    assert methods.of_engine("gpaw") == []
    assert len(spectra.materials_with(method.id)) == len(rows) - len(references)
    (oxygen,) = materials.find_formula("O2")
    assert labels.values([oxygen.id], "formation_energy_per_atom", method.id) == {oxygen.id: 0.0}


def test_seed_is_a_source(database: str, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed.load_all, "__defaults__", (silent, ((few, seed_method.GPAW),)))
    assert dispatch.load("seed").loaded > 0
