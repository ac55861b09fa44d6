"""New compositions out of the latent space of V-O, sampled at the paper's numbers and counted in its order.

Noh et al. (Matter 1, 1370, 2019) take 19 points between each two of 31 known V-O crystals (8,835) and 10,000 points
about the mean, keep what has an oxidation state of V from 2 to 5, and relax by DFT: 40 structures lie at most 0.08
eV/atom above the hull. Here a potential judges one crystal of each composition, that of the lowest energy as decoded,
against the hull of the file's V-O crystals by the same potential. Ends are crystals learned from; V-O of the file were
not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Structure

from fermiloop.platform.bench.imatgen import PAIR
from fermiloop.platform.bench.imatgen_images import row
from fermiloop.platform.bench.potential_data import Hull, elements_of
from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.generators.imatgen.latent import STEPS, around_mean, between
from fermiloop.platform.generators.imatgen.symmetry import idealised
from fermiloop.platform.generators.imatgen.virtual import valid_oxidation
from fermiloop.platform.predictors.potential.relaxing import relax

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.bench.potential_answers import Answers
    from fermiloop.platform.generators.imatgen.generator import Imatgen
    from fermiloop.platform.predictors.potential.protocol import CheapPotential
    from fermiloop.platform.representations.training import TrainingSet

    Array = NDArray[np.float64]
    Progress = Callable[[str, float], None]

SLERP: Final = "Slerp between known crystals"
RANDOM: Final = "random about the mean"
ENDS: Final = 31
POINTS: Final = 10_000
PUBLISHED: Final = {SLERP: (7845 / 8835, 36), RANDOM: (1697 / 10_000, 47)}
"""Share with a valid oxidation state, and their compositions."""
BLOCK: Final = 285
"""Points of one line of the file of results."""
STABLE: Final = 0.08  # eV/atom above the hull
FMAX, RELAXATION_STEPS = 0.1, 100
LARGEST: Final = 40  # sites of a crystal that competes on the hull
MOST: Final = 40
"""Compositions that are relaxed, the most frequent ones first."""


def points(model: Imatgen, seed: int, most: int = POINTS) -> dict[str, Array]:
    """At most so many latent points of each way of sampling, at random of the paper's 8,835 and 10,000.

    Ends have a valid oxidation state where two such were learned from.
    """
    rng = np.random.default_rng(seed)
    known = model.known[model.anchors] if model.anchors.sum() > 1 else model.known
    chosen = known[rng.permutation(len(known))[:ENDS]]
    ways = np.concatenate([between(a, b, STEPS) for a, b in combinations(chosen, 2)])
    return {SLERP: ways[rng.permutation(len(ways))[:most]], RANDOM: around_mean(model.known, min(most, POINTS), rng)}


def sampled(
    model: Imatgen, latent: dict[str, Array], answers: Answers, key: str, progress: Progress
) -> dict[str, list[dict[str, Any]]]:
    """What all points decode to, block by block, as it is kept: counts by formula, and a crystal of each."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for kind, rows in latent.items():
        for first in range(0, len(rows), BLOCK):
            kept = answers.get(key, kind, str(first))
            if kept is None:
                made = counted(list(model.decoded(rows[first : first + BLOCK])))
                kept = {"model": key, "kind": kind, "id": str(first), **made}
                answers.put([kept])
            found[kind].append(kept)
            progress(kind, (first + BLOCK) / len(rows))
    return found


def counted(samples: Sequence[Structure | str]) -> dict[str, Any]:
    """How many samples are crystals, which formulas those with a valid oxidation state have, one crystal of each."""
    whole = [one for one in samples if isinstance(one, Structure)]
    valid = [one for one in whole if valid_oxidation(one.composition)]
    formulas, crystals = Counter[str](), dict[str, Any]()
    for one in valid:
        formula = one.composition.reduced_formula
        formulas[formula] += 1
        if formula not in crystals and fault(one, 1.0) is None:
            crystals[formula] = one.as_dict(verbosity=0)
    return {"points": len(samples), "decoded": len(whole), "formulas": dict(formulas), "crystals": crystals}


class VanadiumHull:
    """Hull of a file's V-O crystals by one potential.

    Parameters
    ----------
    potential
        Gives the energies, at the geometry of the file.
    data
        File, beside which elements may lie.
    crystals
        All of it.
    """

    def __init__(self, potential: CheapPotential, data: Path, crystals: TrainingSet) -> None:
        formation = crystals.labels["formation_energy_per_atom"].tolist()
        elements = elements_of(data, crystals.structures, formation)
        self.zero = {
            symbol: potential.energies([elements[symbol]])[0] if symbol in elements else float("nan") for symbol in PAIR
        }
        known = [s for s in crystals.structures if set(s.symbol_set) == set(PAIR) and len(s) <= LARGEST]
        self.formulas = {s.composition.reduced_formula for s in crystals.structures if set(s.symbol_set) == set(PAIR)}
        energies = potential.energies(known)
        self._hull = Hull(known, np.array([self._formation(s, e) for s, e in zip(known, energies, strict=True)]))

    def above(self, structure: Structure, energy: float) -> float:
        """eV/atom above the hull, of an energy in eV/atom; NaN where an element has no crystal."""
        formation = self._formation(structure, energy)
        return formation - self._hull.energy(structure) if np.isfinite(formation) else float("nan")

    def _formation(self, structure: Structure, energy: float) -> float:
        return energy - sum(structure.composition.get_atomic_fraction(symbol) * self.zero[symbol] for symbol in PAIR)


def judged(
    blocks: dict[str, list[dict[str, Any]]],
    potential: CheapPotential,
    hull: VanadiumHull,
    answers: Answers,
    key: str,
    progress: Progress,
) -> dict[str, dict[str, Any]]:
    """By formula, energy above the hull of the relaxed crystal that was lowest as decoded, as it is kept."""
    every = [block for made in blocks.values() for block in made]
    frequent = Counter[str]()
    for block in every:
        frequent.update({formula: block["formulas"][formula] for formula in block["crystals"]})
    found = {}
    for place, (formula, _) in enumerate(frequent.most_common(MOST)):
        kept = answers.get(key, "relaxed", formula)
        if kept is None:
            crystals = [
                Structure.from_dict(block["crystals"][formula]) for block in every if formula in block["crystals"]
            ]
            energies = np.array(potential.energies(crystals))
            best = crystals[int(np.nanargmin(energies))] if np.isfinite(energies).any() else crystals[0]
            done = relax(potential, idealised(best), FMAX, RELAXATION_STEPS, keep_symmetry=False)
            above = hull.above(done.structure, done.energy_per_atom) if done.fault is None else float("nan")
            kept = {
                "model": key, "kind": "relaxed", "id": formula, "above": above if np.isfinite(above) else None,
                "sites": len(best), "steps": done.steps, "seconds": done.core_seconds, "converged": done.converged,
            }  # fmt: skip
            answers.put([kept])
        found[formula] = kept
        progress("relaxation of compositions", (place + 1) / min(MOST, len(frequent)))
    return found


def rows_of(
    blocks: dict[str, list[dict[str, Any]]], relaxed: dict[str, dict[str, Any]], known: set[str], relaxer: str
) -> list[dict[str, Any]]:
    """The funnel: valid oxidation states, compositions, those near the hull."""
    rows = []
    for kind, made in blocks.items():
        n = sum(block["points"] for block in made)
        formulas = Counter[str]()
        for block in made:
            formulas.update(block["formulas"])
        share, compositions = PUBLISHED[kind]
        crystals = sum(block["decoded"] for block in made)
        new = set(formulas) - known
        rows += [
            row(f"{kind}: valid oxidation state", share, sum(formulas.values()), n=n, note=f"{crystals} crystals"),
            row(f"{kind}: compositions with one", compositions, float(len(formulas)), n=n,
                note=f"{len(new)} of them not in the file"),
        ]  # fmt: skip
    if relaxed:
        told = [one["above"] for one in relaxed.values() if one["above"] is not None]
        near = {formula for formula, one in relaxed.items() if one["above"] is not None and one["above"] <= STABLE}
        rows.append(
            row(f"compositions at most {STABLE} eV/atom above the hull of V-O by {relaxer}", None, len(near),
                n=len(relaxed), seconds=float(sum(one["seconds"] for one in relaxed.values())),
                note=f"one crystal of each, relaxed; {len(told)} with an energy; {len(near - known)} not in the file: "
                f"{', '.join(sorted(near - known)) or 'none'}; published: 40 structures, of all that were relaxed")
        )  # fmt: skip
    return rows
