"""Extended XYZ: every frame, with its energies."""

from __future__ import annotations

from pathlib import Path

import pytest

from fermiloop.db_init.importers import folder
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.store import labels, materials, methods, quarantine


def frame(a: float, more: str = "", pbc: str = "T T T") -> str:
    lattice = f'Lattice="{a} 0 0 0 {a} 0 0 0 {a}"'
    return f'2\n{lattice} Properties=species:S:1:pos:R:3 {more} pbc="{pbc}"\nCs 0 0 0\nCl {a / 2} {a / 2} {a / 2}\n'


def test_frames_and_energies_come_in_once(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "FRAMES", 2)
    path = tmp_path / "set.extxyz"
    path.write_text(frame(5.7, "energy=-6.5") + frame(5.8) + frame(5.9, "formation_energy_per_atom=-2.0 band_gap=5.1"))
    options = LoadOptions(functional="PBE", licence="MIT", source="mine")
    told: list[float] = []
    assert folder.load(path, lambda _, share: told.append(share), options) == LoadReport(3, 0, 0)
    assert told == [0.0, 1.0]
    found = {m.source["key"]: m for m in materials.find(materials.MaterialQuery())}
    assert set(found) == {"set.extxyz#1", "set.extxyz#2", "set.extxyz#3"}
    (energy,) = labels.of_material(found["set.extxyz#1"].id)
    assert (str(energy.property), energy.value) == ("energy_per_atom", -3.25)
    assert methods.get(energy.method).settings == {"source": "mine", "licence": "MIT"}
    assert {str(one.property) for one in labels.of_material(found["set.extxyz#3"].id)} == {
        "formation_energy_per_atom", "band_gap",
    }  # fmt: skip
    assert folder.load(path, options=options) == LoadReport(0, 3, 0)


def test_a_bad_frame_is_told_and_the_next_ones_come_in(database: str, tmp_path: Path) -> None:
    path = tmp_path / "set.xyz"
    path.write_text(
        frame(5.7) + frame(5.8, pbc="T T F") + frame(5.9, "energy=inf") + frame(6.0).replace("Cl 3.0", "Cl x")
        + frame(6.1) + "many\nmore\n" + frame(6.2)
    )  # fmt: skip
    assert folder.load(path) == LoadReport(2, 0, 4)
    reasons = {entry.line: entry.reason for entry in quarantine.find("set.xyz")}
    assert set(reasons) == {2, 3, 4, 6}
    assert "not periodic" in reasons[2]
    assert "no finite number" in reasons[3]


def test_one_file_is_a_source_as_well(database: str, tmp_path: Path) -> None:
    path = tmp_path / "one.xyz"
    path.write_text(frame(5.7))
    assert folder.load(path) == LoadReport(1, 0, 0)
    (found,) = materials.find(materials.MaterialQuery())
    assert (found.source["key"], found.source["licence"]) == ("one.xyz", "unknown")


def test_a_file_that_cannot_be_read_stops_no_other(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.xyz", "b.cif", "c.xyz"):
        (tmp_path / name).write_text(frame(5.7))
    real = Path.open

    def denied(path: Path, *how: object, **more: object) -> object:
        if path.name in {"a.xyz", "b.cif"}:
            raise PermissionError(13, "Permission denied")
        return real(path, *how, **more)

    monkeypatch.setattr(Path, "open", denied)
    assert folder.load(tmp_path) == LoadReport(1, 0, 2)
    assert {entry.reason for entry in quarantine.find()} == {
        "The file a.xyz cannot be read: Permission denied.",
        "The file b.cif cannot be read: Permission denied.",
    }
