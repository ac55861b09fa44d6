"""Evaluate: the engine's own flow for one candidate, and the job that records what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker

from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.engines.registry import code_of
from fermiloop.flows.queue.launchpad import CALCULATION_KEY, jobs_of
from fermiloop.flows.rounds.record import RecordMaker
from fermiloop.platform.store import calculations, candidates
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
            return _marked(Flow([self.record_maker.make(campaign, number, candidate_id)], name=name), calculation.id)
        spec = spec_of(campaign)
        limit = float(calculation.time_limit or spec.engine.time_limit)
        engine = code_of(calculation.engine)
        work = engine.flow(calculation.id, candidate.to_structure(), dict(calculation.settings), limit)
        record: Job = self.record_maker.make(campaign, number, candidate_id, work.output)
        return _marked(Flow([work, record], name=name), calculation.id)


def _marked(flow: Flow, calculation: str) -> Flow:
    """The flow, each job bearing its calculation, so that the queue can be asked for it."""
    for made in jobs_of(flow):
        made.metadata[CALCULATION_KEY] = calculation
    return flow
