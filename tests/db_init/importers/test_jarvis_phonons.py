"""Phonon densities of states of JARVIS: unit, normalisation, what is left out, and lines that are no record."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.db_init.importers import jarvis_phonons
from fermiloop.db_init.importers.dispatch import load
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.phonon_curves import JARVIS_WAVENUMBERS
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra
from fermiloop.schemas.curve_kinds import SpectrumKind

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data" / "jarvis_phonon_dos_663.jsonl.gz"
PHONON = SpectrumKind.PHONON_DOS


def record(number: int, at: float = 200.0, **changes: Any) -> dict[str, Any]:
    """Two atoms in a cube, whose modes all lie about one wavenumber."""
    values = np.exp(-(((JARVIS_WAVENUMBERS - at) / 30) ** 2))
    a = 2.8 + 0.1 * number
    poscar = f"x\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\nNi Al\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
    return {
        "jid": f"JVASP-{number}",
        "poscar": poscar,
        "phonon_dos": list(values / values.max()),
        "formation_energy": -0.6,
        "band_gap": 0.0,
        "ehull": 0.01,
    } | changes


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def stored() -> dict[str, Any]:
    return {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}


def test_curves_come_in_as_states_per_thz_and_cell(database: str, tmp_path: Path) -> None:
    file = write(tmp_path / "phonons.jsonl", [record(1), record(2, at=400.0)])
    assert load(f"jarvis-phonons:{file}") == LoadReport(2, 0, 0)
    assert load(f"jarvis-phonons:{file}") == LoadReport(0, 2, 0)
    one = stored()["JVASP-1"]
    curve = spectra.of_material(one.id, PHONON)
    assert (curve.unit, curve.axis_unit) == ("states/THz/cell", "THz")
    assert np.trapezoid(curve.array(), curve.points()) == pytest.approx(6.0, rel=1e-4)
    assert curve.points()[curve.array().argmax()] == pytest.approx(200 * 0.0299792458, abs=0.01)
    method = methods.get(curve.method)
    assert (method.functional, method.settings["licence"]) == ("OptB88vdW", "NIST-PD (public domain, NIST)")
    known = {str(label.property): label.value for label in labels.of_material(one.id)}
    assert known == {"formation_energy_per_atom": -0.6, "band_gap": 0.0, "energy_above_hull": 0.01}


def test_a_crystal_with_imaginary_modes_comes_in_without_its_curve(database: str, tmp_path: Path) -> None:
    file = write(tmp_path / "soft.jsonl", [record(1, at=-200.0)])
    assert jarvis_phonons.load(file) == LoadReport(1, 0, 1)
    assert spectra.of_material(stored()["JVASP-1"].id, PHONON) is None
    assert "imaginary" in quarantine.find("soft.jsonl")[0].reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "JSONDecodeError"),
        ({"jid": "x"}, "no poscar"),
        (record(1, poscar="nothing"), "POSCAR|holds no crystal|crystal"),
        (record(1, ehull=1e9), "lies outside"),
    ],
)
def test_a_bad_line_goes_to_quarantine_and_the_rest_comes_in(
    row: Any, reason: str, database: str, tmp_path: Path
) -> None:
    assert jarvis_phonons.load(write(tmp_path / "some.jsonl", [row, record(2)])) == LoadReport(1, 0, 1)
    (told,) = quarantine.find("some.jsonl")
    assert told.line == 1
    assert re.search(reason, told.reason)


@pytest.mark.parametrize(
    ("values", "reason"),
    [([1.0] * 65, "65 values"), ([0.0] * 66, "zero everywhere"), ([-1.0] + [1.0] * 65, "negative")],
)
def test_a_bad_curve_is_left_out_and_the_crystal_comes_in(
    values: list[float], reason: str, database: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "bad.jsonl", [record(1, phonon_dos=values)])
    assert jarvis_phonons.load(file, options=LoadOptions(licence="mine")) == LoadReport(1, 0, 1)
    assert reason in quarantine.find("bad.jsonl")[0].reason
    assert stored()["JVASP-1"].source["licence"] == "mine"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        jarvis_phonons.load(tmp_path / "none.jsonl")


@pytest.mark.skipif(not SHARED.exists(), reason="the file of JARVIS is not here")
def test_genuine_records(database: str, tmp_path: Path) -> None:
    with gzip.open(SHARED, "rt", encoding="utf-8") as lines:
        rows = [next(lines).strip() for _ in range(12)]
    report = jarvis_phonons.load(write(tmp_path / "few.jsonl", rows))
    assert report.loaded == 12
    curves = [spectra.of_material(one.id, PHONON) for one in stored().values()]
    areas = [(np.trapezoid(c.array(), c.points()), materials.get(c.material).n_sites) for c in curves if c]
    assert len(areas) >= 9
    assert all(area == pytest.approx(3 * sites, rel=1e-4) for area, sites in areas)
