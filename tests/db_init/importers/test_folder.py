"""Folders of structure files: CIF, POSCAR and extended XYZ go in, everything else is told."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from fermiloop.db_init.importers import dispatch, folder
from fermiloop.db_init.importers.report import LoadReport
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import materials, quarantine

XYZ = """2
Lattice="5.7 0 0 0 5.7 0 0 0 5.7" Properties=species:S:1:pos:R:3 pbc="T T T"
Cs 0 0 0
Cl 2.85 2.85 2.85
"""
PARTIAL = """data_x
_cell_length_a 3.6
_cell_length_b 3.6
_cell_length_c 3.6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
A Ni 0 0 0 0.5
B Cu 0 0 0 0.5
"""


NOTES = ("1 file was passed over: notes.txt.",)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one crystal in each format, one of them deeper down."""
    nial = Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    (tmp_path / "deeper").mkdir()
    CifWriter(nial, symprec=0.01).write_file(tmp_path / "nial.cif")
    Poscar(Structure(Lattice.cubic(2.98), ["Pd"], [[0, 0, 0]])).write_file(tmp_path / "deeper" / "POSCAR_pd")
    (tmp_path / "cscl.xyz").write_text(XYZ)
    (tmp_path / "notes.txt").write_text("no structure file, and not meant to be one")
    return tmp_path


def test_every_format_goes_in_once(database: str, files: Path) -> None:
    steps: list[float] = []
    assert folder.load(files, lambda _, fraction: steps.append(fraction)) == LoadReport(3, 0, 0, NOTES)
    assert steps == pytest.approx([1 / 3, 2 / 3, 1.0])
    found = {m.formula: m for m in materials.find(materials.MaterialQuery())}
    assert {f: (m.space_group, m.source["key"]) for f, m in found.items()} == {
        "AlNi": (221, "nial.cif"),
        "Pd": (221, "deeper/POSCAR_pd"),
        "CsCl": (221, "cscl.xyz"),
    }
    assert dispatch.load(str(files)) == LoadReport(0, 3, 0, NOTES)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("picture.cif", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "holds no crystal"),
        ("empty.cif", b"", "holds no crystal"),
        ("POSCAR", b"a poem\nof two lines\n", "holds no crystal"),
        ("water.xyz", b"3\n\nO 0 0 0\nH 0.7 0.6 0\nH -0.7 0.6 0\n", ""),
        ("partial.cif", PARTIAL.encode(), "partial occupancy"),
        ("CONTCAR", b"x\n1\n3 0 0\n0 3 0\n0 0 3\nNi\n2\nDirect\n0 0 0\n0.05 0 0.98\n", "overlap"),
        ("nan.vasp", b"x\n1\nnan 0 0\n0 3 0\n0 0 3\nNi\n1\nDirect\n0 0 0\n", ""),
        ("unreal.vasp", b"x\n1\n3 0 0\n0 3 0\n0 0 3\nX\n1\nDirect\n0 0 0\n", ""),
    ],
)
def test_what_is_no_crystal_is_kept_with_its_reason(
    database: str, files: Path, name: str, content: bytes, told: str
) -> None:
    (files / name).write_bytes(content)
    assert folder.load(files) == LoadReport(3, 0, 1, NOTES)
    (entry,) = quarantine.find(name)
    assert told in entry.reason
    assert entry.reason.endswith(".")
    folder.load(files)
    assert len(quarantine.find(name)) == 1


def test_a_huge_file_is_not_read(database: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LARGEST", 1_000_000)
    with (files / "huge.cif").open("wb") as out:
        out.truncate(1_000_001)
    assert folder.load(files).quarantined == 1
    assert "larger than 1 MB" in quarantine.find("huge.cif")[0].reason


def test_a_folder_without_structures_is_told(database: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no CIF, POSCAR, JSON or XYZ file"):
        folder.load(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        folder.load(tmp_path / "none")


def test_every_name_and_packing_of_a_structure_file(database: str, tmp_path: Path) -> None:
    def poscar(a: float) -> bytes:
        return f"x\n{a}\n1 0 0\n0 1 0\n0 0 1\nCs Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n".encode()

    names = ("POSCAR", "CONTCAR.relax2", "nacl_CONTCAR", "NaCl_POSCAR", "nacl.POSCAR", "a.vasp", "b.poscar", "c.VASP")
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(poscar(4 + 0.2 * number))
    (tmp_path / "CONTCAR.gz").write_bytes(gzip.compress(poscar(6)))
    (tmp_path / "POSCAR.bz2").write_bytes(bz2.compress(poscar(6.2)))
    (tmp_path / "d.poscar.xz").write_bytes(lzma.compress(poscar(6.4)))
    (tmp_path / "e.cif.gz").write_bytes(
        gzip.compress(str(CifWriter(Structure(Lattice.cubic(3), ["Po"], [[0, 0, 0]]))).encode())
    )
    (tmp_path / "XDATCAR").write_bytes(poscar(6.6).replace(b"Direct", b"Direct configuration= 1"))
    assert folder.load(tmp_path) == LoadReport(13, 0, 1)
    assert "trajectory" in quarantine.find("XDATCAR")[0].reason


def test_a_damaged_packing_stops_no_other_file(database: str, files: Path) -> None:
    (files / "cut.cif.gz").write_bytes(gzip.compress(PARTIAL.encode())[:-12])
    (files / "none.vasp.gz").write_bytes(b"no gzip")
    (files / "cut.xyz.gz").write_bytes(gzip.compress(XYZ.encode() * 50)[:-12])
    report = folder.load(files)
    assert (report.loaded, report.quarantined) == (3, 3)
    assert "cannot be unpacked" in quarantine.find("cut.cif.gz")[0].reason
    assert "cannot be unpacked" in quarantine.find("none.vasp.gz")[0].reason
    assert "packing is damaged" in quarantine.find("cut.xyz.gz")[0].reason


def test_what_a_folder_load_passes_over_is_named(database: str, files: Path) -> None:
    (files / ".git").mkdir()
    (files / ".git" / "a.cif").write_text(PARTIAL)
    (files / "deeper" / "._nial.cif").write_bytes(b"\x00\x05\x16\x07")
    for name in ("OUTCAR", "INCAR", "KPOINTS", "run.log", "table.csv"):
        (files / name).write_text("x")
    assert folder.load(files).notes == (
        "8 files were passed over: .git/, INCAR, KPOINTS, OUTCAR, deeper/._nial.cif, ….",
    )


def test_several_crystals_of_a_file_have_keys_of_their_own(database: str, tmp_path: Path) -> None:
    def block(name: str, a: float, element: str = "Po") -> str:
        return (
            PARTIAL.replace("data_x", f"data_{name}").replace("3.6", str(a)).split("A Ni")[0] + f"A {element} 0 0 0 1\n"
        )

    (tmp_path / "two.cif").write_text(block("one", 3.3) + block("bad", 3.4, "M") + block("two", 3.5))
    assert folder.load(tmp_path).loaded == 2
    assert {m.source["key"] for m in materials.find(materials.MaterialQuery())} == {"two.cif#1", "two.cif#3"}
    (refused,) = [one for one in quarantine.find("two.cif") if "holds no crystal" in one.reason]
    assert "block bad of the file two.cif" in refused.reason
    assert refused.excerpt.startswith("two.cif#2")
