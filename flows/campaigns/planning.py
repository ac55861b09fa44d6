"""What a campaign would do and cost: its file beside what the store has measured; nothing is written."""

from __future__ import annotations

from typing import Final

from fermiloop.flows.campaigns import methods
from fermiloop.platform.campaign.estimate import FEWEST, Measured, Plan, plan
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.store import calculations, campaigns, training

MOST: Final = 2000  # evaluations that are looked at, the newest


def plan_of(spec: CampaignSpec, workers: int = 1) -> Plan:
    """Plan of a campaign by the costs that the store has measured."""
    found = methods.of_campaign(spec)
    known = len(training.materials_of(found.training, curves=found.curves))
    return plan(spec, costs(spec), overheads(spec), known, workers, spec.seed)


def costs(spec: CampaignSpec) -> Measured:
    """Costs of ended evaluations by the same engine: of the same Method and elements, or of what comes nearest."""
    method, allowed = methods.of_campaign(spec).engine, set(spec.space.elements)
    ended = calculations.ended(spec.engine.name, MOST)
    same = [one for one in ended if one.method == method]
    inside = [one for one in same if one.elements <= allowed]
    of_engine = f"evaluations by {spec.engine.name}"
    choices = (
        (inside, f"{of_engine} with the same settings within {'-'.join(sorted(allowed))}"),
        (same, f"{of_engine} with the same settings, of other elements"),
        (ended, f"{of_engine} with other settings"),
    )
    for rows, source in choices:
        if len(rows) >= FEWEST:
            return Measured([one.core_seconds for one in rows], source)
    return Measured([], f"fewer than {FEWEST} {of_engine} have ended in this store, so nothing is estimated")


def overheads(spec: CampaignSpec) -> list[float]:
    """Core-seconds of training, sampling and screening of closed rounds whose campaigns have the same generators."""
    wanted = {(generator.name, generator.preset) for generator in spec.generators}
    found = []
    for campaign in campaigns.find():
        named = {(one["name"], one.get("preset")) for one in campaign.spec.get("generators", [])}
        if named == wanted:
            found += [sum(map(float, one.costs.values())) for one in campaigns.rounds(campaign.id) if one.costs]
    return found
