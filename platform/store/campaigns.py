"""Campaigns and their rounds: created once, moved on by compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from mongoengine import NotUniqueError

from fermiloop.platform.errors import NotFoundError, UserError
from fermiloop.platform.store import leases, sequence
from fermiloop.schemas.base import now
from fermiloop.schemas.campaign import Campaign, Resolved, Round, RoundDecision
from fermiloop.schemas.vocabulary import ENDED_ROUNDS, LIVE_CAMPAIGNS, OPEN_ROUNDS, CampaignState, RoundState


def create(name: str, spec: dict[str, Any], text: str) -> bool:
    """Save a campaign; False where the same one is there already.

    Raises
    ------
    UserError
        If another campaign bears the name.
    """
    try:
        campaign = Campaign(id=name, spec=spec, spec_text=text)
        campaign.check()
        campaign.sequence = sequence.take()
        campaign.save(force_insert=True)
    except NotUniqueError:
        if get(name).spec != campaign.to_mongo()["spec"]:
            raise UserError(
                f"A campaign named {name} exists with another specification; give this one another name."
            ) from None
        return False
    return True


def get(name: str) -> Campaign:
    """The campaign of a name.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    found = Campaign.objects(id=name).first()
    if found is None:
        raise NotFoundError(f"There is no campaign {name}; fermiloop campaign list shows all.")
    return found


def exists(name: str) -> bool:
    """Whether there is a campaign of this name."""
    return Campaign.objects(id=name).only("id").first() is not None


def is_cancelled(name: str) -> bool:
    """Whether a campaign was cancelled."""
    return Campaign.objects(id=name, state=CampaignState.CANCELLED).only("id").first() is not None


def find(state: CampaignState | None = None) -> list[Campaign]:
    """Campaigns, newest first."""
    query = {"state": state} if state else {}
    return list(Campaign.objects(**query).order_by("-sequence", "-created_at", "id"))


def fix_methods(
    name: str, engine: str, training: str, cheap: str, packages: Mapping[str, str], curves: Sequence[str] = ()
) -> None:
    """Keep the Methods and the packages of a campaign, once: those that are there already stay."""
    made = Resolved(engine=engine, training=training, cheap=cheap, packages=dict(packages), curves=list(curves))
    Campaign.objects(id=name, resolved=None).update(set__resolved=made)


def fix_hull(name: str, *, there: bool) -> None:
    """Keep whether results of a campaign have a hull, once: what is there already stays."""
    Campaign.objects(id=name, resolved__ne=None, resolved__hull=None).update(set__resolved__hull=there)


def fix_curve(name: str, curve: Sequence[float], alignment: str) -> None:
    """Keep the curve of a campaign's target, once: what is there already stays."""
    without = Campaign.objects(id=name, resolved__ne=None, resolved__alignment=None)
    without.update(set__resolved__curve=[float(value) for value in curve], set__resolved__alignment=alignment)


def of_names(names: Iterable[str]) -> list[Campaign]:
    """Campaigns of these names; unknown ones are left out."""
    return list(Campaign.objects(id__in=sorted(set(names))).order_by("id"))


def move(name: str, expected: Collection[CampaignState], state: CampaignState, reason: str | None = None) -> bool:
    """Move a campaign to a state from one of those expected; whether it was in one."""
    closed = None if state in LIVE_CAMPAIGNS else now()
    return bool(
        Campaign.objects(id=name, state__in=list(expected)).update(
            set__state=state, set__reason=reason, set__closed_at=closed
        )
    )


def set_state(name: str, state: CampaignState, reason: str | None = None) -> None:
    """Move a campaign to a state, with the reason.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    closed = None if state in LIVE_CAMPAIGNS else now()
    if not Campaign.objects(id=name).update(set__state=state, set__reason=reason, set__closed_at=closed):
        get(name)


def plan_round(name: str, number: int) -> bool:
    """Create a round; False where it exists."""
    try:
        Round(id=round_id(name, number), campaign=name, number=number, sequence=sequence.take()).save(force_insert=True)
    except NotUniqueError:
        return False
    return True


def round_of(name: str, number: int) -> Round:
    """One round of a campaign.

    Raises
    ------
    NotFoundError
        If the store does not hold it.
    """
    found = Round.objects(id=round_id(name, number)).first()
    if found is None:
        raise NotFoundError(f"The campaign {name} has no round {number}.")
    return found


def rounds(name: str) -> list[Round]:
    """Rounds of a campaign, in order."""
    return list(Round.objects(campaign=name).order_by("number"))


def broken_round(name: str) -> Round | None:
    """The round in which a failed campaign broke off; None where it has not failed, or ended with its last round.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    """
    if get(name).state is not CampaignState.FAILED:
        return None
    own = rounds(name)
    return own[-1] if own and own[-1].state is not RoundState.CLOSED else None


def reopen_round(name: str, number: int, before: RoundState) -> bool:
    """Plan a round again that broke off in a state; False where it is in another one by now."""
    broken = Round.objects(id=round_id(name, number), state=before)
    return bool(broken.update(set__state=RoundState.PLANNED, set__decision=RoundDecision()))


def open_rounds() -> list[Round]:
    """Rounds of all campaigns that have not come to their end."""
    return list(Round.objects(state__in=list(OPEN_ROUNDS)).order_by("id"))


def claim_launch(name: str, number: int, by: str, lease_seconds: float) -> bool:
    """Take the right to add the workflow of a planned round, until the lease ends; whether it was free.

    The time is that of the database server, see `leases`.
    """
    if round_of(name, number).state is not RoundState.PLANNED:
        return False
    if not leases.take(_launch(name, number), by, lease_seconds, renew=False):
        return False
    planned = Round.objects(id=round_id(name, number), state=RoundState.PLANNED)
    return bool(planned.update(set__launched={"by": by}))


def mark_launched(name: str, number: int) -> bool:
    """Note that the workflow of a planned round was added."""
    planned = Round.objects(id=round_id(name, number), state=RoundState.PLANNED)
    marked = bool(planned.update(set__state=RoundState.LAUNCHED))
    leases.end(_launch(name, number))
    return marked


def plan_again(name: str, number: int) -> None:
    """Let a round be launched once more, by the first that comes."""
    update_round(name, number, state=RoundState.PLANNED, launched={})
    leases.end(_launch(name, number))


def _launch(name: str, number: int) -> str:
    return f"launch of {round_id(name, number)}"


def add_cost(name: str, number: int, step: str, core_seconds: float) -> None:
    """Add to what a step of a round has cost."""
    Round.objects(id=round_id(name, number)).update(**{f"inc__costs__{step}": core_seconds})


def count(name: str, number: int, what: str) -> None:
    """Count one more of something in a round."""
    Round.objects(id=round_id(name, number)).update(**{f"inc__counts__{what}": 1})


def take_turn(name: str, by: str, lease_seconds: float) -> bool:
    """Take the right to select for an asynchronous campaign, until the lease ends; whether it was free.

    The time is that of the database server, see `leases`.
    """
    return leases.take(_turn(name), by, lease_seconds, renew=False)


def turn_of(name: str) -> str | None:
    """Who selects for an asynchronous campaign now; None where nobody does."""
    return leases.holder(_turn(name))


def end_turn(name: str, by: str) -> None:
    """Give the right to select back."""
    leases.give_back(_turn(name), by)


def _turn(name: str) -> str:
    return f"turn of {name}"


def update_round(name: str, number: int, **fields: Any) -> None:
    """Set fields of a round."""
    Round.objects(id=round_id(name, number)).update(**{f"set__{key}": value for key, value in fields.items()})


def note_failure(name: str, number: int, step: str, reason: str) -> None:
    """Note with a round why a step failed; what was decided of a round that has closed stays."""
    told = f"{step} failed: {reason}"[:500]
    Round.objects(id=round_id(name, number)).update(set__decision__failed=told)


def forget_failure(name: str, number: int, step: str) -> None:
    """Forget that a step failed, which was done again since and did not."""
    failed = Round.objects(id=round_id(name, number), decision__failed__startswith=f"{step} failed: ")
    failed.update(unset__decision__failed=1)


def close_round(name: str, number: int, *, counts: dict[str, Any], decision: RoundDecision) -> bool:
    """Close a round; False where it was closed already."""
    return bool(
        Round.objects(id=round_id(name, number), state__nin=list(ENDED_ROUNDS)).update(
            set__state=RoundState.CLOSED,
            set__counts=counts,
            set__decision=decision,
            set__closed_at=now(),
            set__closed_sequence=sequence.take(),
        )
    )


def round_id(name: str, number: int) -> str:
    """Id of a round."""
    return f"{name}/{number}"
