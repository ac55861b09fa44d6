"""Geometry: no atoms inside each other, a volume that a solid may have, a cell of the size and system asked for.

The floor of 0.5 Å is that of CDVAE's structural validity (Xie et al., ICLR 2022), which overlooks an atom's own
periodic images; here these count.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Element
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.platform.screening.verdicts import Verdict

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from fermiloop.platform.screening.verdicts import Context, Crystal

STAGE = "geometry"
HARD_FLOOR: Final = 0.5  # Å
SYMMETRY_TOLERANCE: Final = 0.05  # Å


def check_geometry(crystal: Crystal, context: Context) -> Verdict:
    """One species a site, finite numbers, volume, distances, number of sites, crystal system."""
    structure = crystal.structure
    if not structure.is_ordered:
        return Verdict(STAGE, False, f"{structure.formula} has sites with more than one species", kind="disordered")
    if not (np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()):
        return Verdict(STAGE, False, "the cell or the coordinates are not finite", kind="not finite")
    problem = check_volume(structure, context, STAGE) or check_distances(structure, context, STAGE)
    return problem or _check_cell(structure, context) or Verdict(STAGE, True)


def check_volume(structure: Structure, context: Context, stage: str) -> Verdict | None:
    """A rejection where the volume per atom (Å³) is out of bounds."""
    low, high = context.volume_per_atom
    volume = structure.volume / len(structure)
    if low <= volume <= high:
        return None
    reason = f"{volume:.3g} Å³ per atom, outside {low:g} to {high:g} Å³"
    return Verdict(stage, False, reason, float(volume), "volume per atom")


def check_distances(structure: Structure, context: Context, stage: str) -> Verdict | None:
    """A rejection where two atoms, or an atom and its image, are too close."""
    radii = np.array([atomic_radius(site.specie.symbol) for site in structure])
    reach = max(HARD_FLOOR, 2 * float(radii.max()) * context.min_distance)
    first, second, _, lengths = structure.get_neighbor_list(reach, exclude_self=True)
    floors = np.maximum(HARD_FLOOR, context.min_distance * (radii[first] + radii[second]))
    short = lengths < floors
    if not short.any():
        return None
    worst = int(np.argmin(np.where(short, lengths / floors, np.inf)))
    pair = f"{structure[int(first[worst])].specie}-{structure[int(second[worst])].specie}"
    reason = f"{pair} {lengths[worst]:.2f} Å apart, less than {floors[worst]:.2f} Å"
    return Verdict(stage, False, reason, float(lengths[worst]), "atoms too close")


def _check_cell(structure: Structure, context: Context) -> Verdict | None:
    symmetry = SpacegroupAnalyzer(structure, symprec=SYMMETRY_TOLERANCE)
    primitive = symmetry.find_primitive()
    sites = len(primitive) if primitive is not None else len(structure)
    if sites > context.space.max_sites:
        reason = f"{sites} sites in the primitive cell, more than {context.space.max_sites}"
        return Verdict(STAGE, False, reason, float(sites), "number of sites")
    system = symmetry.get_crystal_system()
    if context.space.crystal_systems and system not in context.space.crystal_systems:
        reason = f"{system}, where {' or '.join(context.space.crystal_systems)} is asked for"
        return Verdict(STAGE, False, reason, kind="crystal system")
    return None


@cache
def atomic_radius(symbol: str) -> float:
    """Atomic radius in Å: Slater's, else the calculated one, else 1.4."""
    data = Element(symbol).data  # the properties warn where there is no value
    for kind in ("Atomic radius", "Atomic radius calculated"):
        if isinstance(data.get(kind), int | float):
            return float(data[kind])
    return 1.4
