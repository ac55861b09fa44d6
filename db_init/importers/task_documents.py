"""Task documents of atomate2 as entries: VASP's, and those of force fields and other ASE calculators.

Read as plain dictionaries, so that documents of any version of emmet do. A relaxation and a static
calculation are different Methods: their energies differ by the change of the basis.
"""

from __future__ import annotations

from typing import Any, Final

from pymatgen.core import Structure

from fermiloop.db_init.importers.dos import on_even_grid
from fermiloop.db_init.importers.entries import BAD, Curve, Entry, external
from fermiloop.db_init.importers.numbers import number, value_of
from fermiloop.db_init.importers.optimade_providers import at
from fermiloop.db_init.importers.report import reason_of
from fermiloop.platform.errors import InputError
from fermiloop.schemas.method import Method
from fermiloop.schemas.vocabulary import Property

TASKS: Final = {"Structure Optimization": "relax", "Static": "static", "NSCF Uniform": "static"}
FINISHED: Final = frozenset({"successful", "TaskState.SUCCESS", "None"})


def entry(output: dict[str, Any], key: str, source: str, licence: str) -> Entry | None:
    """Entry of a job's output; None where the output is no task document of a crystal.

    Raises
    ------
    InputError
        If the calculation did not succeed or did not converge, or a number in it does not hold.
    """
    result = output.get("output")
    crystal = (result.get("structure") if isinstance(result, dict) else None) or output.get("structure")
    if not isinstance(result, dict) or not isinstance(crystal, dict) or "lattice" not in crystal:
        return None  # another kind of job, or a molecule
    method = _method(output, source, licence)
    if method is None:
        return None
    if str(output.get("state")) not in FINISHED:
        raise InputError(f"The calculation ended as {output['state']}.")
    if output.get("is_force_converged") is False:
        raise InputError("The relaxation did not converge.")
    structure = Structure.from_dict(crystal)
    numbers = [(kind, value, method) for kind, value in _numbers(result, len(structure)).items() if value is not None]
    curve, remarks = None, []
    try:
        curve = _curve(output, method)
    except BAD as error:
        remarks.append(f"density of states left out: {reason_of(error)}")
    about = {"name": source, "key": key, "licence": licence}
    return Entry(key, structure, about, tuple(numbers), curve, tuple(remarks))


def _numbers(result: dict[str, Any], n_sites: int) -> dict[Property, float | None]:
    energy, total = number(result.get("energy_per_atom"), "energy_per_atom"), number(result.get("energy"), "energy")
    return {
        Property.ENERGY_PER_ATOM: energy if energy is not None or total is None else total / n_sites,
        Property.BAND_GAP: value_of(Property.BAND_GAP, result.get("bandgap"), "bandgap"),
        Property.FERMI_LEVEL: number(result.get("efermi"), "efermi"),
    }


def _method(output: dict[str, Any], source: str, licence: str) -> Method | None:
    """What made the numbers; None where the document does not tell, and so is none of these."""
    calculator = output.get("forcefield_name") or output.get("ase_calculator_name")
    if calculator:
        task = "relax" if (number(at(output, ("input", "steps")), "steps") or 0) > 1 else "static"
        return external(source, str(calculator), licence, task=task)
    task_type = str(output.get("task_type") or "")
    task = next((short for long, short in TASKS.items() if task_type.endswith(long)), "")
    run_type = output.get("run_type") or at(_first(output.get("calcs_reversed")), ("run_type",))
    if not task or not run_type:
        return None
    cutoff = at(output, ("input", "incar", "ENCUT")) or at(output, ("input", "parameters", "ENCUT"))
    potentials = at(output, ("input", "pseudo_potentials", "functional")) or at(output, ("input", "potcar_type"))
    if isinstance(potentials, list):
        potentials = "/".join(sorted(set(map(str, potentials))))
    settings = {
        "task": task,
        "cutoff": number(cutoff, "ENCUT"),  # eV
        "potentials": str(potentials or "unknown"),
    }
    return external(source, f"{run_type} (VASP)", licence, **settings)


def _curve(output: dict[str, Any], method: Method) -> Curve | None:
    """Density of states, where the document holds one and not the mere place of it in another store."""
    dos = at(output, ("vasp_objects", "dos"))
    if not isinstance(dos, dict) or "densities" not in dos:
        return None
    energies, density = on_even_grid(dos["energies"], list(dos["densities"].values()), float(dos["efermi"]))
    return Curve(energies, density, method)


def _first(rows: Any) -> dict[str, Any]:
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
