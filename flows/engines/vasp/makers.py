"""atomate2's VASP makers, each in a folder of its calculation, and relaxations that go on from their last CONTCAR."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from atomate2 import SETTINGS
from atomate2.vasp.jobs import base
from atomate2.vasp.jobs.base import BaseVaspMaker, vasp_job
from atomate2.vasp.jobs.mp import MPGGARelaxMaker, MPGGAStaticMaker
from jobflow import Response
from monty.os.path import zpath
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar
from pymatgen.io.vasp.sets import MPNonSCFSet

from fermiloop.flows.engines.steps import native
from fermiloop.flows.engines.steps.geometry import same_atoms
from fermiloop.flows.engines.vasp.functional import check_converged
from fermiloop.flows.engines.vasp.outcar import cores, is_whole, was_stopped
from fermiloop.flows.engines.vasp.reasons import ExitCodeFirst, in_words, told_by
from fermiloop.platform.errors import EngineError
from fermiloop.platform.representations.functionals import functional_of

SHORTEST_SECONDS: Final = 600.0  # custodian asks VASP to stop 300 s before its time is up
NO_SCIENCE: Final = frozenset({"KPAR", "LPLANE", "LSCALAPACK", "LWAVE", "NCORE", "NPAR", "NSIM"})
PROGRAM: Final = native.Program(cores, told_by, is_whole)


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
    functional
        What the Method says; a worker whose own settings ask for another refuses to begin. Empty: not compared.
    """

    calculation: str = ""
    step: str = ""
    resumes: bool = False
    time_limit: float = 3600.0
    functional: str = ""

    @vasp_job
    def make(self, structure: Structure | None, prev_dir: str | Path | None = None) -> Response:
        """Task document of one VASP run; ``prev_dir`` is the folder of the step before."""
        if structure is None:
            raise EngineError(f"No structure for {self.step}: the step before failed.")
        compute = partial(self._compute, structure, prev_dir)
        return native.once(self.calculation, self.step, compute, PROGRAM, self.time_limit, self._read)

    def _compute(self, structure: Structure, prev_dir: str | Path | None, before: list[Path]) -> Response:
        start = native.last_of(before, last_contcar, structure) if self.resumes else structure
        self._check_functional()
        self.run_vasp_kwargs["wall_time"] = int(self.time_limit)
        self.run_vasp_kwargs["validators"] = (ExitCodeFirst(),)
        with in_words():
            response = BaseVaspMaker.make.original(self, start, prev_dir)
        self._check(response.output)
        return response

    def _check_functional(self) -> None:
        asked = functional_asked_for(self.input_set_generator.user_potcar_functional)
        if self.functional and asked != self.functional:
            raise EngineError(
                f"VASP_INCAR_UPDATES of this worker asks for {asked}, and the Method says {self.functional}; make "
                "~/.atomate2.yaml the same on every node"
            )

    def _read(self) -> Response:
        """Task document of a run that came to its end in the working folder."""
        with in_words():
            document = base.get_vasp_task_document(Path.cwd(), **self.task_document_kwargs)
        document.task_label = self.name
        self._check(document)
        return Response(output=document)

    def _check(self, document: Any) -> None:
        """Refuse the run in the working folder where it stopped short."""
        check_converged(document)
        if was_stopped(Path.cwd(), relaxes=self.resumes):
            what = "the relaxation" if self.resumes else "its electronic loop"
            raise EngineError(
                f"VASP was stopped before {what} converged, as custodian does when the time is nearly up; "
                "raise time_limit"
            )


def incar_updates() -> dict[str, Any]:
    """What ``~/.atomate2.yaml`` changes in every INCAR, beside how the work is shared among processes."""
    updates = {str(key).strip().upper(): value for key, value in SETTINGS.VASP_INCAR_UPDATES.items()}
    return {key: value for key, value in sorted(updates.items()) if key not in NO_SCIENCE}


def functional_asked_for(potcar: str) -> str:
    """Functional that every INCAR asks for: that of the POTCARs, unless the updates say otherwise."""
    return functional_of(incar_updates(), potcar)


def relax_maker(*, step: str, calculation: str, potcar: str, time_limit: float, functional: str = "") -> VaspStepMaker:
    """Relaxation by MPRelaxSet."""
    return VaspStepMaker(
        name=f"VASP {step}",
        input_set_generator=_with_potcar(MPGGARelaxMaker().input_set_generator, potcar),
        task_document_kwargs={"store_trajectory": "partial"},  # steps in the data store: a document ends at 16 MB
        calculation=calculation,
        step=step,
        resumes=True,
        time_limit=time_limit,
        functional=functional,
    )


def scf_maker(*, calculation: str, potcar: str, time_limit: float, functional: str = "") -> VaspStepMaker:
    """Static calculation by MPStaticSet."""
    return VaspStepMaker(
        name="VASP static",
        input_set_generator=_with_potcar(MPGGAStaticMaker().input_set_generator, potcar),
        calculation=calculation,
        step="scf",
        time_limit=time_limit,
        functional=functional,
    )


def uniform_maker(
    *, calculation: str, potcar: str, time_limit: float, kpoints: float, bands_factor: float, functional: str = ""
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
        task_document_kwargs={
            "parse_dos": True,
            "strip_dos_projections": True,
            "parse_bandstructure": False,
            "use_emmet_models": False,  # whatever VASP_USE_EMMET_MODELS says: the adapter reads pymatgen's
        },
        calculation=calculation,
        step="dos",
        time_limit=time_limit,
        functional=functional,
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


def _with_potcar(generator: Any, potcar: str) -> Any:
    generator.user_potcar_functional = potcar
    return generator
