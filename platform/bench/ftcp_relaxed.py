"""Designs judged after relaxation by a potential, as the paper relaxes by DFT before it counts, beside random crystals.

The formation energy is that of the relaxed crystal against the elements relaxed by the same potential. It is no
stability: the energy above the hull of the file's crystals, by their formation energies, stands beside. CHGNet was
trained on energies of the Materials Project with its corrections, so both are on one scale, up to its error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from fermiloop.platform.bench.crystal_scores import Share, design_score, row
from fermiloop.platform.plugins.potentials import potential as declared
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.bench.potential_data import Hull

    Array = NDArray[np.float64]

FMAX: Final = 0.1  # eV/Å, as the funnel relaxes
STEPS: Final = 150
STABLE: Final = 0.1  # eV/atom above the hull
PUBLISHED: Final = {"success": 0.389, "valid": 0.778, "random": 0.105}


@dataclass(frozen=True)
class Relaxed:
    """Crystals after relaxation.

    Parameters
    ----------
    structures
        Those that came to an end.
    formation
        (n,) their formation energies, eV/atom.
    n
        How many were relaxed; the others failed.
    """

    structures: tuple[Structure, ...]
    formation: Array
    n: int


class RelaxationJudge:
    """Relaxes crystals by a potential.

    Parameters
    ----------
    name
        Of the potential.
    elements
        Crystal of each element, relaxed by the same potential when it is first needed.
    """

    def __init__(self, name: str, elements: Mapping[str, Structure]) -> None:
        self.name = name
        self._potential, self._elements = declared(name).build(), elements
        self._zero: dict[str, float] = {}

    def judge(self, structures: Sequence[Structure], told: Callable[[float], None]) -> Relaxed:
        """Relax cell and positions without symmetry; what does not end, or has no element to refer to, fails."""
        made, formation = [], []
        for place, structure in enumerate(structures):
            found = relax(self._potential, structure, FMAX, STEPS, keep_symmetry=False)
            energy = found.energy_per_atom - self._elemental(structure)
            if found.converged and np.isfinite(energy):
                made.append(found.structure)
                formation.append(energy)
            told((place + 1) / len(structures))
        return Relaxed(tuple(made), np.array(formation, dtype=float), len(structures))

    def _elemental(self, structure: Structure) -> float:
        """Energy of the elements of a crystal, eV/atom; NaN where one has no crystal."""
        shares = structure.composition.fractional_composition.get_el_amt_dict()
        return float(sum(share * self._reference(symbol) for symbol, share in shares.items()))

    def _reference(self, symbol: str) -> float:
        if symbol not in self._zero:
            known = self._elements.get(symbol)
            found = None if known is None else relax(self._potential, known, FMAX, STEPS)
            self._zero[symbol] = float("nan") if found is None else found.energy_per_atom
        return self._zero[symbol]


def relaxed_rows(
    designs: Sequence[Structure],
    random: Sequence[Structure],
    judge: RelaxationJudge,
    hull: Hull,
    band: tuple[float, float],
    told: Callable[[str, float], None],
) -> list[dict[str, Any]]:
    """Success of designs after relaxation, beside that of random crystals judged in the same way.

    Parameters
    ----------
    designs
        As proposed.
    random
        Crystals of the data set that passed the filters of designs.
    judge
        Relaxes both.
    hull
        Of the file.
    band
        Value and tolerance, eV/atom.
    told
        What is done, and the share.
    """
    ours = judge.judge(designs, lambda share: told("relaxation of designs", 0.5 * share))
    theirs = judge.judge(random, lambda share: told("relaxation of random crystals", 0.5 + 0.5 * share))
    unlike = _unlike(ours.structures)
    energies = ours.formation[unlike].tolist()
    chance = [*theirs.formation.tolist(), *[float("nan")] * (theirs.n - len(theirs.formation))]
    score = design_score(ours.n, energies, chance, *band)
    above = hull.above([ours.structures[i] for i in unlike], np.array(energies))
    apart = "intervals apart" if score.success.above(score.random) else "intervals overlap"
    what = f"designs for E_f = {band[0]} ± {band[1]} eV/atom, relaxed by {judge.name}"
    note, chance_share = f"{apart}; failures and doubles are misses; published: relaxed by DFT", score.random.value
    return [
        row(f"{what}: in the band", score.success, published=PUBLISHED["success"], baseline=chance_share, note=note),
        row(f"crystals of the data set at random, relaxed by {judge.name}: in the band", score.random,
            published=PUBLISHED["random"], note="through the same filters, judged in the same way"),
        row(f"{what}: times random", score.times_random, published=3.7, baseline=1, n=score.success.n),
        row(f"{what}: valid and unlike each other", score.valid, published=PUBLISHED["valid"]),
        row(f"{what}: at most {STABLE} eV/atom above the hull of the file", Share(int((above <= STABLE).sum()), ours.n),
            note="a formation energy in the band is no stability"),
    ]  # fmt: skip


def _unlike(structures: Sequence[Structure]) -> list[int]:
    """The first of each group of crystals that match."""
    matcher, kept = StructureMatcher(), list[int]()
    for i, one in enumerate(structures):
        formula = one.composition.reduced_formula
        alike = (structures[j] for j in kept if structures[j].composition.reduced_formula == formula)
        if not any(matcher.fit(one, other) for other in alike):
            kept.append(i)
    return kept
