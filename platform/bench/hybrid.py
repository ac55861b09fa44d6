"""The hybrid of the cross-strategy bench: generators propose, a refinement varies, a funnel chooses.

Proposals of all generators that need no oracle make a pool. In each round a Gaussian process on what is known and what
the oracle has answered predicts the property; the likeliest crystals are refined (an element changed within its group,
the volume by a few per cent), rules and twins are screened out, and the oracle is asked for those most probable to lie
in the window, one of a formula. Refinement and funnel cost no oracle calls. `HybridOptions` switches parts off, so that
the bench shows which one brings what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Structure
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import fault
from fermiloop.platform.predictors.descriptors import structure_descriptors
from fermiloop.platform.screening.rules import broken_rule
from fermiloop.platform.search.substitution import swaps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from fermiloop.platform.generators.decoration import Decorator
    from fermiloop.platform.generators.protocol import Condition, Space

    Array = NDArray[np.float64]

NOISE: Final = 0.03
"""Of the process, in variances of the property."""
STRAINS: Final = (-0.04, 0.04)
"""Of the volume, in a refinement."""


@dataclass(frozen=True)
class HybridOptions:
    """How the hybrid spends its calls.

    Parameters
    ----------
    rounds
        After each the surrogate learns from the answers; 1 is a plain funnel.
    refined
        Likeliest crystals that are varied in each round; 0 leaves the refinement out.
    """

    rounds: int = 4
    refined: int = 30

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.refined < 0:
            raise InputError(f"A hybrid takes 1 round or more, not {self.rounds}, and refines 0 or more crystals.")


class Surrogate:
    """A Gaussian process with a fixed kernel on scaled descriptors.

    Parameters
    ----------
    described
        (n, d) descriptors.
    values
        (n,) property.
    """

    def __init__(self, described: Array, values: Array) -> None:
        self.middle, width = described.mean(axis=0), described.std(axis=0)
        self.width = np.where(width > 1e-9, width, np.inf)
        self.mean, self.scale = float(values.mean()), float(values.std()) or 1.0
        self.known = self._scaled(described)
        kernel = self._kernel(self.known, self.known) + NOISE * np.eye(len(values))
        self.factor = cho_factor(kernel)
        self.weights = cho_solve(self.factor, (values - self.mean) / self.scale)

    def predict(self, described: Array) -> tuple[Array, Array]:
        """(n,) means and standard deviations."""
        cross = self._kernel(self._scaled(described), self.known)
        left = 1 + NOISE - np.einsum("ij,ji->i", cross, cho_solve(self.factor, cross.T))
        return self.mean + self.scale * (cross @ self.weights), self.scale * np.sqrt(np.maximum(left, 1e-9))

    def probability(self, described: Array, window: Condition) -> Array:
        """(n,) that the property lies in the window."""
        mean, std = self.predict(described)
        low, high = window.value - window.tolerance, window.value + window.tolerance
        return np.asarray(ndtr((high - mean) / std) - ndtr((low - mean) / std))

    def _scaled(self, described: Array) -> Array:
        return np.clip((described - self.middle) / self.width, -6, 6) / np.sqrt(described.shape[1])

    def _kernel(self, a: Array, b: Array) -> Array:
        squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
        return np.asarray(np.exp(-np.maximum(squared, 0)))


class Pool:
    """Crystals that may be asked for, each described once.

    Parameters
    ----------
    structures
        Proposals, some of them equal.
    excluded
        Reduced formulas that may not be asked for.
    """

    def __init__(self, structures: Sequence[Structure], excluded: frozenset[str]) -> None:
        self.excluded = excluded
        self.structures: list[Structure] = []
        self.formulas: list[str] = []
        self.seen: set[tuple[str, int, float]] = set()
        self.described = np.zeros((0, 0))
        self.extend(structures)

    def extend(self, structures: Sequence[Structure]) -> None:
        """Add what is possible, breaks no rule and is no twin (formula, sites and density of one already there)."""
        fresh = []
        for structure in structures:
            formula = structure.composition.reduced_formula
            key = (formula, len(structure), round(float(structure.volume) / len(structure), 1))
            if key in self.seen or formula in self.excluded or fault(structure) or broken_rule(formula):
                continue
            self.seen.add(key)
            fresh.append(structure)
            self.formulas.append(formula)
        if fresh:
            rows = structure_descriptors(fresh)
            self.described = np.concatenate([self.described, rows]) if self.structures else rows
            self.structures += fresh


def refinements(structure: Structure, space: Space, decorator: Decorator) -> list[Structure]:
    """Like crystals: one element changed within its group at the volume by rule, or the volume a little."""
    made = []
    before = decorator.volume_per_atom(structure.composition.get_el_amt_dict())
    for swap in swaps([element.symbol for element in structure.composition.elements], space.elements):
        species = [swap.get(site.specie.symbol, site.specie.symbol) for site in structure]
        child = Structure(structure.lattice, species, structure.frac_coords)
        after = decorator.volume_per_atom(child.composition.get_el_amt_dict())
        child.scale_lattice(structure.volume * after / before)
        made.append(child)
    for strain in STRAINS:
        child = structure.copy()
        child.scale_lattice(structure.volume * (1 + strain))
        made.append(child)
    return made


@dataclass(frozen=True)
class Known:
    """What was evaluated before: (n, d) descriptors and (n,) values."""

    described: Array
    values: Array


def run_hybrid(
    pool: Pool,
    known: Known,
    window: Condition,
    budget: int,
    oracle: Callable[[Sequence[Structure]], Array],
    vary: Callable[[Structure], list[Structure]],
    options: HybridOptions,
) -> list[tuple[Structure, float]]:
    """Crystals asked for, in order, and the oracle's answers.

    Parameters
    ----------
    pool
        Where to choose from; it grows by refinement.
    known
        What the surrogate starts from.
    window
        What is looked for.
    budget
        Calls.
    oracle
        Crystals to (n,) values.
    vary
        A crystal to like ones.
    options
        Rounds and refinement.
    """
    described, values = known.described, known.values
    asked: list[tuple[Structure, float]] = []
    taken: set[str] = set()
    for number in range(options.rounds):
        model = Surrogate(described, values)
        if options.refined and pool.structures:
            best = np.argsort(-model.probability(pool.described, window), kind="stable")[: options.refined]
            pool.extend([child for i in best for child in vary(pool.structures[int(i)])])
        if not pool.structures:
            break
        wanted = (budget * (number + 1)) // options.rounds - len(asked)
        chosen = _likeliest(model.probability(pool.described, window), pool.formulas, taken, wanted)
        answers = oracle([pool.structures[i] for i in chosen])
        asked += [(pool.structures[i], float(answer)) for i, answer in zip(chosen, answers, strict=True)]
        described = np.concatenate([described, pool.described[chosen]])
        values = np.concatenate([values, answers])
    return asked


def _likeliest(scores: Array, formulas: Sequence[str], taken: set[str], n: int) -> list[int]:
    """Places of the best `n`, one of a formula; `taken` grows by them."""
    chosen: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if len(chosen) >= n:
            break
        if formulas[int(i)] not in taken:
            taken.add(formulas[int(i)])
            chosen.append(int(i))
    return chosen
