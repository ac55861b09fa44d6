"""The evaluated candidates of a campaign as the recorded answers of a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fermiloop.flows.campaigns.steps import method_of, spec_of
from fermiloop.flows.campaigns.targets import alignment_of, resolve, with_target_curves
from fermiloop.platform.campaign.replaying.loop import Oracle
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.representations.spectrum import DOS_GRID
from fermiloop.platform.store import campaigns, candidates, training
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

FEW = 50
"""Evaluated candidates below which those of sister campaigns join."""
FEWEST = 8
"""Below which there is nothing to replay."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded for one target.

    Parameters
    ----------
    oracle
        What was computed for the evaluated candidates.
    spec
        File of the campaign that was asked for.
    campaigns
        Whose candidates they are, that campaign first.
    """

    oracle: Oracle
    spec: CampaignSpec
    campaigns: tuple[str, ...]


def recorded(name: str, generator: str | None, progress: Callable[[str, float], None]) -> Recorded:
    """Evaluated candidates of a campaign, with those of sister campaigns where they are few.

    Parameters
    ----------
    name
        Of the campaign.
    generator
        Whose candidates alone are taken; None for all.
    progress
        Told what is done, and the share.

    Raises
    ------
    NotFoundError
        If there is no such campaign.
    InputError
        If it has too few evaluated candidates, or none of that generator.
    """
    spec = spec_of(name)
    progress("reading candidates", 0.0)
    found = _evaluated(name)
    names = [name]
    for sister in _sisters(name, spec) if len(found) < FEW else ():
        more = _evaluated(sister)
        names += [sister] if more.keys() - found.keys() else []
        found = more | found  # what one campaign adopted from another is one calculation
    chosen = [one for one in found.values() if generator in (None, one.generator)]
    if generator is not None and not chosen:
        made = sorted({one.generator for one in found.values()})
        raise InputError(f"No evaluated candidate of {name} is by {generator!r}; there are those of {', '.join(made)}.")
    if len(chosen) < FEWEST:
        raise InputError(
            f"The campaign {name} has {len(chosen)} evaluated candidates, and a replay needs {FEWEST}; "
            "let it run on, or replay a labelled set with --oracle FILE."
        )
    progress("reading results", 0.5)
    crystals = sorted({str(one.material) for one in chosen})
    data = training.training_set(crystals, DOS_GRID, method_of(spec), about=alignment_of(spec))
    return Recorded(Oracle(with_target_curves(data, spec), resolve(spec)), spec, tuple(names))


def _evaluated(name: str) -> dict[str, Candidate]:
    """Evaluated candidates of a campaign by their calculation."""
    done = (c for c in candidates.of_campaign(name) if c.stage is Stage.EVALUATED and c.material)
    return {str(c.calculation): c for c in done}


def _sisters(name: str, spec: CampaignSpec) -> Iterator[str]:
    """Other campaigns for the same target by the same engine, oldest first."""
    wanted = (spec.target, spec.engine.name, spec.engine.settings)
    for other in reversed(campaigns.find()):
        theirs = spec_of(other.id)
        if other.id != name and (theirs.target, theirs.engine.name, theirs.engine.settings) == wanted:
            yield other.id
