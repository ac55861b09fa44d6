"""The work of an evaluation: the engine's own flow for one crystal, and a job that records what came of it.

Where an engine's steps are short (`EngineDeclaration.at_once`), one job of the queue does all of them and records:
each job costs some thirty queries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobflow import Flow, Job, JobStore, OnMissing, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Structure

from fermiloop.flows.engines.lookup import code_of
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.queue.documents.rows import CALCULATION_KEY
from fermiloop.flows.queue.launchpad import DATA_STORE, jobs_of
from fermiloop.platform.errors import UserError
from fermiloop.platform.plugins.engines import engine
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.vocabulary import FINISHED_CALCULATIONS


def evaluation(
    calculation: Calculation,
    name: str,
    work: Callable[[], Flow],
    record: Callable[[Any], Job],
    at_once: Callable[[], Job],
) -> Flow:
    """Flow of one evaluation; what was computed before, or has failed, is not computed again.

    Parameters
    ----------
    work
        Makes the engine's flow.
    record
        Makes the job that records the output of that flow, or without one what an earlier run left.
    at_once
        Makes one job for both.
    """
    if calculation.state in FINISHED_CALCULATIONS:  # one that failed waits again before it is run again
        jobs: list[Flow | Job] = [record(None)]
    elif engine(calculation.engine).at_once:
        jobs = [at_once()]
    else:
        made = work()
        jobs = [made, record(made.output)]
    flow = Flow(jobs, name=name)
    for job in jobs_of(flow):  # so that the queue can be asked for it
        job.metadata[CALCULATION_KEY] = calculation.id
    return flow


def named(job: Job, name: str) -> Job:
    """A job under its name that runs whatever became of the one before."""
    job.name = name
    job.config.on_missing_references = OnMissing.NONE
    return job


def engine_flow(calculation: Calculation, structure: Structure, time_limit: float) -> Flow:
    """The engine's flow for a planned calculation, with the relaxation or at the geometry as it is.

    Parameters
    ----------
    time_limit
        Seconds of each step, where the calculation has no limit of its own.

    Raises
    ------
    UserError
        If the engine is not installed here, or computes no crystal without relaxing it.
    """
    code, limit = code_of(calculation.engine), float(calculation.time_limit or time_limit)
    make = code.flow if calculation.relaxed else code.static
    if make is None:
        raise UserError(f"The engine {calculation.engine} computes no crystal without relaxing it.")
    return make(calculation.id, structure, dict(calculation.settings), limit)


def run_here(flow: Flow) -> dict[str, Any]:
    """Run the jobs of a flow in this process; its output, without the steps that failed."""
    store = JobStore(MemoryStore(), additional_stores={DATA_STORE: MemoryStore()})
    run_locally(flow, store=store, log=False, create_folders=False)
    return {step: one.resolve(store, on_missing=OnMissing.NONE) for step, one in flow.output.items()}


def is_finished(calculation: Calculation) -> bool:
    """Whether the last step of a calculation left its output."""
    last = engine(calculation.engine).last_step
    return isolation.read_output(isolation.step_folder(calculation.id, last)) is not None
