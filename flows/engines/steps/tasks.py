"""What children do: JSON-ready arguments in, JSON-ready output out."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from fermiloop.flows.engines.gpaw import molecule
from fermiloop.flows.engines.gpaw.dft import static_dos
from fermiloop.flows.engines.gpaw.settings import GpawSettings, refusal
from fermiloop.flows.engines.steps.geometry import GeometryFile, last_geometry, plain
from fermiloop.platform.errors import EngineError
from fermiloop.platform.predictors.potential.analytic import AnalyticPotential
from fermiloop.platform.predictors.potential.chgnet import ChgnetPotential
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.representations.molecules import is_molecule
from fermiloop.schemas.curve_kinds import SpectrumKind


def gpaw_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation by the atomate2 maker, from the last geometry of an earlier attempt where there is one."""
    from fermiloop.flows.engines.gpaw.makers import GpawRelaxMaker

    asked = Structure.from_dict(task["structure"])
    settings = molecule.settings_of(GpawSettings(**task["settings"]), asked)
    _refuse(asked, settings)
    earlier = last_geometry(folder, asked)
    maker = GpawRelaxMaker(
        relax_cell=not is_molecule(asked),
        settings=asdict(settings),
        steps=task["steps"],
        relax_kwargs={"fmax": task["fmax"], "trajectory": GeometryFile(folder)},
    )
    result = maker.run_ase(_with_moments_of(asked, earlier) if earlier else asked)
    if not result.is_force_converged:
        raise EngineError(f"the relaxation did not converge to {task['fmax']} eV/Å in {task['steps']} steps")
    # atomate2 leaves final_energy empty after a relaxation; the trajectory has it
    energy = float(result.trajectory.frame_properties[-1]["energy"])
    found = _with_moments_of(asked, Structure.from_dict(plain(result.final_mol_or_struct))).as_dict()
    return {"structure": found, "energy": energy, "converged": True, "resumed": earlier is not None}


def gpaw_static(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Static energy and density of states."""
    from fermiloop.flows.engines.gpaw.makers import labels_of

    settings = GpawSettings(**task["settings"])
    structure = Structure.from_dict(task["structure"])
    _refuse(structure, settings)
    log = str(folder / "gpaw.txt")
    if is_molecule(structure):
        return {"structure": plain(structure), **molecule.static(structure, settings, log)}
    return {"structure": plain(structure), **labels_of(static_dos(structure, settings, log=log))}


def chgnet_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation and energy by CHGNet; an unconverged one is a failure, which nobody else would notice."""
    return _cheap_relax(ChgnetPotential(), task, folder)


def chgnet_static(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Energy by CHGNet at the geometry as it is."""
    structure = Structure.from_dict(task["structure"])
    energy = float(ChgnetPotential().energies([structure])[0]) * len(structure)
    return {"structure": plain(structure), "energy": energy}


def analytic_relax(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relaxation by the pair potential of the tests, after as long as they ask for."""
    _dawdle(task)
    return _cheap_relax(AnalyticPotential(), task, folder)


def analytic_static(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A made-up density of states that depends smoothly on composition and volume: for tests only."""
    structure = Structure.from_dict(task["structure"])
    x = np.round(np.arange(-10.0, 8.0001, 0.05), 6)
    y = sum(
        np.exp(-(((x + 0.12 * (site.specie.Z % 10) + 0.02 * structure.volume / len(structure)) / 1.5) ** 2))
        for site in structure
    )
    return {
        "structure": plain(structure),
        "energy": AnalyticPotential().energies([structure])[0] * len(structure),
        "fermi_level": 0.0,
        "gap": 0.0,
        "magnetic_moment": 0.0,
        "n_electrons": float(np.trapezoid(np.asarray(y)[x <= 0], x[x <= 0])),
        "energies": [float(v) for v in x],
        "density": [float(v) for v in np.asarray(y)],
        **({"curves": {task["curve"]: _made_up(structure, SpectrumKind(task["curve"]))}} if task.get("curve") else {}),
    }


def _made_up(structure: Structure, kind: SpectrumKind) -> list[list[float]]:
    """Points and values of another curve: a peak for each atom, by its element and the volume."""
    grid = kind.declared
    x = np.linspace(grid.lo, grid.hi, grid.n)
    volume = structure.volume / len(structure)
    places = [0.15 + 0.07 * (site.specie.Z % 10) + 0.002 * volume for site in structure]
    share = (x - grid.lo) / (grid.hi - grid.lo)
    y = np.sum([np.exp(-(((share - place) / 0.08) ** 2)) for place in places], axis=0)
    return [[float(v) for v in x], [float(v) for v in y]]


def _cheap_relax(potential: AnalyticPotential | ChgnetPotential, task: dict[str, Any], folder: Path) -> dict[str, Any]:
    asked = Structure.from_dict(task["structure"])
    earlier = last_geometry(folder, asked)
    found = relax(potential, earlier or asked, fmax=task["fmax"], steps=task["steps"], trajectory=GeometryFile(folder))
    if found.fault:
        raise EngineError(found.fault)
    if not found.converged:
        raise EngineError(f"the relaxation did not converge to {task['fmax']} eV/Å in {task['steps']} steps")
    return {
        "structure": plain(found.structure),
        "energy": found.energy_per_atom * len(found.structure),
        "converged": True,
        "steps": found.steps,
        "resumed": earlier is not None,
    }


def _dawdle(task: dict[str, Any]) -> None:
    """Take the time, or fail in the way, that a test asks for."""
    time.sleep(float(task.get("sleep", 0.0)))
    way = task.get("fail", "")
    if way == "raise":
        raise EngineError("asked to fail")
    if way == "crash":
        os.abort()
    if way == "segfault":
        ctypes.string_at(0)
    if way == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        bytearray(2**32)


def _with_moments_of(asked: Structure, found: Structure) -> Structure:
    """The same atoms elsewhere, with the moments that they were given to begin with."""
    if "magmom" in asked.site_properties:
        found.add_site_property("magmom", asked.site_properties["magmom"])
    return found


def _refuse(structure: Structure, settings: GpawSettings) -> None:
    told = refusal(structure.symbol_set, settings.cutoff)
    if told is not None:
        raise EngineError(told)
