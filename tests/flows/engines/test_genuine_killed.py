"""A worker killed for real in the middle of a run of VASP: taken up again, and nothing is paid twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from killing import kill_once, outcomes

from fermiloop.flows.driving.recover import recover
from fermiloop.flows.engines.steps import isolation, native, orphans
from fermiloop.flows.rounds.evaluations import add_evaluation
from fermiloop.platform.store import calculations, candidates
from fermiloop.schemas.vocabulary import CalculationState, Stage

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.timeout(600),
]

WORKER = """
import time
rest = time.sleep
time.sleep = lambda seconds: rest(min(seconds, 0.2))  # custodian looks every ten seconds
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue.launchpad import configure_jobflow, launchpad
from fermiloop.platform.store import connection
connection.connect()
configure_jobflow()
pad = launchpad()
while pad.fireworks.find_one({"state": "READY"}, {"_id": 1}):
    launch_rocket(pad, FWorker(worker_name()), strm_lvl="CRITICAL")
"""


def kill_in_the_middle(pad: Any, candidate: str, step: str) -> Path:
    """Let a worker of its own begin an evaluation and kill it while the program runs; folder of that attempt."""
    add_evaluation(pad, candidates.get(candidate))
    folder = isolation.step_folder(candidates.get(candidate).calculation, step)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)  # fmt: skip
    kill_once(worker, (folder / "attempt-1" / "begun").exists)
    assert orphans.working_in(folder / "attempt-1")  # VASP goes on without its worker
    return folder / "attempt-1"


def finish(pad: Any) -> None:
    from fireworks import FWorker
    from fireworks.core.rocket_launcher import launch_rocket

    assert recover(pad, "another")
    while pad.fireworks.find_one({"state": "READY"}, {"_id": 1}):
        launch_rocket(pad, FWorker("another"), strm_lvl="CRITICAL")


def test_a_killed_worker_is_taken_up_and_nothing_is_paid_twice(vasp: Any, select: Any, pad: Any) -> None:
    vasp.fails("relax2", "hang")
    chosen = select()
    left = kill_in_the_middle(pad, chosen, "relax2")
    vasp.works()
    finish(pad)
    candidate = candidates.get(chosen)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert orphans.working_in(left) == []
    assert vasp.runs == ["relax1", "relax2", "relax2", "scf", "dos"]
    done = calculations.get(candidate.calculation)
    assert done.state is CalculationState.COMPLETED
    assert {step: outcomes(isolation.step_folder(done.id, step)) for step in ("relax1", "relax2", "scf", "dos")} == {
        "relax1": ["done"], "relax2": ["killed", "done"], "scf": ["done"], "dos": ["done"],
    }  # fmt: skip
    assert done.core_seconds == pytest.approx(isolation.core_seconds(done.id))


def test_a_run_that_came_to_its_end_without_its_worker_is_read(vasp: Any, select: Any, pad: Any) -> None:
    vasp.fails("scf", "late")
    chosen = select()
    kill_in_the_middle(pad, chosen, "scf")
    vasp.works()
    finish(pad)
    candidate = candidates.get(chosen)
    assert candidate.stage is Stage.EVALUATED, candidate.reason
    assert vasp.runs == ["relax1", "relax2", "scf", "dos"]
    assert outcomes(isolation.step_folder(candidate.calculation, "scf")) == ["done"]
    assert len(native.attempts(isolation.step_folder(candidate.calculation, "scf"))) == 1
