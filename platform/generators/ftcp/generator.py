"""FTCP as a generator: trained with properties, searched around known crystals, decoded (Matter 5, 314, 2022)."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fermiloop.platform.errors import InputError
from fermiloop.platform.generators.acceptance import accept
from fermiloop.platform.generators.ftcp.known import (
    Known,
    allowed_numbers,
    window_misses,
    window_places,
)
from fermiloop.platform.generators.ftcp.latent import LatentSpace
from fermiloop.platform.generators.ftcp.options import PRESETS, FtcpOptions, options_of, training_of
from fermiloop.platform.generators.ftcp.paper_model import PaperModel, PublishedModel
from fermiloop.platform.generators.ftcp.strategies import Draws, draw
from fermiloop.platform.generators.ftcp.structured_model import StructuredModel
from fermiloop.platform.generators.protocol import FitReport, Proposal
from fermiloop.platform.predictors.files import Arrays, Config, Packed, SavedModel
from fermiloop.platform.representations.crystals import CrystalBatch
from fermiloop.platform.representations.element_bins import N_ELEMENTS
from fermiloop.platform.representations.spectrum import SpectrumGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from pymatgen.core import Structure

    from fermiloop.platform.generators.ftcp.model import LatentModel
    from fermiloop.platform.generators.protocol import Space, Target, TrainingSet

    Array = NDArray[np.float64]

MODELS: Final[dict[str, type[PaperModel] | type[StructuredModel]]] = {
    "paper": PublishedModel,
    "convolutional": PaperModel,
    "structured": StructuredModel,
}
PROPERTIES: Final = ("formation_energy_per_atom", "band_gap", "energy_above_hull")
"""Labels that are learned, where the training set has them."""
FEWEST: Final = 4
FEWEST_HELD_OUT: Final = 50
SMALLEST_CELL: Final = 1.0  # Å³
ROUNDS: Final = 4
"""Times that points are drawn again where too few became crystals."""


class Ftcp(SavedModel):
    """Learns crystals with their properties; proposes crystals for property windows or near a curve.

    Parameters
    ----------
    preset
        ``"structured"``; ``"paper"``, the published network and its training to the letter; or ``"convolutional"``,
        that network with a threshold of occupancy and batch norms that also suit short trainings.
    options
        How it trains and draws.
    """

    name = "ftcp"

    def __init__(self, preset: str = PRESETS[-1], options: FtcpOptions | None = None) -> None:
        self.preset = preset
        self.options = options or options_of(preset)
        self.training = training_of(preset, self.options)
        self.names: tuple[str, ...] = ()
        self.failures: Counter[str] = Counter()

    def fit(
        self, data: TrainingSet, seed: int, progress: Callable[[str, float], None], resume: Path | None = None
    ) -> FitReport:
        """Train on the crystals that fit; those held out are measured and not learned.

        Raises
        ------
        InputError
            If too few crystals fit.
        """
        began = time.process_time()
        chosen = [i for i, structure in enumerate(data.structures) if self._fits(structure)]
        if len(chosen) < FEWEST:
            raise InputError(
                f"{len(chosen)} of {len(data)} crystals have at most {self.options.max_sites} sites and "
                f"{self.options.max_elements} elements, too few for ftcp; at least {FEWEST} are needed."
            )
        data, left_out = data.subset(chosen), len(data) - len(chosen)
        test_share = self.options.test_share if len(data) >= FEWEST_HELD_OUT else 0.0
        order = np.random.default_rng(seed).permutation(len(data))
        test, train = np.split(order, [round(test_share * len(data))])
        self.names = tuple(n for n in PROPERTIES if n in data.labels and np.isfinite(data.labels[n][train]).any())
        labels = np.array([data.labels[name] for name in self.names], dtype=float).reshape(-1, len(data)).T
        labels[~np.isfinite(labels)] = np.nan
        crystals = CrystalBatch.from_structures(data.structures, self.options.max_sites)
        self.model: LatentModel = MODELS[self.preset](self.training, len(self.names))
        history = self.model.fit(crystals.subset(train), labels[train], seed, progress, resume)
        self.known = Known.of(data, labels, self.model.encode(crystals))
        metrics = {"left_out": float(left_out)}
        metrics |= {f"train_{k}": v for k, v in self._measured(crystals, labels, train).items()}
        metrics |= {f"held_out_{k}": v for k, v in self._measured(crystals, labels, test).items()}
        return FitReport(metrics, history, len(train), 0, len(test), time.process_time() - began)

    def sample(self, target: Target, space: Space, n: int, rng: np.random.Generator) -> list[Proposal]:
        """At most `n` crystals, nearest to the target by the model's own prediction first.

        Raises
        ------
        InputError
            If the target asks for what was not learned, or the generator is not trained.
        """
        self.failures = Counter()
        if not hasattr(self, "known"):
            raise InputError("ftcp is not trained; fit or load it first.")
        misses = self.known.misses(target, self.names)
        found: dict[str, Proposal] = {}
        for _ in range(ROUNDS):
            if len(found) >= n:
                break
            draws = self._draw(misses, target, space, n, rng)
            self._take(draws, target, space, n, found)
        return sorted(found.values(), key=lambda proposal: -proposal.score)

    def packed(self) -> Packed:
        """What is kept of it."""
        config = {
            "preset": self.preset,
            "options": asdict(self.options),
            "properties": list(self.names),
            "grid": asdict(self.known.grid),
            "known": self.known.config(),
            "model": self.model.config(),
        }
        return config, self.model.state() | self.known.state()

    @classmethod
    def restored(cls, config: Config, arrays: Arrays) -> Ftcp:
        """The same out of what `packed` gave."""
        generator = cls(config["preset"], FtcpOptions(**config["options"]))
        generator.names = tuple(config["properties"])
        generator.known = Known.restore(config["known"], arrays, SpectrumGrid(**config["grid"]))
        generator.model = MODELS[generator.preset](generator.training, len(generator.names))
        generator.model.restore(config["model"], arrays)
        return generator

    def _fits(self, structure: Structure) -> bool:
        return (
            structure.is_ordered
            and 0 < len(structure) <= self.options.max_sites
            and len(structure.composition) <= self.options.max_elements
            and max(structure.atomic_numbers) <= N_ELEMENTS
        )

    def _draw(self, misses: Array, target: Target, space: Space, n: int, rng: np.random.Generator) -> Draws:
        """Latent points with their parents; parents in the space come first, then those nearest to the target."""
        ties = rng.permutation(len(misses))
        order = ties[np.lexsort((misses[ties], ~self.known.inside(space)[ties]))]
        return draw(
            self.options,
            self._space(),
            order,
            n * self.options.oversample,
            rng,
            self.model.predict,
            [
                (place, window)
                for place, window in zip(window_places(target.windows, self.names), target.windows, strict=True)
            ],
            self.known.labels,
        )

    def _space(self) -> LatentSpace:
        space, first = LatentSpace.around(self.known.points, self.model.unit_noise), self.model.element_dimensions
        return space.keeping(first, self.options.geometry) if first else space

    def _predicted(self, crystals: CrystalBatch, parents: NDArray[np.int64]) -> Array:
        """(n, n_targets) properties of designs: their parent's label and the change that the network predicts.

        What the network gets wrong of a crystal it mostly gets wrong of its like. Where the parent has no label, and
        of the published preset, the network's prediction itself.
        """
        predicted = self._properties(self.model.encode(crystals))
        if self.preset == "paper":
            return predicted
        known = np.maximum(parents, 0)
        changed = self.known.labels[known] + predicted - self._properties(self.known.points[known])
        return np.where((parents >= 0)[:, None] & np.isfinite(changed), changed, predicted)

    def _properties(self, points: Array) -> Array:
        with torch.no_grad():
            return self.model.predict(torch.tensor(points, dtype=torch.float32)).numpy().astype(float)

    def _take(self, draws: Draws, target: Target, space: Space, n: int, found: dict[str, Proposal]) -> None:
        """Decode, order by prediction, and keep what may be proposed, one crystal a formula."""
        crystals = self.model.decode(draws.points, allowed_numbers(space.elements) & self.known.numbers())
        sound = (crystals.n_sites > 0) & (np.abs(np.linalg.det(crystals.matrices())) > SMALLEST_CELL)
        if not sound.all():
            self.failures["no atoms, or a cell without volume"] += int((~sound).sum())
        if not sound.any():
            return
        kept = np.flatnonzero(sound)
        crystals, draws = crystals.subset(kept), draws.subset(kept)
        predicted = self._predicted(crystals, draws.parents)
        places = window_places(target.windows, self.names)
        scores = -window_misses(predicted[:, places], target.windows) if places else -draws.far
        for i in np.argsort(-scores, kind="stable"):
            if len(found) >= n:
                return
            crystal = self._accepted(crystals, int(i), target, space, found)
            if isinstance(crystal, str):
                self.failures[crystal] += 1
                continue
            values = {name: round(float(value), 4) for name, value in zip(self.names, predicted[i], strict=True)}
            detail = {"strategy": self.options.strategy, "scale": self.options.scale, "predicted": values}
            parent = None if draws.parents[i] < 0 else self.known.ids[draws.parents[i]]
            formula = crystal.composition.reduced_formula
            found[formula] = Proposal(crystal, float(scores[i]), None, parent, detail)

    def _accepted(
        self, crystals: CrystalBatch, i: int, target: Target, space: Space, found: dict[str, Proposal]
    ) -> Structure | str:
        structure = crystals.structure(i)
        formula = structure.composition.reduced_formula
        if self.options.novel and formula in self.known.formulas:
            return "known formula"
        if formula in found:
            return "formula proposed already"
        return accept(structure, target, space)

    def _measured(self, crystals: CrystalBatch, labels: Array, rows: NDArray[np.int64]) -> dict[str, float]:
        """How well crystals are rebuilt and their properties predicted."""
        if not len(rows):
            return {}
        truth, points = crystals.subset(rows), self.known.points[rows]
        rebuilt = self.model.decode(points)
        same = (np.sort(truth.numbers, axis=1) == np.sort(rebuilt.numbers, axis=1)).all(axis=1)
        metrics = {
            "atoms_exact": float(same.mean()),
            "n_sites_exact": float((truth.n_sites == rebuilt.n_sites).mean()),
            "length_mae": float(np.abs(truth.lengths - rebuilt.lengths).mean()),
            "angle_mae": float(np.abs(truth.angles - rebuilt.angles).mean()),
        }
        predicted = self._properties(points)
        errors = np.abs(predicted - labels[rows])
        for name, column in zip(self.names, errors.T, strict=True):
            if np.isfinite(column).any():
                metrics[f"{name}_mae"] = float(np.nanmean(column))
        return metrics
