"""JARVIS files: absent numbers in all their spellings, both kinds of coordinates, and what is damaged."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fermiloop.db_init.importers import jarvis
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import labels, materials, methods, quarantine, spectra


def record(number: int, **changes: Any) -> dict[str, Any]:
    a = 2.8 + 0.1 * number
    atoms = {"lattice_mat": [[a, 0, 0], [0, a, 0], [0, 0, a]], "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
             "elements": ["Ni ", "Al"], "cartesian": False, "props": ["", ""]}  # fmt: skip
    return {"jid": f"JVASP-{number}", "atoms": atoms, "formation_energy_peratom": -0.6, "optb88vdw_bandgap": "na",
            "ehull": 0.0} | changes  # fmt: skip


def write(path: Path, rows: Any) -> Path:
    path.write_text(json.dumps(rows))
    return path


def test_records_come_in_once_from_json_and_from_zip(database: str, tmp_path: Path) -> None:
    cartesian = record(2)
    cartesian["atoms"] |= {"cartesian": True, "coords": [[0, 0, 0], [1.5, 1.5, 1.5]]}
    text = json.dumps([record(1), cartesian])
    with zipfile.ZipFile(tmp_path / "jdft.json.zip", "w") as archive:
        archive.writestr("jdft_3d.json", text)
    told: list[float] = []
    assert jarvis.load(tmp_path / "jdft.json.zip", lambda _, share: told.append(share)) == LoadReport(2, 0, 0)
    assert told == [1.0]
    (tmp_path / "jdft.json").write_text(text)
    assert jarvis.load(tmp_path / "jdft.json") == LoadReport(0, 2, 0)
    found = {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}
    assert {m.space_group for m in found.values()} == {221}
    known = {str(label.property): label for label in labels.of_material(found["JVASP-2"].id)}
    assert set(known) == {"formation_energy_per_atom", "energy_above_hull"}
    method = methods.get(known["energy_above_hull"].method)
    assert (method.functional, method.settings["licence"]) == ("OptB88vdW", jarvis.LICENCE)


def test_curves_with_their_own_energies_come_in(database: str, tmp_path: Path) -> None:
    x = np.linspace(-12, 12, 1201)
    text = ",".join(f"{value:.6f}" for value in np.exp(-(x**2)))
    curve = {"edos_energies": list(x), "total_edos_up": f"'{text}'", "total_edos_down": [-v for v in np.exp(-(x**2))]}
    short = {"edos_energies": [-1, 0, 1], "total_edos_up": [1, 1, 1]}
    rows = [record(1, **curve), record(2, **short), record(3, edos_up=[0.1] * 300)]
    assert jarvis.load(write(tmp_path / "dos.json", rows)) == LoadReport(3, 0, 1)
    found = {m.source["key"]: spectra.of_material(m.id) for m in materials.find(materials.MaterialQuery())}
    assert found["JVASP-1"].array().max() == pytest.approx(2.0, rel=1e-2)
    assert (found["JVASP-2"], found["JVASP-3"]) == (None, None)
    (entry,) = quarantine.find("dos.json")
    assert (entry.line, entry.reason.partition(":")[0]) == (2, "density of states left out")


def test_bad_records_are_told_with_their_place(database: str, tmp_path: Path) -> None:
    uneven = record(5)
    uneven["atoms"] |= {"elements": ["Ni"]}
    rows = [record(1), "text", {"jid": "none"}, record(4, ehull="high"), uneven, record(6, ehull=float("inf"))]
    path = write(tmp_path / "mixed.json", rows)
    assert jarvis.load(path) == LoadReport(1, 0, 5)
    assert sorted(entry.line or 0 for entry in quarantine.find("mixed.json")) == [2, 3, 4, 5, 6]
    assert jarvis.load(path) == LoadReport(0, 1, 5)


def test_damaged_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="There is no file"):
        jarvis.load(tmp_path / "none.json")
    with pytest.raises(InputError, match="no list"):
        jarvis.load(write(tmp_path / "object.json", {"a": 1}))
    (tmp_path / "half.json").write_text('[{"jid": ')
    with pytest.raises(InputError, match="cannot be read"):
        jarvis.load(tmp_path / "half.json")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.json", "[]")
        archive.writestr("b.json", "[]")
    with pytest.raises(InputError, match="2 JSON files"):
        jarvis.load(tmp_path / "two.zip")
    monkeypatch.setattr(jarvis, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", "[" + " " * 100_000 + "]")
    with pytest.raises(InputError, match="more than"):
        jarvis.load(tmp_path / "bomb.zip")
