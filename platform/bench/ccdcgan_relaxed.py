"""Crystals relaxed by a potential, kept one line each, and the hull of a binary system by that potential.

The hull is that of the known phases of a system and of its elements, all relaxed alike, so that one energy scale
serves. A candidate below it is a new point of the potential's phase diagram. As the known phases are those of a file,
which need not be all, a table of formation energies of the Materials Project gives a second hull, by DFT.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Structure
from scipy.spatial import ConvexHull, QhullError

from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fermiloop.platform.bench.potential_answers import Answers, Row
    from fermiloop.platform.predictors.potential.protocol import CheapPotential

    System = tuple[str, str]

FMAX: Final = 0.1  # eV/Å, as the funnel relaxes
STEPS: Final = 150
KIND: Final = "relaxed"
TABLE: Final = "mp2018_formation_energies.csv.gz"
"""File beside the crystals."""


@dataclass(frozen=True)
class Relaxed:
    """One crystal before and after.

    Parameters
    ----------
    structure
        Relaxed.
    energy, before
        eV/atom, after and before.
    ended
        Whether it stayed a crystal that the potential describes.
    converged
        Whether forces and stress came below the limit as well; otherwise its energy is an upper bound.
    seconds
        Of the processor.
    """

    structure: Structure
    energy: float
    before: float
    ended: bool
    converged: bool
    seconds: float


class Relaxer:
    """Relaxes cell and positions, without symmetry; what is in the file is not done again.

    Parameters
    ----------
    name
        Of the potential.
    answers
        What was done before.
    elements
        Crystal of each element.
    """

    def __init__(self, name: str, answers: Answers, elements: Mapping[str, Structure]) -> None:
        self.model, self._name, self._answers, self._elements = declared(name).model, name, answers, elements
        self._built: CheapPotential | None = None

    def relaxed(self, structure: Structure) -> Relaxed:
        """A crystal, known again by its geometry."""
        name = hashlib.sha256(json.dumps(plain(structure)).encode()).hexdigest()[:24]
        row = self._answers.get(self.model, KIND, name)
        if row is None:
            row = self._relax(name, structure)
            self._answers.put([row])
        return Relaxed(
            Structure.from_dict(row["structure"]), _number(row["energy"]), _number(row["before"]), row["ended"],
            row["converged"], row["seconds"],
        )  # fmt: skip

    def formation(self, found: Relaxed, before: bool = False) -> float:
        """Formation energy, eV/atom, of a relaxed crystal, or of the same before; NaN where there is none."""
        if not (found.ended or before):
            return float("nan")
        shares = found.structure.composition.fractional_composition.get_el_amt_dict()
        zero = sum(share * self._element(symbol) for symbol, share in shares.items())
        return float((found.before if before else found.energy) - zero)

    def _element(self, symbol: str) -> float:
        crystal = self._elements.get(symbol)
        return float("nan") if crystal is None else self.relaxed(crystal).energy

    def _relax(self, name: str, structure: Structure) -> Row:
        self._built = self._built or declared(self._name).build()
        before = self._built.energies([structure])[0]
        found = relax(self._built, structure, FMAX, STEPS, keep_symmetry=False)
        return {
            "model": self.model, "kind": KIND, "id": name, "given": structure.formula, "before": _finite(before),
            "structure": plain(found.structure), "energy": _finite(found.energy_per_atom),
            "ended": found.fault is None and bool(np.isfinite(found.energy_per_atom)), "converged": found.converged,
            "fault": found.fault, "steps": found.steps, "seconds": round(found.core_seconds, 2),
        }  # fmt: skip


@dataclass(frozen=True)
class BinaryHull:
    """Lower convex hull of formation energies of a binary system, the elements at 0.

    Parameters
    ----------
    shares, energies
        Corners by the share of the system's second element, and eV/atom there.
    """

    shares: np.ndarray[Any, Any]
    energies: np.ndarray[Any, Any]

    @classmethod
    def of(cls, points: Mapping[float, float]) -> BinaryHull:
        """The hull of the lowest formation energy at each share; what has none is left out."""
        below = {share: energy for share, energy in points.items() if energy < 0}  # NaN is not
        corners = np.array(sorted({0.0: 0.0, 1.0: 0.0, **below}.items()))
        try:
            kept = np.sort(ConvexHull(corners).vertices)
        except QhullError:  # only the elements, which lie on a line
            kept = np.array([0, len(corners) - 1])
        return cls(corners[kept, 0], corners[kept, 1])

    def above(self, share: float, energy: float) -> float:
        """Energy above it, eV/atom; negative below."""
        return float(energy - np.interp(share, self.shares, self.energies))


def lowest(points: list[tuple[float, float]]) -> dict[float, float]:
    """The lowest energy at each share."""
    found: dict[float, float] = {}
    for share, energy in points:
        key = round(share, 6)
        if np.isfinite(energy):
            found[key] = min(energy, found.get(key, np.inf))
    return found


def hulls_by_table(path: Path, systems: list[System]) -> dict[System, BinaryHull]:
    """Hulls of the table beside a file of crystals; empty where there is none."""
    beside = path.parent / TABLE
    if not beside.exists():
        return {}
    wanted = {frozenset(system): system for system in systems}
    points: dict[System, list[tuple[float, float]]] = defaultdict(list)
    with gzip.open(beside, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["formula"]:
                continue
            composition = Composition(row["formula"])
            system = wanted.get(frozenset(element.symbol for element in composition.elements))
            if system:
                points[system].append((composition.get_atomic_fraction(system[1]), float(row["e_form_mp2018"])))
    return {system: BinaryHull.of(lowest(points[system])) for system in systems}


def plain(structure: Structure) -> dict[str, Any]:
    """A crystal as JSON reads it back, of few letters."""
    bare = Structure(structure.lattice.matrix.round(6), structure.species, structure.frac_coords.round(6))
    found: dict[str, Any] = json.loads(json.dumps(bare.as_dict(verbosity=0)))
    return found


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
