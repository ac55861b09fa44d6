"""Crystals with formation energies by DFT, those that compete with them, and the hull of both.

Hulls are built of the crystals of the file alone, once from the energies by DFT and once from those of a potential, so
that both are measured against the same competing phases.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure
from scipy.optimize import linprog

from fermiloop.platform.bench.crystal_data import crystal_of, read_crystals
from fermiloop.platform.bench.library import lines_of, read_records
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIELD: Final = "e_form_mp2018"
"""Formation energies of the Materials Project of one version, eV/atom, with the elements at 0."""
ELEMENTS: Final = "mp_element_references.json.gz"
"""File beside the crystals: structures and energies of the elements, of which the lowest is taken."""
MOST_SITES: Final = 20
MOST_COMPONENTS: Final = 4
LIMIT: Final = 0.1  # eV/atom above the hull: what counts as stable


@dataclass(frozen=True)
class Phases:
    """Crystals of one energy scale.

    Parameters
    ----------
    ids, structures
        Compounds.
    formation
        (n,) formation energies by DFT, eV/atom.
    elements
        Crystal of each element, whose formation energy is 0.
    """

    ids: tuple[str, ...]
    structures: tuple[Structure, ...]
    formation: Array
    elements: Mapping[str, Structure]

    def __len__(self) -> int:
        return len(self.ids)

    def subset(self, places: Sequence[int]) -> Phases:
        """The compounds at these places, in this order, and the elements that they need."""
        structures = tuple(self.structures[i] for i in places)
        needed = {symbol for structure in structures for symbol in structure.symbol_set}
        elements = {symbol: crystal for symbol, crystal in self.elements.items() if symbol in needed}
        return Phases(tuple(self.ids[i] for i in places), structures, self.formation[list(places)], elements)


def read_phases(path: Path) -> Phases:
    """Compounds of a file that are small enough and whose elements all have a crystal.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no compound with a formation energy.
    """
    ids, structures, formation = _rows(path)
    known = elements_of(path, structures, formation)
    fits = [
        i
        for i, crystal in enumerate(structures)
        if 2 <= len(crystal.symbol_set) <= MOST_COMPONENTS
        and len(crystal) <= MOST_SITES
        and set(crystal.symbol_set) <= known.keys()
        and np.isfinite(formation[i])
    ]
    if not fits:
        raise InputError(f"{path} holds no compound with a formation energy and crystals of its elements.")
    return Phases(tuple(ids), tuple(structures), np.array(formation), known).subset(fits)


def _rows(path: Path) -> tuple[list[str], list[Structure], list[float]]:
    first = next(lines_of(path), "")
    if f'"{FIELD}"' not in first and '"cell"' in first:
        data, _ = read_crystals(path)
        return list(data.ids), list(data.structures), data.labels["formation_energy_per_atom"].tolist()
    if f'"{FIELD}"' not in first:
        return _of_library(path)
    records = [record for record in map(json.loads, lines_of(path)) if record.get(FIELD) is not None]
    crystals = [crystal_of(record) for record in records]
    return [str(record["material_id"]) for record in records], crystals, [float(record[FIELD]) for record in records]


def _of_library(path: Path) -> tuple[list[str], list[Structure], list[float]]:
    """Records of a DOS library, whose energies are counted from the lowest crystal of each element."""
    records, _ = read_records(path)
    zero: dict[str, float] = {}
    for record in records:
        symbols = record["structure"].symbol_set
        if len(symbols) == 1:
            zero[symbols[0]] = float(np.nanmin([record["energy"], zero.get(symbols[0], np.nan)]))
    formation = [
        record["energy"]
        - sum(zero.get(site.specie.symbol, np.nan) for site in record["structure"]) / len(record["structure"])
        for record in records
    ]
    return [str(record["key"]) for record in records], [record["structure"] for record in records], formation


def elements_of(path: Path, structures: Sequence[Structure], formation: Sequence[float]) -> dict[str, Structure]:
    """A crystal of each element: of the file beside, or the lowest among the crystals."""
    beside = path.parent / ELEMENTS
    if beside.exists():
        with gzip.open(beside, "rt", encoding="utf-8") as file:
            told: dict[str, dict[str, Any]] = json.load(file)
        return {
            symbol: Structure.from_dict(entry["structure"][int(np.argmin(entry["energy_per_atom"]))])
            for symbol, entry in told.items()
        }
    found: dict[str, int] = {}
    for place, crystal in enumerate(structures):
        symbol = crystal[0].specie.symbol
        if len(crystal.symbol_set) == 1 and (symbol not in found or formation[place] < formation[found[symbol]]):
            found[symbol] = place
    return {symbol: structures[place] for symbol, place in found.items()}


class Hull:
    """Convex hull of compounds and elements at 0, by linear programming (one a crystal; Ong et al., 2008).

    Parameters
    ----------
    structures, formation
        Compounds and their formation energies, eV/atom; those with NaN do not compete.
    """

    def __init__(self, structures: Sequence[Structure], formation: Array) -> None:
        self._by_system: dict[frozenset[str], dict[tuple[float, ...], float]] = defaultdict(dict)
        for structure, energy in zip(structures, formation, strict=True):
            if energy < 0:  # what lies above the elements, or has no energy, is on no hull
                system = frozenset(structure.symbol_set)
                shares = _shares(structure, sorted(system))
                self._by_system[system][shares] = min(float(energy), self._by_system[system].get(shares, np.inf))

    def energy(self, structure: Structure) -> float:
        """Energy of the hull at the composition of a crystal, eV/atom."""
        symbols = sorted(structure.symbol_set)
        columns, energies = [tuple(row) for row in np.eye(len(symbols))], [0.0] * len(symbols)
        for n in range(2, len(symbols) + 1):
            for part in combinations(symbols, n):
                for shares, energy in self._by_system.get(frozenset(part), {}).items():
                    columns.append(tuple(dict(zip(part, shares, strict=True)).get(symbol, 0.0) for symbol in symbols))
                    energies.append(energy)
        found = linprog(energies, A_eq=np.array(columns).T, b_eq=_shares(structure, symbols), method="highs")
        return float(found.fun)

    def above(self, structures: Sequence[Structure], formation: Array) -> Array:
        """Energies above the hull, eV/atom; NaN where there is no energy."""
        return np.array(
            [
                energy - self.energy(structure) if np.isfinite(energy) else np.nan
                for structure, energy in zip(structures, formation, strict=True)
            ]
        )


def _shares(structure: Structure, symbols: Sequence[str]) -> tuple[float, ...]:
    return tuple(round(structure.composition.get_atomic_fraction(symbol), 6) for symbol in symbols)


def draw(phases: Phases, above: Array, n: int, seed: int) -> tuple[list[int], list[int]]:
    """Places of the crystals to judge, half of them stable, and of all that compete with them.

    Parameters
    ----------
    above
        Energies above the hull by DFT, eV/atom.
    n
        How many to judge; fewer where there are too few of either kind.
    """
    random = np.random.default_rng(seed)
    kinds = [np.flatnonzero(above <= LIMIT), np.flatnonzero(above > LIMIT)]
    judged = sorted(int(i) for kind in kinds for i in random.permutation(kind)[: n // 2])
    systems = {frozenset(phases.structures[i].symbol_set) for i in judged}
    parts = {frozenset(p) for s in systems for k in range(2, len(s) + 1) for p in combinations(sorted(s), k)}
    competing = [i for i, crystal in enumerate(phases.structures) if frozenset(crystal.symbol_set) in parts]
    return judged, competing
