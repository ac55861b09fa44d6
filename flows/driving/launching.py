"""Launch a campaign and stay with it to its end: in this process, or by workers; the flows are the same."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from jobflow import Flow, run_locally

from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows.campaigns import methods
from fermiloop.flows.campaigns.ending import fail
from fermiloop.flows.campaigns.enqueue import check_engine, enqueue
from fermiloop.flows.campaigns.steps import spec_of
from fermiloop.flows.driving import workers as worker_pool
from fermiloop.flows.driving.advance import close_generation, current_round, is_steady, newest_round
from fermiloop.flows.driving.asynchronous import in_flight, move
from fermiloop.flows.processes import signals
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue import giving_back, running
from fermiloop.flows.queue.launchpad import configure_jobflow, launchpad
from fermiloop.flows.round import flow_of
from fermiloop.flows.rounds.close import close_round
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.flows.rounds.evaluations import is_finished
from fermiloop.flows.rounds.record import record_evaluation
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import UserError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import calculations, campaigns, candidates, connection
from fermiloop.schemas.vocabulary import (
    ENDED_CAMPAIGNS,
    ENDED_ROUNDS,
    OPEN_ROUNDS,
    CalculationState,
    CampaignState,
    RoundState,
    Stage,
)

TELL_EVERY: Final = 10.0  # s between lines on what runs


def launch(spec: CampaignSpec, text: str, *, workers: int | None = None, progress: Progress = silent) -> None:
    """Run a campaign to its end; launched again, it goes on where it stopped.

    Raises
    ------
    UserError
        If the engine is not installed, another campaign bears the name, this one is paused, or it was launched on a
        machine with another Method.
    InputError
        If it cannot work, see `flows.campaigns.preflight`.
    StoppedError
        If the keyboard or a signal ended it; what ran was given back.
    """
    check_engine(spec)
    enqueue(spec, text)
    methods.refuse_another(spec)
    state = campaigns.get(spec.name).state
    if state in ENDED_CAMPAIGNS:
        return
    if state is CampaignState.PAUSED:
        raise UserError(f"The campaign {spec.name} is paused; fermiloop campaign resume {spec.name} lets it go on.")
    if workers is None:
        try:
            with signals.as_interrupts():
                giving_back.of_the_lost(spec.name)
                run_inline(spec.name, progress)
        except KeyboardInterrupt:
            raise giving_back.stopped(spec.name, lambda: _give_back(spec.name)) from None
    else:
        launchpad().connection.close()  # made ready once, before several workers ask for it
        worker_pool.run_for_campaign(workers, spec.name, Watch(spec, progress))


def run_inline(name: str, progress: Progress = silent) -> None:
    """Run a campaign in this process, one job after the other; a pause takes hold between two rounds."""
    folder = settings().data_dir.expanduser() / "launches" / "inline"
    folder.mkdir(parents=True, exist_ok=True)
    store = configure_jobflow()
    store.connect()

    def run(flow: Flow) -> None:
        run_locally(flow, store=store, log=False, root_dir=folder, create_folders=False)
        connection.retrying(connection.connect)

    with contextlib.closing(store), _told(progress, _share(name)), _telling(name, progress):
        turn = _turn_steadily if is_steady(name) else _turn
        while campaigns.get(name).state is CampaignState.RUNNING:
            turn(name, run)


def _turn(name: str, run: Callable[[Flow], None]) -> None:
    """One round."""
    current = current_round(name)
    if current is not None:
        _run_round(name, current.number, run)


def _turn_steadily(name: str, run: Callable[[Flow], None]) -> None:
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
    _settle(name, number)


def _settle(name: str, number: int) -> None:
    """Close a round that its flow left open, or fail the campaign with the reason."""
    current = campaigns.round_of(name, number)
    if current.state is not RoundState.LAUNCHED:
        return
    if current.selected:
        close_round(name, number)
    elif is_steady(name) and "passed" in current.counts:
        close_generation(current)
    else:
        fail(name, number, current.decision.failed or "its flow ended without closing the round")


def _give_back(name: str) -> None:
    """Record what this process has finished of a campaign, and give back what it has begun."""
    for candidate, calculation in giving_back.in_flight(name):
        if calculation.worker != worker_name() or calculation.state is not CalculationState.RUNNING:
            continue
        giving_back.end_programs(calculation.id)
        if is_finished(calculation):
            record_evaluation(name, candidate.round, candidate.id)
        else:
            calculations.put_back(calculation.id)


class Watch:
    """Tell what has changed since the last look, and now and then what runs."""

    def __init__(self, spec: CampaignSpec, progress: Progress) -> None:
        self._spec, self._progress, self._last = spec, progress, ""
        self._told_at = float("-inf")

    def __call__(self) -> None:
        """Look once."""
        rounds = campaigns.rounds(self._spec.name)
        if not rounds:
            return
        line, moment = f"round {rounds[-1].number}: {_where(self._spec.name, rounds[-1].number)}", time.monotonic()
        if line != self._last or moment - self._told_at > TELL_EVERY:
            self._progress(f"{line}{_doing(self._spec.name)}", _share(self._spec.name)())
            self._last, self._told_at = line, moment


def _where(name: str, number: int) -> str:
    """How far a round has come, in a few words."""
    current = campaigns.round_of(name, number)
    if current.state in ENDED_ROUNDS:
        return str(current.state)
    proposed = candidates.of_round(name, number)
    chosen = [c for c in proposed if c.calculation]
    if chosen:
        done = sum(c.stage in (Stage.EVALUATED, Stage.FAILED) for c in chosen)
        return f"{done} of {len(chosen)} evaluations done ({', '.join(c.formula for c in chosen)})"
    if current.counts:
        return f"{current.counts['passed']} of {current.counts['proposed']} passed the funnel"
    if proposed:
        return f"screening {len(proposed)} candidates"
    return "sampling" if current.checkpoints else "training the generators"


def _doing(name: str) -> str:
    """What runs, in brackets; the seconds are left out, so that a line is told when something has changed."""
    told = [f"{one.formula} {one.progress.sentence or 'runs'}" for one in running.of_campaign(name)]
    return f" [{'; '.join(told)}]" if told else ""


def _share(name: str) -> Callable[[], float]:
    """Share of the budget's evaluations that are done."""

    def share() -> float:
        budget = int(campaigns.get(name).spec["budget"]["evaluations"])
        done = [c for c in candidates.outlines(name) if c.stage in (Stage.EVALUATED, Stage.FAILED)]
        return min(1.0, len(done) / budget)

    return share


@contextlib.contextmanager
def _telling(name: str, progress: Progress) -> Iterator[None]:
    """Tell now and then what runs: this process itself waits for it."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(TELL_EVERY):
            with contextlib.suppress(*giving_back.AWAY):
                if doing := _doing(name):
                    progress(doing.strip(" []"), _share(name)())

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(1.0)


@contextlib.contextmanager
def _told(progress: Progress, share: Callable[[], float]) -> Iterator[None]:
    """Pass on what the steps log, as progress."""

    class Teller(logging.Handler):
        def emit(self, entry: logging.LogRecord) -> None:
            progress(entry.getMessage(), share())

    log, teller, here = logging.getLogger("fermiloop.flows"), Teller(logging.INFO), os.getcwd()  # noqa: PTH109
    before = log.level
    log.addHandler(teller)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(teller)
        log.setLevel(before)
        os.chdir(here)
