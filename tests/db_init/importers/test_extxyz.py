"""Extended XYZ: every frame, with its energies."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest

from fermiloop.db_init.importers import extxyz, folder
from fermiloop.db_init.importers.entries import Entry
from fermiloop.db_init.importers.options import LoadOptions
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
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


CELL = 'Lattice="5.6 0 0 0 5.6 0 0 0 5.6" Properties=species:S:1:pos:R:3'


def entry_of(more: str, cell: str = CELL, columns: dict[str, str] | None = None, rows: str = "") -> Entry:
    text = f"2\n{cell} {more}\n{rows or 'Na 0 0 0'}\nCl 2.8 2.8 2.8\n"
    return extxyz.entry(text, "set.xyz#1", "set", LoadOptions(columns=columns or {}))


@pytest.mark.parametrize(
    ("more", "energy", "told"),
    [
        ("energy=-6.8", -3.4, ""),
        ("energy_per_atom=-3.4", -3.4, ""),
        ("energy=-6.8 energy_per_atom=-3.4", -3.4, ""),
        ("REF_energy=-6.8", -3.4, "taken from REF_energy"),
        ("dft_energy=-6.8 forces_unit=x", -3.4, "taken from dft_energy"),
        ("DFT_energy=-6.8 REF_energy=-6.8", -3.4, "taken from REF_energy"),
        ("free_energy=-6.8", -3.4, "taken from free_energy"),
        ("energy=-6.8 free_energy=-6.9", -3.4, ""),
        ("TotEnergy=-6.8", -3.4, "taken from TotEnergy"),
        ("corrected_total_energy=-6.8", -3.4, "taken from corrected_total_energy"),
        ("E=-6.8", -3.4, "taken from E"),
        ("E0=-6.8", -3.4, "taken from E0"),
        ("REF_energy_per_atom=-3.4", -3.4, "taken from REF_energy_per_atom"),
        ("energy_Ha=-0.25", -0.125 * 27.211386245988, "taken from energy_Ha"),
        ("energy_ev_atom=-3.4", -3.4, "taken from energy_ev_atom"),
        ("energy=-0.25 energy_unit=Hartree", -0.125 * 27.211386245988, ""),
        ("energy=-6.8 REF_energy=-7.8", None, "disagree, so no energy was taken"),
        ("REF_energy=-6.8 dft_energy=-6.0", None, "disagree, so no energy was taken"),
        ("interaction_energy=-2.1", None, "interaction_energy was left out"),
        ('energy=-6.8 note="energy=-1 of energy=-2"', -3.4, ""),
        ("formation_energy=-2.1", None, "formation_energy was left out"),
        ('config_type=bulk stress="1 2 3 4 5 6"', None, ""),
    ],
)
def test_energies_under_the_names_that_people_use(more: str, energy: float | None, told: str) -> None:
    found = entry_of(more)
    energies = [value for kind, value, _ in found.numbers if str(kind) == "energy_per_atom"]
    assert energies == ([] if energy is None else [pytest.approx(energy)])
    assert told in " ".join(found.remarks)
    assert bool(found.remarks) is bool(told)


@pytest.mark.parametrize(
    ("columns", "right"),
    [({"my_e": "energy"}, -3.4), ({"my_e": "energy_per_atom"}, -6.8), ({"energy": "energy_per_atom"}, -9.0)],
)
def test_a_key_is_named_by_an_option(columns: dict[str, str], right: float) -> None:
    found = entry_of("my_e=-6.8 energy=-9.0", columns=columns)
    assert [value for _, value, _ in found.numbers] == [pytest.approx(right)]
    assert entry_of("x=1", columns={"y": "band_gap"}).remarks[0].startswith("The frame has no key y")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("energy=-6.8 energy_per_atom=-6.8", "contradict each other"),
        ("dft_energy=-6.8 dft_energy_per_atom=-6.8", "contradict each other"),
        ("energy=-6.8 energy=-7.8", "has the key energy twice"),
        ("energy_kcal_mol=-6.8", "per mole of what"),
        ("energy=NaN", "no finite number"),
        ("REF_energy=nan", "no finite number"),
        ("energy=F", "no finite number"),
        ("energy=-6,8", "no number"),
        ("energy=unknown", "no number"),
        ("energy=-6.8 energy_unit=furlong", "'furlong' by energy_unit"),
        ("energy=-6.8 length_unit=bohr", "angstrom only"),
        ("energy_per_atom=inf", "no finite number"),
        ("band_gap=5000", "outside 0 to 50"),
        ('pbc="T T F"', "not periodic in three directions"),
        ("pbc=F", "not periodic in three directions"),
    ],
)
def test_contradictions_and_what_is_no_number_are_refused(more: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        entry_of(more)


@pytest.mark.parametrize(
    ("cell", "rows", "told"),
    [
        ("Properties=species:S:1:pos:R:3", "", "has no Lattice"),
        ('Properties=species:S:1:pos:R:3 pbc="T T T"', "", "has no Lattice"),
        ("a comment", "", "has no Lattice"),
        (CELL.replace("5.6 0 0 0 5.6", "5.6 0 0 5.6 0"), "", "lie in a plane"),
        (CELL.replace("5.6 0 0 0", "nan 0 0 0"), "", "NaN or infinity"),
        (CELL, "Na 0 nan 0", "NaN or infinity"),
        (CELL, "X 0 0 0", "dummy or ghost"),
        (CELL, "Qq 0 0 0", "'Qq' is no element"),
        (CELL.replace("pos:R:3", "pos:R:3:more:R:9999999"), "", "a property has 9999999 columns"),
    ],
)
def test_what_is_no_crystal_is_refused_in_words(cell: str, rows: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        entry_of("energy=-1", cell, rows=rows)


def test_cells_of_any_spelling_become_right_handed_and_keep_moments() -> None:
    left = CELL.replace("0 0 5.6", "0 0 -5.6").replace("Lattice", "lattice")
    crystal = entry_of("", left).structure
    assert np.linalg.det(crystal.lattice.matrix) > 0
    assert crystal.distance_matrix[0, 1] == pytest.approx(2.8 * 3**0.5)
    text = f"2\n{CELL}:initial_magmoms:R:1\nFe 0 0 0 2.5\nO 2.8 2.8 2.8 0.1\n"
    assert extxyz.entry(text, "k", "n", LoadOptions()).structure.site_properties["magmom"] == [2.5, 0.1]
    heavy = entry_of("", rows="D 0 0 0")
    assert heavy.structure.composition.formula == "H1 Cl1"
    assert heavy.remarks == ("Deuterium (D) was read as hydrogen.",)


def test_what_is_so_in_every_frame_is_told_once_a_file(database: str, tmp_path: Path) -> None:
    path = tmp_path / "set.extxyz.gz"
    text = "".join(frame(5.7 + 0.1 * n, f"REF_energy={-6.8 - n}") for n in range(5))
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert folder.load(path) == LoadReport(5, 0, 1)
    (told,) = quarantine.find()
    assert told.reason == "The energy was taken from REF_energy."


def test_a_warning_of_the_parser_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real = extxyz.read_with_ase

    def warning(*what: object, **how: object) -> object:
        warnings.warn("the cell looks odd", UserWarning, stacklevel=1)
        return real(*what, **how)

    monkeypatch.setattr(extxyz, "read_with_ase", warning)
    assert entry_of("energy=-1").remarks == ("ASE said of it: the cell looks odd.",)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("count", ["99999999999", "9" * 5000, "123456"])
def test_more_atoms_than_a_crystal_has_are_not_looked_for(tmp_path: Path, count: str) -> None:
    path = tmp_path / "many.xyz"
    path.write_text(f"{count}\n{CELL}\nNa 0 0 0\n")
    with pytest.raises(InputError, match=rf"says that it has {count[:20]} atoms; a crystal has at most 400 sites"):
        folder.crystals_of(path)
