"""atomate2's VASP makers, each in a folder of its calculation, and relaxations that go on from their last CONTCAR."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from atomate2.vasp.jobs.base import BaseVaspMaker, vasp_job
from atomate2.vasp.jobs.mp import MPGGARelaxMaker, MPGGAStaticMaker
from jobflow import Response
from monty.io import zopen
from monty.os.path import zpath
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar
from pymatgen.io.vasp.sets import MPNonSCFSet

from fermiloop.flows.engines import native
from fermiloop.flows.engines.geometry import same_atoms
from fermiloop.platform.errors import EngineError

SHORTEST_SECONDS: Final = 600.0  # custodian asks VASP to stop 300 s before its time is up
CORES: Final = re.compile(r"running on\s+(\d+) total cores")
HEAD: Final = 4096  # characters of OUTCAR that say how many cores


@dataclass
class VaspStepMaker(BaseVaspMaker):
    """A VASP job of atomate2 as one step of a calculation.

    Parameters
    ----------
    calculation, step
        Where its folder lies, see `native`.
    resumes
        Whether an attempt that was cut off leaves its last geometry to the next.
    time_limit
        Seconds after which custodian asks VASP to stop.
    """

    calculation: str = ""
    step: str = ""
    resumes: bool = False
    time_limit: float = 3600.0

    @vasp_job
    def make(self, structure: Structure | None, prev_dir: str | Path | None = None) -> Response:
        """Task document of one VASP run; ``prev_dir`` is the folder of the step before."""
        if structure is None:
            raise EngineError(f"No structure for {self.step}: the step before failed.")
        compute = partial(self._compute, structure, prev_dir)
        return native.once(self.calculation, self.step, compute, cores, self.time_limit)

    def _compute(self, structure: Structure, prev_dir: str | Path | None, before: list[Path]) -> Response:
        start = native.last_of(before, last_contcar, structure) if self.resumes else structure
        self.run_vasp_kwargs["wall_time"] = int(self.time_limit)
        return BaseVaspMaker.make.original(self, start, prev_dir)


def relax_maker(*, step: str, calculation: str, potcar: str, time_limit: float) -> VaspStepMaker:
    """Relaxation by MPRelaxSet."""
    return VaspStepMaker(
        name=f"VASP {step}",
        input_set_generator=_with_potcar(MPGGARelaxMaker().input_set_generator, potcar),
        task_document_kwargs={"store_trajectory": "partial"},  # steps in the data store: a document ends at 16 MB
        calculation=calculation,
        step=step,
        resumes=True,
        time_limit=time_limit,
    )


def scf_maker(*, calculation: str, potcar: str, time_limit: float) -> VaspStepMaker:
    """Static calculation by MPStaticSet."""
    return VaspStepMaker(
        name="VASP static",
        input_set_generator=_with_potcar(MPGGAStaticMaker().input_set_generator, potcar),
        calculation=calculation,
        step="scf",
        time_limit=time_limit,
    )


def uniform_maker(
    *, calculation: str, potcar: str, time_limit: float, kpoints: float, bands_factor: float
) -> VaspStepMaker:
    """Density of states by MPNonSCFSet on a uniform mesh, by tetrahedra, from the charge of the static calculation."""
    generator = MPNonSCFSet(
        mode="uniform",
        reciprocal_density=kpoints,
        nbands_factor=bands_factor,
        nedos=0,  # as many points as the step asks for
        dedos=0.01,
        force_gamma=True,
    )
    return VaspStepMaker(
        name="VASP DOS",
        input_set_generator=_with_potcar(generator, potcar),
        copy_vasp_kwargs={"additional_vasp_files": ("CHGCAR",)},
        # projections stay in the files: of a large cell they are hundreds of MB
        task_document_kwargs={"parse_dos": True, "strip_dos_projections": True, "parse_bandstructure": False},
        calculation=calculation,
        step="dos",
        time_limit=time_limit,
    )


def last_contcar(folder: Path, like: Structure) -> Structure | None:
    """Geometry that an attempt came to; None where VASP wrote none that is whole and of the same atoms."""
    try:
        found = Poscar.from_file(zpath(str(folder / "CONTCAR")), check_for_potcar=False).structure
        ordered = like.copy()
        ordered.sort()
        target = like if same_atoms(found, like) else ordered
        return found if same_atoms(found, target) else None
    except (OSError, ValueError, IndexError, KeyError):
        return None


def cores(folder: Path) -> int:
    """Number of cores that OUTCAR says VASP ran on, 1 where it does not."""
    try:
        with zopen(zpath(str(folder / "OUTCAR")), "rt", encoding="utf-8", errors="replace") as lines:
            found = CORES.search(str(lines.read(HEAD)))
    except OSError:
        return 1
    return int(found.group(1)) if found else 1


def _with_potcar(generator: Any, potcar: str) -> Any:
    generator.user_potcar_functional = potcar
    return generator
