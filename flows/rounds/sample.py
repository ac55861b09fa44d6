"""Sample: every generator proposes candidates for the target."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import Maker, job

from fermiloop.flows.campaigns import cancelling
from fermiloop.flows.campaigns.records import round_records, spent
from fermiloop.flows.campaigns.steps import logger, seed_of, step
from fermiloop.flows.campaigns.targets import filled, resolve
from fermiloop.flows.rounds.retrain import generator_key
from fermiloop.platform.campaign.sizing import scale, sized
from fermiloop.platform.campaign.spec import CampaignSpec, GeneratorSpec
from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.protocol import Proposal, Target
from fermiloop.platform.plugins.generators import generator as declared
from fermiloop.platform.store import campaigns, candidates, checkpoints
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.fields import structure_fault


@dataclass
class SampleMaker(Maker):
    """Candidates of one round."""

    name: str = "sample"

    @job
    def make(self, campaign: str, number: int, previous: Any = None) -> int:  # noqa: ARG002  (`previous` orders the jobs)
        """How many candidates were proposed; a repeat proposes the same."""
        with step(campaign, number, "sample") as spec:
            target = filled(resolve(spec), spec)
            factor = scale(spec, [one for one in round_records(campaign) if one.number < number], spent(campaign))
            trained = campaigns.round_of(campaign, number).checkpoints
            ids: list[str] = []
            refused: list[InputError] = []
            for place, generator in enumerate(spec.generators):
                cancelling.check()
                key = generator_key(generator)
                seed = seed_of(spec, number, place, 1)
                try:
                    n = sized(generator.proposals, factor)
                    proposals, failures = propose(spec, generator, trained[key], target, n, seed)
                except InputError as error:  # one that cannot answer this target does not hold up the others
                    logger.warning("round %d of %s: %s proposes nothing: %s", number, campaign, key, error)
                    refused.append(error)
                    continue
                fit = [p for p in proposals if structure_fault(p.structure) is None]
                logger.info("round %d of %s: %s proposed %d%s", number, campaign, key, len(fit), told(failures))
                ids += candidates.save_many(
                    [document(campaign, number, key, i, p, trained[key], seed) for i, p in enumerate(fit)]
                )
            if len(refused) == len(spec.generators):
                raise refused[0]
            return len(ids)


def propose(
    spec: CampaignSpec, generator: GeneratorSpec, checkpoint: str, target: Target, n: int, seed: int
) -> tuple[list[Proposal], Counter[str]]:
    """`n` proposals of a trained generator, reproducible from the seed, and why other draws gave none."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.fetch(checkpoint, Path(folder))
        model = declared(generator.name, checkpoints.get(checkpoint).config).load_trained(Path(folder))
        proposals = model.sample(target, spec.space.space(), n, np.random.default_rng(seed))
        return proposals, model.failures


def told(failures: Counter[str]) -> str:
    """Failed draws in words, the most frequent reason first."""
    reasons = ", ".join(f"{n} × {reason}" for reason, n in failures.most_common())
    return f"; draws that gave no crystal: {reasons}" if reasons else ""


def document(
    campaign: str, number: int, proposer: str, index: int, proposal: Proposal, checkpoint: str, seed: int
) -> Candidate:
    """Candidate document of a proposal; its proposer is a generator with its preset, as the round names it."""
    generator, _, preset = proposer.partition("/")
    composition = proposal.structure.composition
    symbols = sorted(element.symbol for element in composition.elements)
    return Candidate(
        id=Candidate.make_id(campaign, number, proposer, index),
        campaign=campaign,
        round=number,
        generator=generator,
        preset=preset or None,
        index=index,
        structure=proposal.structure.as_dict(),
        formula=composition.reduced_formula,
        formula_lower=composition.reduced_formula.lower(),
        elements=symbols,
        chemical_system="-".join(symbols),
        n_sites=len(proposal.structure),
        checkpoint=checkpoint,
        seed=seed,
        parent=proposal.parent,
        score=float(proposal.score),
        probability=None if proposal.probability is None else float(proposal.probability),
        detail=dict(proposal.detail),
    )
