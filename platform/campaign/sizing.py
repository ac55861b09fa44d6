"""How many candidates to propose: as many as are needed, by the pass rates and costs measured so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.budget import core_hours_left, next_batch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fermiloop.platform.campaign.records import RoundRecord
    from fermiloop.platform.campaign.spec import CampaignSpec

LEAST: Final = 0.25  # of what the file says: measured pass rates of few candidates are not to be trusted further
MOST: Final = 8.0
FUNNEL_STEPS: Final = ("sample", "screen")
SECONDS_PER_HOUR: Final = 3600.0


def scale(spec: CampaignSpec, rounds: Sequence[RoundRecord], spent: Mapping[str, float]) -> float:
    """Factor on the file's numbers of proposals for the next round.

    The next batch wants ``funnel.choice`` candidates for each of its evaluations; divided by the measured
    pass rate that is how many must be proposed. Core-hours that are left for sampling and screening bound it
    at the measured cost of a proposal. Pass rates bear (k + 1) / (n + 2), Laplace's rule, so that none is 0.
    """
    proposed = sum(one.proposed for one in rounds)
    if spec.funnel.sizing == "fixed" or proposed == 0:
        return 1.0
    passed = sum(one.passed for one in rounds)
    rate = (passed + 1) / (proposed + 2)
    usual = sum(generator.proposals for generator in spec.generators)
    wanted = max(1, next_batch(spec.budget, rounds, spent)) * spec.funnel.choice / rate
    return min(max(wanted / usual, LEAST), MOST, _affordable(spec, proposed, spent) / usual)


def sized(proposals: int, factor: float) -> int:
    """Proposals of one generator at a factor, at least 1."""
    return max(1, math.ceil(proposals * factor))


def _affordable(spec: CampaignSpec, proposed: int, spent: Mapping[str, float]) -> float:
    """Proposals that the core-hours left would pay for."""
    cost = sum(spent.get(step, 0.0) for step in FUNNEL_STEPS) / proposed
    hours = [core_hours_left(spec.budget, spent), *(core_hours_left(spec.budget, spent, s) for s in FUNNEL_STEPS)]
    return min(hours) * SECONDS_PER_HOUR / cost if cost > 0 else math.inf
