"""Select: the acquisition function spends the budget, and the evaluations of its choice follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jobflow import Flow, Maker, Response, job

from fermiloop.flows.campaigns.preflight import engine_refusal
from fermiloop.flows.campaigns.records import computed_of, round_records, spent, trials
from fermiloop.flows.campaigns.steps import logger, method_of, seed_of, step
from fermiloop.flows.campaigns.targets import resolve
from fermiloop.flows.evaluations.asking import cells_of, known_cell
from fermiloop.flows.rounds.evaluate import EvaluateMaker
from fermiloop.platform.campaign import choosing
from fermiloop.platform.campaign.bandit import allocate
from fermiloop.platform.campaign.believing import predictions
from fermiloop.platform.campaign.budget import next_batch
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.store import calculations, campaigns, candidates
from fermiloop.schemas.candidate import Candidate
from fermiloop.schemas.vocabulary import Stage

PLACE = choosing.SELECTION  # of the acquisition's seed


@dataclass
class SelectMaker(Maker):
    """Choice of one round, and its evaluations as a detour."""

    name: str = "select"

    @job
    def make(self, campaign: str, number: int, previous: Any = None) -> Response:  # noqa: ARG002  (`previous` orders the jobs)
        """Ids of the selected candidates."""
        with step(campaign, number, "select") as spec:
            chosen = [c for c in candidates.of_round(campaign, number) if c.calculation]
            if not (campaigns.round_of(campaign, number).selected or campaigns.is_cancelled(campaign)):
                more = choose(spec, campaign, number, chosen)  # than a run that was killed has planned
                plan(spec, campaign, more)
                chosen += more
            ids = [candidate.id for candidate in chosen]
            campaigns.update_round(campaign, number, selected=ids)
            logger.info("round %d of %s: %d selected", number, campaign, len(ids))
            flows = [EvaluateMaker().make(campaign, number, candidate_id) for candidate_id in ids]
            return Response(output=ids, detour=Flow(flows, name=f"evaluations of round {number}") if flows else None)


def choose(spec: CampaignSpec, campaign: str, number: int, planned: Sequence[Candidate] = ()) -> list[Candidate]:
    """Candidates of a round worth their evaluation, with those that are planned as many as the budget allows."""
    proposed, begun = candidates.of_round(campaign, number), {c.id for c in planned}
    fit = begun | {c.id for c in computable(spec, [c for c in proposed if c.stage is Stage.PASSED])}
    earlier = [record for record in round_records(campaign) if record.number < number]
    n = next_batch(spec.budget, earlier, spent(campaign))
    rng = np.random.default_rng(seed_of(spec, number, PLACE))
    best = best_of(spec, campaign, [c for c in proposed if c.id in fit], n, rng)
    return [c for c in best if c.id not in begun][: max(0, n - len(begun))]


def computable(spec: CampaignSpec, passed: Sequence[Candidate]) -> list[Candidate]:
    """Those that the engine computes, and has not failed on; the others are rejected, before anything is paid."""
    method, kept = method_of(spec), []
    failed = calculations.failures(method)
    for candidate in passed:
        structure = candidate.to_structure()
        refused = engine_refusal(spec, structure)
        ids = [calculations.id_of(cell, method) for cell in cells_of(structure)] if failed else []
        calculation = next((one for one in ids if one in failed), "")
        if refused is None and calculation not in failed:
            kept.append(candidate)
            continue
        if refused is None:
            told = (
                f"its calculation {calculation} failed before; fermiloop calculations rerun {calculation} pays for "
                f"another attempt: {failed[calculation]}"
            )
        else:
            told = f"the engine {spec.engine.name} does not compute it: {refused}"
            campaigns.count(candidate.campaign, candidate.round, "refused")
        candidates.update(candidate.id, stage=Stage.REJECTED, reason=told[:500])
        logger.info("%s: %s of round %d rejected: %s", spec.name, candidate.formula, candidate.round, told)
    return kept


def best_of(
    spec: CampaignSpec,
    campaign: str,
    passed: list[Candidate],
    n: int,
    rng: np.random.Generator,
    running: Sequence[Candidate] = (),
) -> list[Candidate]:
    """The `n` best of the candidates that passed; by the bandit's shares of their generators where the file says so.

    `running` are being evaluated already: what is like them is worth less.
    """
    n = min(n, len(passed))
    if n == 0:
        return []
    if spec.acquisition.share == "all":
        return _picked(spec, campaign, passed, n, rng, running)
    known = trials(campaign)
    rivals = {c.proposer: known.get(c.proposer, (0, 0)) for c in passed}
    chosen: list[Candidate] = []
    window = spec.budget.per_round if spec.mode == "asynchronous" else None  # there places become free one by one
    flying = Counter(c.proposer for c in running)
    for generator, places in allocate(n, rivals, rng, window=window, running=flying).items():
        own = [c for c in passed if c.proposer == generator]
        chosen += _picked(spec, campaign, own, min(places, len(own)), rng, [*running, *chosen])
    taken = {c.id for c in chosen}
    rest = [c for c in passed if c.id not in taken]  # where a generator had fewer candidates than places
    return chosen + _picked(spec, campaign, rest, n - len(chosen), rng, [*running, *chosen])


def _picked(
    spec: CampaignSpec,
    campaign: str,
    passed: list[Candidate],
    n: int,
    rng: np.random.Generator,
    running: Sequence[Candidate],
) -> list[Candidate]:
    """The acquisition's choice."""
    if n == 0:
        return []
    target = resolve(spec)
    picked = choosing.choose(
        spec,
        target,
        predictions(target, [c.scores for c in passed]),
        [c.to_structure() for c in passed],
        n,
        computed_of(campaign),
        rng,
        running=[c.to_structure() for c in running],
    )
    return [passed[i] for i in picked]


def plan(spec: CampaignSpec, campaign: str, chosen: list[Candidate]) -> None:
    """Plan the calculation of each choice."""
    method = method_of(spec)
    for candidate in chosen:
        structure = candidate.to_structure()
        calculation = calculations.plan(
            candidate.id,
            known_cell(structure, method) or structure,
            engine=spec.engine.name,
            method=method,
            settings=dict(spec.engine.settings),
            campaign=campaign,
        )
        candidates.update(candidate.id, stage=Stage.SELECTED, calculation=calculation)
