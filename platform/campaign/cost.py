"""What a campaign has cost so far: the one place where it is added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fermiloop.platform.campaign.names import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVALUATE: Final = "evaluate"
HOLDS: Final = "evaluations, training, sampling and screening"
"""What the whole is made of: part of every label of it."""


def spent(evaluations: float, rounds: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Core-seconds by step; their sum is what the campaign has cost.

    Parameters
    ----------
    evaluations
        Core-seconds of all its calculations, failed ones included.
    rounds
        Costs of each round by step, as its document keeps them.
    """
    found = {**dict.fromkeys(STEPS, 0.0), EVALUATE: float(evaluations)}
    for costs in rounds:
        for step, seconds in costs.items():
            found[step] = found.get(step, 0.0) + float(seconds)
    return found


def total(by_step: Mapping[str, float]) -> float:
    """Core-seconds of all steps together."""
    return float(sum(by_step.values()))


def parts(by_step: Mapping[str, float]) -> str:
    """Core-hours of each step in words, such as ``evaluate 1.200, screen 0.034``; steps without any left out."""
    return ", ".join(f"{step} {seconds / 3600:.3f}" for step, seconds in by_step.items() if seconds)
