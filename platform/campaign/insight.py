"""What a campaign teaches about itself: its predictions, its worth beside the baselines, where it lost hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fermiloop.platform.campaign.acceleration import acceleration
from fermiloop.platform.campaign.counting import family
from fermiloop.platform.campaign.losses import known_hits, losses, worst
from fermiloop.platform.campaign.parity import expected_hits, parity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fermiloop.platform.campaign.counting import Trial
    from fermiloop.platform.campaign.records import CampaignRecord
    from fermiloop.platform.campaign.reported import AccelerationRow, Insight, Rate

INSIDE = ("random_pick", "substitution")  # generators that are baselines where they propose beside others


def insight(record: CampaignRecord, trials: Sequence[Trial], random: Rate) -> Insight:
    """The part of the report on predictions, baselines and losses.

    Parameters
    ----------
    trials
        All evaluations that have ended.
    random
        Hits and trials (``hits``, ``n``) of a random pick from the library.
    """
    lost = losses(record.proposals, record.spec.funnel.stages)
    return {
        "parity": parity(record.proposals),
        "expected_hits": expected_hits(record.proposals),
        "acceleration": _acceleration(trials, random),
        "losses": lost,
        "worst_stage": worst(lost),
        "known_hits": known_hits(record.known_hits, record.proposals),
    }


def _acceleration(trials: Sequence[Trial], random: Rate) -> list[AccelerationRow]:
    """Beside a random pick from the library, and beside each generator that is a baseline and does not stand alone."""
    compared = {"random": acceleration(_paid(trials), (random["hits"], random["n"]))}
    for name in INSIDE:
        theirs = [one for one in trials if family(one.generator) == name]
        others = [one for one in trials if family(one.generator) != name]
        compared[name] = acceleration(_paid(others), _paid(theirs))
    return [{"baseline": name, **row} for name, row in compared.items() if row is not None]


def _paid(trials: Sequence[Trial]) -> tuple[int, int]:
    """Hits and evaluations, failed ones included."""
    return sum(one.completed and one.hit for one in trials), len(trials)
