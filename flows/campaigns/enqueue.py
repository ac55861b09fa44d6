"""A campaign into the store, for workers or this process to take up: checked first, with its Methods."""

from __future__ import annotations

from fermiloop.flows.campaigns import methods, preflight, stability, targets
from fermiloop.flows.engines.lookup import code_of
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import UserError
from fermiloop.platform.store import campaigns


def enqueue(spec: CampaignSpec, text: str) -> bool:
    """Check a campaign against store and engine and save it with its Methods; False where it was there already.

    Raises
    ------
    UserError
        If another campaign bears the name.
    InputError
        If it cannot work, see `flows.campaigns.preflight`.
    """
    fresh = not preflight.is_launched(spec)
    if fresh:
        for problem in preflight.name_problems(spec):
            raise UserError(problem)
        preflight.refuse(spec)
        fresh = campaigns.create(spec.name, spec.as_dict(), text)
    methods.keep(spec)
    stability.keep(spec)
    targets.keep(spec)
    return fresh


def check_engine(spec: CampaignSpec) -> None:
    """Refuse a campaign whose engine cannot run on this machine.

    Raises
    ------
    UserError
        With what to do about it.
    """
    if fault := engine_fault(spec):
        raise UserError(fault)


def engine_fault(spec: CampaignSpec) -> str | None:
    """Why a campaign's engine cannot run on this machine, with what to do about it; None where it can."""
    return fault_of_engine(spec.engine.name)


def fault_of_engine(name: str) -> str | None:
    """Why an engine cannot run on this machine, with what to do about it; None where it can."""
    try:
        availability = code_of(name).available()
    except UserError as error:  # of a package that is not installed here, or broken
        return str(error)
    return None if availability.ready else f"The engine {name} cannot run here: {availability.detail}."
