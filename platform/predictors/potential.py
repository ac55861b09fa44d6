"""Cheap potentials: an energy and a relaxed geometry in a fraction of a second.

CHGNet (Deng et al., Nat. Mach. Intell. 5, 1031, 2023), with weights inside its wheel, and an analytic
pair potential for tests. Both answer the same protocol; neither gives a density of states.
"""

from __future__ import annotations

import io
import time
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from ase.calculators.lj import LennardJones
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from pymatgen.core import Element, Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ase import Atoms
    from ase.calculators.calculator import Calculator

SCAN: Final = (-0.12, -0.06, 0.0, 0.06, 0.12)  # steps in ln(volume) of a coarse pass
FINE_FACTOR: Final = 0.4
PASSES: Final = 3
ANIONS: Final = frozenset({"O", "F", "N", "Cl", "S", "Se", "Br", "I", "Te"})


VOLUME_RATIO: Final = (0.4, 2.5)  # relaxed to given: outside, it became another substance
CHGNET_CUTOFF: Final = 6.0  # Å, of its atom graph
CHGNET_LAST: Final = 94  # atomic number of the last element it was trained on


@dataclass(frozen=True)
class Relaxation:
    """A relaxed geometry; energies in eV per atom.

    Parameters
    ----------
    converged
        Whether forces and stress came below the limit, to a crystal that the potential describes.
    fault
        Why the outcome is not to be used although the optimiser may have ended: it exploded, collapsed, came apart or
        has no finite energy.
    """

    structure: Structure
    energy_per_atom: float
    converged: bool
    steps: int
    core_seconds: float
    fault: str | None = None


class CheapPotential(Protocol):
    """What the funnel asks of a cheap potential."""

    name: str

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal, None where it does."""
        ...

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one batch; NaN for crystals with a `fault`, which cost the others nothing."""
        ...

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress."""
        ...


class ChgnetPotential:
    """CHGNet on the CPU, or on a GPU where torch sees one.

    On one core a batch of 16 takes 11 ms a crystal where one by one takes 14 ms (8 prototypes of up to 8 sites).
    """

    name = "chgnet"

    def fault(self, structure: Structure) -> str | None:
        """Why it gives no energy of a crystal: an element beyond Pu, or an atom without a neighbour within 6 Å."""
        beyond = sorted({site.specie.symbol for site in structure if site.specie.Z > CHGNET_LAST})
        if beyond:
            return f"CHGNet knows elements up to Pu, not {', '.join(beyond)}"
        centres = structure.get_neighbor_list(CHGNET_CUTOFF, exclude_self=True)[0]
        lonely = sorted(set(range(len(structure))) - set(centres.tolist()))
        if lonely:
            name = structure[lonely[0]].specie.symbol
            return f"{name} on site {lonely[0]} has no neighbour within {CHGNET_CUTOFF:g} Å, so CHGNet sees a free atom"
        return None

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom, one batch; NaN for crystals with a `fault`."""
        known = [place for place, structure in enumerate(structures) if self.fault(structure) is None]
        found = [float("nan")] * len(structures)
        if not known:
            return found
        with _quiet():
            predicted = _chgnet().predict_structure([structures[i] for i in known], task="e", batch_size=16)
        for place, row in zip(known, predicted if isinstance(predicted, list) else [predicted], strict=True):
            found[place] = float(row["e"])
        return found

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress."""
        with _quiet():
            made: Calculator = _chgnet_calculator()(_chgnet(), use_device=_device())
        return made


class AnalyticPotential:
    """Lennard-Jones with a radius-dependent distance: for tests, never for a claim about materials."""

    name = "analytic"

    def fault(self, structure: Structure) -> str | None:  # noqa: ARG002  (the protocol's signature)
        """None: it answers whatever it is asked."""
        return None

    def energies(self, structures: Sequence[Structure]) -> list[float]:
        """Energies in eV per atom."""
        return [self._energy(structure) for structure in structures]

    def calculator(self) -> Calculator:
        """A fresh ASE calculator with energy, forces and stress."""
        return LennardJones(sigma=2.4, epsilon=0.2, rc=7.0, smooth=True)

    def _energy(self, structure: Structure) -> float:
        atoms = AseAtomsAdaptor.get_atoms(structure)
        atoms.calc = self.calculator()
        return float(atoms.get_potential_energy()) / len(atoms)


def relax(
    potential: CheapPotential,
    structure: Structure,
    fmax: float = 0.05,
    steps: int = 200,
    keep_symmetry: bool = True,
    trajectory: Any = None,
) -> Relaxation:
    """Relax cell and positions; the space group is kept unless told otherwise.

    Parameters
    ----------
    fmax
        Largest force in eV/Å (and generalised cell force in eV) at convergence.
    steps
        Most ionic steps; a run that needs more comes back with ``converged=False``, and so does one whose outcome
        has a fault.
    trajectory
        What ASE takes as one: its ``write`` is given the geometry after every ionic step.
    """
    began = time.process_time()
    if fault := potential.fault(structure):
        return Relaxation(structure, float("nan"), False, 0, time.process_time() - began, fault)
    atoms = AseAtomsAdaptor.get_atoms(structure)
    atoms.calc = potential.calculator()
    if keep_symmetry:
        atoms.set_constraint(FixSymmetry(atoms, symprec=1e-3))
    optimiser = FIRE(FrechetCellFilter(atoms), logfile=None, trajectory=trajectory)
    converged = bool(optimiser.run(fmax=fmax, steps=steps))
    energy = float(atoms.get_potential_energy()) / len(atoms)
    # not by the adaptor: it would take magnetic moments of the potential along
    relaxed = Structure(Lattice(atoms.cell.array), atoms.get_chemical_symbols(), atoms.get_scaled_positions())
    fault = _fault_of(potential, structure, relaxed, energy)
    taken = time.process_time() - began
    return Relaxation(relaxed, energy, converged and fault is None, int(optimiser.nsteps), taken, fault)


def _fault_of(potential: CheapPotential, given: Structure, relaxed: Structure, energy: float) -> str | None:
    """Why a relaxation's outcome is not to be used, None where it is."""
    if not (
        np.isfinite(energy) and np.isfinite(relaxed.lattice.matrix).all() and np.isfinite(relaxed.frac_coords).all()
    ):
        return "the energy or the geometry is not finite"
    ratio = relaxed.volume / given.volume
    if not VOLUME_RATIO[0] <= ratio <= VOLUME_RATIO[1]:
        return f"the volume became {ratio:.2f} times what it was"
    return potential.fault(relaxed)


def equilibrium_volume(
    potential: CheapPotential, build: Callable[[float], Structure], guess: float
) -> tuple[float, float]:
    """Volume per atom (Å³) and energy per atom (eV) at the minimum over isotropic scaling.

    Three passes of a parabola in ln(volume); `build` makes the crystal at a volume per atom. Where the potential
    gives no energy, the guess and NaN.
    """
    best, energy = guess, float("nan")
    for number in range(PASSES):
        width = 1.0 if number < PASSES - 1 else FINE_FACTOR
        logs = np.log(best) + np.array(SCAN) * width
        energies = np.array(potential.energies([build(float(np.exp(x))) for x in logs]))
        if not np.isfinite(energies).all():
            return guess, float("nan")  # the potential does not describe it: the guess stays
        best = float(np.exp(_parabola_minimum(logs, energies)))
    energy = potential.energies([build(best)])[0]
    return best, energy


def _parabola_minimum(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    lowest = int(np.argmin(y))
    if not 0 < lowest < len(x) - 1:
        return float(x[lowest])
    a, b, _ = np.polyfit(x[lowest - 1 : lowest + 2] - x[lowest], y[lowest - 1 : lowest + 2], 2)
    return float(x[lowest] - b / (2 * a)) if a > 0 else float(x[lowest])


def guess_volume(elements: dict[str, float]) -> float:
    """First guess of the volume per atom in Å³ from atomic radii and amounts of each element."""
    total = sum(elements.values())
    volume = sum(n * (6.3 * float(Element(symbol).atomic_radius or 1.4) ** 3 + 3) for symbol, n in elements.items())
    return volume / total * (0.8 if ANIONS & set(elements) and len(elements) > 1 else 1.0)


POTENTIALS: Final[dict[str, type[ChgnetPotential] | type[AnalyticPotential]]] = {
    "chgnet": ChgnetPotential,
    "analytic": AnalyticPotential,
}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep CHGNet's announcements off the terminal, and the one warning that it cannot help, while it runs."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True", category=UserWarning)
        yield


@cache
def _chgnet() -> Any:
    import torch
    from chgnet.model import CHGNet

    torch.set_num_threads(1)
    return CHGNet.load(use_device=_device(), verbose=False)


@cache
def _chgnet_calculator() -> Any:
    from chgnet.model import CHGNetCalculator  # imports torch: seconds

    class Unconstrained(CHGNetCalculator):
        """Sees no constraints: ASE applies them, and their conversion to pymatgen warns at every step."""

        def calculate(self, atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
            bare = atoms.copy() if atoms is not None else None
            if bare is not None:
                bare.set_constraint()
            with _quiet():
                super().calculate(bare, *args, **kwargs)

    return Unconstrained


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
