"""Structures under pressure: does a search for the lowest enthalpy find the phase that is known, and where they change.

Alkali halides change from rock salt (B1) to the structure of caesium chloride (B2) under pressure, NaCl at 30 GPa
(Bassett et al., J. Appl. Phys. 39, 319, 1968) and KCl at 2 GPa (Vaidya and Kennedy, J. Phys. Chem. Solids 32, 951,
1971). A genetic search of one formula unit is told the pressure alone; the pressure of the change is where the
enthalpies of the two relaxed structures are equal.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fermiloop.platform.bench.space_groups import space_group
from fermiloop.platform.campaign.statistics import wilson
from fermiloop.platform.predictors.potential.relaxing import relax
from fermiloop.platform.predictors.potential.volumes import guess_volume
from fermiloop.platform.representations.prototypes import PROTOTYPES
from fermiloop.platform.search.global_search import crystal_of
from fermiloop.platform.search.objective import REFUSED, PotentialFunction
from fermiloop.platform.search.optimisers.crystal_space import CrystalOptions, CrystalSpace
from fermiloop.platform.search.optimisers.genetic import Genetic
from fermiloop.platform.search.optimisers.relaxation import RelaxationOptions, search
from fermiloop.platform.search.oracle import GIGAPASCAL, Oracle, under_pressure

if TYPE_CHECKING:
    from collections.abc import Callable

    from fermiloop.platform.predictors.potential.protocol import CheapPotential

PHASES: Final = {"B1": 225, "B2": 221}
"""Space groups."""
CASES: Final = (("Na", "Cl", 0.0, "B1"), ("Na", "Cl", 60.0, "B2"), ("K", "Cl", 0.0, "B1"), ("K", "Cl", 20.0, "B2"))
"""Salt, pressure in GPa and the phase that is known there."""
CHANGES: Final = {("Na", "Cl"): 30.0, ("K", "Cl"): 2.0}
"""Measured pressures of the change from B1 to B2, GPa."""
PRESSURES: Final = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 60.0])
"""GPa, between which the change is interpolated."""
CALLS: Final = 150
QUICK_CALLS: Final = 30
SEEDS: Final = 5
RELAXATION: Final = RelaxationOptions(0.03, 60)


def pressure_rows(
    cheap: CheapPotential, quick: bool, seed: int, progress: Callable[[str, float], None]
) -> list[dict[str, Any]]:
    """A row for each salt and pressure, and one for each change."""
    rows = []
    for place, (cation, anion, pressure, phase) in enumerate(CASES[:1] if quick else CASES):
        progress(f"{cation}{anion} at {pressure:g} GPa", place / len(CASES))
        began = time.process_time()
        seeds = [seed + i for i in range(1 if quick else SEEDS)]
        groups = [found_group(cheap, cation, anion, pressure, QUICK_CALLS if quick else CALLS, one) for one in seeds]
        right = sum(group == PHASES[phase] for group in groups)
        low, high = wilson(right, len(groups))
        rows.append({
            "what": f"{cation}{anion} at {pressure:g} GPa: {phase} has the lowest enthalpy found",
            "published": 1.0, "ours": right / len(groups), "ours_low": low, "ours_high": high, "n": len(groups),
            "seconds": time.process_time() - began, "note": "published: the phase that is measured there",
        })  # fmt: skip
    return rows if quick else rows + [_change_row(cheap, *salt) for salt in CHANGES]


def found_group(cheap: CheapPotential, cation: str, anion: str, pressure: float, calls: int, seed: int) -> int:
    """Space group of the crystal of the lowest enthalpy that a genetic search finds; 0 where it found none."""
    symbols = (cation, anion)
    volume = 2 * guess_volume(dict.fromkeys(symbols, 1.0))
    radius = 0.5 * (2**0.5 * volume / 2) ** (1 / 3)
    place = CrystalSpace(symbols, np.full(2, radius), volume, CrystalOptions(symmetric_share=0.5))
    rng = np.random.default_rng(seed)
    oracle = Oracle(under_pressure(PotentialFunction(cheap, symbols, volume), pressure), calls)
    minima = [one for one in search(Genetic(place, rng), place, oracle, rng, RELAXATION) if one.energy < REFUSED]
    if not minima:
        return 0
    return space_group(crystal_of(min(minima, key=lambda one: one.energy).point, symbols))


def change_of(cheap: CheapPotential, cation: str, anion: str) -> float | None:
    """Pressure at which B2 has the enthalpy of B1, GPa; None where it does not within `PRESSURES`."""
    differences = np.array([
        _enthalpy(cheap, "B2", cation, anion, pressure) - _enthalpy(cheap, "B1", cation, anion, pressure)
        for pressure in PRESSURES.tolist()
    ])  # fmt: skip
    crossed = np.flatnonzero((differences[:-1] > 0) & (differences[1:] <= 0))
    if not len(crossed):
        return None
    i = int(crossed[0])
    share = differences[i] / (differences[i] - differences[i + 1])
    return float(PRESSURES[i] + share * (PRESSURES[i + 1] - PRESSURES[i]))


def _enthalpy(cheap: CheapPotential, phase: str, cation: str, anion: str, pressure: float) -> float:
    """Enthalpy of the relaxed crystal, eV per atom."""
    start = PROTOTYPES[phase].build(cation, anion, guess_volume({cation: 1.0, anion: 1.0}))
    found = relax(cheap, start, fmax=0.02, steps=200, pressure=pressure)
    return found.energy_per_atom + pressure * GIGAPASCAL * found.structure.volume / len(found.structure)


def _change_row(cheap: CheapPotential, cation: str, anion: str) -> dict[str, Any]:
    began = time.process_time()
    found = change_of(cheap, cation, anion)
    return {
        "what": f"{cation}{anion}: pressure of the change from B1 to B2, GPa",
        "published": CHANGES[cation, anion], "ours": found, "ours_low": None, "ours_high": None, "n": 1,
        "seconds": time.process_time() - began,
        "note": "published: measured" + ("" if found is not None else f"; none up to {PRESSURES[-1]:g} GPa"),
    }  # fmt: skip
