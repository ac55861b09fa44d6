"""Evaluations in the queue one by one: of an asynchronous campaign, run again, or repaired."""

from __future__ import annotations

from typing import Final

from fireworks import LaunchPad

from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.launchpad import add_flow
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.schemas.candidate import Candidate

EVALUATION_KEY: Final = "fermiloop_evaluation"


def add_evaluation(pad: LaunchPad, candidate: Candidate) -> bool:
    """Add the evaluation of a candidate, unless one is in the queue; whether it was added."""
    if fireworks.is_queued(pad, candidate.calculation, candidate.campaign):
        return False
    flow = EvaluateMaker().make(candidate.campaign, candidate.round, candidate.id)
    add_flow(pad, flow, candidate.campaign, {EVALUATION_KEY: candidate.id})
    return True
