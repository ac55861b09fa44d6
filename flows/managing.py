"""Campaigns by name: paused, resumed, cancelled, cloned.

All of it is a state in the store; workers look at it before they take a job (`flows.fair_share`).
"""

from __future__ import annotations

from typing import Any

import yaml

from fermiloop.flows.steps import spec_of
from fermiloop.platform.campaign.spec import CampaignSpec, parse_spec
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import campaigns
from fermiloop.schemas.vocabulary import CampaignState

LIVE = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})


def pause(name: str) -> None:
    """Take no new work from a campaign; evaluations that have begun go on to their end.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it is not running.
    """
    _move(name, {CampaignState.RUNNING}, CampaignState.PAUSED, "Paused by hand.", "is not running, so it is not paused")


def resume(name: str) -> None:
    """Let a paused campaign go on where it was.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it is not paused.
    """
    _move(name, {CampaignState.PAUSED}, CampaignState.RUNNING, None, "is not paused, so it is not resumed")


def cancel(name: str) -> None:
    """End a campaign; evaluations that have begun are finished and recorded, all results are kept.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    UserError
        If it has ended.
    """
    _move(name, LIVE, CampaignState.CANCELLED, "Cancelled by hand.", "has ended, so it is not cancelled")


def clone(name: str, new_name: str) -> str:
    """Campaign file of a campaign under another name; a curve file's numbers stand in it.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    SpecError
        If the new name is none.
    """
    tree = {**_without_defaults(spec_of(name)), "name": new_name}
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    parse_spec(text, source=f"The clone of {name}")
    return text


def _without_defaults(spec: CampaignSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


def _move(name: str, expected: set[CampaignState] | frozenset[CampaignState], state: CampaignState, reason: str | None,
          refusal: str) -> None:  # fmt: skip
    if not campaigns.move(name, expected, state, reason):
        raise UserError(f"The campaign {name} {refusal}; its state is {campaigns.get(name).state}.")
