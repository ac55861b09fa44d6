"""A whole VASP evaluation through FireWorks and the store, VASP's program alone replaced by a stand-in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from atomate2.vasp.files import write_vasp_input_set
from atomate2.vasp.jobs import base
from emmet.core.types.enums import VaspObject
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from jobflow import Flow
from jobflow.managers.fireworks import flow_to_workflow
from pymatgen.core import Structure
from pymatgen.electronic_structure.dos import Dos
from pymatgen.io.vasp import Poscar

from fermiloop.flows.campaigns.steps import method_of, spec_of
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation, native
from fermiloop.flows.engines.vasp.makers import relax_maker
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, job_store, launchpad
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.flows.rounds.sample import document as candidate_document
from fermiloop.platform.campaign.spec import parse_spec
from fermiloop.platform.errors import EngineError
from fermiloop.platform.generators.protocol import Proposal
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations, campaigns, candidates, labels, methods, spectra
from fermiloop.schemas.vocabulary import CalculationState, Property, Stage

CRYSTAL = PROTOTYPES["B2"].build("Al", "Ni", 13.0)
LARGEST_DOCUMENT = 16 * 1024**2  # bytes
SHRINK = 0.98  # of the cell's edge, by every ionic step of the stand-in
STEPS = 6  # ionic steps to its minimum
CAMPAIGN = """
name: native
target: {properties: [{name: band_gap, value: 0.0, tolerance: 0.1}]}
space: {elements: [Al, Ni], components: [1, 2], crystal_systems: [cubic], max_sites: 4}
generators: [{name: substitution, proposals: 2}]
funnel: {stages: [geometry], potential: analytic}
acquisition: {name: random}
engine: {name: vasp, settings: {corrections: none}, time_limit: 900}
budget: {rounds: 1, evaluations: 1, per_round: 1}
"""


class Killed(BaseException):
    """What no code of ours knows of, as it knows nothing of a kill."""


class StandIn:
    """Relaxes by shrinking the cell, step after step, and leaves the files and documents that VASP would."""

    def __init__(self, make_document: Callable[..., Any], curve: Dos) -> None:
        self._make, self._curve = make_document, curve
        self.ionic_steps = 0
        self.runs: list[str] = []
        self.dies_at: int | None = None
        self.dies_of: type[BaseException] = Killed
        self.fails_at: str | None = None
        self.also: dict[str, Any] = {}
        self.took = 0.05  # s of every run

    def run(self, **_: Any) -> None:
        step = Path.cwd().parent.name
        self.runs.append(step)
        time.sleep(self.took)
        Path("OUTCAR").write_text(" running on    4 total cores\n")
        if self.fails_at == step:
            raise RuntimeError("VASP said: ZBRENT: fatal error in bracketing")
        structure = Poscar.from_file("POSCAR", check_for_potcar=False).structure
        if step.startswith("relax"):
            structure = self._relax(structure)
        Poscar(structure).write_file("CONTCAR")

    def _relax(self, structure: Structure) -> Structure:
        goal = CRYSTAL.lattice.a * SHRINK**STEPS
        while structure.lattice.a > goal * 1.0001:
            if self.dies_at == self.ionic_steps:
                self.dies_at = None
                raise self.dies_of  # it passes every handler of errors
            structure = Structure(structure.lattice.scale(structure.volume * SHRINK**3), structure.species,
                                  structure.frac_coords)  # fmt: skip
            self.ionic_steps += 1
            Poscar(structure).write_file("CONTCAR")
        return structure

    def document(self, path: Path, **_: Any) -> Any:
        step = Path(path).parent.name
        found = Poscar.from_file(str(Path(path) / "CONTCAR"), check_for_potcar=False).structure
        relaxing = step.startswith("relax")
        made = self._make(
            found, energy=-11.0, curve=self._curve if step == "dos" else None, steps=40 if relaxing else 1
        )
        objects = {**made.vasp_objects, **(self.also if step == "dos" else {})}
        return made.model_copy(update={"dir_name": f"host:{path}", "vasp_objects": objects})


@pytest.fixture
def stand_in(vasp_document: Any, square_dos: Any, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """VASP's place taken; atomate2's job, its input files and its decisions stay as they are."""
    made = StandIn(vasp_document, square_dos())
    monkeypatch.setattr(base, "run_vasp", made.run)
    monkeypatch.setattr(base, "copy_vasp_outputs", lambda *_, **__: None)
    monkeypatch.setattr(base, "get_vasp_task_document", made.document)

    def write(structure: Structure, generator: Any, **_: Any) -> None:
        write_vasp_input_set(structure, generator, potcar_spec=True)

    monkeypatch.setattr(base, "write_vasp_input_set", write)
    return made


@pytest.fixture
def pad(database: str, tmp_path: Path) -> Iterator[SafeLaunchPad]:
    """The queue of this test's database, and a folder for its launches."""
    before = Path.cwd()
    os.chdir(tmp_path)
    configure_jobflow()
    found = launchpad()
    yield found
    found.connection.close()
    os.chdir(before)


@pytest.fixture
def selected(pad: SafeLaunchPad) -> str:
    """A candidate selected for VASP; its id."""
    spec = parse_spec(CAMPAIGN)
    campaigns.create(spec.name, spec.as_dict(), CAMPAIGN)
    campaigns.plan_round(spec.name, 1)
    campaigns.mark_launched(spec.name, 1)
    made = candidate_document(spec.name, 1, "substitution", 0, Proposal(CRYSTAL, 1.0), "ckpt-none", 5)
    candidates.save_many([made])
    settings = dict(spec.engine.settings)
    planned = calculations.plan(
        made.id, CRYSTAL, engine="vasp", method=method_of(spec_of(spec.name)), settings=settings, campaign=spec.name
    )
    candidates.update(made.id, stage=Stage.SELECTED, calculation=planned)
    return str(made.id)


def work(pad: SafeLaunchPad, flow: Flow) -> None:
    """Run a flow as workers do, in the order that the queue gives."""
    pad.add_wf(flow_to_workflow(flow))
    while pad.fireworks.find_one({"state": "READY"}, {"_id": 1}):
        launch_rocket(pad, FWorker("one"), strm_lvl="CRITICAL")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_evaluation_goes_through_queue_and_store(stand_in: StandIn, pad: SafeLaunchPad, selected: str) -> None:
    work(pad, EvaluateMaker().make("native", 1, selected))
    candidate = candidates.get(selected)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert candidate.scores["hit"]
    assert stand_in.runs == ["relax1", "relax2", "scf", "dos"]
    done = calculations.get(candidate.calculation)
    assert done.state is CalculationState.COMPLETED
    assert done.core_seconds > 4 * 4 * stand_in.took  # on four cores, each of four steps
    found = {row.property: row.value for row in labels.of_calculations([done.id])}
    assert found[Property.ENERGY_PER_ATOM] == -5.5
    assert found[Property.FERMI_LEVEL] == 6.0
    curve = spectra.of_material(candidate.material, method=done.method)
    assert curve is not None
    assert curve.array()[300] == pytest.approx(2.0, abs=1e-3)
    method = methods.get(done.method)
    assert method.settings["corrections"] == "none"
    assert method.settings["potcar"] == "PBE"

    work(pad, code_of("vasp").flow(done.id, CRYSTAL, {"corrections": "none"}, 900.0))
    assert stand_in.runs == ["relax1", "relax2", "scf", "dos"]  # nothing is computed a second time


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_failing_step_ends_the_evaluation_with_its_own_reason(
    stand_in: StandIn, pad: SafeLaunchPad, selected: str
) -> None:
    stand_in.fails_at = "relax2"
    work(pad, EvaluateMaker().make("native", 1, selected))
    candidate = candidates.get(selected)
    assert candidate.stage is Stage.FAILED
    assert candidate.reason == "relax2: RuntimeError: VASP said: ZBRENT: fatal error in bracketing"
    assert stand_in.runs == ["relax1", "relax2"]
    ledger = isolation.step_folder(candidate.calculation, "relax2") / isolation.COST
    assert '"failed"' in ledger.read_text()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("cause", "outcome"), [(Killed, "killed"), (KeyboardInterrupt, "stopped")])
def test_a_relaxation_killed_half_way_goes_on_from_its_last_contcar(
    stand_in: StandIn, pad: SafeLaunchPad, selected: str, cause: type[BaseException], outcome: str
) -> None:
    stand_in.dies_at, stand_in.dies_of = 4, cause
    maker = relax_maker(step="relax1", calculation=candidates.get(selected).calculation, potcar="PBE", time_limit=900.0)
    with pytest.raises(cause):
        maker.make.original(maker, CRYSTAL)
    stand_in.fails_at = "relax1"  # before it has moved anything: what the first attempt left is not lost
    with pytest.raises(EngineError, match="ZBRENT"):
        maker.make.original(maker, CRYSTAL)
    stand_in.fails_at = None
    work(pad, EvaluateMaker().make("native", 1, selected))
    candidate = candidates.get(selected)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert stand_in.ionic_steps == STEPS  # four before the kill, two after it
    folder = isolation.step_folder(candidate.calculation, "relax1")
    assert [path.name for path in native.attempts(folder)] == ["attempt-1", "attempt-2", "attempt-3"]
    outcomes = [line.split('"outcome": ')[1] for line in (folder / isolation.COST).read_text().splitlines()]
    assert outcomes == [f'"{outcome}"}}', '"failed"}', '"done"}']


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_task_document_beyond_16_mb_passes(stand_in: StandIn, pad: SafeLaunchPad, selected: str) -> None:
    """MongoDB's limit: what is large goes to GridFS, and neither queue nor store hold more than a reference."""
    large = {"projections": "0.123456789 " * (LARGEST_DOCUMENT // 12 + 100_000)}
    stand_in.also = {VaspObject.BANDSTRUCTURE: large}
    work(pad, EvaluateMaker().make("native", 1, selected))
    candidate = candidates.get(selected)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert all(len(str(launch)) < 100_000 for launch in pad.launches.find())
    store = job_store()
    store.connect()
    kept = store.docs_store.query_one({"name": "VASP DOS"})
    assert kept is not None
    assert len(json.dumps(kept, default=str)) < 100_000
    whole = store.get_output(kept["uuid"], load=True)
    assert whole["vasp_objects"]["bandstructure"] == large
    store.close()
