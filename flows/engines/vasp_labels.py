"""Labels out of the task documents of VASP: the adapter from emmet's ``TaskDoc`` to what the store takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
from jobflow import Job, job
from pymatgen.core import Structure
from pymatgen.electronic_structure.dos import Dos

from fermiloop.flows.engines import isolation
from fermiloop.flows.engines.curve import DosGrid, on_grid
from fermiloop.flows.engines.geometry import plain
from fermiloop.platform.errors import EngineError

STEP: Final = "static"
METAL: Final = 1e-3  # eV; a smaller gap is none
EXTRA_STATES: Final = 0.02  # of two electrons, by which tetrahedra may miss a whole band


def vasp_labels(calculation: str, settings: Mapping[str, Any], scf: Any, dos: Any) -> Job:
    """Job that reads the labels out of the static and the uniform task document."""
    made: Job = _vasp_labels(calculation, dict(settings), scf, dos)
    made.name = "VASP labels"
    return made


@job(data=["energies", "density"])
def _vasp_labels(calculation: str, settings: dict[str, Any], scf: Any, dos: Any) -> dict[str, Any]:
    """Labels of the static calculation and the curve; the task documents stay in the job store."""
    if scf is None or dos is None:
        raise EngineError(f"No task document of {calculation} to read labels from: the step before failed.")
    found = labels_of(scf, dos, settings)
    folder = isolation.step_folder(calculation, STEP)
    folder.mkdir(parents=True, exist_ok=True)
    isolation.write_atomically(folder / isolation.OUTPUT, json.dumps(found))
    return found


def labels_of(scf: Any, dos: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Labels of two task documents: structure, energy (eV per cell), gap, moment and curve.

    Parameters
    ----------
    scf, dos
        emmet's ``TaskDoc`` of the static and of the uniform calculation.
    settings
        Fields of `vasp.VaspSettings`.

    Raises
    ------
    EngineError
        If a document lacks what is needed, or its energy cannot be corrected.
    """
    grid = DosGrid(**{f.name: settings[f.name] for f in fields(DosGrid)})
    structure: Structure = scf.structure
    raw = scf.output.energy
    if raw is None:
        raise EngineError("the static calculation's task document holds no energy")
    correction = correction_of(scf) if settings["corrections"] == "MP2020" else 0.0
    uniform = dos.calcs_reversed[0]
    gap = float(uniform.output.bandgap or 0.0)
    gap = gap if gap > METAL else 0.0
    curve = _curve_of(dos)
    density = on_grid(curve.energies, _total(curve), zero_of(uniform.output, curve.efermi, gap), grid)
    _check_bands(curve, uniform, grid)
    return {
        "structure": plain(structure),
        "energy": float(raw) + correction,
        "correction": correction,
        "fermi_level": float(scf.calcs_reversed[0].output.efermi or curve.efermi),
        "gap": gap,
        "magnetic_moment": moment_of(scf),
        "n_electrons": float(uniform.input.parameters["NELECT"]),
        "energies": [float(x) for x in grid.energies],
        "density": [round(float(y), 5) for y in density],
    }


def correction_of(document: Any) -> float:
    """Energy in eV per cell that MaterialsProject2020Compatibility adds to a document's energy.

    Raises
    ------
    EngineError
        If the scheme does not cover the calculation.
    """
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility  # seconds

    entry = document.structure_entry
    entry.parameters["run_type"] = "GGA+U" if entry.parameters.get("is_hubbard") else "GGA"
    corrected = MaterialsProject2020Compatibility().process_entry(entry, on_error="ignore")
    if corrected is None:
        raise EngineError(
            f"MaterialsProject2020Compatibility does not cover {entry.composition.reduced_formula} as it was computed; "
            "set corrections: none"
        )
    return float(corrected.correction)


def moment_of(document: Any) -> float:
    """Total magnetic moment in Bohr magnetons per cell, 0 where the calculation was unpolarised."""
    output = document.calcs_reversed[0].output
    total = (output.outcar or {}).get("total_magnetization")
    if total is None and output.mag_density is not None:
        total = output.mag_density * document.structure.volume
    return float(total or 0.0)


def zero_of(output: Any, fermi_level: float, gap: float) -> float:
    """Energy that lies at zero of the curve: the Fermi level, the middle of the gap of an insulator."""
    if gap and output.vbm is not None and output.cbm is not None:
        return float(output.vbm + output.cbm) / 2
    return float(fermi_level)


def _curve_of(document: Any) -> Dos:
    found = {str(getattr(key, "value", key)): value for key, value in (document.vasp_objects or {}).items()}.get("dos")
    if isinstance(found, dict):
        found = Dos.from_dict(found)
    if not isinstance(found, Dos):
        raise EngineError("the uniform calculation's task document holds no density of states")
    return found


def _total(curve: Dos) -> Any:
    return sum(np.asarray(values, dtype=float) for values in curve.densities.values())


def _check_bands(curve: Dos, calculation: Any, grid: DosGrid) -> None:
    """Refuse a curve whose last band begins within the grid: bands above it were never computed."""
    energies = np.asarray(curve.energies, dtype=float)
    total = _total(curve)
    inside = energies <= curve.efermi + grid.dos_hi
    states = float(np.trapezoid(total[inside], energies[inside]))
    bands = int(calculation.input.parameters["NBANDS"])
    if states > 2.0 * (bands - 1) + EXTRA_STATES:
        raise EngineError(
            f"the highest of {bands} bands begins within {grid.dos_hi:g} eV of the Fermi level; raise dos_bands_factor"
        )
