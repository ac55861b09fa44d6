"""Screen: the round's candidates go through the funnel; a rejected one is kept with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jobflow import Maker, job

from fermiloop.flows.campaigns import cancelling
from fermiloop.flows.campaigns.potential import error_of_potential
from fermiloop.flows.campaigns.steps import cheap_method_of, logger, seed_of, step
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.rounds.predicting import models
from fermiloop.platform.campaign import scores
from fermiloop.platform.campaign.believing import with_belief
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.plugins.potentials import potential
from fermiloop.platform.screening.funnel import (
    Context,
    Known,
    Screened,
    run_funnel,
    unique_and_novel,
)
from fermiloop.platform.store import campaigns, candidates, labels, materials
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

PLACE = 1000  # of the funnel's seed, beyond any generator's
COUNTS = ("proposed", "unique", "novel", "passed")


@dataclass
class ScreenMaker(Maker):
    """Verdicts of one round."""

    name: str = "screen"

    @job
    def make(self, campaign: str, number: int, previous: Any = None) -> int:  # noqa: ARG002  (`previous` orders the jobs)
        """How many candidates passed."""
        with step(campaign, number, "screen") as spec:
            batch = candidates.of_round(campaign, number)
            if not batch:
                campaigns.update_round(campaign, number, counts=dict.fromkeys(COUNTS, 0))
            if all(candidate.stage is not Stage.PROPOSED for candidate in batch):
                return sum(candidate.stage is not Stage.REJECTED for candidate in batch)
            structures = [candidate.to_structure() for candidate in batch]
            rng = np.random.default_rng(seed_of(spec, number, PLACE))
            judged = context(spec, batch, campaign, number)
            screened, tallies = run_funnel(
                structures,
                spec.funnel.stages,
                judged,
                rng,
                cancelling.tell,
            )
            unique, novel = unique_and_novel(screened)
            known = with_belief(judged.target, [scores.predicted(one.scores) for one in screened])
            passed = sum(
                one.passed if candidate.stage is Stage.PROPOSED else candidate.stage is not Stage.REJECTED
                for candidate, one in zip(batch, screened, strict=True)
            )
            counts = dict(zip(COUNTS, (len(batch), unique, novel, passed), strict=True))
            rows = [{**asdict(tally), "reasons": dict(tally.reasons)} for tally in tallies]
            campaigns.update_round(campaign, number, tallies=rows, counts=counts)  # before the last candidate is saved
            for candidate, verdict, own in zip(batch, screened, known, strict=True):
                save(candidate, verdict, own)
            logger.info("round %d of %s: %d of %d passed the funnel", number, campaign, passed, len(batch))
            return passed


def context(spec: CampaignSpec, batch: Sequence[Candidate], campaign: str, number: int) -> Context:
    """All that the funnel judges by: what the store knows of these formulas and elements."""
    similarity, properties = models(spec, campaign, number) if "target" in spec.funnel.stages else (None, {})
    found = materials.of_formulas(candidate.formula for candidate in batch)
    known = [Known(m.id, m.formula, list(m.fingerprint), m.to_structure()) for m in found]
    known += pending(spec, batch, number)
    elements = {symbol for candidate in batch for symbol in candidate.elements}
    error = error_of_potential(spec)
    return Context(
        target=resolve(spec),
        space=spec.space.space(),
        potential=potential(spec.funnel.potential).build(),
        known=known,
        hull_entries=labels.hull_entries(elements, cheap_method_of(spec)),
        surrogate=similarity,
        ensembles=properties,
        max_energy_above_hull=spec.funnel.max_energy_above_hull,
        potential_error=error.std,
        potential_bias=error.bias,
        options=spec.funnel.options,
    )


def pending(spec: CampaignSpec, batch: Sequence[Candidate], number: int) -> list[Known]:
    """Candidates of earlier generations, of these formulas, that are computed or may be chosen.

    In the mode `rounds` there are none: what was not chosen of a round is not chosen later.
    """
    if spec.mode != "asynchronous":
        return []
    formulas, open_stages = {one.formula for one in batch}, (Stage.PASSED, Stage.SELECTED)
    earlier = [c for c in candidates.outlines(spec.name) if c.round < number and c.stage in open_stages]
    found = candidates.of_ids(c.id for c in earlier if c.formula in formulas)
    return [Known(c.id, c.formula, (), c.to_structure()) for c in found]


def save(candidate: Candidate, screened: Screened, known: Mapping[str, float]) -> None:
    """Write what the funnel found of one candidate; one that has come further meanwhile stays as it is."""
    reason = None if screened.passed else screened.verdicts[-1].reason
    candidates.update_proposed(
        candidate.id,
        stage=Stage.PASSED if screened.passed else Stage.REJECTED,
        reason=reason,
        structure=screened.structure.as_dict(),
        verdicts=[asdict(verdict) for verdict in screened.verdicts],
        scores=scores.screened(known),
    )
