"""Campaign files: read, checked against store and engine, planned, launched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fermiloop.platform.app import campaign_text
from fermiloop.platform.app.progress import Progress, silent
from fermiloop.platform.errors import SpecError
from fermiloop.platform.store import workers as noted

if TYPE_CHECKING:
    from fermiloop.flows.campaigns.preflight import Problem
    from fermiloop.platform.campaign.estimate import Plan
    from fermiloop.platform.campaign.spec import CampaignSpec


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

    return list(spec.target.told(spec.target.alignment(spectra.alignment())))


def check(spec: CampaignSpec) -> Check:
    """Ask the store and the engine what stands in the way; nothing is stored."""
    from fermiloop.flows.campaigns import preflight, stability
    from fermiloop.flows.campaigns.enqueue import engine_fault

    found, reason = preflight.problems(spec), engine_fault(spec)
    notes = [f"on this machine nothing can be computed: {reason}"] if reason else []
    told = None if found else stability.at_launch(spec)
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
    return Launched(str(file.spec.name), fresh, stability.at_launch(file.spec))


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

    launching.launch(file.spec, file.text, workers=workers, progress=progress or silent)
