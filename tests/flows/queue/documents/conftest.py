"""A real LaunchPad, and workflows of two steps in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fireworks import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from jobflow import Flow, JobOrder, job
from jobflow.managers.fireworks import flow_to_workflow

from fermiloop.flows.queue.documents.rows import CALCULATION_KEY, CAMPAIGN_KEY
from fermiloop.flows.queue.launchpad import SafeLaunchPad, configure_jobflow, launchpad


@job
def read(text: str) -> object:
    """Read JSON, which fails where it is none."""
    return json.loads(text)


@pytest.fixture
def pad(database: str) -> Iterator[SafeLaunchPad]:
    """LaunchPad of this test's database."""
    made = launchpad()
    yield made
    made.connection.close()


@pytest.fixture
def add(pad: SafeLaunchPad) -> Callable[..., tuple[int, int]]:
    """Adds a workflow of a calculation, its steps one after the other; ids of the first and the second."""

    def added(campaign: str = "a", calculation: str = "calc-a", text: str = "{}", priority: int = 0) -> tuple:
        first, second = read(text), read(text)
        first.name, second.name = "relax", "record"
        for one in (first, second):
            one.metadata[CALCULATION_KEY] = calculation
            one.config.manager_config = {CAMPAIGN_KEY: campaign, "_priority": priority}
        flow = Flow([first, second], order=JobOrder.LINEAR)
        workflow = flow_to_workflow(flow, store=None, metadata={"of": calculation})
        pad.add_wf(workflow)
        ids = {firework.name: number for number, firework in workflow.id_fw.items()}
        return ids["relax"], ids["record"]

    return added


@pytest.fixture
def launch(pad: SafeLaunchPad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Runs the next step for real."""
    monkeypatch.chdir(tmp_path)
    configure_jobflow()
    return lambda: launch_rocket(pad, FWorker("one"), strm_lvl="CRITICAL")
