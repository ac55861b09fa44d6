"""Crystals for a density of states: compositions by the inverse model, decorated on known structure types.

Unaries and binaries are ranked in a table, ternaries and quaternaries by a beam search, in the ratios that the training
set holds and those of tabulated structure types. Where it holds no ternaries their scores are extrapolated from
unaries and binaries; see `factorised` for what that rests on.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Element

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.beam import WIDTH
from fermiloop.platform.generators.decoration import Decoration, Decorator
from fermiloop.platform.generators.draw import draw_without_replacement
from fermiloop.platform.generators.factorised import EXPERTS, FactorisedModel
from fermiloop.platform.generators.held_out import metrics_of, outcomes_of
from fermiloop.platform.generators.inverse import Bounds, InverseSpectrumModel
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.generators.resuming import fitted
from fermiloop.platform.generators.row_array import MOST_COMPONENTS, ratios_of
from fermiloop.platform.generators.samples import FEWEST_COMPOSITIONS, FEWEST_SAMPLES, samples_of
from fermiloop.platform.plugins.potentials import DEFAULT
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel, under
from fermiloop.platform.representations.composition import formula_of
from fermiloop.platform.representations.spectrum import SpectrumGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet
    from fermiloop.platform.generators.row_array import Ratios
    from fermiloop.platform.generators.samples import Samples
    from fermiloop.platform.representations.composition import Row

    Array = NDArray[np.float64]

ALL = ""
"""Name of the model that is not of one crystal system."""
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
        Share of the compositions held out for the report, 0 for none; the final model learns from all. ``factorised``
        holds out one of the five folds of its own training, whatever the share.
    per_crystal_system
        Whether each crystal system has a model of its own, learned from its crystals alone, as published; a system
        with too few of them has none, and nothing is proposed in it.
    most_components
        Most elements of what is searched, at most 4.
    beam_width
        Sets of elements that the search goes on with; it costs time in proportion.
    """

    epochs: int | None = None
    temperature: float = 1.0
    potential: str = DEFAULT
    test_share: float = 0.2
    per_crystal_system: bool = False
    most_components: int = MOST_COMPONENTS
    beam_width: int = WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.test_share < 1 and self.temperature >= 0):
            raise InputError("test_share must lie in [0, 1) and temperature must not be negative.")
        if not 1 <= self.most_components <= MOST_COMPONENTS:
            raise InputError(f"most_components must lie in 1 to {MOST_COMPONENTS}, not {self.most_components}.")
        if self.beam_width < 1:
            raise InputError(f"beam_width must be at least 1, not {self.beam_width}.")


class DosComposer(SavedModel):
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
        self.models = {ALL: InverseSpectrumModel(preset, self.options.epochs)}
        self.failures: Counter[str] = Counter()
        self.decorator = Decorator({}, {}, self.options.potential)

    def fit(
        self,
        data: TrainingSet,
        seed: int,
        progress: Callable[[str, float], None],
        resume: Path | None = None,
    ) -> FitReport:
        """Train on everything, and measure on compositions held out; models that `resume` holds are not trained again.

        Raises
        ------
        InputError
            If the training set is too small or a curve is not finite.
        """
        began = time.process_time()
        data = data.with_curves()
        samples = samples_of(data, self.options.most_components)
        self.decorator = Decorator.learn(data, self.options.potential)
        if not self.decorator.counts:
            raise InputError("No material of the training set is of a known prototype, so nothing can be decorated.")
        self.grid = data.grid
        self.ratios = _merged(ratios_of(samples.rows), self.decorator.ratios)
        parts = parts_of(samples) if self.options.per_crystal_system else {ALL: samples}
        if not parts:
            raise InputError(
                f"No crystal system has {FEWEST_SAMPLES} curves of {FEWEST_COMPOSITIONS} compositions, so there can be "
                "no model for each; leave out per_crystal_system."
            )

        def fit(part: Samples) -> tuple[InverseSpectrumModel, tuple[float, ...]]:
            return fitted(self.preset, self.options.epochs, part, seed, progress, resume)

        self.models = {}
        history: tuple[float, ...] = ()
        told: dict[str, float] = {}
        for name, part in parts.items():
            self.models[name], history = fit(part)
            told |= _told(self.models[name], history, name)
        share = self.options.test_share
        outcomes = [
            outcomes_of(model, share, seed, lambda part: fit(part)[0]) for model in self.models.values() if share
        ]
        metrics, n_test = metrics_of(outcomes)
        return FitReport(metrics | told, history, len(samples), 0, n_test, time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals drawn by probability without replacement, likeliest first.

        Raises
        ------
        InputError
            If the target has no curve, the generator is not trained, or has no model of any crystal system of the
            space.
        """
        if not hasattr(self, "grid"):
            raise InputError("dos_composer is not trained; fit or load it first.")
        curve = target.curve_on(self.grid)
        choices = [
            (row, score, decoration)
            for part in self._rooms(space)
            for row, score in self._ranked(curve, target, part)
            for decoration in self.decorator.decorations(row, part, unseen=True)
        ]
        log_weights = [score + np.log(decoration.share) for _, score, decoration in choices]
        chosen = draw_without_replacement(log_weights, n, rng, self.options.temperature)
        return [self._proposal(*choices[i], log_weights[i]) for i in chosen]

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "preset": self.preset,
            "options": asdict(self.options),
            "grid": asdict(self.grid),
            "decorator": self.decorator.config(),
            "ratios": {str(size): list(map(list, ratios)) for size, ratios in self.ratios.items()},
            "inverse": {name: model.config() for name, model in self.models.items()},
        }
        arrays = {f"{name}.{key}": value for name, model in self.models.items() for key, value in model.state().items()}
        return config, arrays

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> DosComposer:
        """The same out of what `packed` gave."""
        composer = cls(config["preset"], ComposerOptions(**config["options"]))
        composer.grid = SpectrumGrid(**config["grid"])
        composer.decorator = Decorator(**config["decorator"])
        composer.ratios = {
            int(size): tuple(tuple(map(int, ratio)) for ratio in ratios)
            for size, ratios in config.get("ratios", {}).items()
        }
        composer.models = _restored(config["inverse"], arrays)
        return composer

    def _rooms(self, space: Space) -> list[Space]:
        """The space, or where each crystal system has a model the part of the space in each.

        Raises
        ------
        InputError
            If none of its systems has a model.
        """
        if ALL in self.models:
            return [space]
        there = [system for system in space.crystal_systems if system in self.models]
        if not there:
            raise InputError(
                f"This dos_composer has models of {', '.join(self.models)} crystals only, not of "
                f"{', '.join(space.crystal_systems)}; train it without per_crystal_system."
            )
        return [replace(space, crystal_systems=(system,)) for system in there]

    def _ranked(self, curve: Array, target: Target, space: Space) -> list[tuple[Row, float]]:
        """Compositions inside a space and their log probabilities, best first."""
        systems = np.array(space.crystal_systems, dtype=str)
        low, high = space.n_components
        excluded = set(target.exclude_formulas)
        elements = frozenset(Element(symbol).Z for symbol in space.elements)
        components = (low, min(high, self.options.most_components))
        bounds = Bounds(elements, components, self.ratios, self.options.beam_width, POOL + len(excluded))
        model = self.models.get(ALL) or self.models[space.crystal_systems[0]]
        found = model.search(curve, systems, bounds)
        return [(row, score) for row, score in found if formula_of(row) not in excluded][:POOL]

    def _proposal(self, row: Row, score: float, decoration: Decoration, log_weight: float) -> Proposal:
        detail = {"formula": formula_of(row), "prototype": decoration.prototype, "log_probability": score}
        return Proposal(self.decorator.build(decoration), float(log_weight), float(np.exp(score)), None, detail)


def parts_of(samples: Samples) -> dict[str, Samples]:
    """The samples of each crystal system that has enough of them to learn from."""
    parts = {name: samples.subset(np.flatnonzero(samples.systems == name)) for name in sorted(set(samples.systems))}
    return {str(name): part for name, part in parts.items() if part.are_enough}


def _told(model: InverseSpectrumModel, history: tuple[float, ...], name: str) -> dict[str, float]:
    """What a trained model says of itself."""
    suffix = f"_{name}" if name else ""
    told = {f"loss{suffix}": history[-1]} if history else {}
    if left_out := len(set(model.known.elements) - set(model.table.elements)):
        told[f"elements_left_out{suffix}"] = float(left_out)
    if isinstance(model.model, FactorisedModel):
        told |= {f"weight_{n}{suffix}": float(w) for n, w in zip(EXPERTS, model.model.weights, strict=True)}
    return told


def _merged(*some: Ratios) -> Ratios:
    """All ratios of several tables."""
    sizes = sorted({size for ratios in some for size in ratios})
    return {size: tuple(sorted({r for ratios in some for r in ratios.get(size, ())})) for size in sizes}


def _restored(config: dict[str, Any], arrays: dict[str, Any]) -> dict[str, InverseSpectrumModel]:
    """Models by crystal system; files of before there were several hold one without a name."""
    if "model" in config:
        return {ALL: InverseSpectrumModel.restore(config, arrays)}
    return {name: InverseSpectrumModel.restore(part, under(f"{name}.", arrays)) for name, part in config.items()}
