"""Evaluate what was handed over: the same work as a campaign's candidates get, and its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jobflow import Flow, Maker, job
from pymatgen.core import Structure

from fermiloop.flows.evaluations.record import record, record_evaluation
from fermiloop.flows.evaluations.work import engine_flow, evaluation, named, run_here
from fermiloop.platform.store import calculations, connection
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS

TIME_LIMIT: Final = 3600.0  # s of a step, unless another was asked for


@dataclass
class EvaluateMaker(Maker):
    """Relaxation where it is asked for, energy and density of states of one crystal."""

    name: str = "compute"

    def make(self, calculation_id: str) -> Flow:
        """Flow of a planned calculation; what was computed before is not computed again."""
        calculation = calculations.get(calculation_id)
        structure = Structure.from_dict(calculation.structure)
        return evaluation(
            calculation,
            f"{self.name} {structure.composition.reduced_formula}",
            lambda: work_of(calculation),
            lambda outputs: named(record(calculation_id, outputs), "record"),
            lambda: named(evaluate_at_once(calculation_id), self.name),
        )


@job
def evaluate_at_once(calculation_id: str) -> str:
    """All steps of an evaluation, one after the other, and its record; state of the calculation afterwards."""
    connection.connect()
    calculation = calculations.get(calculation_id)
    done = calculation.state in FINISHED_CALCULATIONS
    return record_evaluation(calculation_id, None if done else run_here(work_of(calculation)))


def work_of(calculation: Calculation) -> Flow:
    """The engine's flow of a planned calculation."""
    return engine_flow(calculation, Structure.from_dict(calculation.structure), TIME_LIMIT)
