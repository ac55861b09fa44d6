"""The plainest baseline: a random composition on a random prototype, the target unread."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.decoration import Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.plugins.potentials import DEFAULT
from fermiloop.platform.predictors.files import broken_model, read_model, write_model
from fermiloop.platform.representations.composition import CompositionTable, formula_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet


@dataclass(frozen=True)
class RandomPickOptions:
    """How volumes are found: by a potential, which is named, or by ``none``."""

    potential: str = DEFAULT


class RandomPick:
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
        if not self.decorator.counts:
            raise InputError("No material of the training set is of a known prototype, so nothing can be decorated.")
        progress(self.name, 1.0)
        return FitReport({}, (), len(data), 0, 0, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` different crystals, in random order.

        Raises
        ------
        InputError
            If it was not fitted.
        """
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

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` (elemental volumes) and ``config.json``."""
        volumes = np.array(list(self.decorator.volumes.values()))
        config = {"name": self.name, "options": asdict(self.options), "decorator": self.decorator.config()}
        write_model(folder, config, {"volumes": volumes})

    @classmethod
    def load(cls, folder: Path) -> RandomPick:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        config, _ = read_model(folder, cls.name)
        try:
            picker = cls(RandomPickOptions(**config["options"]))
            picker.decorator = Decorator(**config["decorator"])
        except (FermiloopError, KeyError, TypeError, ValueError) as error:
            raise broken_model(folder, error) from None
        return picker
