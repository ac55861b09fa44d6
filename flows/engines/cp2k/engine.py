"""CP2K as native atomate2 jobs: relaxed structure and energy by PBE, no density of states.

atomate2's stock settings would be wrong here. Its k-points are reduced by symmetry, of which CP2K is not told, and the
stress comes out anisotropic by several GPa in cubic crystals: a Monkhorst-Pack grid is given instead, of odd numbers so
that it holds Gamma. The gap in its task document is meaningless, and its density of states is not in the document at
all: both are left out. A run that stopped short counts there as successful, and is refused here.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from atomate2.cp2k.jobs.base import BaseCp2kMaker, cp2k_job
from atomate2.cp2k.sets.core import CellOptSetGenerator, StaticSetGenerator
from jobflow import Flow, Job, Response, job
from monty.io import zopen
from monty.os.path import zpath
from pymatgen.core import SETTINGS as PYMATGEN_SETTINGS
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.inputs import Kpoints, KpointsSupportedModes
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from fermiloop.flows.engines.cp2k.declaration import CP2K
from fermiloop.flows.engines.moments import of_collinear_spins
from fermiloop.flows.engines.protocol import Availability, EngineEntry, MethodRecord, chain, checked_settings, versions
from fermiloop.flows.engines.steps import failures, isolation, native
from fermiloop.flows.engines.steps.geometry import plain, same_atoms
from fermiloop.flows.engines.vasp.engine import missing_programs
from fermiloop.platform.errors import EngineError

PACKAGES: Final = ("atomate2", "pymatgen", "pymatgen-core", "custodian")
RANKS: Final = re.compile(r"Total number of message passing processes\s+(\d+)")
THREADS: Final = re.compile(r"Number of threads for this process\s+(\d+)")
HEAD: Final = 20_000  # characters of the output that say how many cores
LABELS: Final = "relax"
AXES: Final = re.compile(r"^\s*[ABC]((?:\s+[-+.\dE]+){3})\s*$", re.MULTILINE)
COORDINATES: Final = re.compile(r"&COORD\s*\n(.*?)&END COORD", re.DOTALL)
SYMPREC: Final = 1e-3  # Å


@dataclass(frozen=True)
class Cp2kSettings:
    """What may be chosen; all of it is in the Method.

    Parameters
    ----------
    cutoff, rel_cutoff
        Of the plane waves and of the Gaussians mapped on them, Ry.
    kpoint_density
        k-points per Å⁻¹ of reciprocal lattice vector, rounded up to odd numbers.
    """

    cutoff: float = 600.0
    rel_cutoff: float = 60.0
    kpoint_density: float = 2.5


@dataclass
class Cp2kStepMaker(BaseCp2kMaker):
    """A CP2K job of atomate2 as one step of a calculation, see `native`."""

    calculation: str = ""
    step: str = ""
    time_limit: float = 3600.0

    @cp2k_job
    def make(self, structure: Structure | None, prev_dir: str | Path | None = None) -> Response:
        """Task document of one CP2K run."""
        if structure is None:
            raise EngineError(f"No structure for {self.step}: the step before failed.")
        compute = partial(self._compute, structure, prev_dir)
        return native.once(self.calculation, self.step, compute, native.Program(cores), self.time_limit)

    def _compute(self, structure: Structure, prev_dir: str | Path | None, before: list[Path]) -> Response:
        relaxes = isinstance(self.input_set_generator, CellOptSetGenerator)
        start = native.last_of(before, last_restart, structure) if relaxes else structure
        response = BaseCp2kMaker.make.original(self, start, prev_dir)
        check_converged(Path.cwd(), relaxes=relaxes)
        return response


def method(settings: Mapping[str, Any]) -> MethodRecord:
    """The Method: PBE with GTH pseudopotentials and the basis sets of atomate2's BaseCp2kSet."""
    chosen = asdict(checked_settings(Cp2kSettings, settings, CP2K.name))
    return MethodRecord(CP2K.name, "PBE", {**chosen, "input_set": "BaseCp2kSet"}, versions(PACKAGES))


def flow(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Relax the cell, static, and the labels out of their task documents."""
    cell = Cp2kStepMaker(
        name="CP2K cell relaxation",
        input_set_generator=CellOptSetGenerator(
            **_arguments(structure, settings, time_limit, MOTION={"CELL_OPT": {"KEEP_ANGLES": fixed_angles(structure)}})
        ),
        step="cell",
        calculation=calculation,
        time_limit=time_limit,
    ).make(structure)
    scf, labels = _static(calculation, structure, cell.output.structure, settings, time_limit)
    return chain("CP2K relax and static", [cell, scf], {LABELS: labels})


def static(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
    """Static at the geometry as it is, and the labels out of its task document."""
    scf, labels = _static(calculation, structure, structure, settings, time_limit)
    return chain("CP2K static", [scf], {LABELS: labels})


def _static(
    calculation: str, structure: Structure, start: Any, settings: Mapping[str, Any], time_limit: float
) -> tuple[Job, Job]:
    """Static calculation of what a step before leaves, and its labels; the k-points are those of `structure`."""
    generator = StaticSetGenerator(**_arguments(structure, settings, time_limit))
    scf = Cp2kStepMaker(
        name="CP2K static", input_set_generator=generator, step="scf", calculation=calculation, time_limit=time_limit
    ).make(start)
    labels = _cp2k_labels(calculation, scf.output)
    labels.name = "CP2K labels"
    return scf, labels


def _arguments(
    structure: Structure, settings: Mapping[str, Any], time_limit: float, **overrides: Any
) -> dict[str, Any]:
    """What atomate2's input sets are made with."""
    chosen = checked_settings(Cp2kSettings, settings, CP2K.name)
    science = {"xc_functionals": "PBE", "cutoff": chosen.cutoff, "rel_cutoff": chosen.rel_cutoff}
    limit = {"GLOBAL": {"WALLTIME": int(time_limit)}}
    return {
        "user_input_settings": {**science, "override_default_params": {**limit, **overrides}},
        "user_kpoints_settings": kpoints(structure, chosen.kpoint_density),
    }


def kpoints(structure: Structure, density: float) -> Kpoints:
    """Monkhorst-Pack grid of odd numbers, at least so many k-points per Å⁻¹."""
    divisions = [math.ceil(density * length) for length in structure.lattice.reciprocal_lattice.abc]
    grid = tuple(n if n % 2 else n + 1 for n in divisions)
    return Kpoints(style=KpointsSupportedModes.Monkhorst, kpts=[grid])


def fixed_angles(structure: Structure) -> bool:
    """Whether symmetry alone fixes the angles of a primitive cell.

    The real-space grid of a primitive cubic cell has less symmetry than the crystal, and shears it.
    """
    return SpacegroupAnalyzer(structure, SYMPREC).get_crystal_system() in ("cubic", "hexagonal")


def last_restart(folder: Path, like: Structure) -> Structure | None:
    """Geometry that an attempt came to; None where CP2K wrote none that is whole and of the same atoms."""
    try:
        with zopen(zpath(str(folder / "CP2K-1.restart")), "rt", encoding="utf-8") as lines:
            text = str(lines.read())
        cell = [[float(x) for x in row.split()] for row in AXES.findall(text)]
        rows = [line.split() for line in COORDINATES.findall(text)[0].splitlines() if line.strip()]
        species = [row[0].partition("_")[0] for row in rows]
        positions = [[float(x) for x in row[1:4]] for row in rows]
        found = Structure(Lattice(cell), species, positions, coords_are_cartesian=True)
    except (OSError, ValueError, IndexError):
        return None
    ordered = like.copy()
    ordered.sort()
    return found if same_atoms(found, like) or same_atoms(found, ordered) else None


def check_converged(folder: Path, *, relaxes: bool) -> None:
    """Refuse a run that stopped short, which atomate2 takes for a successful one.

    Raises
    ------
    EngineError
        If it ran out of its time, or its relaxation or its last self-consistency did not converge.
    """
    with zopen(zpath(str(folder / "cp2k.out")), "rt", encoding="utf-8", errors="replace") as lines:
        text = str(lines.read())
    if "exceeded requested execution time" in text:
        raise EngineError("CP2K ran out of its time")
    if relaxes and "GEOMETRY OPTIMIZATION COMPLETED" not in text:
        raise EngineError("the cell relaxation did not converge")
    if text.rfind("SCF run NOT converged") > text.rfind("SCF run converged"):
        raise EngineError("the last self-consistency did not converge")


def labels_of(document: Any) -> dict[str, Any]:
    """Structure and energy (eV per cell) of atomate2's CP2K ``TaskDocument``.

    Raises
    ------
    EngineError
        If it holds no energy.
    """
    if document.output is None or document.output.energy is None:
        raise EngineError("the static calculation's task document holds no energy")
    return {"structure": plain(document.structure), "energy": float(document.output.energy)}


@job
def _cp2k_labels(calculation: str, document: Any) -> dict[str, Any]:
    """Labels of the static calculation; its task document stays in the job store."""
    if document is None:
        raise EngineError(f"No task document of {calculation} to read labels from: the step before failed.")
    with failures.told(calculation, LABELS):
        found = labels_of(document)
        isolation.write_atomically(isolation.step_folder(calculation, LABELS) / isolation.OUTPUT, json.dumps(found))
    return found


def cores(folder: Path) -> int:
    """Processes times threads that CP2K says it ran on, 1 where it does not."""
    try:
        with zopen(zpath(str(folder / "cp2k.out")), "rt", encoding="utf-8", errors="replace") as lines:
            head = str(lines.read(HEAD))
    except OSError:
        return 1
    found = [int(match.group(1)) for pattern in (RANKS, THREADS) if (match := pattern.search(head))]
    return math.prod(found)


def available() -> Availability:
    """Whether CP2K's command and its basis sets are there."""
    from atomate2 import SETTINGS  # seconds

    folder = os.environ.get("CP2K_DATA_DIR") or PYMATGEN_SETTINGS.get("PMG_CP2K_DATA_DIR")
    missing = missing_programs(SETTINGS.CP2K_CMD, "CP2K_CMD")
    if not folder or not Path(folder).is_dir():
        missing.append("no basis sets: set CP2K_DATA_DIR to the folder that pmg config --cp2k made")
    return Availability(not missing, "; ".join(missing) or f"CP2K by {SETTINGS.CP2K_CMD!r}, basis sets in {folder}")


def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:  # noqa: ARG001  (the table's signature)
    """Why atomate2's basis sets do not cover a crystal."""
    known = StaticSetGenerator().config_dict["cp2k_input"]["basis_and_potential"]
    symbols = {element.symbol for element in structure.composition.elements}
    lacking = sorted(symbol for symbol in symbols if not (known.get(symbol) or {}).get("basis"))
    return f"atomate2 has no CP2K basis set for {', '.join(lacking)}" if lacking else None


ENGINE: Final = of_collinear_spins(EngineEntry(method, flow, available, refuses=refuses, static=static))
