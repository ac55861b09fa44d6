"""Launch a campaign and stay with it to its end: in this process, or by workers; the flows are the same."""

from __future__ import annotations

from fermiloop.db_init.importers.report import Progress, silent
from fermiloop.flows.campaigns import methods
from fermiloop.flows.campaigns.enqueue import check_engine, enqueue
from fermiloop.flows.driving import workers as worker_pool
from fermiloop.flows.driving.inline import run_inline
from fermiloop.flows.driving.telling import Watch
from fermiloop.flows.evaluations.work import is_finished
from fermiloop.flows.processes import signals
from fermiloop.flows.processes.identity import worker_name
from fermiloop.flows.queue import giving_back
from fermiloop.flows.queue.launchpad import launchpad
from fermiloop.flows.rounds.record import record_evaluation
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import calculations, campaigns
from fermiloop.schemas.vocabulary import ENDED_CAMPAIGNS, CalculationState, CampaignState


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
