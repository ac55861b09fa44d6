"""Elemental substitution: known materials near the target, elements swapped for like ones.

The oldest way to a new material and the baseline to beat: take what already comes near the target and replace an
element by one of the same column of the periodic table, or several at once, these or as the substitutions among known
compounds make likely: the model and the table of Hautier et al. (Inorg. Chem. 50, 656, 2011), which speaks of ions,
so that a parent needs oxidation states. Parents may have any number of elements.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Element, Structure

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.nearness import nearness
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel, under
from fermiloop.platform.representations.composition import formula_of, row_of
from fermiloop.platform.representations.spectrum import SpectrumGrid
from fermiloop.platform.search.ionic_substitution import likely_swaps, oxidation_states, unknown_species

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

METHODS: Final = ("same_group", "data_mined")
MOST_BY_IONS: Final = 300
"""Parents whose oxidation states are looked for, where their children are fewer than asked for."""
LABEL: Final = "label."
"""Before the name of a property in the file of weights."""


@dataclass(frozen=True)
class SubstitutionOptions:
    """How parents are weighed and what takes the place of their elements.

    Parameters
    ----------
    parents
        Most similar materials that are considered; where their children in the space are fewer than asked for, further
        ones are.
    temperature
        Spread of the draw in units of the nearness to the target; 0 takes the best every time.
    method
        ``"same_group"`` changes elements within their columns; ``"data_mined"`` all ions that the table makes likely.
    least_probability
        Of a data-mined substitution.
    changes
        Most elements that change at once within their columns.
    """

    parents: int = 30
    temperature: float = 0.05
    method: str = "same_group"
    least_probability: float = 1e-3
    changes: int = 1

    def __post_init__(self) -> None:
        if self.parents < 1 or self.temperature < 0:
            raise InputError("substitution needs at least one parent and a temperature that is not negative.")
        if self.changes < 1:
            raise InputError(f"substitution changes at least one element, not {self.changes}.")
        if self.method not in METHODS:
            raise InputError(f"{self.method} is no method of substitution; choose one of {', '.join(METHODS)}.")
        if not 0 < self.least_probability < 1:
            raise InputError(f"A least probability lies between 0 and 1, not at {self.least_probability:g}.")


@dataclass(frozen=True)
class Child:
    """A parent with elements swapped.

    Parameters
    ----------
    parent
        Its place in the training set.
    swap
        Symbols that change, and into what.
    probability
        Of the substitution by the table; None for one within a group.
    """

    parent: int
    swap: dict[str, str]
    probability: float | None


class Substitution(SavedModel):
    """Children of the materials whose own curve or properties are nearest to the target.

    Parameters
    ----------
    options
        How parents are weighed.
    """

    name = "substitution"

    def __init__(self, options: SubstitutionOptions | None = None) -> None:
        self.options = options or SubstitutionOptions()
        self.failures: Counter[str] = Counter()

    def fit(
        self,
        data: TrainingSet,
        seed: int,  # noqa: ARG002 - nothing is random in it
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - nor slow
    ) -> FitReport:
        """Keep structures, curves and labels.

        Raises
        ------
        InputError
            If there is no material, or a curve is not finite or has no area.
        """
        began = time.process_time()
        if not len(data):
            raise InputError("substitution needs at least one material; the training set is empty.")
        data.check_curves()
        there = data.has_curve
        self.grid = data.grid
        self.curves = np.full_like(data.curves, np.nan)
        if there.any():
            self.curves[there] = data.grid.normalise(np.maximum(data.curves[there], 0))
        self.labels = {name: np.asarray(values, dtype=float) for name, values in data.labels.items()}
        self.ids, self.systems, self.structures = data.ids, data.crystal_systems, data.structures
        self.decorator = Decorator.learn(data, "none")
        progress(self.name, 1.0)
        return FitReport({}, (), len(data), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` children, those of the most similar parents first.

        Raises
        ------
        InputError
            If it was not fitted or the target asks for nothing.
        """
        if not hasattr(self, "grid"):
            raise InputError("substitution has seen no training set; fit or load it first.")
        near = nearness(self.grid, self.curves, self.labels, target)
        inside = [
            int(i)
            for i in np.argsort(-near, kind="stable")
            if self.systems[i] in space.crystal_systems and len(self.structures[i]) <= space.max_sites
        ]
        self.failures = Counter()
        children = self._children(inside, target, space, n)
        weights = np.array([near[child.parent] for child in children])
        if self.options.method == "data_mined":  # drawn in proportion to the probability too
            weights += self.options.temperature * np.log([child.probability or 1.0 for child in children])
        chosen = draw_without_replacement(weights, n, rng, self.options.temperature)
        return [self._proposal(children[i], float(weights[i])) for i in chosen]

    def packed(self) -> Packed:
        """Curves and labels in the arrays, structures in the config."""
        config = {
            "options": asdict(self.options),
            "grid": asdict(self.grid),
            "ids": list(self.ids),
            "systems": list(self.systems),
            "structures": [structure.as_dict() for structure in self.structures],
            "decorator": self.decorator.config(),
        }
        labels = {LABEL + name: values for name, values in self.labels.items()}
        return config, {"curves": self.curves} | labels

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Substitution:
        """The same out of what `packed` gave."""
        made = cls(SubstitutionOptions(**config["options"]))
        made.grid, made.curves = SpectrumGrid(**config["grid"]), arrays["curves"]
        made.labels = under(LABEL, arrays)
        made.ids, made.systems = tuple(config["ids"]), tuple(config["systems"])
        made.structures = tuple(Structure.from_dict(item) for item in config["structures"])
        made.decorator = Decorator(**config["decorator"])
        return made

    def _children(self, parents: list[int], target: Target, space: Space, n: int) -> list[Child]:
        """Every child in the space of the first parents, and of further ones until there are `n`.

        Each composition of a prototype comes once.
        """
        low, high = space.n_components
        seen: set[tuple[Any, ...]] = set()
        children: list[Child] = []
        for place, parent in enumerate(parents):
            if place >= self._most_parents(len(children) >= n):
                break
            structure = self.structures[parent]
            if not low <= len(structure.composition) <= high:  # elements stay as many as they are
                continue
            number = 0
            for swap, probability in self._swaps(structure.composition, space.elements):
                number = number or structure.get_space_group_info()[1]
                composition = structure.composition.replace({**swap})
                formula = formula_of(row_of(composition))
                key = (formula, len(structure), self.systems[parent], number)
                if composition == structure.composition:
                    continue  # elements that changed places
                if formula not in target.exclude_formulas and key not in seen:
                    seen.add(key)
                    children.append(Child(parent, swap, probability))
        return children

    def _most_parents(self, enough: bool) -> float:
        """How many parents are considered; the oxidation states of a formula may take a fifth of a second."""
        if enough:
            return self.options.parents
        return max(MOST_BY_IONS, self.options.parents) if self.options.method == "data_mined" else float("inf")

    def _swaps(
        self, composition: Composition, allowed: tuple[str, ...]
    ) -> Iterator[tuple[dict[str, str], float | None]]:
        if self.options.method == "same_group":
            for swap in swaps([element.symbol for element in composition.elements], allowed, self.options.changes):
                yield swap, None
            return
        states = oxidation_states(composition.reduced_formula)
        if not isinstance(states, str):
            states = unknown_species(states) or states
        if isinstance(states, str):
            self.failures[states] += 1
            return
        for swap, probability in likely_swaps(states, self.options.least_probability, frozenset(allowed)):
            after = [swap.get(symbol, symbol) for symbol, _, _ in states]
            if swap and set(after) <= set(allowed) and len(set(after)) == len(after):
                yield dict(swap), probability

    def _proposal(self, child: Child, score: float) -> Proposal:
        structure = self.structures[child.parent].copy()
        before = self.decorator.volume_per_atom(structure.composition.get_el_amt_dict())
        structure.replace_species(dict[Any, Any](child.swap))
        after = self.decorator.volume_per_atom(structure.composition.get_el_amt_dict())
        structure.scale_lattice(structure.volume * after / before)
        detail: dict[str, Any] = {"swap": child.swap}
        if child.probability is not None:
            detail["substitution_probability"] = child.probability
        return Proposal(structure, score, None, self.ids[child.parent], detail)


def swaps(symbols: list[str], allowed: tuple[str, ...], most: int = 1) -> Iterator[dict[str, str]]:
    """Every change of one to `most` elements to allowed ones of their groups.

    After it all elements are allowed, and as many as before.
    """
    must = [symbol for symbol in symbols if symbol not in allowed]
    if len(must) > most:
        return
    free = [symbol for symbol in symbols if symbol in allowed]
    for n in range(len(must) or 1, min(most, len(symbols)) + 1):
        for more in combinations(free, n - len(must)):
            changing = [symbol for symbol in symbols if symbol in must or symbol in more]
            staying = set(symbols) - set(changing)
            for chosen in product(*(_like(symbol, allowed) for symbol in changing)):
                if len(set(chosen)) == n and not staying & set(chosen):
                    yield dict(zip(changing, chosen, strict=True))


def _like(symbol: str, allowed: tuple[str, ...]) -> list[str]:
    """The other elements of its column."""
    return [other for other in allowed if other != symbol and _group(other) == _group(symbol)]


@cache
def _group(symbol: str) -> int:
    return int(Element(symbol).group)
