"""What hydrogen gains or costs in a crystal, from three energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PROPERTY = "hydrogen_interstitial_energy"


def interstitial_energy(with_hydrogen: float, without: float, molecule: float) -> float:
    """Energy of a hydrogen atom of the molecule in the crystal, eV per H: negative where it goes in by itself.

    E = E(host+H) - E(host) - E(H2)/2, without zero-point motion, which adds some 0.1 eV.

    Parameters
    ----------
    with_hydrogen, without
        eV of a supercell with one hydrogen atom, and of the same cell without.
    molecule
        eV per H2.
    """
    return with_hydrogen - without - molecule / 2


def summary(sites: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The property of a crystal: that of the site at which hydrogen is bound best."""
    return {PROPERTY: min(float(site["energy"]) for site in sites)}
