"""Crystals for a density of states: compositions by the inverse model, decorated on known prototypes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.errors import FermiloopError, InputError
from fermiloop.platform.generators.calibration import calibration_error
from fermiloop.platform.generators.decoration import Decoration, Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.factorised import FactorisedModel
from fermiloop.platform.generators.inverse import InverseSpectrumModel
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.generators.samples import FEWEST_SAMPLES, fold_numbers, samples_of
from fermiloop.platform.plugins.potentials import DEFAULT
from fermiloop.platform.predictors.files import broken_model, read_model, write_model
from fermiloop.platform.representations.composition import formula_of
from fermiloop.platform.representations.spectrum import SpectrumGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import Row

    Array = NDArray[np.float64]

POOL = 4000
"""Likeliest compositions that are decorated before the draw."""


@dataclass(frozen=True)
class ComposerOptions:
    """How a DosComposer trains and draws.

    Parameters
    ----------
    epochs
        Epochs of the preset's networks; None takes the preset's own.
    temperature
        Of the draw: 0 takes the best every time.
    potential
        Potential that finds volumes, by its name, or ``none``.
    test_share
        Share of the compositions held out for the report; the final model learns from all.
    """

    epochs: int | None = None
    temperature: float = 1.0
    potential: str = DEFAULT
    test_share: float = 0.2


class DosComposer:
    """Learns DOS to composition; proposes decorated prototypes.

    Parameters
    ----------
    preset
        ``"paper"`` or ``"factorised"``.
    options
        How it trains and draws.
    """

    name = "dos_composer"

    def __init__(self, preset: str = "factorised", options: ComposerOptions | None = None) -> None:
        self.preset = preset
        self.options = options or ComposerOptions()
        self.model = InverseSpectrumModel(preset, self.options.epochs)
        self.failures: Counter[str] = Counter()
        if not (0 <= self.options.test_share < 1 and self.options.temperature >= 0):
            raise InputError("test_share must lie in [0, 1) and temperature must not be negative.")
        self.decorator = Decorator({}, {}, self.options.potential)

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,  # noqa: ARG002 - trained in a minute
    ) -> FitReport:
        """Measure on compositions held out, then train on everything; begun anew if it was stopped.

        Raises
        ------
        InputError
            If the training set is too small or a curve is not finite.
        """
        began = time.process_time()
        data = data.with_curves()
        samples = samples_of(data)
        metrics, n_test = self._held_out(samples, seed, progress)
        self.decorator = Decorator.learn(data, self.options.potential)
        if not self.decorator.counts:
            raise InputError("No material of the training set is of a known prototype, so nothing can be decorated.")
        self.grid = data.grid
        history = self.model.fit(samples, seed, progress)
        if history:
            metrics["loss"] = history[-1]
        if isinstance(self.model.model, FactorisedModel):
            metrics |= {f"weight_{n}": float(w) for n, w in zip(_expert_names(), self.model.model.weights, strict=True)}
        return FitReport(metrics, history, len(samples), 0, n_test, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals drawn by probability without replacement, likeliest first.

        Raises
        ------
        InputError
            If the target has no curve, or the generator is not trained.
        """
        if not hasattr(self, "grid"):
            raise InputError("dos_composer is not trained; fit or load it first.")
        curve = target.curve_on(self.grid)
        choices = self._choices(self._log_probabilities(curve, space), target, space)
        log_weights = [score + np.log(decoration.share) for _, score, decoration in choices]
        chosen = draw_without_replacement(log_weights, n, rng, self.options.temperature)
        return [self._proposal(*choices[i], log_weights[i]) for i in chosen]

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` and ``config.json``."""
        config = {
            "name": self.name,
            "preset": self.preset,
            "options": asdict(self.options),
            "grid": asdict(self.grid),
            "decorator": self.decorator.config(),
            "inverse": self.model.config(),
        }
        write_model(folder, config, self.model.state())

    @classmethod
    def load(cls, folder: Path) -> DosComposer:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If a file is missing or is not what `save` writes.
        """
        config, arrays = read_model(folder, cls.name)
        try:
            composer = cls(config["preset"], ComposerOptions(**config["options"]))
            composer.grid = SpectrumGrid(**config["grid"])
            composer.decorator = Decorator(**config["decorator"])
            composer.model = InverseSpectrumModel.restore(config["inverse"], arrays)
        except (FermiloopError, KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
            raise broken_model(folder, error) from None
        return composer

    def _held_out(
        self, samples: Samples, seed: int, progress: Callable[[str, float], None]
    ) -> tuple[dict[str, float], int]:
        folds = round(1 / self.options.test_share) if self.options.test_share else 0
        numbers = fold_numbers(samples.rows, max(folds, 1), np.random.default_rng(seed))
        test = samples.subset(np.flatnonzero(numbers == 0))
        rest = samples.subset(np.flatnonzero(numbers != 0))
        if folds < 2 or len(rest) < FEWEST_SAMPLES or len(set(rest.elements)) < 2:
            return {}, 0
        model = InverseSpectrumModel(self.preset, self.options.epochs)
        model.fit(rest, seed, progress)
        scores = model.log_probabilities(test.curves, test.systems)
        ranks = ranks_of(scores, [model.table.index.get(row) for row in test.rows])
        mass = np.exp(-np.sort(-scores, axis=1)[:, :5]).sum(axis=1)
        return {
            "held_out_top1": float((ranks < 1).mean()),
            "held_out_top5": float((ranks < 5).mean()),
            "held_out_median_rank": float(np.median(ranks)),
            "held_out_calibration_error": calibration_error(mass, ranks < 5),
        }, len(test)

    def _log_probabilities(self, curve: Array, space: Space) -> Array:
        """(n_rows,) log probabilities, averaged over the crystal systems of the space."""
        systems = np.array(space.crystal_systems, dtype=str)
        scores = self.model.log_probabilities(np.repeat(curve[None], len(systems), axis=0), systems)
        return np.asarray(np.logaddexp.reduce(scores, axis=0) - np.log(len(systems)))

    def _choices(self, scores: Array, target: Target, space: Space) -> list[tuple[Row, float, Decoration]]:
        allowed = {Element(symbol).Z for symbol in space.elements}
        low, high = space.n_components
        excluded = set(target.exclude_formulas)
        rows = self.model.table.rows
        inside = [
            i
            for i in np.argsort(-scores, kind="stable")
            if low <= len(rows[i]) <= high
            and all(number in allowed for number, _ in rows[i])
            and formula_of(rows[i]) not in excluded
        ]
        return [
            (rows[i], float(scores[i]), decoration)
            for i in inside[:POOL]
            for decoration in self.decorator.decorations(rows[i], space)
        ]

    def _proposal(self, row: Row, score: float, decoration: Decoration, log_weight: float) -> Proposal:
        detail = {"formula": formula_of(row), "prototype": decoration.prototype, "log_probability": score}
        return Proposal(self.decorator.build(decoration), float(log_weight), float(np.exp(score)), None, detail)


def ranks_of(scores: Array, places: list[int | None]) -> Array:
    """(k,) number of rows scored above the true one; infinite where the table lacks it."""
    return np.array(
        [np.inf if place is None else (row > row[place]).sum() for row, place in zip(scores, places, strict=True)]
    )


def _expert_names() -> tuple[str, ...]:
    from fermiloop.platform.generators.factorised import EXPERTS

    return EXPERTS
