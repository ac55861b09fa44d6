"""The asynchronous mode: select again with every result, and train again beside the evaluations.

One process at a time takes its turn, by a lease on the campaign; whatever it was killed in the middle of, the next
one finishes: a candidate that was selected and never queued is queued.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from fireworks import LaunchPad

from fermiloop.flows.campaigns.ending import finish
from fermiloop.flows.campaigns.records import baseline, round_records, spent
from fermiloop.flows.campaigns.steps import logger, seed_of, spec_of
from fermiloop.flows.processes.identity import is_gone
from fermiloop.flows.rounds.evaluations import add_evaluation
from fermiloop.flows.rounds.select import best_of, computable, plan
from fermiloop.platform.campaign.asynchronous import Move, Standing, next_move
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.store import calculations, campaigns, candidates, sequence
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import OPEN_ROUNDS, Stage

PLACE = 1002  # of the selection's seed
LEASE_SECONDS = 120.0


def advance_asynchronous(pad: LaunchPad, name: str, worker: str) -> None:
    """Make the campaign's next move, if nobody else is at it."""
    holder = campaigns.turn_of(name)
    if holder is not None and is_gone(holder):
        campaigns.end_turn(name, holder)
    if not campaigns.take_turn(name, worker, LEASE_SECONDS):
        return
    try:
        for candidate in never_begun(name):
            if add_evaluation(pad, candidate):
                logger.info("%s: %s of round %d queued", name, candidate.formula, candidate.round)
        move(name, lambda candidate: add_evaluation(pad, candidate), holds=lambda: campaigns.turn_of(name) == worker)
    finally:
        campaigns.end_turn(name, worker)


def move(
    name: str,
    queue: Callable[[Candidate], object],
    most: int | None = None,
    holds: Callable[[], bool] = lambda: True,
) -> Move:
    """Select, plan a generation, or finish, as `next_move` says.

    Parameters
    ----------
    queue
        Given each selected candidate.
    most
        Candidates that are selected.
    holds
        Whether it is still this process's turn: the choice may take longer than the lease.
    """
    spec = spec_of(name)
    what = next_move(spec, standing(spec))
    if what.finish is not None:
        finish(name, what.finish)
    elif what.plan:
        campaigns.plan_round(name, len(campaigns.rounds(name)) + 1)
    for candidate in _selected(spec, what.select if most is None else min(what.select, most), holds):
        queue(candidate)
    return what


def standing(spec: CampaignSpec) -> Standing:
    """Where an asynchronous campaign stands."""
    everyone, rounds = candidates.outlines(spec.name), campaigns.rounds(spec.name)
    records = round_records(spec.name)
    done = calculations.of_ids(c.calculation for c in everyone if c.stage is Stage.EVALUATED)
    newest = rounds[-1] if rounds else None
    return Standing(
        rounds=records,
        spent=spent(spec.name),
        pool=sum(c.stage is Stage.PASSED for c in everyone),
        in_flight=sum(c.stage is Stage.SELECTED for c in everyone),
        open_round=bool(rounds) and rounds[-1].state in OPEN_ROUNDS,
        new_results=sum(newest is None or _ingested_after(c, newest) for c in done),
        baseline=baseline(spec, records),
    )


def _ingested_after(done: Calculation, planned: Round) -> bool:
    return sequence.is_after(done.ingested_sequence, done.ingested_at, planned.sequence, planned.created_at)


def in_flight(name: str) -> list[Candidate]:
    """Candidates that were selected and have no result."""
    return [c for c in candidates.outlines(name) if c.stage is Stage.SELECTED]


def never_begun(name: str) -> list[Candidate]:
    """Those of them that nobody has begun; lost ones are `flows.driving.reconcile`'s, which counts the attempts."""
    waiting = in_flight(name)
    fresh = {c.id for c in calculations.of_ids(c.calculation for c in waiting) if c.attempts == 0}
    return [c for c in waiting if c.calculation in fresh]


def _selected(spec: CampaignSpec, n: int, holds: Callable[[], bool]) -> list[Candidate]:
    """The `n` best of all that passed, planned; none where another process has its turn by now."""
    if n == 0:
        return []
    everyone = candidates.outlines(spec.name)
    pool = computable(spec, candidates.of_ids(c.id for c in everyone if c.stage is Stage.PASSED))
    running = candidates.of_ids(c.id for c in everyone if c.stage is Stage.SELECTED)
    paid = sum(bool(c.calculation) for c in everyone)
    rng = np.random.default_rng(seed_of(spec, len(campaigns.rounds(spec.name)), PLACE, paid))
    chosen = best_of(spec, spec.name, pool, n, rng, running)
    if not holds():
        logger.warning("%s: the choice took longer than the turn, and is left to another worker", spec.name)
        return []
    plan(spec, spec.name, chosen)
    return candidates.of_ids(c.id for c in chosen)
