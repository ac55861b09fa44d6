"""Whose job a worker takes next: a lottery among the campaigns, tickets by priority.

Each campaign with work waiting has a chance of priority / sum of priorities at every draw, so shares
follow the priorities and none starves (lottery scheduling: Waldspurger and Weihl, OSDI 1994, 1-11). Nothing is
kept between draws; any number of workers may draw at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from fireworks import LaunchPad
from pydantic import ValidationError

from fermiloop.flows.campaigns.methods import difference, difference_of
from fermiloop.flows.campaigns.steps import logger, spec_of
from fermiloop.flows.queue.documents import fireworks
from fermiloop.flows.queue.documents.rows import method_of_none
from fermiloop.platform.errors import NotFoundError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import campaigns
from fermiloop.schemas.campaign import Campaign
from fermiloop.schemas.vocabulary import CampaignState

HELD: Final = frozenset({CampaignState.PAUSED, CampaignState.CANCELLED})


@dataclass(frozen=True)
class QueueShare:
    """Waiting work of one campaign: its tickets, and the query that finds it in the queue."""

    campaign: str
    tickets: float
    query: fireworks.Query


def queue_shares(pad: LaunchPad) -> list[QueueShare]:
    """What may be taken now: of a paused or cancelled campaign only evaluations that have begun."""
    waiting = fireworks.waiting_campaigns(pad)
    found = {campaign.id: campaign for campaign in campaigns.of_names(waiting)}
    drawn = [_queue_share(pad, name, found.get(name)) for name in sorted(waiting)]
    return [share for share in drawn if share is not None]


def fitting(waiting: Sequence[QueueShare]) -> list[QueueShare]:
    """Those of campaigns whose Method this machine computes with; the others are left to other machines, told once."""
    return [share for share in waiting if _difference(settings().database, share.campaign) is None]


@lru_cache(maxsize=1024)
def _difference(_database: str, campaign: str) -> str | None:
    method = method_of_none(campaign)
    try:
        told = difference_of(method) if method else difference(spec_of(campaign))
    except (NotFoundError, ValidationError):  # a campaign that was deleted, or that a newer version wrote
        return None
    if told:
        logger.warning("its work is left to other machines: %s", told)
    return told


def draw(pad: LaunchPad, rng: np.random.Generator) -> fireworks.Query | None:
    """Query of the work to take next, None where nothing waits that may be taken."""
    waiting = fitting(queue_shares(pad))
    if not waiting:
        return None
    tickets = np.array([share.tickets for share in waiting])
    return waiting[int(rng.choice(len(waiting), p=tickets / tickets.sum()))].query


def _queue_share(pad: LaunchPad, name: str, campaign: Campaign | None) -> QueueShare | None:
    tickets = float(campaign.spec.get("priority", 1.0)) if campaign else 1.0
    if campaign is None or campaign.state not in HELD:
        return QueueShare(name, tickets, fireworks.work_of(name))
    query = fireworks.work_of(name, fireworks.begun_calculations(pad, name))
    return QueueShare(name, tickets, query) if fireworks.is_ready(pad, query) else None
