"""The plainest baseline: a random composition on a random prototype, the target unread."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from math import perm
from typing import TYPE_CHECKING, Final

import numpy as np
from pymatgen.core import Composition, Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.plugins.potentials import DEFAULT
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.predictors.potential.volumes import volume_by_bonds
from fermiloop.platform.representations.composition import CompositionTable, formula_of
from fermiloop.platform.representations.structure_types import ALL_TYPES
from fermiloop.platform.search.templates import TABLES, check_table, negativity, tabulated_types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet
    from fermiloop.platform.search.templates import Template


DRAWS: Final = 30
"""Draws for each decoration wanted, after which those found must do."""


@dataclass(frozen=True)
class RandomPickOptions:
    """How volumes are found, and what is decorated.

    Parameters
    ----------
    potential
        Name of the one that finds the volume, or ``"none"``.
    structure_types
        ``"cubic_hexagonal"``: prototypes of unaries and binaries that the training set has, every composition as
        likely as any other; ``"all"``: every tabulated structure type, every decoration as likely as any other.
    """

    potential: str = DEFAULT
    structure_types: str = TABLES[0]

    def __post_init__(self) -> None:
        check_table(self.structure_types)


class RandomPick(SavedModel):
    """Every composition of the space that a known prototype can hold is as likely as any other."""

    name = "random_pick"

    def __init__(self, options: RandomPickOptions | None = None) -> None:
        self.options = options or RandomPickOptions()
        self.decorator = Decorator({}, {}, self.options.potential)
        self.failures: Counter[str] = Counter()

    def fit(
        self,
        data: TrainingSet,
        seed: int,  # noqa: ARG002 - nothing is random in it
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - nor slow
    ) -> FitReport:
        """Keep which prototypes and elemental volumes occur.

        Raises
        ------
        InputError
            If no material of the training set is of a known prototype.
        """
        began = time.process_time()
        self.decorator = Decorator.learn(data, self.options.potential)
        if not self.decorator.counts and not self._all_types:
            raise InputError(
                "No material of the training set is of a known prototype, so nothing can be decorated; set the option "
                "structure_types of random_pick to all."
            )
        progress(self.name, 1.0)
        return FitReport({}, (), len(data), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, in random order.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        if self._all_types:
            return self._of_all_types(target, space, n, rng)
        if not self.decorator.counts:
            raise InputError("random_pick has seen no training set; fit or load it first.")
        low, high = space.n_components
        excluded = set(target.exclude_formulas)
        choices = [
            decoration
            for row in CompositionTable([Element(symbol).Z for symbol in space.elements]).rows
            if low <= len(row) <= high and formula_of(row) not in excluded
            for decoration in self.decorator.decorations(row, space)
        ]
        chosen = draw_without_replacement(np.zeros(len(choices)), n, rng)
        return [
            Proposal(self.decorator.build(choices[i]), 0.0, None, None, {"prototype": choices[i].prototype})
            for i in chosen
        ]

    @property
    def _all_types(self) -> bool:
        return self.options.structure_types == ALL_TYPES

    def _of_all_types(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Random decorations of random types; drawn, so that no space is too large."""
        low, high = space.n_components
        types = [
            one
            for one in tabulated_types()
            if one.system in space.crystal_systems
            and len(one.slots) <= space.max_sites
            and low <= len(one.amounts) <= min(high, len(space.elements))
        ]
        ways = np.array([perm(len(space.elements), len(one.amounts)) for one in types], dtype=float)
        excluded = {Composition(formula).reduced_formula for formula in target.exclude_formulas}
        found: dict[tuple[str, tuple[str, ...]], Proposal] = {}
        for _ in range(DRAWS * n if types else 0):
            one = types[int(rng.choice(len(types), p=ways / ways.sum()))]
            symbols = _ordered(one, [space.elements[i] for i in rng.permutation(len(space.elements))])
            formula = Composition(dict(zip(symbols, one.amounts, strict=True))).reduced_formula
            if (one.name, symbols) not in found and formula not in excluded:
                guess = volume_by_bonds(one.build(symbols, 1.0))
                made = self.decorator.at_volume(partial(one.build, symbols), guess)
                found[one.name, symbols] = Proposal(made, 0.0, None, None, {"prototype": one.name})
            if len(found) == n:
                break
        return list(found.values())

    def packed(self) -> Packed:
        """Elemental volumes in the arrays, all in the config."""
        volumes = np.array(list(self.decorator.volumes.values()))
        return {"options": asdict(self.options), "decorator": self.decorator.config()}, {"volumes": volumes}

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> RandomPick:  # noqa: ARG003 - the config says all
        """The same out of what `packed` gave."""
        picker = cls(RandomPickOptions(**config["options"]))
        picker.decorator = Decorator(**config["decorator"])
        return picker


def _ordered(template: Template, drawn: list[str]) -> tuple[str, ...]:
    """The first of the drawn elements in the slots, the less electronegative first where two may be swapped."""
    symbols = drawn[: len(template.amounts)]
    for i, j in template.exchangeable:
        if (negativity(symbols[i]), symbols[i]) > (negativity(symbols[j]), symbols[j]):
            symbols[i], symbols[j] = symbols[j], symbols[i]
    return tuple(symbols)
