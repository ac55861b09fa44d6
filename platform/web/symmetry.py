"""Space groups beside formulas: by name and number."""

from __future__ import annotations

import warnings
from functools import lru_cache

from dash import html
from dash.development.base_component import Component
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from pymatgen.symmetry.groups import sg_symbol_from_int_number

from fermiloop.schemas.material import Material

TOLERANCE = 0.01  # Å, as pymatgen's default


@lru_cache(maxsize=256)
def group(number: int | None) -> str:
    """Symbol and number of a space group, such as ``Pm-3m (221)``; empty where there is none."""
    if not number:
        return ""
    return f"{sg_symbol_from_int_number(int(number))} ({number})"


def group_of(structure: Structure) -> str:
    """Space group of a crystal, empty where its symmetry is not found."""
    found = analysed(structure)
    return group(found.get_space_group_number()) if found is not None else ""


def group_of_material(material: Material | None) -> str:
    """Space group that the store keeps with a material."""
    return group(material.space_group) if material is not None else ""


def with_group(formula: object, text: str) -> Component:
    """A formula, or a link that shows it, with its space group beside it."""
    return html.Span([formula, html.Small(f" {text}", className="group")] if text else [formula])


def analysed(structure: Structure) -> SpacegroupAnalyzer | None:
    """Symmetry of a crystal; None where it is not found, as where atoms coincide."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spglib, which tells in words what None tells
            return SpacegroupAnalyzer(structure, symprec=TOLERANCE)
    except Exception:  # noqa: BLE001  (spglib and pymatgen raise what they like; a page shows the rest)
        return None
