"""CIF and mCIF: every crystal of a file, each read rightly or refused.

International Tables for Crystallography, volume G. Nothing is put right in silence: what was assumed is a remark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Species, Structure

from fermiloop.db_init.importers.crystals import cif_formula, cif_moments, cif_sites, cif_symmetry
from fermiloop.db_init.importers.crystals.cif_sites import Site
from fermiloop.db_init.importers.crystals.cif_text import Block, blocks
from fermiloop.db_init.importers.crystals.elements import isotope_remark, plain
from fermiloop.db_init.importers.crystals.found import Crystal, Found
from fermiloop.db_init.importers.crystals.operations import SAME, Operations, orbit
from fermiloop.db_init.importers.crystals.poscar import right_handed
from fermiloop.platform.errors import InputError
from fermiloop.schemas.fields import MIN_DISTANCE

CELL: Final = (
    "_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma",
)  # fmt: skip
COORDINATES: Final = ("_atom_site_fract_x", "_atom_site_cartn_x")
MOST_PAIRS: Final = 2000  # atoms of a cell of which every pair is looked at
MOST_VOLUME: Final = 1000.0  # Å³ of an atom; beyond that the lengths are in picometres, or the atoms isolated
OFF: Final = 0.02  # relative; amounts of a formula are rounded


@dataclass(frozen=True)
class Cell:
    """The atoms of a cell.

    Parameters
    ----------
    places
        (n, 3) fractional.
    origins
        (n,) which site of the list each atom comes from.
    moments
        (n, 3) Cartesian, μB.
    """

    places: NDArray[np.float64]
    origins: NDArray[np.intp]
    moments: NDArray[np.float64]


def read(text: str, what: str) -> list[Found]:
    """Every crystal of a file, in order, or why a block holds none; blocks without atoms are passed over.

    Raises
    ------
    InputError
        If the file is no CIF, or no block of it lists atoms.
    """
    found = blocks(text)
    if not found:
        raise InputError(f"The {what} holds no crystal: it is no CIF, for no line of it begins with data_.")
    listing = [block for block in found if any(name in block.values for name in COORDINATES)]
    if not listing:
        held = ", ".join(block.name[:30] or "without a name" for block in found[:3])
        raise InputError(f"The {what} holds no crystal: its blocks ({held}) list no atoms with coordinates.")
    named = len(listing) > 1
    return [_attempt(block, f"block {block.name[:40]} of the {what}" if named else what) for block in listing]


def _attempt(block: Block, what: str) -> Found:
    try:
        return crystal(block)
    except InputError as error:
        told = str(error)
        if told.startswith(("It ", "Its ", "The ")):
            told = told[0].lower() + told[1:]
        return InputError(f"The {what} holds no crystal: {told}")


def crystal(block: Block) -> Crystal:
    """The crystal of one block.

    Raises
    ------
    InputError
        If it holds none, with the reason.
    """
    remarks: list[str] = []
    if (text := block.value("_cell_modulation_dimension")) and cif_sites.number(text):
        raise InputError("It describes a modulated structure, which repeats in no cell.")
    matrix = _matrix(block)
    formula = cif_formula.formula_of(block)
    if formula is None and (text := block.value("_chemical_formula_sum")):
        remarks.append(f"The formula {text[:60]!r} is not understood and was not compared with the atoms.")
    sites = cif_sites.sites(block, formula, remarks)
    group = cif_moments.operations(block)
    if group is None:
        evidence = _Evidence(sites, matrix, formula, cif_formula.units_of(block))
        group = cif_symmetry.operations(block, matrix, evidence.fault, evidence.count, remarks)
    moments = cif_moments.moments(block, matrix)
    cell = _filled(sites, group, matrix, moments)
    _check_apart(cell, sites, matrix)
    if (volume := abs(float(np.linalg.det(matrix))) / len(cell.places)) > MOST_VOLUME:
        raise InputError(
            f"Its cell has {volume:.3g} Å³ for each atom, which no crystal has; are its lengths in angstrom?"
        )
    cif_formula.check(formula, [sites[origin].symbol for origin in cell.origins])
    remarks += isotope_remark({site.symbol for site in sites})
    return Crystal(right_handed(_structure(cell, sites, matrix)), tuple(dict.fromkeys(remarks)))


def _matrix(block: Block) -> NDArray[np.float64]:
    """(3, 3) cell vectors as rows, Å."""
    values = []
    for name in CELL:
        text = block.value(name)
        value = number if text and (number := cif_sites.number(text)) is not None else None
        if value is None or value <= 0:
            raise InputError(f"It has no {name[1:].replace('_', ' ')}, but {text or 'nothing'}.")
        values.append(value)
    alpha, beta, gamma = values[3:]
    if max(alpha, beta, gamma) >= 180 or alpha + beta + gamma >= 360 or 2 * max(alpha, beta, gamma) >= sum(values[3:]):
        raise InputError(f"Its angles of {alpha:g}, {beta:g} and {gamma:g}° make no cell.")
    matrix: NDArray[np.float64] = Lattice.from_parameters(*values).matrix
    return matrix


def _filled(
    sites: Sequence[Site], group: Operations, matrix: NDArray[np.float64], moments: Mapping[str, NDArray[np.float64]]
) -> Cell:
    """Every atom of the cell."""
    places, origins, vectors = [], list[int](), []
    for number, site in enumerate(sites):
        found, makers, keepers = orbit(site.place, group, matrix)
        places.append(found)
        origins += [number] * len(found)
        moment = moments.get(site.label, np.zeros(3))
        still = not moment.any()
        vectors.append(
            np.zeros((len(found), 3)) if still else cif_moments.spread(moment, site, group, matrix, makers, keepers)
        )
    return Cell(np.concatenate(places), np.array(origins, dtype=np.intp), np.concatenate(vectors))


def _pairs(cell: Cell, matrix: NDArray[np.float64], closer: float) -> NDArray[np.intp]:
    """(m, 2) numbers of atoms that are closer than so many Å."""
    if len(cell.places) > MOST_PAIRS:
        return np.zeros((0, 2), dtype=np.intp)
    difference = cell.places[:, None] - cell.places[None]
    apart = np.linalg.norm((difference - np.round(difference)) @ matrix, axis=2)
    return np.argwhere(np.triu(apart < closer, 1))


def _check_apart(cell: Cell, sites: Sequence[Site], matrix: NDArray[np.float64]) -> None:
    for one, other in _pairs(cell, matrix, SAME):
        first, second = sites[cell.origins[one]], sites[cell.origins[other]]
        if cell.origins[one] != cell.origins[other]:
            raise InputError(
                f"The sites {first.label} ({plain(first.symbol)}) and {second.label} ({plain(second.symbol)}) are one "
                "place, as listed or by symmetry: together they have an occupancy of 2."
            )


def _structure(cell: Cell, sites: Sequence[Site], matrix: NDArray[np.float64]) -> Structure:
    species = [_decorated(sites[origin]) for origin in cell.origins]
    properties: dict[str, Any] = {}
    if cell.moments.any():
        properties["magmom"] = [[float(x) for x in np.round(moment, 6) + 0.0] for moment in cell.moments]
    return Structure(Lattice(matrix), species, cell.places, site_properties=properties)


def _decorated(site: Site) -> Element | Species:
    symbol = plain(site.symbol)
    return Species(symbol, site.charge) if site.charge else Element(symbol)


class _Evidence:
    """What a file says of its crystal beside the symmetry: formula, formula units, multiplicities, distances."""

    def __init__(
        self,
        sites: Sequence[Site],
        matrix: NDArray[np.float64],
        formula: Mapping[str, float] | None,
        units: float | None,
    ) -> None:
        self._sites, self._matrix, self._formula, self._units = sites, matrix, formula, units

    def count(self, group: Operations) -> int:
        """Number of atoms, one for all that lie in one place."""
        cell = _filled(self._sites, group, self._matrix, {})
        return len(cell.places) - len(np.unique(_pairs(cell, self._matrix, SAME)[:, 1]))

    def fault(self, group: Operations) -> str | None:
        """Why the crystal that operations make is not the one of the file; None where it may be."""
        cell = _filled(self._sites, group, self._matrix, {})
        for number, site in enumerate(self._sites):
            made = int((cell.origins == number).sum())
            if site.multiplicity not in {None, made}:
                return f"{site.label} would be there {made} and not {site.multiplicity} times"
        if len(_pairs(cell, self._matrix, MIN_DISTANCE)):
            return "atoms would overlap"
        if self._formula is None:
            return None
        told = cif_formula.fault(self._formula, [self._sites[origin].symbol for origin in cell.origins])
        if told is None and self._units:  # some programs state the formula of the whole cell beside a number of units
            size = sum(self._formula.values())
            if all(abs(len(cell.places) / n - 1) > OFF for n in (size * self._units, size)):
                return f"the cell would have {len(cell.places)} atoms and not {size * self._units:g}"
        return told
