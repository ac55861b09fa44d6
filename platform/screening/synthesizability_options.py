"""Options of the stage of synthesizability; read without its code."""

from __future__ import annotations

from dataclasses import dataclass

from fermiloop.platform.errors import InputError


@dataclass(frozen=True)
class SynthesizabilityStage:
    """What the stage lets through.

    Parameters
    ----------
    least
        Lowest probability that a compound can be made; those below are rejected. Of the crystals of the ICSD that
        were held out 0.5 keeps nine in ten; see docs/results.md.
    model
        Folder of a model that was trained on other labels; empty for the one that comes with the package.
    """

    least: float = 0.5
    model: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise InputError(f"least of the stage synthesizability is a probability from 0 to 1, not {self.least}.")
