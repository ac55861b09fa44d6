"""Reconcile: the store, the queue and the disk are compared, and what does not agree is repaired.

Four things can disagree after a kill: a run whose worker is gone (`flows.driving.recover`), a round without its
workflow, an evaluation that nobody works at any more, and finished work that nobody wrote down. Nothing is paid for
twice: what lies finished on disk is recorded, never computed again. Every repair may be repeated.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fermiloop.flows.campaigns.resuming import ROUND_KEY
from fermiloop.flows.campaigns.steps import logger
from fermiloop.flows.driving.advance import workflow_is_active
from fermiloop.flows.driving.recover import lost_runs
from fermiloop.flows.driving.retries import MOST_ATTEMPTS
from fermiloop.flows.evaluations import asking
from fermiloop.flows.evaluations import record as handed_over
from fermiloop.flows.evaluations.work import is_finished
from fermiloop.flows.queue.documents import fireworks, workflows
from fermiloop.flows.queue.giving_back import AWAY, release
from fermiloop.flows.queue.launchpad import SafeLaunchPad
from fermiloop.flows.rounds.evaluations import add_evaluation
from fermiloop.flows.rounds.record import record_evaluation
from fermiloop.platform.plugins.engines import ENGINES
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.calculation import Calculation
from fermiloop.schemas.campaign import Campaign, Round
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import (
    ENDED_ROUNDS,
    LIVE_CAMPAIGNS,
    CalculationState,
    CampaignState,
    RoundState,
    Stage,
)


@dataclass(frozen=True)
class Finding:
    """Something that did not agree.

    Parameters
    ----------
    kind
        What it is, in a word or two.
    subject
        Whom it is about: a firework, round, candidate or calculation.
    remedy
        What is done about it.
    repair
        Does it.
    """

    kind: str
    subject: str
    remedy: str
    repair: Callable[[], object] = field(repr=False, compare=False)


def reconcile(pad: SafeLaunchPad, worker: str, *, dry_run: bool = False) -> list[Finding]:
    """Find and repair; a dry run only finds."""
    found = []
    for finding in look(pad, worker):
        found.append(finding)
        if not dry_run:
            logger.info("reconcile: %s: %s: %s", finding.kind, finding.subject, finding.remedy)
            _repair(finding)
    return found


def _repair(finding: Finding) -> None:
    """Repair one; what cannot be repaired keeps no other from it."""
    try:
        finding.repair()
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001  (such as a result that lacks what its target asks for)
        logger.warning("reconcile: %s cannot be repaired: %s: %s", finding.subject, type(error).__name__, error)


def look(pad: SafeLaunchPad, worker: str) -> Iterator[Finding]:
    """What does not agree, one after the other, so that each is seen after the one before is repaired."""
    for fw_id, remedy, repair in lost_runs(pad, worker):
        yield Finding("lost run", f"firework {fw_id}", remedy, repair)
    yield from _half_added(pad)
    for campaign in campaigns.find():
        if campaign.state in LIVE_CAMPAIGNS:
            yield from _rounds(pad, campaign)
        yield from _evaluations(pad, campaign)
    yield from _handed_over(pad)


def _half_added(pad: SafeLaunchPad) -> Iterator[Finding]:
    """Workflows whose adding was cut off before their first job could be taken."""
    for roots in workflows.roots_of_ready(pad):
        if fireworks.is_any_waiting(pad, roots):
            yield Finding(
                "half-added workflow",
                f"firework {roots[0]}",
                "its first jobs may be taken",
                functools.partial(fireworks.mark_waiting_ready, pad, roots),
            )


def _rounds(pad: SafeLaunchPad, campaign: Campaign) -> Iterator[Finding]:
    """Rounds that were launched and have no workflow, as after the queue was emptied by hand."""
    for one in campaigns.rounds(campaign.id):
        if one.state is RoundState.LAUNCHED and not workflows.has_workflow(pad, ROUND_KEY, one.id) and not _inline(one):
            yield Finding("round without workflow", one.id, "it is launched again", lambda one=one: _relaunch(one))  # type: ignore[misc]


def _inline(one: Round) -> bool:
    """Whether a round is run without the queue: nobody took the right to add its workflow."""
    return not one.launched


def _relaunch(one: Round) -> None:
    campaigns.plan_again(one.campaign, one.number)


def _evaluations(pad: SafeLaunchPad, campaign: Campaign) -> Iterator[Finding]:
    """Evaluations without a result that nobody works at."""
    asked = [c for c in candidates.outlines(campaign.id) if c.calculation and c.stage in (Stage.SELECTED, Stage.FAILED)]
    if not asked:
        return
    rounds = campaigns.rounds(campaign.id)
    inline = {one.number for one in rounds if _inline(one)}
    ended = {one.number for one in rounds if one.state in ENDED_ROUNDS}
    known = {c.id: c for c in calculations.of_ids(c.calculation for c in asked)}
    for candidate in asked:
        calculation = known.get(candidate.calculation)
        if calculation is None or candidate.round in inline:
            continue
        if campaign.state is CampaignState.CANCELLED and candidate.round in ended:  # else `advance.settle` does it
            yield from _not_begun(pad, candidate, calculation)
        finding = _evaluation(pad, campaign, candidate, calculation)
        if finding is not None:
            yield finding


def _not_begun(pad: SafeLaunchPad, candidate: Candidate, calculation: Calculation) -> Iterator[Finding]:
    """An evaluation of a cancelled asynchronous campaign that nobody has begun."""
    if candidate.stage is Stage.SELECTED and calculation.state is CalculationState.WAITING and not calculation.attempts:
        give_back = functools.partial(_give_back, pad, candidate)
        yield Finding("cancelled evaluation", candidate.id, "it is given back", give_back)


def _give_back(pad: SafeLaunchPad, candidate: Candidate) -> None:
    for fw_id in fireworks.ready_at(pad, fireworks.work_of(candidate.campaign, [candidate.calculation])):
        pad.defuse_fw(fw_id)
    release(candidate)


def _evaluation(
    pad: SafeLaunchPad, campaign: Campaign, candidate: Candidate, calculation: Calculation
) -> Finding | None:
    if calculation.state is CalculationState.FAILED and candidate.stage is Stage.FAILED:
        return None  # it failed, and that is written down
    if fireworks.is_queued(pad, calculation.id) or workflow_is_active(pad, f"{campaign.id}/{candidate.round}"):
        return None
    if calculation.engine not in ENGINES:
        return None  # of a package that is not installed here
    if calculation.state is CalculationState.COMPLETED or is_finished(calculation):
        return Finding(
            "unrecorded result",
            candidate.id,
            "it is recorded, not computed again",
            lambda: record_evaluation(campaign.id, candidate.round, candidate.id),
        )
    if candidate.stage is not Stage.SELECTED or campaign.state not in LIVE_CAMPAIGNS:
        return None
    if calculation.attempts >= MOST_ATTEMPTS:
        return Finding(
            "lost evaluation",
            candidate.id,
            f"it is given up after {calculation.attempts} attempts",
            lambda: record_evaluation(campaign.id, candidate.round, candidate.id),
        )
    return Finding("lost evaluation", candidate.id, "it is queued again", lambda: _queue_again(pad, candidate))


def _queue_again(pad: SafeLaunchPad, candidate: Candidate) -> None:
    calculations.put_back(candidate.calculation)
    add_evaluation(pad, candidate)


def _handed_over(pad: SafeLaunchPad) -> Iterator[Finding]:
    """Calculations that are of no campaign, without a result, that nobody works at."""
    for calculation in calculations.handed_over():
        if calculation.engine not in ENGINES or fireworks.is_queued(pad, calculation.id):
            continue
        if is_finished(calculation) or calculation.attempts >= MOST_ATTEMPTS:
            done = is_finished(calculation)
            remedy = "it is recorded, not computed again" if done else f"it is given up after {MOST_ATTEMPTS} attempts"
            record = functools.partial(handed_over.record_evaluation, calculation.id)
            yield Finding("unrecorded result" if done else "lost evaluation", calculation.id, remedy, record)
        else:
            again = functools.partial(_compute_again, pad, calculation.id)
            yield Finding("lost evaluation", calculation.id, "it is queued again", again)


def _compute_again(pad: SafeLaunchPad, calculation: str) -> None:
    calculations.put_back(calculation)
    asking.add(pad, calculation)
