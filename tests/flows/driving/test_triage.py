"""Calculations that are cancelled: at once where they wait, told to stop where they run, computed when asked again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fermiloop.flows.driving import computing, triage
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import asking
from fermiloop.flows.evaluations.asking import Given
from fermiloop.flows.processes.identity import parse, worker_name
from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.store import calculations
from fermiloop.schemas.vocabulary import CalculationState

B2 = Given(PROTOTYPES["B2"].build("Al", "Ni", 12.1), "NiAl.cif")
A1 = Given(PROTOTYPES["A1"].build("Al", None, 16.4), "Al.cif")
REASON = "stopped: it was cancelled by hand"


def queued(crystal: Given) -> str:
    return asking.launch([crystal], "analytic", {})[0]


def test_one_that_waits_has_failed_at_once_and_no_worker_computes_it(database: str) -> None:
    ids = [queued(B2), queued(A1)]
    assert triage.cancel([ids[0], ids[0]]) == 1
    found = calculations.get(ids[0])
    assert (found.state, found.error, found.core_seconds) == (CalculationState.FAILED, REASON, 0.0)
    assert [one.state for one in computing.run(ids, workers=None)] == ["failed", "completed"]
    assert not (isolation.step_folder(ids[0], "relax") / isolation.OUTPUT).exists()
    assert calculations.get(ids[0]).error == REASON


def test_handed_over_again_it_is_computed(database: str) -> None:
    calculation = queued(B2)
    triage.cancel([calculation])
    assert queued(B2) == calculation
    assert calculations.get(calculation).state is CalculationState.WAITING
    assert computing.run([calculation], workers=None)[0].state == "completed"


def test_run_again_it_is_not_stopped_once_more(database: str) -> None:
    calculation = queued(B2)
    triage.cancel([calculation])
    assert triage.rerun([calculation]) == 1
    assert computing.run([calculation], workers=None)[0].state == "completed"


def test_one_that_runs_is_told_to_stop_and_one_whose_worker_is_gone_ends(database: str) -> None:
    here = parse(worker_name())
    assert here is not None
    lives, lost = queued(B2), queued(A1)
    calculations.start(lives, worker_name())
    calculations.start(lost, replace(here, start="1", unique="gone").name)  # this process's number is another's now
    assert triage.cancel([lives, lost]) == 2
    told = calculations.get(lives)
    assert (told.state, told.stop_requested) == (CalculationState.RUNNING, "it was cancelled by hand")
    ended = calculations.get(lost)
    assert (ended.state, ended.error) == (CalculationState.FAILED, REASON)


def test_what_has_ended_or_is_unknown_is_not_cancelled_and_nothing_else_is(database: str) -> None:
    done, waits = queued(B2), queued(A1)
    calculations.finish(done, CalculationState.COMPLETED, core_seconds=1.0)
    with pytest.raises(UserError, match=r"is completed, so there is nothing to cancel"):
        triage.cancel([waits, done])
    with pytest.raises(NotFoundError):
        triage.cancel([waits, "calc-0123456789abcdef"])
    assert calculations.get(waits).stop_requested is None
