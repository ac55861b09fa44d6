"""What every step of a round begins with: its campaign, and a place for the reason should it fail."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator

from fermiloop.flows.campaigns import cancelling, methods
from fermiloop.platform.campaign.choosing import seed_of
from fermiloop.platform.campaign.names import STEPS
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import StoppedError
from fermiloop.platform.store import campaigns, connection

__all__ = [
    "cheap_method_of", "curve_methods_of", "logger", "method_of", "seed_of", "spec_of", "step", "training_method_of",
]  # fmt: skip

logger = logging.getLogger("fermiloop.flows")


def spec_of(campaign: str) -> CampaignSpec:
    """Specification of a campaign, as launched."""
    return CampaignSpec.stored(campaigns.get(campaign).to_mongo().to_dict()["spec"])


def method_of(spec: CampaignSpec) -> str:
    """Id of the Method of the campaign's engine and settings."""
    return methods.of_campaign(spec).engine


def training_method_of(spec: CampaignSpec) -> str:
    """Id of the Method that the generators learn from: the engine's, or that of the source the file names.

    Raises
    ------
    InputError
        If the store holds no labels of that source.
    """
    return methods.of_campaign(spec).training


def curve_methods_of(spec: CampaignSpec) -> tuple[str, ...]:
    """Ids of the Methods whose densities of states are learned and compared with, the best first."""
    return methods.of_campaign(spec).curves


def cheap_method_of(spec: CampaignSpec) -> str:
    """Id of the Method of the funnel's potential."""
    return methods.of_campaign(spec).cheap


@contextlib.contextmanager
def step(campaign: str, number: int, name: str) -> Iterator[CampaignSpec]:
    """Run a step; what it cost, and the reason of a failure, are written to its round."""
    connection.connect()
    logger.info("round %d of %s: %s", number, campaign, name)
    began = _processor_seconds()
    try:
        with cancelling.of(campaign):
            yield spec_of(campaign)
        campaigns.forget_failure(campaign, number, name)
    except StoppedError:  # its campaign was cancelled, which is no failure
        logger.info("round %d of %s: %s was stopped", number, campaign, name)
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        connection.retrying(lambda: campaigns.note_failure(campaign, number, name, reason))
        raise
    finally:
        if name in STEPS:  # evaluations keep their own ledger beside their output
            cost = round(_processor_seconds() - began, 3)
            connection.retrying(lambda: campaigns.add_cost(campaign, number, name, cost))


def _processor_seconds() -> float:
    """Processor time of this process and of its children that have ended, such as a generator's program."""
    return sum(os.times()[:4])
