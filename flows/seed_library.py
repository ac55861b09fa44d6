"""The seed library: prototypes at their CHGNet geometry, then energy and DOS by PBE with GPAW.

One record a line, in the order of the enumeration; a run takes up where the file ends, and several
processes may share the work by stride. Of the prototypes of one composition only the lowest in
CHGNet energy is computed, and only where it lies less than `MAX_FORMATION` above the elements.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from fermiloop.flows.engines.gpaw_dft import HARD_ELEMENTS, GpawSettings, static_dos
from fermiloop.platform.predictors.potential import ChgnetPotential, equilibrium_volume, guess_volume, relax
from fermiloop.platform.representations.prototypes import PROTOTYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pymatgen.core import Structure

ELEMENTS: Final = tuple(
    "Li Be Na Mg Al Si P S Cl K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In"
    " Sn Sb Te I Cs Ba La Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi".split()
)
ELEMENTAL: Final = ("A1", "A2", "A3", "A4")
MAX_FORMATION: Final = 0.25  # eV per atom by CHGNet
ORDER_SEED: Final = 11


@dataclass(frozen=True)
class Entry:
    """One composition and the prototypes that compete for it."""

    element_a: str
    element_b: str | None
    prototypes: tuple[str, ...]

    @property
    def key(self) -> str:
        """Unique name of the entry in the library."""
        return f"{self.element_a}-{self.element_b}-{'|'.join(self.prototypes)}"


def enumerate_entries() -> list[Entry]:
    """Unaries first, then all binaries in a fixed shuffled order."""
    binaries = []
    for i, a in enumerate(ELEMENTS):
        for b in ELEMENTS[i + 1 :]:
            binaries += [Entry(a, b, ("B1", "B2", "B3")), Entry(a, b, ("B_h", "B8_1", "B4"))]
            for x, y in ((a, b), (b, a)):
                binaries += [Entry(x, y, ("L1_2", "D0_3")), Entry(x, y, ("C1",)), Entry(x, y, ("C32",))]
    random.Random(ORDER_SEED).shuffle(binaries)
    unaries = [Entry(e, None, (p,)) for p in ELEMENTAL for e in ELEMENTS]
    return unaries + binaries


@cache
def elemental_energy(element: str) -> float:
    """CHGNet energy of the lowest elemental prototype, eV per atom."""
    return min(cheap_geometry(Entry(element, None, (name,)))[2] for name in ELEMENTAL)


def scaled(prototype: str, element_a: str, element_b: str | None) -> tuple[Structure, float]:
    """A decorated prototype at its CHGNet volume, and its energy in eV per atom."""
    proto = PROTOTYPES[prototype]
    amounts = {element_a: float(proto.stoichiometry[0])}
    if element_b is not None:
        amounts[element_b] = float(proto.stoichiometry[1])
    volume, energy = equilibrium_volume(
        ChgnetPotential(), lambda v: proto.build(element_a, element_b, v), guess_volume(amounts)
    )
    return proto.build(element_a, element_b, volume), energy


def cheap_geometry(entry: Entry) -> tuple[str, Structure, float]:
    """Lowest prototype of an entry by CHGNet, its geometry, and its energy in eV per atom.

    Cubic prototypes have only their volume to find; a hexagonal one is relaxed as well, unless it
    lies so high above the elements that relaxing could not help.
    """
    candidates = [(*scaled(name, entry.element_a, entry.element_b), name) for name in entry.prototypes]
    structure, energy, name = min(candidates, key=lambda row: row[1])
    hopeless = entry.element_b is not None and formation_energy(structure, energy) > 2 * MAX_FORMATION
    if PROTOTYPES[name].crystal_system == "cubic" or hopeless:
        return name, structure, energy
    relaxed = relax(ChgnetPotential(), structure, fmax=0.03, steps=60)
    return name, relaxed.structure, relaxed.energy_per_atom


def formation_energy(structure: Structure, energy_per_atom: float) -> float:
    """CHGNet formation energy in eV per atom against the lowest elemental prototypes."""
    fractions = structure.composition.fractional_composition.items()
    return energy_per_atom - sum(fraction * elemental_energy(element.symbol) for element, fraction in fractions)


def compute(entry: Entry, settings: GpawSettings) -> dict[str, Any]:
    """Record of one entry: ``ok`` tells whether it holds a DOS or the reason why not."""
    began = time.process_time()
    prototype, structure, energy = cheap_geometry(entry)
    formation = formation_energy(structure, energy)
    if formation > MAX_FORMATION and entry.element_b is not None:
        return {"key": entry.key, "ok": False, "error": f"CHGNet formation energy {formation:.2f} eV/atom"}
    result = static_dos(structure, settings)
    return {
        "key": entry.key,
        "ok": True,
        "formula": structure.composition.reduced_formula,
        "prototype": prototype,
        "structure": {k: v for k, v in structure.as_dict().items() if k != "@version"},
        "chgnet_energy_per_atom": float(energy),
        "chgnet_formation": float(formation),
        "energy": result.energy,
        "efermi": result.fermi_level,
        "gap": result.gap,
        "nelectrons": result.n_electrons,
        "electrons_in_window": result.electrons_in_window,
        "magmom": result.magnetic_moment,
        "nk": result.n_kpoints,
        "nbands": result.n_bands,
        "dos": [round(float(x), 4) for x in result.density],
        "core_seconds": round(time.process_time() - began, 1),
    }


def pending(entries: list[Entry], folder: Path, share: int, shares: int) -> Iterator[Entry]:
    """Entries of this share that no file of the folder holds yet."""
    done = {json.loads(line)["key"] for path in folder.glob("*.jsonl") for line in path.open(encoding="utf-8")}
    for number, entry in enumerate(entries):
        if number % shares == share and entry.key not in done and not {entry.element_a, entry.element_b} & HARD_ELEMENTS:
            yield entry
