"""How a relaxation by a potential is run, which is no part of a Method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RelaxSettings:
    """How far and how long.

    Parameters
    ----------
    fmax
        Largest force at the end, eV/Å.
    steps
        Most ionic steps.
    """

    fmax: float = 0.05
    steps: int = 200
