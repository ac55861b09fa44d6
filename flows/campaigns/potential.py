"""How far the funnel's potential is off the engine, by the library and by what the campaign has computed."""

from __future__ import annotations

from fermiloop.flows.campaigns.steps import cheap_method_of, method_of
from fermiloop.platform.campaign.potential_error import PotentialError, left_out, potential_error
from fermiloop.platform.campaign.spec import CampaignSpec
from fermiloop.platform.store import candidates, labels
from fermiloop.schemas.vocabulary import Stage

BOTH = ("potential_energy_above_hull", "computed_energy_above_hull")


def error_of_potential(spec: CampaignSpec) -> PotentialError:
    """Bias and error of the funnel's potential as a prediction of the engine's energy above the hull; its own has none.

    The library tells it by the compounds of the campaign's elements that have energies by both.
    """
    if spec.funnel.potential == spec.engine.name:
        return PotentialError()
    found = [c.scores for c in candidates.outlines(spec.name) if c.stage is Stage.EVALUATED]
    own = [(one[BOTH[0]], one[BOTH[1]]) for one in found if all(name in one for name in BOTH)]
    cheap = labels.hull_entries(spec.space.elements, cheap_method_of(spec))
    engine = labels.hull_entries(spec.space.elements, method_of(spec))
    return potential_error(own, left_out(cheap, engine, spec.funnel.max_energy_above_hull))
