"""Moments that a crystal was given, as engines of collinear spins take them: one number at each site.

Magnetic CIFs and JSON give vectors, mostly along one axis. Programs begin with moments and find their own, so a canting
of some degrees is left out; what is not collinear would be another calculation, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.flows.engines.protocol import EngineEntry
from fermiloop.platform.errors import InputError

if TYPE_CHECKING:
    from jobflow import Flow

MAGMOM: Final = "magmom"
CANTED: Final = 0.2  # of the largest moment, across the axis of that one
FEWEST: Final = 0.01  # μB, of a moment that has a direction
Flows = Callable[[str, Structure, Mapping[str, Any], float], "Flow"]


def of_collinear_spins(entry: EngineEntry) -> EngineEntry:
    """The same engine, given moments as numbers; it refuses crystals whose moments are not collinear."""

    def refuses(structure: Structure, settings: Mapping[str, Any]) -> str | None:
        try:
            return entry.refuses(collinear(structure), settings)
        except InputError as error:
            return str(error)

    static = None if entry.static is None else _given_numbers(entry.static)
    return replace(entry, flow=_given_numbers(entry.flow), static=static, refuses=refuses)


def _given_numbers(flow: Flows) -> Flows:
    def made(calculation: str, structure: Structure, settings: Mapping[str, Any], time_limit: float) -> Flow:
        return flow(calculation, collinear(structure), settings, time_limit)

    return made


def collinear(structure: Structure) -> Structure:
    """The crystal with a number at each site in place of a vector: its component along the axis of the largest one.

    A site of which nothing is said gets 0 where others have a moment; ASE would make NaN of it.

    Raises
    ------
    InputError
        If one lies across that axis.
    """
    given = structure.site_properties.get(MAGMOM)
    if given is None:
        return structure
    if all(one is None for one in given):
        return structure.copy().remove_site_property(MAGMOM)
    if all(np.ndim(one) == 0 for one in given):
        told = [0.0 if one is None else one for one in given]
        return structure.copy(site_properties={MAGMOM: told}) if None in given else structure
    vectors = np.array([one if np.ndim(one) else (0.0, 0.0, one or 0.0) for one in given], dtype=float)
    sizes = np.linalg.norm(vectors, axis=1)
    largest = float(sizes.max())
    if largest < FEWEST:
        return structure.copy(site_properties={MAGMOM: [0.0] * len(vectors)})
    axis = vectors[int(sizes.argmax())] / largest
    axis = axis * np.sign(axis[np.abs(axis).argmax()])  # so that the whole does not turn round with the order of sites
    along = vectors @ axis
    across = np.linalg.norm(vectors - np.outer(along, axis), axis=1)
    if across.max() > CANTED * largest:
        site = int(across.argmax())
        element = structure[site].specie.symbol
        raise InputError(
            f"its moments are not collinear, {across[site]:.2g} μB of {element} (atom {site + 1}) lie across the others"
        )
    return structure.copy(site_properties={MAGMOM: [round(float(one), 6) for one in along]})
