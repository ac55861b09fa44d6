"""Evaluate: the engine's own flow for one candidate, and the job that records what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobflow import Flow, Maker, job

from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.evaluations.work import engine_flow, evaluation, named, run_here
from fermiloop.flows.rounds.record import RecordMaker, record_evaluation
from fermiloop.platform.store import calculations, candidates, connection
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS


@dataclass
class EvaluateMaker(Maker):
    """Relaxation, energy and density of states of one candidate."""

    name: str = "evaluate"
    record_maker: RecordMaker = field(default_factory=RecordMaker)

    def make(self, campaign: str, number: int, candidate_id: str) -> Flow:
        """Flow of one candidate; what was computed before is not computed again."""
        candidate = candidates.get(candidate_id)
        calculation = calculations.get(candidate.calculation)
        return evaluation(
            calculation,
            f"{self.name} {candidate.formula}",
            lambda: work_of(campaign, candidate, calculation),
            lambda outputs: self.record_maker.make(campaign, number, candidate_id, outputs),
            lambda: named(evaluate_at_once(campaign, number, candidate_id), self.name),
        )


@job
def evaluate_at_once(campaign: str, number: int, candidate_id: str) -> str:
    """All steps of an evaluation, one after the other, and its record; stage that the candidate came to.

    Each step keeps its folder, its output and its cost, so that a rerun takes up what is there.
    """
    connection.connect()
    candidate = candidates.get(candidate_id)
    calculation = calculations.get(candidate.calculation)
    outputs = None
    if calculation.state not in FINISHED_CALCULATIONS:
        outputs = run_here(work_of(campaign, candidate, calculation))
    return record_evaluation(campaign, number, candidate_id, outputs)


def work_of(campaign: str, candidate: Candidate, calculation: Calculation) -> Flow:
    """The engine's flow of a candidate's calculation."""
    return engine_flow(calculation, candidate.to_structure(), float(spec_of(campaign).engine.time_limit))
