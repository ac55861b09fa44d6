"""Folders of CIF, POSCAR and extended XYZ files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from ase.io import read as read_with_ase
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.db_init.importers.report import LoadReport, Progress, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import materials, quarantine
from fermiloop.schemas.material import Material
from fermiloop.schemas.vocabulary import Origin

LARGEST: Final = 5_000_000  # bytes


def load(folder: Path, progress: Progress = silent) -> LoadReport:
    """Load every structure file below a folder; what is none goes to quarantine with its reason.

    Raises
    ------
    InputError
        If there is no such folder, or no structure file in it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and is_structure_file(path))
    if not paths:
        raise InputError(f"The folder {folder} holds no CIF, POSCAR or XYZ file.")
    loaded = already = refused = 0
    for place, path in enumerate(paths):
        name = str(path.relative_to(folder))
        try:
            source = {"name": "folder", "key": name, "licence": "as given by the user"}
            material = Material.from_structure(read_structure(path), origin=Origin.IMPORT, source=source)
            material.check()
        except InputError as error:
            quarantine.put(name, None, str(error), _excerpt(path))
            refused += 1
        else:
            new = materials.save_many([material])
            loaded, already = loaded + new, already + 1 - new
        progress(name, (place + 1) / len(paths))
    return LoadReport(loaded, already, refused)


def _excerpt(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return content.read(200).decode("utf-8", "replace")
    except OSError as error:
        return str(error.strerror)


def is_structure_file(path: Path) -> bool:
    """Whether the name says that it is one."""
    return path.suffix.lower() in {".cif", ".vasp", ".poscar", ".xyz", ".extxyz"} or path.name.startswith(
        ("POSCAR", "CONTCAR")
    )


def read_structure(path: Path) -> Structure:
    """Crystal of one file.

    Raises
    ------
    InputError
        If the file is too large, or holds no crystal.
    """
    if path.stat().st_size > LARGEST:
        raise InputError(f"The file {path.name} is larger than {LARGEST // 1_000_000} MB.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounding of CIF coordinates is not worth a warning each
        try:
            if path.suffix.lower() in {".xyz", ".extxyz"}:
                return AseAtomsAdaptor.get_structure(read_with_ase(path, format="extxyz"))
            text = path.read_text(encoding="utf-8")
            return Structure.from_str(text, fmt="cif" if path.suffix.lower() == ".cif" else "poscar")
        except Exception as error:  # noqa: BLE001  (parsers raise many kinds for a file that is something else)
            raise InputError(f"The file {path.name} holds no crystal: {type(error).__name__}.") from None
