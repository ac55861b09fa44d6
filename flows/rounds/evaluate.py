"""Evaluate: the engine's own flow for one candidate, and the job that records what came of it.

Where an engine's steps are short (`EngineDeclaration.at_once`), one job of the queue does all of them and records:
each job costs some thirty queries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job, JobStore, Maker, OnMissing, job, run_locally
from maggma.stores import MemoryStore

from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY
from fermiloop.flows.queue.launchpad import DATA_STORE, jobs_of
from fermiloop.flows.rounds.record import RecordMaker, record_evaluation
from fermiloop.platform.plugins.engines import engine
from fermiloop.platform.store import calculations, candidates, connection
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import CalculationState


@dataclass
class EvaluateMaker(Maker):
    """Relaxation, energy and density of states of one candidate."""

    name: str = "evaluate"
    record_maker: RecordMaker = field(default_factory=RecordMaker)

    def make(self, campaign: str, number: int, candidate_id: str) -> Flow:
        """Flow of one candidate; what was computed before is not computed again."""
        candidate = candidates.get(candidate_id)
        calculation = calculations.get(candidate.calculation)
        name = f"{self.name} {candidate.formula}"
        if calculation.state is CalculationState.COMPLETED:
            jobs = [self.record_maker.make(campaign, number, candidate_id)]
        elif engine(calculation.engine).at_once:
            jobs = [self._at_once(campaign, number, candidate_id)]
        else:
            work = work_of(campaign, candidate, calculation)
            jobs = [work, self.record_maker.make(campaign, number, candidate_id, work.output)]
        return _marked(Flow(jobs, name=name), calculation.id)

    def _at_once(self, campaign: str, number: int, candidate_id: str) -> Job:
        made: Job = evaluate_at_once(campaign, number, candidate_id)
        made.name = self.name
        made.config.on_missing_references = OnMissing.NONE
        return made


@job
def evaluate_at_once(campaign: str, number: int, candidate_id: str) -> str:
    """All steps of an evaluation, one after the other, and its record; stage that the candidate came to.

    Each step keeps its folder, its output and its cost, so that a rerun takes up what is there.
    """
    connection.connect()
    candidate = candidates.get(candidate_id)
    calculation = calculations.get(candidate.calculation)
    outputs = None
    if calculation.state is not CalculationState.COMPLETED:
        outputs = run_here(work_of(campaign, candidate, calculation))
    return record_evaluation(campaign, number, candidate_id, outputs)


def work_of(campaign: str, candidate: Candidate, calculation: Calculation) -> Flow:
    """The engine's flow of a planned calculation."""
    limit = float(calculation.time_limit or spec_of(campaign).engine.time_limit)
    code = code_of(calculation.engine)
    return code.flow(calculation.id, candidate.to_structure(), dict(calculation.settings), limit)


def run_here(flow: Flow) -> dict[str, Any]:
    """Run the jobs of a flow in this process; its output, without the steps that failed."""
    store = JobStore(MemoryStore(), additional_stores={DATA_STORE: MemoryStore()})
    run_locally(flow, store=store, log=False, create_folders=False)
    return {step: one.resolve(store, on_missing=OnMissing.NONE) for step, one in flow.output.items()}


def _marked(flow: Flow, calculation: str) -> Flow:
    """The flow, each job bearing its calculation, so that the queue can be asked for it."""
    for made in jobs_of(flow):
        made.metadata[CALCULATION_KEY] = calculation
    return flow
