"""Elemental substitution: known materials of a similar DOS, elements swapped within their group.

The oldest way to a new material and the baseline to beat: take what already comes near the target
and replace an element by one of the same column of the periodic table (Hautier et al., Inorg. Chem.
50, 656, 2011, learn the swaps; the column is the rule they start from).
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Element, Structure

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.nearness import curve_on
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import broken_model, read_model, write_model
from fermiloop.platform.representations.composition import formula_of, row_of
from fermiloop.platform.representations.spectrum import SpectrumGrid, cosine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet


@dataclass(frozen=True)
class SubstitutionOptions:
    """How parents are weighed.

    Parameters
    ----------
    parents
        Most similar materials that are considered.
    temperature
        Spread of the draw in units of cosine similarity; 0 takes the best every time.
    """

    parents: int = 30
    temperature: float = 0.05


class Substitution:
    """Children of the materials whose own curve is nearest to the target.

    Parameters
    ----------
    options
        How parents are weighed.
    """

    name = "substitution"

    def __init__(self, options: SubstitutionOptions | None = None) -> None:
        self.options = options or SubstitutionOptions()
        if self.options.parents < 1 or self.options.temperature < 0:
            raise InputError("substitution needs at least one parent and a temperature that is not negative.")
        self.failures: Counter[str] = Counter()

    def fit(
        self,
        data: TrainingSet,
        seed: int,  # noqa: ARG002 - nothing is random in it
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - nor slow
    ) -> FitReport:
        """Keep structures and curves.

        Raises
        ------
        InputError
            If there is none, or a curve is not finite or has no area.
        """
        began = time.process_time()
        if not len(data):
            raise InputError("substitution needs at least one material with a curve; the training set is empty.")
        if not np.isfinite(data.curves).all():
            raise InputError("A curve of the training set holds NaN or infinity; leave that material out.")
        self.grid = data.grid
        self.curves = data.grid.normalise(np.maximum(data.curves, 0))
        self.ids, self.systems, self.structures = data.ids, data.crystal_systems, data.structures
        self.decorator = Decorator.learn(data, "none")
        progress(self.name, 1.0)
        return FitReport({}, (), len(data), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` children, those of the most similar parents first.

        Raises
        ------
        InputError
            If it was not fitted or the target has no curve.
        """
        if not hasattr(self, "grid"):
            raise InputError("substitution has seen no training set; fit or load it first.")
        similarities = cosine(self.curves, curve_on(self.grid, target)[None])
        inside = [
            i
            for i in np.argsort(-similarities, kind="stable")
            if self.systems[i] in space.crystal_systems and len(self.structures[i]) <= space.max_sites
        ]
        children = self._children([int(i) for i in inside[: self.options.parents]], target, space)
        weights = np.array([similarities[parent] for parent, _ in children])
        chosen = draw_without_replacement(weights, n, rng, self.options.temperature)
        return [self._proposal(*children[i], float(weights[i])) for i in chosen]

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` (curves) and ``config.json`` (structures)."""
        config = {
            "name": self.name,
            "options": asdict(self.options),
            "grid": asdict(self.grid),
            "ids": list(self.ids),
            "systems": list(self.systems),
            "structures": [structure.as_dict() for structure in self.structures],
            "decorator": self.decorator.config(),
        }
        write_model(folder, config, {"curves": self.curves})

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
            made.ids, made.systems = tuple(config["ids"]), tuple(config["systems"])
            made.structures = tuple(Structure.from_dict(item) for item in config["structures"])
            made.decorator = Decorator(**config["decorator"])
        except (FermiloopError, KeyError, TypeError, ValueError) as error:
            raise broken_model(folder, error) from None
        return made

    def _children(self, parents: list[int], target: Target, space: Space) -> list[tuple[int, dict[str, str]]]:
        """Parent and swap of every child in the space, each composition of a prototype once."""
        low, high = space.n_components
        seen: set[tuple[Any, ...]] = set()
        children = []
        for parent in parents:
            structure = self.structures[parent]
            for swap in swaps([element.symbol for element in structure.composition.elements], space.elements):
                composition = structure.composition.replace({**swap})
                formula = formula_of(row_of(composition))
                key = (formula, len(structure), self.systems[parent], structure.get_space_group_info()[1])
                if low <= len(composition) <= high and formula not in target.exclude_formulas and key not in seen:
                    seen.add(key)
                    children.append((parent, swap))
        return children

    def _proposal(self, parent: int, swap: dict[str, str], score: float) -> Proposal:
        structure = self.structures[parent].copy()
        before = self.decorator.volume_per_atom(structure.composition.get_el_amt_dict())
        structure.replace_species(dict[Any, Any](swap))
        after = self.decorator.volume_per_atom(structure.composition.get_el_amt_dict())
        structure.scale_lattice(structure.volume * after / before)
        return Proposal(structure, score, None, self.ids[parent], {"swap": swap})


def swaps(symbols: list[str], allowed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Every change of exactly one element to an allowed one of the same group, all elements allowed after it."""
    for symbol in symbols:
        if any(other not in allowed for other in symbols if other != symbol):
            continue
        group = Element(symbol).group
        for other in allowed:
            if other not in symbols and Element(other).group == group:
                yield {symbol: other}
