"""What the funnel, the generators and the searches ask of a potential, and what most answer it by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pymatgen.io.ase import AseAtomsAdaptor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase.calculators.calculator import Calculator
    from pymatgen.core import Structure


class CheapPotential(Protocol):
    """What is asked of a cheap potential."""

    name: str

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal, None where it does."""
        ...

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one batch; NaN for crystals with a `fault`, which cost the others nothing."""
        ...

    def calculator(self) -> Calculator:
        """An ASE calculator with energy, forces and stress, which keeps nothing of an earlier crystal."""
        ...


class OneByOne(ABC):
    """A potential that knows single crystals only, by an ASE calculator."""

    name: str

    @abstractmethod
    def calculator(self) -> Calculator:
        """An ASE calculator with energy, forces and stress."""

    def fault(self, structure: Structure) -> str | None:  # noqa: ARG002  (the protocol's signature)
        """None: it answers whatever it is asked."""
        return None

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one after the other; NaN for crystals with a `fault`."""
        return [float("nan") if self.fault(structure) else self._energy(structure) for structure in structures]

    def _energy(self, structure: Structure) -> float:
        atoms = AseAtomsAdaptor.get_atoms(structure)
        atoms.calc = self.calculator()
        return float(atoms.get_potential_energy()) / len(atoms)


def beyond(structure: Structure, elements: frozenset[str]) -> str | None:
    """The elements of a crystal that are not among `elements`, None where all are."""
    others = sorted({site.specie.symbol for site in structure} - elements)
    return ", ".join(others) or None


def lonely(structure: Structure, cutoff: float) -> str | None:
    """The first site without a neighbour within `cutoff` (Å): a graph network sees a free atom there."""
    centres = structure.get_neighbor_list(cutoff, exclude_self=True)[0]
    alone = np.setdiff1d(np.arange(len(structure)), centres)
    return f"{structure[int(alone[0])].specie.symbol} on site {alone[0]}" if len(alone) else None
