"""Launch a campaign and stay with it to its end: in this process, or by workers; the flows are the same."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from typing import Final

from jobflow import run_locally

from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows import workers as worker_pool
from fermiloop.flows.advance import current_round, fail
from fermiloop.flows.close import close_round
from fermiloop.flows.engines.registry import ENGINES
from fermiloop.flows.launchpad import configure_jobflow, launchpad
from fermiloop.flows.round import RoundMaker
from fermiloop.flows.steps import training_method_of
from fermiloop.flows.targets import resolve
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import UserError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns, candidates, connection
from fermiloop.schemas.vocabulary import CampaignState, Engine, RoundState, Stage

DATABASE_TRIES: Final = 3


def launch(spec: CampaignSpec, text: str, *, workers: int | None = None, progress: Progress = silent) -> None:
    """Run a campaign to its end; launched again, it goes on where it stopped.

    Raises
    ------
    UserError
        If the engine is not installed, or another campaign bears the name.
    InputError
        If the target is not in the store.
    """
    entry = ENGINES[Engine(spec.engine.name)]
    availability = entry.available()
    if not availability.ready:
        raise UserError(f"The engine {spec.engine.name} cannot run here: {availability.detail}.")
    entry.method(spec.engine.settings)
    resolve(spec)
    if spec.retrain.source is not None:
        training_method_of(spec)  # a source that nothing was imported from is told now, not after the first job
    campaigns.create(spec.name, spec.as_dict(), text)
    if campaigns.get(spec.name).state in worker_pool.ENDED:
        return
    if workers is None:
        run_inline(spec.name, progress)
    else:
        launchpad().connection.close()  # made ready once, before several workers ask for it
        worker_pool.run_for_campaign(workers, spec.name, Watch(spec, progress))


def run_inline(name: str, progress: Progress = silent) -> None:
    """Run the rounds of a campaign one after the other in this process."""
    folder = settings().data_dir.expanduser() / "launches" / "inline"
    folder.mkdir(parents=True, exist_ok=True)
    store = configure_jobflow()
    store.connect()
    with contextlib.closing(store), _told(progress, _share(name)):
        while campaigns.get(name).state is CampaignState.RUNNING:
            current = current_round(name)
            if current is None:
                return
            flow = RoundMaker().make(name, current.number)
            campaigns.mark_launched(name, current.number)
            run_locally(flow, store=store, log=False, root_dir=folder, create_folders=False)
            _settle(name, current.number)


def _settle(name: str, number: int) -> None:
    """Close a round that its flow left open, or fail the campaign with the reason."""
    connection.retrying(connection.connect)
    current = campaigns.round_of(name, number)
    if current.state is not RoundState.LAUNCHED:
        return
    if current.selected:
        close_round(name, number)
    else:
        fail(name, number, current.decision.get("failed", "its flow ended without closing the round"))


class Watch:
    """Tell what has changed since the last look."""

    def __init__(self, spec: CampaignSpec, progress: Progress) -> None:
        self._spec, self._progress, self._last = spec, progress, ""

    def __call__(self) -> None:
        """Look once."""
        rounds = campaigns.rounds(self._spec.name)
        if not rounds:
            return
        line = f"round {rounds[-1].number}: {_where(self._spec.name, rounds[-1].number)}"
        if line != self._last:
            self._progress(line, _share(self._spec.name)())
            self._last = line


def _where(name: str, number: int) -> str:
    """How far a round has come, in a few words."""
    current = campaigns.round_of(name, number)
    if current.state in (RoundState.CLOSED, RoundState.FAILED):
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


def _share(name: str) -> Callable[[], float]:
    """Share of the budget's evaluations that are done."""

    def share() -> float:
        budget = int(campaigns.get(name).spec["budget"]["evaluations"])
        done = [c for c in candidates.of_campaign(name) if c.stage in (Stage.EVALUATED, Stage.FAILED)]
        return min(1.0, len(done) / budget)

    return share


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
