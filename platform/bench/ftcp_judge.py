"""The judge of designs: relaxation by a potential, as the paper relaxes by DFT before it counts.

The formation energy is that of the relaxed crystal against the elements relaxed by the same potential. What was
relaxed once is kept, one JSON object a line, so that a run that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.platform.bench.crystal_data import crystal_of
from fermiloop.platform.bench.potential_answers import Answers
from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FMAX: Final = 0.1  # eV/Å, as the funnel relaxes
STEPS: Final = 150
KIND: Final = f"relaxed to {FMAX} eV/Å in {STEPS} steps"


@dataclass(frozen=True)
class Relaxed:
    """Crystals after relaxation.

    Parameters
    ----------
    places
        Those that came to an end, among all that were relaxed.
    structures
        What they became.
    formation
        (n,) their formation energies, eV/atom.
    n
        How many were relaxed; the others failed.
    """

    places: tuple[int, ...]
    structures: tuple[Structure, ...]
    formation: Array
    n: int


class RelaxationJudge:
    """Relaxes crystals by a potential.

    Parameters
    ----------
    name
        Of the potential.
    elements
        Crystal of each element, relaxed by the same potential when it is first needed.
    kept
        File of what was relaxed before; None keeps nothing.
    """

    def __init__(self, name: str, elements: Mapping[str, Structure], kept: Path | None = None) -> None:
        self.name, self.model = name, declared(name).model
        self._potential, self._elements = declared(name).build(), elements
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
        self._answers = Answers(kept)

    def judge(self, structures: Sequence[Structure], told: Callable[[float], None]) -> Relaxed:
        """Relax cell and positions without symmetry; what does not end, or has no element to refer to, fails."""
        places, made, formation = [], [], []
        for place, structure in enumerate(structures):
            found = self.relaxed(structure)
            energy = found["energy"] - self._elemental(structure) if found["converged"] else float("nan")
            if np.isfinite(energy):
                places.append(place)
                made.append(crystal_of(found))
                formation.append(energy)
            told((place + 1) / len(structures))
        return Relaxed(tuple(places), tuple(made), np.array(formation, dtype=float), len(structures))

    def relaxed(self, structure: Structure, keep_symmetry: bool = False) -> dict[str, Any]:
        """Outcome of one relaxation, as it is kept: ``energy`` (eV/atom), ``converged`` and the crystal."""
        name = _digest(structure, keep_symmetry)
        row = self._answers.get(self.model, KIND, name)
        if row is None:
            found = relax(self._potential, structure, FMAX, STEPS, keep_symmetry=keep_symmetry)
            sound = found.converged and bool(np.isfinite(found.energy_per_atom))
            row = {
                "model": self.model, "kind": KIND, "id": name, "converged": sound,
                "energy": found.energy_per_atom if sound else None, "fault": found.fault, "steps": found.steps,
                "seconds": round(found.core_seconds, 2), **_written(found.structure if sound else structure),
            }  # fmt: skip
            self._answers.put([row])
        return row

    def _elemental(self, structure: Structure) -> float:
        """Energy of the elements of a crystal, eV/atom; NaN where one has no crystal."""
        shares = structure.composition.fractional_composition.get_el_amt_dict()
        return float(sum(share * self._reference(symbol) for symbol, share in shares.items()))

    def _reference(self, symbol: str) -> float:
        known = self._elements.get(symbol)
        found = None if known is None else self.relaxed(known, keep_symmetry=True)
        return float(found["energy"]) if found is not None and found["converged"] else float("nan")


def _written(structure: Structure) -> dict[str, Any]:
    cell = [*structure.lattice.abc, *structure.lattice.angles]
    species = [site.specie.symbol for site in structure]
    return {"cell": cell, "species": species, "frac": structure.frac_coords.tolist()}


def _digest(structure: Structure, keep_symmetry: bool) -> str:
    """Of the crystal as it is given, to 1e-6 Å."""
    rounded = {
        name: np.round(value, 6).tolist() if name != "species" else value for name, value in _written(structure).items()
    }
    text = json.dumps([rounded, keep_symmetry], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
