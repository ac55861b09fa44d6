"""Options of our own stages; read with a campaign file, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fermiloop.platform.errors import InputError

MOST_PRESSURE: Final = 500.0
"""GPa."""


@dataclass(frozen=True)
class RelaxationStageOptions:
    """How the stage relaxes.

    Parameters
    ----------
    pressure
        GPa. Other than 0 the enthalpy is minimised, and crystals go on as they are under pressure.
    """

    pressure: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.pressure, bool) or not 0 <= float(self.pressure) <= MOST_PRESSURE:
            raise InputError(f"pressure must lie in 0 to {MOST_PRESSURE:g} GPa, not {self.pressure}.")


@dataclass(frozen=True)
class SynthesizabilityStage:
    """What the stage lets through.

    Parameters
    ----------
    least
        Lowest probability that a compound can be made; those below are rejected.
    model
        Folder of a model that was trained on other labels; empty for the one that comes with the package.
    """

    least: float = 0.5
    model: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise InputError(f"least of the stage synthesizability is a probability from 0 to 1, not {self.least}.")
