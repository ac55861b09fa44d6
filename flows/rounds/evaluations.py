"""Evaluations in the queue one by one: of an asynchronous campaign, run again, or repaired."""

from __future__ import annotations

from typing import Final

from fireworks import LaunchPad

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.launchpad import add_flow
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.platform.plugins.engines import engine
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.candidate import Candidate

EVALUATION_KEY: Final = "fermiloop_evaluation"


def add_evaluation(pad: LaunchPad, candidate: Candidate) -> bool:
    """Add the evaluation of a candidate, unless one is in the queue; whether it was added."""
    if fireworks.is_queued(pad, candidate.calculation):
        return False
    flow = EvaluateMaker().make(candidate.campaign, candidate.round, candidate.id)
    add_flow(pad, flow, candidate.campaign, {EVALUATION_KEY: candidate.id})
    return True


def is_finished(calculation: Calculation) -> bool:
    """Whether the last step of a calculation left its output."""
    last = engine(calculation.engine).last_step
    return isolation.read_output(isolation.step_folder(calculation.id, last)) is not None
