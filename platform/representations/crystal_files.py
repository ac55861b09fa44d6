"""Crystals as texts of the files that other programs read: CIF, POSCAR, extended XYZ."""

from __future__ import annotations

import io
import re
import warnings
from enum import StrEnum
from typing import Final

from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

TOLERANCE: Final = 0.01  # Å, within which symmetry is found, as for materials
DIGITS: Final = 12  # after the point, of coordinates and lengths in a CIF


class CrystalForm(StrEnum):
    """Forms of a file with one crystal."""

    CIF = "cif"  # symmetrised: conventional cell, asymmetric unit and symmetry operations
    CIF_P1 = "cif-p1"  # every site of the cell as it is
    POSCAR = "poscar"
    EXTXYZ = "extxyz"


SUFFIX: Final = {
    CrystalForm.CIF: ".cif", CrystalForm.CIF_P1: ".cif", CrystalForm.POSCAR: ".vasp", CrystalForm.EXTXYZ: ".extxyz",
}  # fmt: skip
MEDIA_TYPE: Final = {
    CrystalForm.CIF: "chemical/x-cif", CrystalForm.CIF_P1: "chemical/x-cif",
    CrystalForm.POSCAR: "text/plain", CrystalForm.EXTXYZ: "text/plain",
}  # fmt: skip


def text(structure: Structure, form: CrystalForm, name: str = "") -> str:
    """Text of the file of a crystal.

    Parameters
    ----------
    structure
        Ordered crystal, Å.
    form
        Which file.
    name
        What it is called there, such as the id of a material.
    """
    if form is CrystalForm.POSCAR:
        return _poscar(structure, name)
    if form is CrystalForm.EXTXYZ:
        return _extxyz(structure, name)
    return _cif(structure, name, symmetrised=form is CrystalForm.CIF)


def file_name(name: str, structure: Structure, form: CrystalForm) -> str:
    """Name of the file of a crystal: unlike names give unlike files, on every file system."""
    formula = re.sub(r"[^A-Za-z0-9]+", "", structure.composition.reduced_formula)
    return f"{re.sub(r'[^a-z0-9-]+', '_', name)}_{formula}{SUFFIX[form]}"


def _cif(structure: Structure, name: str, *, symmetrised: bool) -> str:
    said = f"symmetrised within {TOLERANCE:g} Angstrom" if symmetrised else "every site of the cell, in P 1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels of sites that repeat
        try:
            made = str(CifWriter(structure, symprec=TOLERANCE if symmetrised else None, significant_figures=DIGITS))
        except (TypeError, ValueError):  # spglib finds no symmetry at all, not even P 1
            if not symmetrised:
                raise
            made = str(CifWriter(structure, significant_figures=DIGITS))
            said = f"no symmetry was found within {TOLERANCE:g} Angstrom: every site of the cell, in P 1"
    return f"# {name}: {said}\n{made}"


def _poscar(structure: Structure, name: str) -> str:
    ordered = structure.get_sorted_structure()
    ordered.remove_oxidation_states()
    comment = f"{structure.composition.element_composition.formula} {name}".strip()
    return str(Poscar(_bare(ordered), comment=comment).get_str(significant_figures=16))


def _bare(structure: Structure) -> Structure:
    """The crystal without properties of its sites, which a POSCAR would take for velocities and the like."""
    return Structure(structure.lattice, [site.specie for site in structure], structure.frac_coords)


def _extxyz(structure: Structure, name: str) -> str:
    from ase.io.extxyz import write_xyz  # heavy

    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.calc = None
    atoms.info = {"material_id": name} if name else {}
    out = io.StringIO()
    write_xyz(out, atoms, columns=["symbols", "positions"], write_results=False)
    return out.getvalue()
