"""Computing without a campaign: by workers that are killed, given back, queued again, and by real DFT."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
from killing import kill, outcomes, wait_for

from fermiloop.flows.campaigns import methods
from fermiloop.flows.campaigns.fair_share import draw, queue_shares
from fermiloop.flows.driving import computing, triage
from fermiloop.flows.driving.reconcile import reconcile
from fermiloop.flows.engines.steps import isolation
from fermiloop.flows.evaluations import asking
from fermiloop.flows.evaluations.asking import Given
from fermiloop.flows.evaluations.evaluate import work_of
from fermiloop.flows.evaluations.work import run_here
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue import watching
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, labels
from fermiloop.schemas.vocabulary import CalculationState

B2 = Given(PROTOTYPES["B2"].build("Al", "Ni", 12.1), "NiAl.cif")
A1 = Given(PROTOTYPES["A1"].build("Al", None, 16.4), "Al.cif")


def queued(crystal: Given = B2, **options: object) -> str:
    return asking.launch([crystal], "analytic", options)[0]


def test_what_waits_is_drawn_without_a_campaign_and_shown_without_one(database: str) -> None:
    calculation = queued()
    pad = launchpad()
    try:
        assert [share.tickets for share in queue_shares(pad)] == [1.0]
    finally:
        pad.connection.close()
    (step,) = watching.queue()
    assert (step.campaign, step.calculation, step.name) == (None, calculation, "compute")


def test_a_machine_of_another_method_leaves_it_alone(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    calculation = queued()
    other = methods.Method.make("analytic", "another", {}, {})
    monkeypatch.setattr(methods, "_method", lambda *_: other)
    assert "would compute with" in str(methods.difference_of(calculations.get(calculation).method))
    pad = launchpad()
    try:
        assert draw(pad, np.random.default_rng(1)) is None
    finally:
        pad.connection.close()


@pytest.mark.parametrize("finished", [False, True])
def test_what_nobody_works_at_is_queued_again_or_recorded(database: str, finished: bool) -> None:
    calculation = queued()
    pad = launchpad()
    try:
        pad.fireworks.delete_many({})
        pad.workflows.delete_many({})
        calculations.start(calculation, "gone~1~1~1")
        if finished:
            run_here(work_of(calculations.get(calculation)))
        (found,) = reconcile(pad, worker_name())
        assert reconcile(pad, worker_name()) == []
    finally:
        pad.connection.close()
    assert found.kind == ("unrecorded result" if finished else "lost evaluation")
    state = calculations.get(calculation).state
    assert state is (CalculationState.COMPLETED if finished else CalculationState.WAITING)
    assert len(watching.queue()) == (0 if finished else 1)


def test_a_failed_one_is_run_again_by_hand(database: str) -> None:
    calculation = queued(fail="raise")
    assert computing.run([calculation], workers=None)[0].state == "failed"
    assert triage.rerun([calculation]) == 1
    assert [one.calculation for one in watching.queue()] == [calculation]


def test_waiting_ends_with_its_time(database: str) -> None:
    calculation = queued()
    told: list[str] = []
    (found,) = computing.wait([calculation], lambda line, _: told.append(line), timeout=0.0)
    assert (found.state, found.material, found.reason) == ("waiting", None, None)
    assert told == ["0 of 1 done"]


def running_step() -> Path | None:
    """Folder of a calculation whose child is at work."""
    found = settings().data_dir.glob(f"calculations/*/relax/{isolation.INPUT}")
    return next((p.parent for p in found if not (p.parent / isolation.OUTPUT).exists()), None)


def running_worker() -> int | None:
    """Process id of a worker that runs a job."""
    pad = launchpad()
    launch = pad.launches.find_one({"state": "RUNNING"}, sort=[("launch_id", -1)])
    pad.connection.close()
    return int(launch["fworker"]["name"].split("~")[1]) if launch else None


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_worker_killed_in_the_middle_pays_nothing_twice(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: signal.SIG_DFL)  # of the main thread, and this is another
    ids = [queued(crystal, sleep=3.0) for crystal in (B2, A1)]
    thread = threading.Thread(target=computing.run, args=(ids, 1), daemon=True)
    thread.start()
    wait_for(running_step)
    kill(wait_for(running_worker))
    thread.join(300)
    assert [one.state for one in computing.wait(ids, timeout=0.0)] == ["completed", "completed"]
    for calculation in ids:
        ledgers = settings().data_dir.glob(f"calculations/{calculation}/*/{isolation.COST}")
        paid = {path.parent.name: outcomes(path.parent) for path in ledgers}
        assert all(Counter(ended)["done"] == 1 for ended in paid.values()), paid
        found = labels.of_calculations([calculation])
        assert max(Counter(row.property for row in found).values()) == 1
        assert calculations.get(calculation).ingested


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_aluminium_by_gpaw_as_it_is(database: str) -> None:
    pytest.importorskip("gpaw", reason="GPAW is not installed: pip install '.[dft]' in fermiloop's folder")
    coarse = {"cutoff": 300.0, "kpoint_density": 2.0}
    ids = asking.launch([A1], "gpaw", coarse, relax=False)
    (found,) = computing.run(ids, workers=1)
    assert (found.state, found.formula, found.has_curve, found.gap) == ("completed", "Al", True, 0.0)
    assert found.core_seconds > 0
    assert isolation.step_folder(ids[0], "static").exists()
    assert not isolation.step_folder(ids[0], "relax").exists()
