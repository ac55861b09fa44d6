"""Measured refractive indices: absorption of stored crystals, which table counts, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from fermiloop.db_init.importers import refractive_index
from fermiloop.db_init.importers.dispatch import load
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra
from fermiloop.schemas.curve_kinds import SpectrumKind
from fermiloop.schemas.vocabulary import Origin, Property

ABSORPTION = SpectrumKind.ABSORPTION


def table(material: str, page: str, at: float = 3.0, **changes: Any) -> dict[str, Any]:
    energies = np.linspace(1.0, 7.0, 60)
    k = np.exp(-((energies - at) ** 2))
    return {"material": material, "page": page, "energy_eV": list(energies), "k": list(k), "comment": ""} | changes


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def saved(symbol: str, edge: float, above: float | None = None, group: str = "Fm-3m") -> str:
    crystal = Structure.from_spacegroup(group, Lattice.cubic(edge), [symbol], [[0, 0, 0]])
    source = {"name": "here", "key": symbol, "licence": "mine"}
    made = materials.save(crystal, origin=Origin.IMPORT, source=source)
    if above is not None:
        method = methods.save("external", "PBE", {"source": "here"}, {})
        labels.save(made, Property.ENERGY_ABOVE_HULL, above, method=method)
    return made


def reasons(file: Path) -> str:
    return "\n".join(one.reason for one in quarantine.find(file.name))


def test_absorption_goes_to_the_stored_crystal_of_lowest_energy(database: str, tmp_path: Path) -> None:
    stable, other = saved("Cu", 3.6, 0.0), saved("Cu", 2.9, 0.04, "Im-3m")
    file = write(tmp_path / "nk.jsonl", [table("Cu", "Johnson")])
    assert load(f"refractiveindex:{file}") == LoadReport(0, 1, 1)  # told which crystal was taken
    assert stable in reasons(file)
    curve = spectra.of_material(stable, ABSORPTION)
    assert spectra.of_material(other, ABSORPTION) is None
    assert (curve.lo, curve.hi, curve.unit) == (pytest.approx(1.0), pytest.approx(7.0), "1/cm")
    at = int(np.argmin(np.abs(curve.points() - 3.0)))
    assert curve.array()[at] == pytest.approx(4 * np.pi * 3.0 / 1.239841984e-4, rel=0.02)
    method = methods.get(curve.method)
    assert (method.functional, method.settings["licence"]) == ("measured", "CC0")
    assert materials.get(stable).source["name"] == "here"
    assert load(f"refractiveindex:{file}").loaded == 0


def test_of_several_tables_the_usual_one_counts(database: str, tmp_path: Path) -> None:
    home = saved("Cu", 3.6)
    rows = [table("Cu", "odd", 5.5), table("Cu", "one", 3.0), table("Cu", "two", 3.2)]
    file = write(tmp_path / "nk.jsonl", rows)
    refractive_index.load(file)
    curve = spectra.of_material(home, ABSORPTION)
    assert curve.points()[curve.array().argmax()] == pytest.approx(3.3, abs=0.25)
    assert "Cu/two is more like the other tables" in reasons(file)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("[", "JSONDecodeError"),
        (table("Cu", "a", comment="Liquid copper"), "no measured crystal in bulk: Liquid"),
        (table("Cu", "Song-3L"), "no measured crystal in bulk: 3L"),
        (table("Cu", "b", k=[0.0] * 60), "which is none"),
        (table("Cu", "c", k=[1.0] * 59), "as many extinction coefficients"),
        (table("Cu", "d", energy_eV=list(np.linspace(1.0, 5.0, 60))), "asks for 1.5 to 6"),
        (table("Unknown stuff", "e"), "no formula"),
        (table("Ag", "f"), "No crystal Ag is stored"),
    ],
)
def test_what_cannot_be_taken_is_told(row: Any, reason: str, database: str, tmp_path: Path) -> None:
    home = saved("Cu", 3.6)
    file = write(tmp_path / "nk.jsonl", [row])
    assert refractive_index.load(file) == LoadReport(0, 0, 1)
    assert reason in reasons(file)
    assert spectra.of_material(home, ABSORPTION) is None


def test_a_crystal_that_nobody_measures_is_not_taken(database: str, tmp_path: Path) -> None:
    saved("Cu", 3.6, 0.4)
    file = write(tmp_path / "nk.jsonl", [table("Cu", "a")])
    assert refractive_index.load(file) == LoadReport(0, 0, 1)
    assert "0.4 eV/atom above the hull" in reasons(file)
    saved("Cu", 2.9, 0.0, "Im-3m")
    assert refractive_index.load(file).already == 1  # the same file once the crystal is there
