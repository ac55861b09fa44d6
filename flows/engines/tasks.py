"""What children do: JSON-ready arguments in, JSON-ready output out."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from ase.io import read
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from fermiloop.flows.engines.gpaw_dft import HARD_ELEMENTS, GpawSettings, static_dos
from fermiloop.platform.errors import EngineError
from fermiloop.platform.predictors.potential import AnalyticPotential, ChgnetPotential, relax

HARD_CUTOFF: Final = 600.0  # eV
TRAJECTORY: Final = "relax.traj"


def gpaw_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation by the atomate2 maker, from the last geometry of an earlier attempt where there is one."""
    from fermiloop.flows.engines.gpaw_makers import GpawRelaxMaker

    settings = GpawSettings(**task["settings"])
    structure = _last_geometry(folder) or Structure.from_dict(task["structure"])
    _refuse_hard(structure, settings)
    maker = GpawRelaxMaker(
        settings=asdict(settings),
        steps=task["steps"],
        relax_kwargs={"fmax": task["fmax"], "trajectory": str(folder / TRAJECTORY)},
    )
    result = maker.run_ase(structure)
    if not result.is_force_converged:
        raise EngineError(f"the relaxation did not converge to {task['fmax']} eV/Å in {task['steps']} steps")
    # atomate2 leaves final_energy empty after a relaxation; the trajectory has it
    energy = float(result.trajectory.frame_properties[-1]["energy"])
    return {"structure": _plain(result.final_mol_or_struct), "energy": energy, "converged": True}


def gpaw_static(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Static energy and density of states."""
    settings = GpawSettings(**task["settings"])
    structure = Structure.from_dict(task["structure"])
    _refuse_hard(structure, settings)
    result = static_dos(structure, settings, log=str(folder / "gpaw.txt"))
    return {
        "structure": _plain(structure),
        "energy": result.energy,
        "fermi_level": result.fermi_level,
        "gap": result.gap,
        "magnetic_moment": result.magnetic_moment,
        "n_electrons": result.n_electrons,
        "energies": [float(x) for x in result.energies],
        "density": [round(float(x), 5) for x in result.density],
    }


def chgnet_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation and energy by CHGNet; an unconverged one is a failure, which nobody else would notice."""
    return _cheap_relax(ChgnetPotential(), task)


def analytic_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation by the pair potential of the tests, after as long as they ask for."""
    _dawdle(task)
    return _cheap_relax(AnalyticPotential(), task)


def analytic_static(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A made-up density of states that depends smoothly on composition and volume: for tests only."""
    structure = Structure.from_dict(task["structure"])
    x = np.round(np.arange(-10.0, 8.0001, 0.05), 6)
    y = sum(
        np.exp(-(((x + 0.12 * (site.specie.Z % 10) + 0.02 * structure.volume / len(structure)) / 1.5) ** 2))
        for site in structure
    )
    return {
        "structure": _plain(structure),
        "energy": AnalyticPotential().energies([structure])[0] * len(structure),
        "fermi_level": 0.0,
        "gap": 0.0,
        "magnetic_moment": 0.0,
        "n_electrons": float(sum(site.specie.Z % 10 for site in structure)),
        "energies": [float(v) for v in x],
        "density": [float(v) for v in np.asarray(y)],
    }


def _cheap_relax(potential: AnalyticPotential | ChgnetPotential, task: dict[str, Any]) -> dict[str, Any]:
    structure = Structure.from_dict(task["structure"])
    found = relax(potential, structure, fmax=task["fmax"], steps=task["steps"])
    if not found.converged:
        raise EngineError(f"the relaxation did not converge to {task['fmax']} eV/Å in {task['steps']} steps")
    return {
        "structure": _plain(found.structure),
        "energy": found.energy_per_atom * len(found.structure),
        "converged": True,
    }


def _dawdle(task: dict[str, Any]) -> None:
    """Take the time, or fail in the way, that a test asks for."""
    time.sleep(float(task.get("sleep", 0.0)))
    way = task.get("fail", "")
    if way == "raise":
        raise EngineError("asked to fail")
    if way == "crash":
        os.abort()


def _refuse_hard(structure: Structure, settings: GpawSettings) -> None:
    hard = sorted(HARD_ELEMENTS & {element.symbol for element in structure.composition.elements})
    if hard and settings.cutoff < HARD_CUTOFF:
        raise EngineError(f"{', '.join(hard)} need a cutoff of {HARD_CUTOFF:g} eV, not {settings.cutoff:g}")


def _last_geometry(folder: Path) -> Structure | None:
    path = folder / TRAJECTORY
    if not path.exists():
        return None
    try:
        atoms = read(path, index=-1)
    except Exception:  # noqa: BLE001  (a trajectory cut off by a kill raises many kinds; the start is as good)
        path.unlink()
        return None
    return AseAtomsAdaptor.get_structure(atoms)


def _plain(structure: Structure) -> dict[str, Any]:
    """Dictionary of cell, species and coordinates alone, in JSON's own types."""
    bare = Structure(np.asarray(structure.lattice.matrix, dtype=float), structure.species, structure.frac_coords)
    return dict(bare.as_dict())
