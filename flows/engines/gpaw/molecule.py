"""A molecule in a box by GPAW: Gamma alone, its cell as it is, energy and levels without a density of states.

Its bands have no dispersion, so that the energy is that of any number of k-points: the Method stays the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw import hubbard
from fermiloop.flows.engines.gpaw.dft import band_edges, calculator, initial_atoms
from fermiloop.flows.engines.gpaw.settings import GpawSettings
from fermiloop.platform.representations.alignment import zero_level
from fermiloop.platform.representations.molecules import is_molecule

GAMMA_ALONE: Final = 1e-3  # k-points per Å⁻¹: one along every axis, and Gamma is always among them


def settings_of(settings: GpawSettings, structure: Structure) -> GpawSettings:
    """Settings for a crystal as they are; for a molecule in a box with one k-point."""
    return replace(settings, kpoint_density=GAMMA_ALONE) if is_molecule(structure) else settings


def static(structure: Structure, settings: GpawSettings, log: str | None = None) -> dict[str, Any]:
    """What `protocol.results_of` reads, but the structure and a curve: eV per cell, eV, μB per cell.

    Raises
    ------
    KohnShamConvergenceError
        GPAW's, if self-consistency fails.
    """
    own = settings_of(settings, structure).of_crystal(structure.symbol_set)
    atoms = initial_atoms(structure, own)
    atoms.calc = calculator(own, txt=log)
    energy = float(atoms.get_potential_energy())
    edges, polarised = band_edges(atoms.calc), atoms.calc.get_number_of_spins() == 2
    with_u = hubbard.of_crystal(structure.symbol_set, settings.hubbard)
    told = {"functional": "PBE", "hubbard_u": with_u} if with_u else {}
    return {
        "energy": energy,
        "fermi_level": float(atoms.calc.get_fermi_level()) + zero_level(0.0, edges),
        "gap": edges.gap,
        "magnetic_moment": float(atoms.get_magnetic_moment()) if polarised else 0.0,
        "n_electrons": float(atoms.calc.get_number_of_electrons()),
        **told,
    }
