"""The last geometry of a relaxation, kept on disk so that one that was killed goes on from there.

It is written in one move after every ionic step, so that a kill leaves the last whole one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from pymatgen.core import Lattice, Structure
from scipy.optimize import linear_sum_assignment

from fermiloop.flows.engines.steps.isolation import write_atomically

FILE: Final = "geometry.json"
ANOTHER: Final = 1e6  # Å; farther away than any atom is one of another element


class GeometryFile:
    """What an ASE optimiser takes as its ``trajectory``: it is called after every ionic step.

    Parameters
    ----------
    folder
        Folder of the step.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.written = 0

    def set_description(self, description: dict[str, Any]) -> None:
        """ASE tells how it optimises; nobody asks for it later."""

    def __len__(self) -> int:
        """Geometries written; ASE asks whether it is the first."""
        return self.written

    def write(self, atoms: Any) -> None:
        """Keep a geometry: that of ASE atoms, or of what an optimiser moves in their place."""
        image = next(iter(atoms.iterimages()))
        found = plain(Structure(Lattice(image.cell.array), image.get_chemical_symbols(), image.get_scaled_positions()))
        self.written += 1
        text = json.dumps({"structure": found, "written": self.written})
        write_atomically(self._path, text, through=False)  # there are many, and one that is lost costs a few steps


def last_geometry(folder: Path, like: Structure) -> Structure | None:
    """Geometry that an earlier attempt in this folder came to; None where there is none of the same atoms."""
    try:
        found = Structure.from_dict(json.loads((folder / FILE).read_text(encoding="utf-8"))["structure"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if same_atoms(found, like) else None


def same_atoms(found: Structure, like: Structure) -> bool:
    """Whether two structures hold the same atoms in the same order, in a cell that is one."""
    same = [site.specie.symbol for site in found] == [site.specie.symbol for site in like]
    return same and bool(np.isfinite(found.lattice.matrix).all()) and found.volume > 0


def with_moments_of(asked: Structure, found: Structure) -> Structure:
    """The same atoms a little elsewhere and in any order, with the moments that they were given to begin with.

    Programs write atoms in an order of their own, and no moments: each atom gets those of the nearest of its element.
    """
    if "magmom" not in asked.site_properties:
        return found
    apart = asked.lattice.get_all_distances(asked.frac_coords, found.frac_coords)
    symbols = [np.array([site.specie.symbol for site in one]) for one in (asked, found)]
    own, other = linear_sum_assignment(apart + ANOTHER * (symbols[0][:, None] != symbols[1][None]))
    moments = dict(zip(other, own, strict=True))
    given = asked.site_properties["magmom"]
    return found.copy(site_properties={"magmom": [given[moments[n]] for n in range(len(found))]})


def plain(structure: Structure) -> dict[str, Any]:
    """Dictionary of cell, species and coordinates alone, in JSON's own types."""
    bare = Structure(np.asarray(structure.lattice.matrix, dtype=float), structure.species, structure.frac_coords)
    return dict(bare.as_dict())
