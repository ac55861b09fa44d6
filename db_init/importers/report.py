"""What a load did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str, float], None]  # (what is done, fraction in [0, 1])


@dataclass(frozen=True)
class LoadReport:
    """Counts of a load.

    Parameters
    ----------
    loaded
        New materials.
    already
        Materials that the store held.
    quarantined
        Lines or files refused, each kept with its reason.
    """

    loaded: int
    already: int
    quarantined: int


def silent(step: str, fraction: float) -> None:
    """Progress that nobody watches."""
