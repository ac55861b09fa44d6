"""Campaigns: checked, planned, launched, watched, moved, reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from fermiloop.platform.app import campaign_text
from fermiloop.platform.errors import InputError, SpecError
from fermiloop.platform.store import campaigns, candidates, glance
from fermiloop.platform.store import workers as noted
from fermiloop.schemas.vocabulary import ENDED_CAMPAIGNS, CampaignState

if TYPE_CHECKING:
    from fermiloop.db_init.capsule_manifest import Manifest
    from fermiloop.flows.campaigns.preflight import Problem
    from fermiloop.flows.campaigns.replaying import Recorded
    from fermiloop.flows.queue.running import Running
    from fermiloop.platform.campaign.estimate import Plan
    from fermiloop.platform.campaign.reported import Status, Summary
    from fermiloop.platform.campaign.spec import CampaignSpec
    from fermiloop.schemas.campaign import Campaign

Progress = Callable[[str, float], None]
LOOK_EVERY: Final = 2.0  # s
MOST_LISTED: Final = 1000


@dataclass(frozen=True)
class CampaignFile:
    """A campaign as it was written: what it says, and its text."""

    spec: CampaignSpec
    text: str


@dataclass(frozen=True)
class Check:
    """What stands in the way of a campaign, and what is worth knowing."""

    problems: list[Problem]
    notes: list[str]


@dataclass(frozen=True)
class Launched:
    """What became of a launch.

    Parameters
    ----------
    name
        Of the campaign.
    fresh
        False where a campaign of this name and text was there already, and was left as it is.
    remark
        What is to be told of it, None where nothing is.
    """

    name: str
    fresh: bool = True
    remark: str | None = None

    def sentence(self, workers: int) -> str:
        """Whether it was a launch, and who takes it up."""
        first = "It is queued." if self.fresh else "It was launched before and is left as it is."
        return f"{first} {noted.sentence(workers)}"


def load(path: Path) -> CampaignFile:
    """The campaign of a YAML file; a curve file that it names is read into it.

    Raises
    ------
    SpecError
        If the file cannot be read or is invalid.
    """
    from fermiloop.platform.campaign.spec import load_spec

    return CampaignFile(load_spec(path), path.read_text(encoding="utf-8"))


def parse(text: str) -> CampaignFile:
    """The campaign of a text from elsewhere, which may name no file of this machine.

    Raises
    ------
    SpecError
        If it is invalid.
    """
    return CampaignFile(campaign_text.read(text), text)


def remarks(spec: CampaignSpec) -> list[str]:
    """How the curve of its target was read, a sentence each."""
    from fermiloop.platform.store import spectra

    return list(spec.target.told(spectra.alignment()))


def check(spec: CampaignSpec) -> Check:
    """Ask the store and the engine what stands in the way; nothing is stored."""
    from fermiloop.flows.campaigns import preflight, stability
    from fermiloop.flows.campaigns.enqueue import engine_fault

    found, reason = preflight.problems(spec), engine_fault(spec)
    notes = [f"on this machine nothing can be computed: {reason}"] if reason else []
    told = None if found else stability.remark(spec)
    return Check(found, [*notes, told] if told else notes)


def problems_of(text: str) -> list[Problem]:
    """What stands in the way of a text from elsewhere: what is wrong with it, or else what the store says."""
    try:
        spec = parse(text).spec
    except SpecError as error:
        from fermiloop.flows.campaigns.preflight import Problem

        return [Problem("", str(error))]
    from fermiloop.flows.campaigns import preflight

    return preflight.problems(spec)


def plan(spec: CampaignSpec, workers: int = 1) -> Plan:
    """What the rounds would do, and what they would cost by what was measured; nothing is stored.

    Raises
    ------
    InputError
        If something stands in the way that the costs are asked by; `check` tells everything.
    """
    from fermiloop.flows.campaigns import planning

    return planning.plan_of(spec, workers)


def enqueue(file: CampaignFile) -> Launched:
    """Check a campaign against store and engine and leave it to workers; the same one again changes nothing.

    Raises
    ------
    UserError
        If another campaign bears the name.
    InputError
        If it cannot work.
    """
    from fermiloop.flows.campaigns import stability
    from fermiloop.flows.campaigns.enqueue import enqueue as add

    fresh = add(file.spec, file.text)
    return Launched(str(file.spec.name), fresh, stability.remark(file.spec))


def check_engine(spec: CampaignSpec) -> None:
    """Refuse a campaign whose engine cannot run on this machine.

    Raises
    ------
    UserError
        With what to do about it.
    """
    from fermiloop.flows.campaigns.enqueue import check_engine as refuse

    refuse(spec)


def launch(file: CampaignFile, *, workers: int | None = None, progress: Progress | None = None) -> None:
    """Run a campaign to its end, in this process or by so many workers; launched again, it goes on where it stopped.

    Raises
    ------
    UserError
        If the engine is not installed, another campaign bears the name, or this one is paused.
    InputError
        If it cannot work.
    StoppedError
        If the keyboard or a signal ended it; what ran was given back.
    """
    from fermiloop.flows.driving import launching

    launching.launch(file.spec, file.text, workers=workers, progress=progress or _silent)


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


def resume(name: str) -> None:
    """Let a paused campaign go on where it was.

    Raises
    ------
    NotFoundError
        If it is not in the store.
    UserError
        If it is not paused.
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

    return managing.await_end(name, progress or _silent, timeout)


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

    return replaying.recorded(name, generator, progress or _silent)


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
    from fermiloop.db_init import capsule_export
    from fermiloop.flows.campaigns.steps import cheap_method_of, spec_of, training_method_of

    check_export(path)
    spec = spec_of(name)
    methods = [training_method_of(spec), cheap_method_of(spec)]
    return capsule_export.export(name, path, methods=methods, progress=progress or _silent)


def _silent(_: str, __: float) -> None:
    """Tells nobody."""
