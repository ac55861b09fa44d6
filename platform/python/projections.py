"""Projections on atoms and orbitals: the store keeps total curves, a program's own files lie with its calculation."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fermiloop.platform.settings import settings

if TYPE_CHECKING:
    from pymatgen.electronic_structure.dos import CompleteDos

FILES: Final = ("vasprun.xml", "vasprun.xml.gz")
CURVE: Final = "dos"
"""The step that computes the curve; its file is taken before those of the steps before it."""


def of_calculation(calculation: str) -> CompleteDos | None:
    """Projected density of states of a calculation, with the energies and the Fermi level that its program gave.

    None where its files are elsewhere, or hold no projections.
    """
    folder = settings().data_dir.expanduser() / "calculations" / calculation
    found = [path for name in FILES for path in folder.glob(f"*/attempt-*/{name}")]
    for path in sorted(found, key=lambda one: (one.parts[-3] == CURVE, one.stat().st_mtime), reverse=True):
        complete = _read(path)
        if complete is not None:
            return complete
    return None


def _read(path: Path) -> CompleteDos | None:
    from pymatgen.io.vasp import Vasprun

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            run = Vasprun(path, parse_eigen=False, parse_potcar_file=False)
            complete = run.complete_dos
        except Exception:  # noqa: BLE001 - of a file that is cut off, or of a relaxation, anything may come
            return None
    return complete if complete.pdos else None
