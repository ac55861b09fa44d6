"""Settings of the engine ``chgnet-phonon``: how a crystal is relaxed, and how its phonons are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from fermiloop.flows.engines.chgnet_phonon.declaration import CHGNET_PHONON
from fermiloop.flows.engines.protocol import checked_settings, refuse_bounds
from fermiloop.flows.engines.relaxation import RelaxSettings

OF_RELAXATION: Final = ("fmax", "steps")
BOUNDS: Final = {
    "fmax": (1e-4, 0.1),
    "steps": (1, 5000),
    "separation": (3.0, 20.0),
    "displacement": (1e-3, 0.1),
    "mesh": (1.0, 200.0),
    "broadening": (0.05, 2.0),
}


@dataclass(frozen=True)
class PhononSettings(RelaxSettings):
    """`RelaxSettings`, to tighter forces, and those of the phonons.

    Parameters
    ----------
    separation
        Å between a displaced atom and its own images: the smallest supercell that does so is taken.
    displacement
        Å by which an atom is displaced.
    mesh
        Å; as many q-points along each reciprocal axis as this length has of its inverse lengths.
    broadening
        Standard deviation of the Gaussian of each mode, THz.
    """

    fmax: float = 0.01
    steps: int = 500
    separation: float = 8.0
    displacement: float = 0.03
    mesh: float = 40.0
    broadening: float = 0.3

    def science(self) -> dict[str, Any]:
        """What is part of the Method: how positions are relaxed is not, as in ``chgnet``."""
        return {name: value for name, value in asdict(self).items() if name not in OF_RELAXATION}


def of_phonons(given: Mapping[str, Any]) -> PhononSettings:
    """Settings from what a person wrote.

    Raises
    ------
    InputError
        If a setting is unknown, or its value is none that it can have.
    """
    found = checked_settings(PhononSettings, given, CHGNET_PHONON.name)
    refuse_bounds(found, BOUNDS, CHGNET_PHONON.name)
    return found
