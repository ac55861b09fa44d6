"""A campaign in this process, one job after the other; the flows are those that workers run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from jobflow import Flow, run_locally

from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.driving.asynchronous import in_flight, move
from fermiloop.flows.driving.states import close_what_ended, current_round, is_asynchronous, newest_round
from fermiloop.flows.driving.telling import share_of, steps_told, telling
from fermiloop.flows.queue.launchpad import configure_jobflow
from fermiloop.flows.round import flow_of
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, connection
from fermiloop.schemas.vocabulary import OPEN_ROUNDS, CampaignState

UNSAID: Final = "its flow ended without closing the round"


def run_inline(name: str, progress: Progress = silent) -> None:
    """Run a campaign in this process, one job after the other; a pause takes hold between two rounds."""
    folder = settings().data_dir.expanduser() / "launches" / "inline"
    folder.mkdir(parents=True, exist_ok=True)
    store = configure_jobflow()
    store.connect()

    def run(flow: Flow) -> None:
        run_locally(flow, store=store, log=False, root_dir=folder, create_folders=False)
        connection.retrying(connection.connect)

    with contextlib.closing(store), steps_told(progress, share_of(name)), telling(name, progress):
        turn = _turn_asynchronous if is_asynchronous(name) else _turn
        while campaigns.get(name).state is CampaignState.RUNNING:
            turn(name, run)


def _turn(name: str, run: Callable[[Flow], None]) -> None:
    """One round."""
    current = current_round(name)
    if current is not None:
        _run_round(name, current.number, run)


def _turn_asynchronous(name: str, run: Callable[[Flow], None]) -> None:
    """One generation, or one evaluation, after which the acquisition chooses again."""
    newest = newest_round(name)
    if newest is not None and newest.state in OPEN_ROUNDS:
        _run_round(name, newest.number, run)
        return
    for candidate in in_flight(name):  # of a run that was killed
        run(EvaluateMaker().make(name, candidate.round, candidate.id))
    move(name, lambda candidate: run(EvaluateMaker().make(name, candidate.round, candidate.id)), most=1)


def _run_round(name: str, number: int, run: Callable[[Flow], None]) -> None:
    flow = flow_of(spec_of(name).mode, name, number)
    campaigns.mark_launched(name, number)
    run(flow)
    close_what_ended(campaigns.round_of(name, number), lambda: UNSAID)
