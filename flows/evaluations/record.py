"""Record: what the evaluation of a crystal that was handed over found goes into the store, exactly once.

Every write can be repeated and changes nothing the second time; the calculation is marked last.
"""

from __future__ import annotations

from typing import Any

from jobflow import job

from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import storing
from fermiloop.platform.store import calculations, connection, materials
from fermiloop.schemas.vocabulary import CalculationState, Origin


@job
def record(calculation_id: str, outputs: Any = None) -> str:
    """State that the calculation came to."""
    return record_evaluation(calculation_id, outputs)


def record_evaluation(calculation_id: str, outputs: Any = None) -> str:
    """Write down what an evaluation found; without its outputs, what it left on disk. State of the calculation."""
    connection.connect()
    calculation = calculations.get(calculation_id)
    if calculation.state is CalculationState.COMPLETED and calculation.result.get("material"):
        calculations.mark_ingested(calculation_id)
        return str(CalculationState.COMPLETED)
    found = storing.result_of(calculation, outputs)
    cost = isolation.core_seconds(calculation_id)
    if isinstance(found, str):  # nothing of it is in the store
        calculations.finish(calculation_id, CalculationState.FAILED, core_seconds=cost, error=found)
        storing.logger.info("%s failed: %s", calculation_id, found)
        return str(CalculationState.FAILED)
    calculation.method = storing.method_that_ran(calculation, found)
    source = {"name": "computed here", "key": str(calculation.handed_over), "licence": "the owner's"}
    material = materials.save(found.structure, origin=Origin.IMPORT, source=source)
    numbers = storing.store(calculation, material, found)
    result = storing.told_of(material, found, numbers)
    done = CalculationState.COMPLETED
    if not calculations.finish(calculation_id, done, core_seconds=cost, result=result, late=False):
        calculations.mark_ingested(calculation_id)
    storing.logger.info("%s of %s computed", calculation_id, calculation.handed_over)
    return str(done)
