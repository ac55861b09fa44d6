"""Elemental substitution: known materials near the target, elements swapped for like ones.

The oldest way to a new material and the baseline to beat: take what already comes near the target and replace an
element by one of the same column of the periodic table, or several at once as the substitutions among known
compounds make likely: the model and the table of Hautier et al. (Inorg. Chem. 50, 656, 2011), which speaks of ions,
so that a parent needs oxidation states.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pymatgen.core import Composition, Element, Species, Structure

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.nearness import nearness
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import broken_model, read_model, write_model
from fermiloop.platform.representations.composition import formula_of, row_of
from fermiloop.platform.representations.spectrum import SpectrumGrid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

METHODS: Final = ("same_group", "data_mined")
LABEL: Final = "label."
"""Before the name of a property in the file of weights."""


@dataclass(frozen=True)
class SubstitutionOptions:
    """How parents are weighed and what takes the place of their elements.

    Parameters
    ----------
    parents
        Most similar materials that are considered.
    temperature
        Spread of the draw in units of the nearness to the target; 0 takes the best every time.
    method
        ``"same_group"`` changes one element within its column; ``"data_mined"`` all ions that the table makes likely.
    least_probability
        Of a data-mined substitution.
    """

    parents: int = 30
    temperature: float = 0.05
    method: str = "same_group"
    least_probability: float = 1e-3

    def __post_init__(self) -> None:
        if self.parents < 1 or self.temperature < 0:
            raise InputError("substitution needs at least one parent and a temperature that is not negative.")
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


class Substitution:
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
        there = data.has_curve
        if not np.isfinite(data.curves[there]).all():
            raise InputError("A curve of the training set holds NaN or infinity; leave that material out.")
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
        children = self._children(inside[: self.options.parents], target, space)
        weights = np.array([near[child.parent] for child in children])
        if self.options.method == "data_mined":  # drawn in proportion to the probability too
            weights += self.options.temperature * np.log([child.probability or 1.0 for child in children])
        chosen = draw_without_replacement(weights, n, rng, self.options.temperature)
        return [self._proposal(children[i], float(weights[i])) for i in chosen]

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` (curves, labels) and ``config.json`` (structures)."""
        config = {
            "name": self.name,
            "options": asdict(self.options),
            "grid": asdict(self.grid),
            "ids": list(self.ids),
            "systems": list(self.systems),
            "structures": [structure.as_dict() for structure in self.structures],
            "decorator": self.decorator.config(),
        }
        labels = {LABEL + name: values for name, values in self.labels.items()}
        write_model(folder, config, {"curves": self.curves} | labels)

    @classmethod
    def load(cls, folder: Path) -> Substitution:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        config, arrays = read_model(folder, cls.name)
        try:
            made = cls(SubstitutionOptions(**config["options"]))
            made.grid, made.curves = SpectrumGrid(**config["grid"]), arrays["curves"]
            made.labels = {k.removeprefix(LABEL): v for k, v in arrays.items() if k.startswith(LABEL)}
            made.ids, made.systems = tuple(config["ids"]), tuple(config["systems"])
            made.structures = tuple(Structure.from_dict(item) for item in config["structures"])
            made.decorator = Decorator(**config["decorator"])
        except (FermiloopError, KeyError, TypeError, ValueError) as error:
            raise broken_model(folder, error) from None
        return made

    def _children(self, parents: list[int], target: Target, space: Space) -> list[Child]:
        """Every child in the space, each composition of a prototype once."""
        low, high = space.n_components
        seen: set[tuple[Any, ...]] = set()
        children = []
        for parent in parents:
            structure = self.structures[parent]
            number = structure.get_space_group_info()[1]
            for swap, probability in self._swaps(structure.composition, space.elements):
                composition = structure.composition.replace({**swap})
                formula = formula_of(row_of(composition))
                key = (formula, len(structure), self.systems[parent], number)
                if low <= len(composition) <= high and formula not in target.exclude_formulas and key not in seen:
                    seen.add(key)
                    children.append(Child(parent, swap, probability))
        return children

    def _swaps(
        self, composition: Composition, allowed: tuple[str, ...]
    ) -> Iterator[tuple[dict[str, str], float | None]]:
        if self.options.method == "same_group":
            for swap in swaps([element.symbol for element in composition.elements], allowed):
                yield swap, None
            return
        states = oxidation_states(composition.reduced_formula)
        if not isinstance(states, str):
            states = unknown_species(states) or states
        if isinstance(states, str):
            self.failures[states] += 1
            return
        for swap, probability in likely_swaps(states, self.options.least_probability):
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


def swaps(symbols: list[str], allowed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Every change of exactly one element to an allowed one of the same group, all elements allowed after it."""
    for symbol in symbols:
        if any(other not in allowed for other in symbols if other != symbol):
            continue
        group = Element(symbol).group
        for other in allowed:
            if other not in symbols and Element(other).group == group:
                yield {symbol: other}


Ions = tuple[tuple[str, int, float], ...]
"""Symbol, oxidation state and amount of each element."""


@lru_cache(maxsize=10_000)
def oxidation_states(formula: str) -> Ions | str:
    """The likeliest oxidation states of a formula, or in words why there are none (pymatgen's, from the ICSD)."""
    composition = Composition(formula)
    guesses = composition.oxi_state_guesses()
    if not guesses or len(composition) < 2:
        return "parent without oxidation states"
    if any(state != round(state) for state in guesses[0].values()):
        return "parent of mixed valence"
    return tuple((symbol, round(state), composition[symbol]) for symbol, state in guesses[0].items())


def unknown_species(ions: Ions) -> str | None:
    """A reason where the table knows one of the ions not."""
    known = _predictor(0.5).p.species
    return None if all(Species(s, state) in known for s, state, _ in ions) else "parent with an ion not in the table"


@lru_cache(maxsize=2_000)
def likely_swaps(ions: Ions, least: float) -> tuple[tuple[dict[str, str], float], ...]:
    """Charge-balanced substitutions of all ions at once, elements that change only, and their probabilities."""
    composition = Composition({Species(symbol, state): amount for symbol, state, amount in ions})
    found = _predictor(least).composition_prediction(composition, to_this_composition=False)
    made = []
    for one in found:
        pairs = {old.symbol: new.symbol for old, new in one["substitutions"].items()}
        made.append(({old: new for old, new in pairs.items() if old != new}, float(one["probability"])))
    return tuple(sorted(made, key=lambda item: (-item[1], sorted(item[0].items()))))


@cache
def _predictor(least: float) -> Any:
    from pymatgen.analysis.structure_prediction.substitution_probability import (  # its table takes seconds
        SubstitutionPredictor,
    )

    return SubstitutionPredictor(threshold=least)  # type: ignore[no-untyped-call]
