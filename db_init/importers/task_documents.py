"""Task documents of atomate2: VASP's as calculations to be put together, and those of other calculators as entries.

Read as plain dictionaries, so that documents of any version of emmet do. Numbers are looked for where emmet keeps
them now, in ``calcs_reversed[0].output``, and where it kept them before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.db_init.importers.entries import BAD, Entry, external
from fermiloop.db_init.importers.numbers import number, value_of
from fermiloop.db_init.importers.optimade_providers import at
from fermiloop.db_init.importers.report import reason_of
from fermiloop.db_init.importers.vasp_method import Task, held_by, method_of, task_of
from fermiloop.db_init.importers.vasp_runs import Density, Run
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.alignment import METAL
from fermiloop.schemas.vocabulary import Property

NAMES: Final = {
    "Structure Optimization": Task.RELAX,
    "Static": Task.STATIC,
    "NSCF Uniform": Task.UNIFORM,
    "NSCF Line": Task.LINE,
    "SCF Line": Task.LINE,
    "Molecular Dynamics": Task.DYNAMICS,
}
UNNAMED: Final = ("GGA", "GGA+U")  # emmet's names where POTCAR decides
WANTED: Final = frozenset({Task.RELAX, Task.STATIC, Task.UNIFORM})
ELSEWHERE: Final = (
    "density of states left out: it lies in a store for large data that is not named here; load from the configuration "
    "file of jobflow, which names it"
)
FINISHED: Final = frozenset({"successful", "success", "true", "completed"})


def read(output: dict[str, Any], key: str, source: str, licence: str) -> Entry | Run | None:
    """What a job's output gives; None where it is no task document of a crystal, or one of a task without labels.

    Raises
    ------
    InputError
        If the calculation did not succeed or did not converge, or a number in it is invalid.
    """
    result = output.get("output")
    crystal = (result.get("structure") if isinstance(result, dict) else None) or output.get("structure")
    if not isinstance(result, dict) or not isinstance(crystal, dict) or "lattice" not in crystal:
        return None  # another kind of job, or a molecule
    if output.get("forcefield_name") or output.get("ase_calculator_name"):
        return _entry(output, result, Structure.from_dict(crystal), key, source, licence)
    last = _first(output.get("calcs_reversed"))
    inputs = _inputs(output, last)
    tags = {**_mapping(inputs.get("parameters")), **_mapping(inputs.get("incar"))}
    task = _task(output, last, tags, inputs)
    if task not in WANTED:
        return None
    remarks = _check_finished(output, last, tags)
    if task is Task.RELAX:
        _check_not_stopped(output, last)
    if why_not := held_by(tags):
        raise InputError(why_not)
    return _run(output, last, inputs, Structure.from_dict(crystal), tags, task, key, remarks)


def _entry(
    output: dict[str, Any], result: dict[str, Any], structure: Structure, key: str, source: str, licence: str
) -> Entry:
    """Entry of a force field or another calculator of ASE."""
    if output.get("is_force_converged") is False:
        raise InputError("The relaxation did not converge.")
    calculator = str(output.get("forcefield_name") or output.get("ase_calculator_name"))
    task = Task.RELAX if (number(at(output, ("input", "steps")), "steps") or 0) > 1 else Task.STATIC
    method = external(source, calculator, licence, task=str(task))
    energy, total = number(result.get("energy_per_atom"), "energy_per_atom"), number(result.get("energy"), "energy")
    if energy is None and total is not None:
        energy = total / len(structure)
    numbers = {
        Property.ENERGY_PER_ATOM: energy,
        Property.BAND_GAP: value_of(Property.BAND_GAP, result.get("bandgap"), "bandgap"),
        Property.FERMI_LEVEL: number(result.get("efermi"), "efermi"),
    }
    stated = tuple((kind, value, method) for kind, value in numbers.items() if value is not None)
    return Entry(key, structure, {"name": source, "key": key, "licence": licence}, stated)


def _task(output: dict[str, Any], last: dict[str, Any], tags: Mapping[str, Any], inputs: dict[str, Any]) -> Task:
    """Task as emmet names it, but that a relaxation of one step is static."""
    named = str(output.get("task_type") or last.get("task_type") or "")
    known = next((task for name, task in NAMES.items() if named.endswith(name)), None)
    if known is Task.RELAX and tags.get("NSW") is not None and int(tags["NSW"]) <= 1:
        return Task.STATIC
    if known is not None:
        return known
    if named not in {"", "Unrecognized"} or "NSW" not in tags:
        return Task.OTHER
    points = _mapping(inputs.get("kpoints"))
    return task_of(tags, points.get("kpts_weights"), str(points.get("generation_style") or ""))


def _check_finished(output: dict[str, Any], last: dict[str, Any], tags: Mapping[str, Any]) -> tuple[str, ...]:
    """Refuse what did not finish or converge; what the document does not say of that."""
    states = [output.get("state"), last.get("has_vasp_completed")]
    said = [str(getattr(state, "value", state)).rpartition(".")[2].lower() for state in states if state is not None]
    for state in said:
        if state not in FINISHED:
            raise InputError(f"The calculation ended as {state}; it is unfinished or did not converge.")
    if output.get("is_force_converged") is False:
        raise InputError("The relaxation did not converge.")
    steps, most = _electronic_steps(last), tags.get("NELM")
    if steps is not None and most is not None and steps >= int(most) > 1:
        raise InputError(f"The electronic loop did not converge in {steps} steps; raise NELM or change ALGO.")
    return () if said else ("taken as converged: the document does not say whether it is",)


def _check_not_stopped(output: dict[str, Any], last: dict[str, Any]) -> None:
    """Refuse a relaxation that custodian or somebody ended in order, which emmet takes for a converged one."""
    runs = output.get("custodian")
    corrections = [one for run in (runs if isinstance(runs, list) else []) for one in _rows(run, "corrections")]
    if any("Walltime reached" in map(str, one.get("errors") or []) for one in map(_mapping, corrections)):
        raise InputError("The relaxation did not converge: it ran out of its time, says custodian; continue it.")
    if at(last, ("output", "outcar", "is_stopped")) is True:
        raise InputError("The relaxation did not converge: it was stopped before it converged (STOPCAR); continue it.")


def _rows(value: Any, name: str) -> list[Any]:
    found = _mapping(value).get(name)
    return found if isinstance(found, list) else []


def _electronic_steps(last: dict[str, Any]) -> int | None:
    """Electronic steps of the last ionic step, where the document keeps them."""
    counted = at(last, ("output", "num_electronic_steps"))
    ionic = at(last, ("output", "ionic_steps"))
    steps = _mapping(ionic[-1]).get("electronic_steps") if isinstance(ionic, list) and ionic else None
    found = [int(counted[-1])] if isinstance(counted, list) and counted else []
    return max([*found, *([len(steps)] if isinstance(steps, list) else [])], default=None)


def _run(
    output: dict[str, Any],
    last: dict[str, Any],
    inputs: dict[str, Any],
    structure: Structure,
    tags: Mapping[str, Any],
    task: Task,
    key: str,
    remarks: tuple[str, ...],
) -> Run:
    functional, settings = _method(output, inputs, tags)
    energy = _found(output, last, "energy")
    per_atom = _found(output, last, "energy_per_atom")
    gap = value_of(Property.BAND_GAP, _found(output, last, "bandgap"), "bandgap")
    if energy is None and per_atom is not None:
        energy = per_atom * len(structure)
    crossed = bool(settings.get("spin_orbit") or settings.get("non_collinear"))
    density, told = _density(output, one_spin=crossed)
    level = _found(output, last, "efermi")
    return Run(
        key,
        task,
        structure,
        functional,
        settings,
        energy=energy,
        gap=None if gap is None else gap * (gap > METAL),
        edges=_edges(output, last),
        level=density.level if level is None and density is not None else level,
        moment=_moment(last, structure, crossed=crossed),
        density=density,
        mesh=int(number(inputs.get("nkpoints"), "nkpoints") or 0),
        n_electrons=number(tags.get("NELECT"), "NELECT"),
        remarks=(*remarks, *told),
    )


def _method(output: dict[str, Any], inputs: dict[str, Any], tags: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Functional and settings; the name of the run's type where the document has no tags."""
    specs = inputs.get("potcar_spec")
    titles = [str(one.get("titel") or "") for one in specs if isinstance(one, dict)] if isinstance(specs, list) else []
    symbols = inputs.get("potcar") if isinstance(inputs.get("potcar"), list) else at(inputs, ("potcar", "symbols"))
    kinds = inputs.get("potcar_type") or at(inputs, ("pseudo_potentials", "functional"))
    functional, settings = method_of(
        tags,
        titles if any(titles) else [str(one) for one in symbols or []],
        [str(one) for one in kinds] if isinstance(kinds, list) else [str(kinds)] if kinds else [],
        inputs.get("hubbards") if inputs.get("is_hubbard") else None,
    )
    stated = str(output.get("run_type") or "").removesuffix("+U" if "hubbard" in settings else "")
    if inputs.get("parameters") or stated in {"", *UNNAMED}:
        return functional, settings
    return stated, settings  # of INCAR alone a default may be missing


def _density(output: dict[str, Any], *, one_spin: bool) -> tuple[Density | None, tuple[str, ...]]:
    """Density of states, where the document holds one and not the mere place of it in another store.

    `one_spin` says that channels beyond the first are directions of the moment and no spins.
    """
    dos = at(output, ("vasp_objects", "dos"))
    if isinstance(dos, dict) and "blob_uuid" in dos:
        return None, (ELSEWHERE,)
    if not isinstance(dos, dict) or "energies" not in dos:
        return None, ()
    names = ("spin_up_densities", "spin_down_densities")
    given = dos["densities"] if "densities" in dos else {name: dos[name] for name in names if dos.get(name)}
    try:
        spins = tuple(np.asarray(one, dtype=float) for one in given.values())[: 1 if one_spin else 2]
        return (Density(np.asarray(dos["energies"], dtype=float), spins, float(dos["efermi"])) if spins else None), ()
    except BAD as error:
        return None, (f"density of states left out: {reason_of(error)}",)


def _edges(output: dict[str, Any], last: dict[str, Any]) -> tuple[float, float] | None:
    vbm, cbm = (_found(output, last, name) for name in ("vbm", "cbm"))
    return (vbm, cbm) if vbm is not None and cbm is not None and cbm > vbm else None


def _moment(last: dict[str, Any], structure: Structure, *, crossed: bool) -> float | None:
    """Total moment, μB per cell without its sign, which time reversal turns; None where the run was unpolarised.

    `crossed` says that spins are not collinear: pymatgen keeps one of three components, which is no size.
    """
    total = at(last, ("output", "outcar", "total_magnetization"))
    if isinstance(total, list):
        return float(np.linalg.norm(np.asarray(total, dtype=float)))
    if crossed:
        return None
    value = number(total, "total_magnetization")
    if value is None:
        each = number(at(last, ("output", "mag_density")), "mag_density")
        value = None if each is None else each * structure.volume
    return None if value is None else abs(value)


def _found(output: dict[str, Any], last: dict[str, Any], name: str) -> float | None:
    """A number of the last calculation, or of the document's summary of it."""
    places = (
        at(last, ("output", name)),
        at(output, ("output", name)),
        at(last, ("output", "eigenvalue_band_properties", name)),
    )
    return next((value for place in places if (value := number(place, name)) is not None), None)


def _inputs(output: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Input of the last calculation, the document's own and the original one filling what it lacks."""
    merged: dict[str, Any] = {}
    for given in (output.get("orig_inputs"), output.get("input"), last.get("input")):
        merged |= {name: value for name, value in _mapping(given).items() if value not in (None, [], {})}
    return merged


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(rows: Any) -> dict[str, Any]:
    return _mapping(rows[0]) if isinstance(rows, list) and rows else {}
