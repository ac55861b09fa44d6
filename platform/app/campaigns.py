"""Campaigns: checked, planned, launched, watched, moved, reported."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from fermiloop.platform.app.campaign_files import (
    CampaignFile,
    Check,
    Launched,
    check,
    check_engine,
    enqueue,
    launch,
    load,
    parse,
    plan,
    problems_of,
    remarks,
)
from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.errors import InputError
from fermiloop.platform.store import campaigns, candidates, glance
from fermiloop.schemas.vocabulary import ENDED_CAMPAIGNS, CampaignState

if TYPE_CHECKING:
    from fermiloop.db_init.bundle_manifest import Manifest
    from fermiloop.flows.campaigns.replaying import Recorded
    from fermiloop.flows.queue.running import Running
    from fermiloop.platform.campaign.reported import Status, Summary
    from fermiloop.schemas.campaign import Campaign

__all__ = [
    "CampaignFile", "Check", "Launched", "Look", "await_idle", "broken_round", "cancel", "check", "check_engine",
    "check_export", "clone", "enqueue", "export", "find", "get", "glances", "launch", "load", "look",
    "outcomes", "parse", "pause", "plan", "problems_of", "recorded", "remarks", "resume", "running", "stamp",
    "status", "summary", "wait",
]  # fmt: skip

LOOK_EVERY: Final = 2.0  # s
MOST_LISTED: Final = 1000


def get(name: str) -> Campaign:
    """The campaign of a name.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return campaigns.get(name)


def find() -> list[Campaign]:
    """Every campaign, newest first."""
    return campaigns.find()


def glances(limit: int = MOST_LISTED) -> list[glance.CampaignGlance]:
    """Every campaign in a line: state, budget, hits and cost, newest first."""
    return glance.campaigns(limit=limit)


def stamp(name: str) -> str:
    """A text that changes with whatever a campaign's report shows; empty where there is no such campaign."""
    return glance.stamp(name)


def outcomes(name: str) -> list[glance.Outcome]:
    """Evaluated candidates of a campaign with their scores, best first."""
    return glance.outcomes(name)


def summary(name: str, *, library: bool = True) -> Summary:
    """The report of a campaign as data.

    Parameters
    ----------
    library
        Whether to tell what a random pick from the library finds, whose hull takes seconds.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    from fermiloop.flows.campaigns.records import read_record
    from fermiloop.platform.campaign.summary import summarise

    return summarise(read_record(name, library=library))


def status(name: str, *, library: bool = True) -> Status:
    """The report of a campaign, and the evaluations that run.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    return {**summary(name, library=library), "running": [one.row() for one in running(name)]}


class Look(TypedDict):
    """State, round and counts of a campaign at one moment; `candidates` by their stage."""

    name: str
    state: str
    reason: str | None
    round: int
    round_state: str | None
    candidates: dict[str, int]


def look(name: str) -> Look:
    """How far a campaign is now, without its results.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    campaign, rounds = campaigns.get(name), campaigns.rounds(name)
    return {
        "name": name,
        "state": str(campaign.state),
        "reason": campaign.reason,
        "round": rounds[-1].number if rounds else 0,
        "round_state": str(rounds[-1].state) if rounds else None,
        "candidates": candidates.stages_of(name),
    }


def running(name: str) -> list[Running]:
    """Evaluations of a campaign that run, the oldest first, with how far each has come."""
    from fermiloop.flows.queue import running as looks

    return looks.of_campaign(name)


def pause(name: str) -> None:
    """Take no new work from a campaign; evaluations that have begun go on to their end.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    UserError
        If it is not running.
    """
    from fermiloop.flows.campaigns import managing

    managing.pause(name)


def broken_round(name: str) -> int | None:
    """Number of the round in which a failed campaign broke off, which `resume` does again; None where there is none.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    found = campaigns.broken_round(name)
    return None if found is None else found.number


def resume(name: str) -> None:
    """Let a paused campaign go on where it was, and one that failed in the middle of a round at that round.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    UserError
        If it is not paused, and has not failed so.
    """
    from fermiloop.flows.campaigns import managing

    managing.resume(name)


def cancel(name: str, *, wait: bool = False) -> list[Running]:
    """End a campaign; all results are kept. Evaluations that still run: told to stop, or with `wait` let finish.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    UserError
        If it has ended.
    """
    from fermiloop.flows.campaigns import managing

    return managing.cancel(name, wait=wait)


def await_idle(name: str, progress: Progress | None = None, timeout: float | None = None) -> int:
    """Stay until no evaluation of a campaign runs, or for so many seconds; how many still run."""
    from fermiloop.flows.campaigns import managing

    return managing.await_end(name, progress or silent, timeout)


def wait(name: str, *, timeout: float | None = None, every: float = LOOK_EVERY) -> CampaignState:
    """Stay until a campaign that workers compute has ended, or for so many seconds; its state then.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    """
    begun = time.monotonic()
    while (state := CampaignState(campaigns.get(name).state)) not in ENDED_CAMPAIGNS:
        left = every if timeout is None else begun + timeout - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(every, left))
    return state


def clone(name: str, new_name: str) -> str:
    """Campaign file of a campaign under another name; a curve file's numbers stand in it.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    SpecError
        If the new name is invalid.
    """
    from fermiloop.flows.campaigns import managing

    return managing.clone(name, new_name)


def recorded(name: str, generator: str | None = None, progress: Progress | None = None) -> Recorded:
    """Answers of a campaign to replay it by: its evaluated candidates, of one generator or of all.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    InputError
        If it has too few evaluated candidates, or none of that generator.
    """
    from fermiloop.flows.campaigns import replaying

    return replaying.recorded(name, generator, progress or silent)


def check_export(path: Path) -> None:
    """Refuse a file whose name would not be known as a campaign's.

    Raises
    ------
    InputError
        If it ends otherwise.
    """
    if not path.name.endswith((".tar.gz", ".tgz")):
        raise InputError(f"The archive {path} must end in .tar.gz, so that fermiloop db load knows it.")


def export(name: str, path: Path, progress: Progress | None = None) -> Manifest:
    """Write a campaign with its data, checkpoints and licences into one file.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    InputError
        If the file's name does not end as one of a campaign's.
    """
    from fermiloop.db_init import bundle_export
    from fermiloop.flows.campaigns.steps import cheap_method_of, curve_methods_of, spec_of, training_method_of

    check_export(path)
    spec = spec_of(name)
    methods = [training_method_of(spec), *curve_methods_of(spec), cheap_method_of(spec)]
    return bundle_export.export(name, path, methods=methods, progress=progress or silent)
