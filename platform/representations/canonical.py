"""The canonical form of a crystal: one cell, whatever cell it came in.

The symmetry is found by spglib (Togo, Shinohara and Tanaka, Sci. Technol. Adv. Mater. Methods 4, 2384822, 2024) at a
stated tolerance, and the form is its standardised, idealised primitive cell. Charges, moments and other properties of
sites are no part of it. Standardising that cell once more may give another of a few equivalent ones, so the form is
the first of these in a fixed order: it is its own canonical form.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import spglib
from pymatgen.core import Element, Lattice, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

SYMMETRY_TOLERANCE: Final = 0.01  # Å; of the space group and of the canonical cell
PSEUDO_TOLERANCE: Final = 0.04  # Å; a space group found at both is beyond doubt
COORDINATE_DIGITS: Final = 4  # of fractional coordinates and Å, for ids
MOST_STEPS: Final = 8  # cells that standardising may lead through before it comes back to one
# lattice vectors of the primitive cell as columns in those of the conventional one, as spglib chooses them
CENTRINGS: Final = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 1 / 2, -1 / 2], [0, 1 / 2, 1 / 2]]),
    "C": np.array([[1 / 2, 1 / 2, 0], [-1 / 2, 1 / 2, 0], [0, 0, 1]]),
    "R": np.array([[2 / 3, -1 / 3, -1 / 3], [1 / 3, 1 / 3, -2 / 3], [1 / 3, 1 / 3, 1 / 3]]),
    "I": np.array([[-1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [1 / 2, 1 / 2, -1 / 2]]),
    "F": np.array([[0, 1 / 2, 1 / 2], [1 / 2, 0, 1 / 2], [1 / 2, 1 / 2, 0]]),
}
# space groups that differ by their hand alone: the second of each pair counts as the first
HANDS: Final = {
    78: 76, 95: 91, 96: 92, 145: 144, 153: 151, 154: 152, 170: 169, 172: 171, 179: 178, 181: 180, 213: 212,
}  # fmt: skip
FIRST_OF: Final = (  # lowest space group of each crystal system
    (195, "cubic"), (168, "hexagonal"), (143, "trigonal"), (75, "tetragonal"), (16, "orthorhombic"),
    (3, "monoclinic"), (1, "triclinic"),
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A crystal in its canonical form.

    Parameters
    ----------
    key
        Id of the rounded cell: equal keys are one crystal.
    formula
        Reduced.
    lattice, symbols, places
        (3, 3) vectors of the standardised primitive cell in Å; element, and (n, 3) fractional coordinates of its sites.
    space_group
        Number, at `SYMMETRY_TOLERANCE`.
    symmetry, pseudo
        Space group, hands taken as one, and how many atoms of each element lie on each orbit of the primitive cell:
        at `SYMMETRY_TOLERANCE`, and at `PSEUDO_TOLERANCE`.
    fingerprint
        (80,) vector of `representations.fingerprint`.
    """

    key: str
    formula: str
    lattice: NDArray[np.float64]
    symbols: tuple[str, ...]
    places: NDArray[np.float64]
    space_group: int
    symmetry: str
    pseudo: str
    fingerprint: NDArray[np.float64]

    @cached_property
    def structure(self) -> Structure:
        """The cell as pymatgen's object."""
        return Structure(Lattice(self.lattice), list(self.symbols), self.places)

    @cached_property
    def volume_per_atom(self) -> float:
        """In Å³."""
        return float(abs(np.linalg.det(self.lattice))) / len(self.symbols)

    @property
    def firm(self) -> bool:
        """Whether both tolerances see the same symmetry."""
        return self.symmetry == self.pseudo


def canonical(structure: Structure) -> Form:
    """The canonical form of an ordered crystal.

    Raises
    ------
    InputError
        If spglib finds no symmetry in it, or it has no fingerprint.
    """
    bare = _bare(structure)
    exact = _dataset(bare, SYMMETRY_TOLERANCE)
    first = _primitive(bare, exact)
    coarse = _dataset(first, PSEUDO_TOLERANCE)
    symmetry, pseudo = _label(bare, exact), _label(first, coarse)
    again = coarse if symmetry == pseudo else _dataset(first, SYMMETRY_TOLERANCE)
    chosen = _settled(first, _primitive(first, again))
    return Form(
        key=cell_id(chosen),
        formula=str(chosen.composition.reduced_formula),
        lattice=np.array(chosen.lattice.matrix),
        symbols=tuple(site.specie.symbol for site in chosen),
        places=np.array(chosen.frac_coords),
        space_group=int(exact.number),
        symmetry=symmetry,
        pseudo=pseudo,
        fingerprint=fingerprint(chosen),
    )


def cell_id(structure: Structure) -> str:
    """Id of a crystal as written: a hash of its cell and sites, rounded; charges and moments are no part of it."""
    text = json.dumps(_written(structure), separators=(",", ":"))
    return f"m-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def written_moments(structure: Structure) -> list[tuple[Any, ...]]:
    """Element, coordinates and moment (μB) of the sites, rounded and sorted; empty where no moment stands at a site."""
    given = structure.site_properties.get("magmom")
    if given is None or all(moment is None for moment in given):
        return []
    rounded = [np.round(np.atleast_1d(np.array(0.0 if m is None else m, dtype=float)), 3) + 0.0 for m in given]
    return sorted((*_site(site), *moment.tolist()) for site, moment in zip(structure, rounded, strict=True))


def _written(structure: Structure) -> tuple[list[list[float]], list[tuple[Any, ...]]]:
    """Vectors of the cell, and element and coordinates of the sites, rounded and sorted."""
    sites = sorted(_site(site) for site in structure)
    cell = [[round(float(x), COORDINATE_DIGITS) + 0.0 for x in row] for row in structure.lattice.matrix]
    return cell, sites


def _site(site: Any) -> tuple[Any, ...]:
    """Element, and coordinates in the cell, rounded."""
    return site.specie.symbol, *(round(float(x) % 1.0, COORDINATE_DIGITS) % 1.0 for x in site.frac_coords)


def crystal_system(space_group: int) -> str:
    """Crystal system of a space group number."""
    return next(name for first, name in FIRST_OF if space_group >= first)


def _bare(structure: Structure) -> Structure:
    """Elements alone, in a right-handed cell: turning all vectors round leaves the crystal as it is."""
    turn = 1.0 if np.linalg.det(structure.lattice.matrix) > 0 else -1.0
    symbols = [site.specie.symbol for site in structure]
    return Structure(Lattice(turn * structure.lattice.matrix), symbols, turn * structure.frac_coords)


def _dataset(structure: Structure, tolerance: float) -> Any:
    kinds = {symbol: number for number, symbol in enumerate(structure.symbol_set, 1)}
    cell: Any = (structure.lattice.matrix, structure.frac_coords, [kinds[site.specie.symbol] for site in structure])
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=tolerance)
    except spglib.SpglibError as error:
        raise _unfound(structure, str(error)) from None
    if found is None:
        raise _unfound(structure, "no symmetry was found")
    return found


def _unfound(structure: Structure, why: str) -> InputError:
    return InputError(f"The structure {structure.composition.formula} is refused: {why}.")


def _primitive(structure: Structure, found: Any) -> Structure:
    """Idealised primitive cell of what spglib found, its sites by electronegativity and place."""
    centring = CENTRINGS[found.international[0]]
    _, chosen = np.unique(found.std_mapping_to_primitive, return_index=True)
    names = structure.symbol_set
    symbols = [names[kind - 1] for kind in found.std_types[chosen]]
    places = found.std_positions[chosen] @ np.linalg.inv(centring).T
    places = np.round(places - np.floor(places), 10) % 1.0
    rounded = np.round(places, COORDINATE_DIGITS) % 1.0
    order = sorted(range(len(symbols)), key=lambda i: (_negativity(symbols[i]), symbols[i], *rounded[i]))
    return Structure(Lattice(centring.T @ found.std_lattice), [symbols[i] for i in order], places[order])


@cache
def _negativity(symbol: str) -> float:
    """Electronegativity by Pauling; elements without one come last."""
    value = float(Element(symbol).data.get("X") or np.inf)
    return value if np.isfinite(value) else np.inf


def _label(structure: Structure, found: Any) -> str:
    """Space group and, by element, the sizes of the orbits in the primitive cell."""
    share = len(set(found.mapping_to_primitive.tolist())) / len(structure)
    orbits = Counter(found.crystallographic_orbits.tolist())
    named = sorted((structure[orbit].specie.symbol, round(n * share)) for orbit, n in orbits.items())
    number = int(found.number)
    return f"{HANDS.get(number, number)} " + " ".join(f"{symbol}{n}" for symbol, n in named)


def _settled(first: Structure, second: Structure) -> Structure:
    """Of the cells that standardising again and again leads through, the first in order."""
    seen = {cell_id(first): first}
    for _ in range(MOST_STEPS):
        key = cell_id(second)
        if key in seen:
            cycle = list(seen)[list(seen).index(key) :]
            return seen[min(cycle)]
        seen[key] = second
        second = _primitive(second, _dataset(second, SYMMETRY_TOLERANCE))
    return first
