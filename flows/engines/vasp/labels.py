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

from fermiloop.flows.engines.curve import DosGrid, on_grid
from fermiloop.flows.engines.steps import failures, isolation
from fermiloop.flows.engines.steps.geometry import plain
from fermiloop.flows.engines.vasp.functional import check_converged, correction_of, hubbard_u_of, ran
from fermiloop.platform.errors import EngineError, InputError
from fermiloop.platform.representations.alignment import Edges, edges_about, zero_level

STEP: Final = "static"
METAL: Final = 1e-3  # eV; a smaller gap is none
EXTRA: Final = 0.01  # of a band, by which tetrahedra may miss a whole one
FEWEST_OFF: Final = 0.3  # electrons by which a curve may miss the valence, as a metal's on a coarse grid does
SHARE_OFF: Final = 0.05  # of the valence, likewise


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
    with failures.told(calculation, STEP):
        found = labels_of(scf, dos, settings)
        isolation.write_atomically(isolation.step_folder(calculation, STEP) / isolation.OUTPUT, json.dumps(found))
    return found


def labels_of(scf: Any, dos: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Labels of two task documents: structure, energy (eV per cell), gap, moment, curve, and what functional ran.

    Parameters
    ----------
    scf, dos
        emmet's ``TaskDoc`` of the static and of the uniform calculation.
    settings
        Fields of `vasp.VaspSettings`.

    Raises
    ------
    EngineError
        If a document lacks what is needed, did not converge or disagrees with the other, or its energy cannot be
        corrected.
    """
    grid = DosGrid(**{f.name: settings[f.name] for f in fields(DosGrid)})
    for document in (scf, dos):
        check_converged(document)
    structure: Structure = scf.structure
    raw = scf.output.energy
    if raw is None:
        raise EngineError("the static calculation's task document holds no energy")
    functional = _one_functional(scf, dos)
    correction = correction_of(scf) if settings["corrections"] == "MP2020" else 0.0
    fermi_level = scf.calcs_reversed[0].output.efermi
    curve = curve_of(dos)
    return {
        "structure": plain(structure),
        "energy": float(raw) + correction,
        "correction": correction,
        "functional": functional,
        "hubbard_u": hubbard_u_of(scf),
        "fermi_level": float(curve.efermi if fermi_level is None else fermi_level),
        "magnetic_moment": moment_of(scf),
        **_of_curve(curve, dos.calcs_reversed[0], grid),
    }


def _of_curve(curve: Dos, uniform: Any, grid: DosGrid) -> dict[str, Any]:
    """Gap, electrons and the curve on a grid, once it is known to be whole."""
    total = sum(_channels(curve, uniform))
    zero, gap = zero_and_gap(uniform.output, curve, total)
    n_electrons = _n_electrons(uniform)
    density = on_grid(curve.energies, total, zero, grid)
    check_electrons(curve.energies, total, zero, n_electrons)
    _check_bands(curve, uniform, grid)
    return {
        "gap": gap,
        "n_electrons": n_electrons,
        "energies": [float(x) for x in grid.energies],
        "density": [round(float(y), 5) for y in density],
    }


def moment_of(document: Any) -> float | None:
    """Total magnetic moment in Bohr magnetons per cell, 0 where the calculation was unpolarised.

    None where spins are not collinear and the document holds one component, which alone pymatgen reads.
    """
    calculation = document.calcs_reversed[0]
    output = calculation.output
    total = (output.outcar or {}).get("total_magnetization")
    if total is None and output.mag_density is not None:
        total = output.mag_density * document.structure.volume
    if isinstance(total, list | tuple):  # of spin-orbit coupling: a vector
        return float(np.linalg.norm(np.asarray(total, dtype=float)))
    return None if _is_noncollinear(calculation) else float(total or 0.0)


def zero_and_gap(output: Any, curve: Dos, total: Any) -> tuple[float, float]:
    """Energy that lies at zero of the curve, and the gap, both eV: the middle of the gap, the Fermi level of a metal.

    Where the document has no band edges they are found about the Fermi level of the curve; where the curve cannot tell,
    its Fermi level is taken as it is.
    """
    vbm, cbm, gap = (getattr(output, name, None) for name in ("vbm", "cbm", "bandgap"))
    if gap is not None and gap <= METAL:
        return float(curve.efermi), 0.0
    if vbm is not None and cbm is not None and cbm > vbm:
        edges = Edges(float(vbm), float(cbm))
    else:
        try:
            edges = edges_about(curve.energies, total, float(curve.efermi))
        except InputError:
            edges = Edges()
    return zero_level(float(curve.efermi), edges), float(gap) if gap else edges.gap


def check_electrons(energies: Any, total: Any, zero: float, n_electrons: float) -> None:
    """Refuse a curve that holds other than the valence electrons from its beginning up to zero.

    Parameters
    ----------
    energies, total
        (n,) the whole curve as VASP gives it: it begins below the lowest band.
    zero
        Where occupied states end, eV.

    Raises
    ------
    EngineError
        With both numbers.
    """
    x, y = np.asarray(energies, dtype=float), np.asarray(total, dtype=float)
    below = x <= zero
    found = float(np.trapezoid(y[below], x[below])) if below.any() else 0.0
    if not abs(found - n_electrons) <= max(FEWEST_OFF, SHARE_OFF * n_electrons):
        raise EngineError(
            f"the density of states holds {found:.2f} electrons up to its zero, and the crystal has {n_electrons:g}; "
            "its k-points are too few (dos_kpoints), or its file is not whole"
        )


def _one_functional(scf: Any, dos: Any) -> str:
    static, uniform = ran(scf), ran(dos)
    if static != uniform:
        raise EngineError(f"the static calculation ran {static}, and the density of states {uniform}")
    return static


def _n_electrons(calculation: Any) -> float:
    found = calculation.input.parameters.get("NELECT")
    if found is None or not np.isfinite(float(found)):
        raise EngineError("the uniform calculation's task document does not say how many electrons there are (NELECT)")
    return float(found)


def curve_of(document: Any) -> Dos:
    """Density of states of a task document."""
    found = {str(getattr(key, "value", key)): value for key, value in (document.vasp_objects or {}).items()}.get("dos")
    if isinstance(found, dict):
        found = Dos.from_dict(found)
    if not isinstance(found, Dos):
        raise EngineError("the uniform calculation's task document holds no density of states")
    return found


def _channels(curve: Dos, calculation: Any) -> list[Any]:
    """(n,) arrays that add up to the density of states: one, or two of a spin-polarised run.

    With spin-orbit coupling the first is the whole and the others are the components of its magnetisation.
    """
    found = [np.asarray(values, dtype=float) for values in curve.densities.values()]
    return found[:1] if _is_noncollinear(calculation) else found


def _is_noncollinear(calculation: Any) -> bool:
    parameters = {str(key).upper(): value for key, value in calculation.input.parameters.items()}
    return bool(parameters.get("LSORBIT") or parameters.get("LNONCOLLINEAR"))


def _check_bands(curve: Dos, calculation: Any, grid: DosGrid) -> None:
    """Refuse a curve whose last band begins within the grid: bands above it were never computed."""
    energies = np.asarray(curve.energies, dtype=float)
    spins = _channels(curve, calculation)
    zero, _ = zero_and_gap(getattr(calculation, "output", None), curve, sum(spins))
    inside = energies <= zero + grid.dos_hi
    bands = int(calculation.input.parameters["NBANDS"])
    per_band = 1.0 if len(spins) > 1 or _is_noncollinear(calculation) else 2.0
    states = max(float(np.trapezoid(density[inside], energies[inside])) for density in spins)
    if states > per_band * (bands - 1 + EXTRA):
        raise EngineError(
            f"the highest of {bands} bands begins within {grid.dos_hi:g} eV of the Fermi level; raise dos_bands_factor"
        )
