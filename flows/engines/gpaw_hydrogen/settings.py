"""Settings of the engine ``gpaw-hydrogen``: those of ``gpaw``, and how hydrogen is put into the crystal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fermiloop.flows.engines.gpaw import hubbard as plus_u
from fermiloop.flows.engines.gpaw.settings import BOUNDS, HARD_CUTOFF, HARD_RELAX_CUTOFF, GpawEngineSettings
from fermiloop.flows.engines.gpaw_hydrogen.declaration import GPAW_HYDROGEN, OF_HYDROGEN
from fermiloop.flows.engines.protocol import checked_settings, refuse_bounds

NAME: Final = GPAW_HYDROGEN.name
OF_HYDROGEN_BOUNDS: Final = {
    "separation": (2.0, 15.0),
    "cells": (0, 64),
    "sites": (1, 20),
    "hydrogen_kpoint_density": (0.5, 20.0),
    "box": (5.0, 20.0),
    "hydrogen_fmax": (1e-3, 1.0),
    "hydrogen_steps": (1, 500),
}


@dataclass(frozen=True)
class GpawHydrogenSettings(GpawEngineSettings):
    """The settings of ``gpaw``, and those of interstitial hydrogen.

    Parameters
    ----------
    separation
        Å that a hydrogen atom keeps from its own periodic images: the smallest supercell that does so is taken.
    cells
        Most primitive cells of that supercell, even if images then come closer; 0 for as many as it takes.
    sites
        Most inequivalent sites that are computed, the widest first; an octahedral and a tetrahedral one, where the
        crystal has them, come before all others.
    hydrogen_kpoint_density
        k-points per Å⁻¹ of the supercell, with hydrogen and without.
    box
        Edge of the cube in which the molecule is computed, Å.
    hydrogen_fmax
        Largest force at the end, eV/Å; all atoms move, the cell does not.
    hydrogen_steps
        Most ionic steps at one site.
    """

    separation: float = 5.0
    cells: int = 0
    sites: int = 4
    hydrogen_kpoint_density: float = 3.5
    box: float = 8.0
    hydrogen_fmax: float = 0.05
    hydrogen_steps: int = 30

    def science(self) -> dict[str, Any]:
        """What is part of the Method: how positions are relaxed is not, as in ``gpaw``."""
        return {**super().science(), **{name: getattr(self, name) for name in OF_HYDROGEN}}


def of_hydrogen(given: Mapping[str, Any]) -> GpawHydrogenSettings:
    """Settings from what a person wrote.

    Raises
    ------
    InputError
        If a setting is unknown, or its value is none that it can have.
    """
    rest = {name: value for name, value in given.items() if name != "hubbard"}
    found = checked_settings(GpawHydrogenSettings, rest, NAME)
    refuse_bounds(found, BOUNDS | OF_HYDROGEN_BOUNDS, NAME)
    return replace(found, hubbard=plus_u.checked(given.get("hubbard"), NAME))


def by_cutoffs(cutoff: float) -> str:
    """What to do about a hard element at a cutoff in eV: the lowest cutoffs that are no lower than it."""
    enough = max(cutoff, HARD_CUTOFF)
    extra = max(HARD_RELAX_CUTOFF - enough, 0.0)
    return f"write engine: {{name: {NAME}, settings: {{cutoff: {enough:g}, relax_extra_cutoff: {extra:g}}}}}"
