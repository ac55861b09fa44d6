"""Task documents as emmet and atomate2 make them, genuine outputs of VASP, and the program that hands them out."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest
from emmet.core.tasks import OutputDoc, TaskDoc
from emmet.core.vasp.calculation import Calculation, CalculationInput, CalculationOutput
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from jobflow.managers.fireworks import flow_to_workflow
from pymatgen.core import SETTINGS as PYMATGEN_SETTINGS
from pymatgen.core import Structure
from pymatgen.electronic_structure.core import Spin
from pymatgen.electronic_structure.dos import CompleteDos, Dos
from pymatgen.io.vasp import Poscar
from pymatgen.io.vasp.inputs import Kpoints
from pymatgen.io.vasp.sets import MPRelaxSet, MPStaticSet

from fermiloop.flows.campaigns.steps import method_of, spec_of
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.flows.rounds.sample import document as candidate_document
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

FERMI = 6.0  # eV, as VASP counts
N_BANDS = 20

VaspDocument = Callable[..., TaskDoc]


@pytest.fixture
def vasp_document() -> VaspDocument:
    """Maker of a VASP task document of a crystal."""
    return document


def document(
    structure: Structure,
    *,
    energy: float = -10.0,
    gap: float = 0.0,
    curve: Dos | None = None,
    moment: float | None = 0.0,
    potcar: str | None = None,
    relax: bool = False,
    steps: int = 1,
    n_electrons: float = 8.0,
) -> TaskDoc:
    """Task document of one VASP run, with everything that emmet's own parser fills."""
    inputs = (MPRelaxSet if relax else MPStaticSet)(structure)
    titles = [f"PAW_PBE {potcar or symbol} 04Jan2001" for symbol in inputs.potcar_symbols]
    parameters = {**dict(inputs.incar), "NELECT": n_electrons, "NBANDS": N_BANDS, "LASPH": True}
    given = CalculationInput(
        incar=dict(inputs.incar),
        kpoints=Kpoints.gamma_automatic((8, 8, 8)),
        potcar_spec=[{"titel": title, "hash": None} for title in titles],
        potcar=list(inputs.potcar_symbols),
        parameters=parameters,
        structure=structure,
        is_hubbard=False,
        hubbards={},
    )
    outcar = {"@module": "pymatgen.io.vasp.outputs", "@class": "Outcar"}
    found = CalculationOutput(
        structure=structure,
        energy=energy,
        energy_per_atom=energy / len(structure),
        efermi=FERMI,
        bandgap=gap,
        vbm=FERMI - 0.2 if gap else None,
        cbm=FERMI - 0.2 + gap if gap else None,
        is_metal=not gap,
        ionic_steps=[_ionic_step(structure, energy) for _ in range(steps)],
        outcar=outcar if moment is None else {**outcar, "total_magnetization": moment},
    )
    calculation = Calculation(
        dir_name="/scratch/x", vasp_version="6.4.3", has_vasp_completed="successful", input=given, output=found,
        task_name="standard",
    )  # fmt: skip
    return TaskDoc.from_structure(
        meta_structure=structure,
        structure=structure,
        dir_name="host:/scratch/x",
        calcs_reversed=[calculation],
        orig_inputs=given,
        input=given,
        output=OutputDoc.from_vasp_calc_doc(calculation),
        state="successful",
        vasp_objects={"dos": curve} if curve is not None else {},
        included_objects=["dos"] if curve is not None else [],
    )


def _ionic_step(structure: Structure, energy: float) -> dict[str, Any]:
    n = len(structure)
    return {
        "e_fr_energy": energy,
        "e_wo_entrp": energy,
        "e_0_energy": energy,
        "forces": np.zeros((n, 3)).tolist(),
        "stress": np.zeros((3, 3)).tolist(),
        "structure": structure,
        "electronic_steps": [],
    }


@pytest.fixture
def square_dos() -> Callable[..., Dos]:
    """Maker of a density of states of constant height from `bottom` to the top of the grid."""
    return _square


def _square(
    *,
    height: float = 2.0,
    bottom: float = -4.0,
    top: float = 9.0,
    spins: int = 2,
    step: float = 0.01,
    gap: tuple[float, float] = (0.0, 0.0),
    structure: Structure | None = None,
) -> Dos:
    energies = np.arange(FERMI - 20.0, FERMI + top + step / 2, step)
    empty = (energies < FERMI + bottom) | ((energies > FERMI + gap[0]) & (energies < FERMI + gap[1]))
    values = np.where(empty, 0.0, height / spins)
    densities = dict.fromkeys((Spin.up, Spin.down)[:spins], values)
    total = Dos(FERMI, energies, densities)
    if structure is None:
        return total
    orbitals = {site: {} for site in structure}
    return CompleteDos(structure, total, orbitals)


ROOT: Final = Path(__file__).parents[3] / ".." / "shared" / "vasp"
PROGRAM: Final = Path(__file__).with_name("vasp_std.py")
POTCAR: Final = """\
  {title}
   {valence:.10f}
 parameters from PSCTR are:
   VRHFIN ={element}: stub
   LEXCH  = PE
   EATOM  =   100.0000 eV,    7.0000 Ry

   TITEL  = {title}
   LULTRA =        F    use ultrasoft PP ?
   RPACOR =    1.500    partial core radius
   POMASS =   {mass:.3f}; ZVAL   =    {valence:.3f}    mass and valenz
   ENMAX  =  {enmax:.3f}; ENMIN  =  200.000 eV
   RMAX   =    1.950    core radius for proj-oper
   LPAW   =        T    paw PP
   EAUG   =  400.000
 END of PSCTR-controll parameters
 local part
   1.0
 End of Dataset
"""
HEADERS: Final = {  # of the Materials Project's POTCARs: title, mass, valence, ENMAX
    "Si": ("PAW_PBE Si 05Jan2001", 28.085, 4.0, 245.345),
    "Fe_pv": ("PAW_PBE Fe_pv 06Sep2000", 55.847, 14.0, 293.238),
}
CAMPAIGN: Final = """
name: genuine
target: {{properties: [{{name: band_gap, value: 0.65, tolerance: 0.1}}]}}
space: {{elements: [Si, Fe], components: [1, 1], crystal_systems: [cubic, trigonal, hexagonal], max_sites: 4}}
generators: [{{name: substitution, proposals: 2}}]
funnel: {{stages: [geometry], potential: analytic}}
acquisition: {{name: random}}
engine: {{name: vasp, settings: {{corrections: {corrections}}}, time_limit: 900}}
budget: {{rounds: 1, evaluations: 1, per_round: 1}}
"""


@pytest.fixture
def outputs() -> Path:
    """Folder of the genuine outputs."""
    if not ROOT.is_dir():
        pytest.skip("the genuine outputs of VASP (../shared/vasp) are not here")
    return ROOT.resolve()


@dataclass(frozen=True)
class StandIn:
    """The program in VASP's place: what it hands out, what goes wrong, and what it was asked."""

    patch: pytest.MonkeyPatch
    log: Path

    def gives(self, folder: Path) -> None:
        """Hand out the outputs of a folder: those of its steps, or its own in each step's place."""
        self.patch.setenv("STAND_IN_DATA", str(folder))

    def fails(self, step: str, kind: str) -> None:
        """Let a step end as `vasp_std.spoil` knows."""
        self.patch.setenv("STAND_IN_FAULT", f"{step}:{kind}")

    def works(self) -> None:
        """Let nothing fail any more."""
        self.patch.delenv("STAND_IN_FAULT", raising=False)

    @property
    def runs(self) -> list[str]:
        """Steps that it was started for, in their order."""
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture
def vasp(outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in on the PATH, headers of POTCARs where pymatgen looks for them, custodian without its pauses."""
    program = tmp_path / "bin" / "vasp_std"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{PROGRAM.read_text()}")
    program.chmod(0o755)
    shutil.copy(program, program.with_name("vasp_gam"))
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for symbol, (title, mass, valence, enmax) in HEADERS.items():
        folder = tmp_path / "potcars" / "POT_GGA_PAW_PBE" / symbol
        folder.mkdir(parents=True)
        element = symbol.partition("_")[0]
        text = POTCAR.format(title=title, element=element, mass=mass, valence=valence, enmax=enmax)
        (folder / "POTCAR").write_text(text)
    monkeypatch.setenv("PMG_VASP_PSP_DIR", str(tmp_path / "potcars"))
    monkeypatch.setitem(PYMATGEN_SETTINGS, "PMG_VASP_PSP_DIR", str(tmp_path / "potcars"))
    monkeypatch.setenv("STAND_IN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("custodian.custodian.time", SimpleNamespace(sleep=lambda _: time.sleep(0.05)))
    made = StandIn(monkeypatch, tmp_path / "runs")
    made.gives(outputs / "Si")
    return made


@pytest.fixture
def pad(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SafeLaunchPad]:
    """The queue of this test's database, and a folder for its launches."""
    monkeypatch.chdir(tmp_path)
    configure_jobflow()
    found = launchpad()
    yield found
    found.connection.close()


Select = Callable[..., str]


@pytest.fixture
def select(database: str, outputs: Path) -> Select:
    """Maker of a campaign with one candidate that is selected for VASP; id of the candidate."""

    def _select(crystal: str = "Si/scf", corrections: str = "MP2020") -> str:
        structure = Poscar.from_file(outputs / crystal / "CONTCAR.gz", check_for_potcar=False).structure
        text = CAMPAIGN.format(corrections=corrections)
        spec = parse_spec(text)
        campaigns.create(spec.name, spec.as_dict(), text)
        campaigns.plan_round(spec.name, 1)
        campaigns.mark_launched(spec.name, 1)
        made = candidate_document(spec.name, 1, "substitution", 0, Proposal(structure, 1.0), None, 5)
        candidates.save_many([made])
        planned = calculations.plan(
            made.id, structure, engine="vasp", method=method_of(spec_of(spec.name)),
            settings=dict(spec.engine.settings), campaign=spec.name,
        )  # fmt: skip
        candidates.update(made.id, stage=Stage.SELECTED, calculation=planned)
        return str(made.id)

    return _select


@pytest.fixture
def evaluate(pad: SafeLaunchPad) -> Callable[[str], Candidate]:
    """Run the evaluation of a candidate as a worker does; the candidate afterwards."""

    def _evaluate(candidate: str) -> Candidate:
        pad.add_wf(flow_to_workflow(EvaluateMaker().make("genuine", 1, candidate)))
        while pad.fireworks.find_one({"state": "READY"}, {"_id": 1}):
            launch_rocket(pad, FWorker("one"), strm_lvl="CRITICAL")
        return candidates.get(candidate)

    return _evaluate


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Set VASP_INCAR_UPDATES of atomate2."""
    from atomate2 import SETTINGS

    return lambda changed: monkeypatch.setattr(SETTINGS, "VASP_INCAR_UPDATES", changed)
