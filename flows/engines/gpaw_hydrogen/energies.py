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


def unfinished(sites: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the property of a crystal is not known, None where hydrogen has relaxed at every site.

    The lowest of some sites is only what the property does not exceed.
    """
    failed = [site for site in sites if "error" in site]
    if not failed:
        return None
    told = f"{len(failed)} of {len(sites)} sites did not end, the first {failed[0]['site']}: {failed[0]['error']}"
    ended = [float(site["energy"]) for site in sites if "error" not in site]
    return f"{told}; the lowest of the others has {min(ended):.3f} eV per H, and it is no higher" if ended else told


def summary(sites: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The property of a crystal: that of the site at which hydrogen is bound best."""
    return {PROPERTY: min(float(site["energy"]) for site in sites)}
